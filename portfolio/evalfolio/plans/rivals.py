"""Rivals of a plan: other ways to spend the same budget, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pandas as pd

from evalbayes import Menu
from evalfolio.errors import InfeasibleError
from evalfolio.narrative import DEPTH
from evalfolio.plans.baselines import even_split, filled, restricted
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.revalue import skewed_value
from evalfolio.search.certified import Certified
from evalfolio.search.greedy import Greedy
from evalfolio.search.question import Question

HALF = "half of every budget"
ROUGHLY = Certified(gap=1e-2, time_limit=20.0)  # of plans that only stand beside another


def rival_plans(question: Question, method: Certified = ROUGHLY) -> dict[str, tuple[str, ...]]:
    """Return other ways to spend the budget, by name; those that cannot be are left out.

    Greedy keeps the limits of the question, as does the best mix of half of every budget, by which
    a reader sees what money and hours do; the others stand for habits that know of no limit, and
    spend what they are given.
    """
    menu = question.menu
    rivals = {
        "greedy": Greedy().find(question).chosen,
        "even split": even_split(menu, question.spendable),
    }
    for name, tiers in (
        ("all plateau", ("sweet-spot", "plateau")),
        ("all maximum", (DEPTH,)),
    ):
        part = restricted(menu, tiers)
        if len(part):
            found = method.find(replace(question, menu=part, limits=())).chosen
            rivals[name] = filled(part, found, question.spendable)
    half = {name: 0.5 * amount for name, amount in question.budget.items()}
    with suppress(InfeasibleError):  # what is mandatory may take more than half
        rivals[HALF] = method.find(replace(question, budget=half)).chosen if half else ()
    return {name: chosen for name, chosen in rivals.items() if chosen or name != HALF}


def compare(
    menu: Menu, plans: Mapping[str, Sequence[str]], evpi: float, *, seed: int
) -> pd.DataFrame:
    """Return one row per plan: spend, value, share of perfect information, skewed value."""
    rows = []
    for name, options in plans.items():
        result = evaluate(menu, options)
        skewed = skewed_value(menu, options, seed=seed)
        rows.append(
            {
                "plan": name,
                **result.spend,
                "value": result.value,
                "share_of_evpi": result.value / evpi if evpi > 0 else None,
                "value_skewed": skewed.value,
                "value_skewed_se": skewed.standard_error,
                "evals": len(options),
            }
        )
    return pd.DataFrame(rows)
