"""Rivals of a plan: other ways to spend the same budget, and what they are worth."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InfeasibleError
from evalfolio.narrative import DEPTH
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.revalue import skewed_value
from evalfolio.search import Certified, Greedy, Question

HALF = "half of every budget"
ROUGHLY = Certified(gap=1e-2, time_limit=20.0)  # of plans that only stand beside another


def even_split(menu: Menu, budget: Mapping[str, float]) -> tuple[str, ...]:
    """Return the mix that gives every eval the same share of every budget, and spends the budget.

    Each eval runs the most informative option that its share pays for, with all that it shares;
    information is measured by trace(Σ K), the sum over states of information times prior variance.
    The share is the largest at which all of it fits; what whole runs leave goes where it still
    buys more: see `filled`.

    >>> from evalfolio.examples import small_menu
    >>> even_split(small_menu(), {"usd": 2_000.0})
    ('a plateau', 'b plateau', 'c plateau')
    """
    columns, limits = _limited(menu, budget)
    with np.errstate(divide="ignore", invalid="ignore"):
        need = np.nan_to_num(menu.costs_alone[:, columns] / limits, nan=0.0).max(axis=1, initial=0)
    codes = menu.options["eval"].factorize()[0]
    order = np.argsort(information_size(menu), kind="stable")
    for limit in np.unique(need[need <= 1.0])[::-1]:
        best = np.full(codes.max(initial=0) + 1, -1)
        paid = order[need[order] <= limit]
        best[codes[paid]] = paid  # the last written, the most informative, stays
        x = np.zeros(len(menu))
        x[best[best >= 0]] = 1.0
        if (menu.use_of(x)[columns] <= limits).all():
            return filled(menu, tuple(menu.options.index[x > 0]), budget)
    return ()


def filled(menu: Menu, chosen: Sequence[str], budget: Mapping[str, float]) -> tuple[str, ...]:
    """Return a mix with what is left of the budgets spent too, until nothing more fits.

    Step by step the eval whose option is least informative runs the most informative one that the
    rest pays for.
    """
    columns, limits = _limited(menu, budget)
    size, codes = information_size(menu), menu.options["eval"].factorize()[0]
    x = menu.options.index.isin(list(chosen)).astype(float)
    now = np.zeros(codes.max(initial=0) + 1)
    now[codes[x > 0]] = size[x > 0]
    for code in sorted(range(len(now)), key=lambda each: now[each]):
        mine = codes == code
        for option in sorted(np.flatnonzero(mine & (size > now[code])), key=lambda o: -size[o]):
            other = np.where(mine, 0.0, x)
            other[option] = 1.0
            if (menu.use_of(other)[columns] <= limits).all():
                x = other
                break
    return tuple(menu.options.index[x > 0])


def _limited(menu: Menu, budget: Mapping[str, float]) -> tuple[list[int], Array]:
    return [menu.resources.index(name) for name in budget], np.array([*budget.values()])


def information_size(menu: Menu) -> Array:
    """Return trace(Σ K) of every option, of shape (n_options,): unit-free size of information."""
    return np.asarray(np.einsum("oij,ji->o", menu.information, menu.prior_covariance))


def rival_plans(question: Question, method: Certified = ROUGHLY) -> dict[str, tuple[str, ...]]:
    """Return other ways to spend the budget, by name; those that cannot be are left out.

    Greedy keeps the limits of the question, as does the best mix of half of every budget, by which
    a reader sees what money and hours do; the others stand for habits that know of no limit, and
    spend what they are given.
    """
    question = question.lean
    menu = question.menu
    rivals = {
        "greedy": Greedy().find(question).chosen,
        "even split": even_split(menu, question.spendable),
    }
    for name, tiers in (("all plateau", ("sweet-spot", "plateau")), ("all maximum", (DEPTH,))):
        part = menu.subset(menu.options["tier"].isin(tiers).to_numpy())
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
        share = result.value / evpi if evpi > 0 else None
        skewed = skewed_value(menu, options, seed=seed)
        told = {"plan": name, **result.spend, "value": result.value, "share_of_evpi": share}
        told |= {"value_skewed": skewed.value, "value_skewed_se": skewed.standard_error}
        rows.append(told | {"evals": len(options)})
    return pd.DataFrame(rows)
