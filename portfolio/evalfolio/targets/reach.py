"""How far every decision could be brought within the limits, each by itself, and what binds it."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.limits.budget import Budget
from evalfolio.limits.infeasible import most_known
from evalfolio.limits.limit import Limit
from evalfolio.limits.stack import Stack
from evalfolio.limits.target import PosteriorSd, WrongCall
from evalfolio.narrative import listing
from evalfolio.search import Question

HALF = 0.5  # any target will do: only what is known counts
MORE = 0.05  # of what limits withhold in all: less is no help
GAP = 1e-3  # of what is known
ALL = "all that the menu tells"


def reachable(question: Question) -> pd.DataFrame:
    """Return how much could be known of every decision were all else given up for it.

    Targets and objective of the question are not looked at. By decision: danger_missed_now,
    needless_now and sd_now; danger_missed, needless and sd as the mix leaves them that lets most be
    known; usd of it; bound_by: the budgets and limits without each of which more could be known, or
    `ALL`.

    >>> from evalfolio.examples import small_menu
    >>> table = reachable(Question(small_menu(), {"usd": 3_000.0}))
    >>> str(table.loc["cyber", "bound_by"])
    'budget of 3,000 usd'
    """
    menu, budgets = question.menu, question.stack.budgets
    limits = [limit for limit in question.limits if not isinstance(limit, (PosteriorSd, WrongCall))]
    rows = []
    for decision in menu.decisions:
        target = WrongCall(decision.name, HALF)
        told = partial(_most, menu, target)
        t, x = told(budgets, limits)
        free, _ = told({}, [])
        without = {
            budget.in_words(name): ({k: v for k, v in budgets.items() if k != name}, limits)
            for name, budget in budgets.items()
        } | {str(out): (budgets, [each for each in limits if each is not out]) for out in limits}
        binding = []
        if free - t > MORE * free:
            binding = [n for n, rest in without.items() if told(*rest)[0] - t > MORE * (free - t)]
            binding = binding or ["budgets and limits together"]
        rows.append(_row(menu, decision.name, x) | {"bound_by": listing(binding) or ALL})
    return pd.DataFrame(rows).set_index("decision")


def _most(
    menu: Menu, target: WrongCall, budgets: Mapping[str, Budget], limits: list[Limit]
) -> tuple[float, Array]:
    """Return the most that can be known within limits, and by which choice."""
    x = most_known(Stack(menu, budgets, limits), target, gap=GAP)
    return (0.0, np.zeros(len(menu))) if x is None else (target.known(menu).at(x), x)


def _row(menu: Menu, name: str, x: Array) -> dict[str, object]:
    found: dict[str, object] = {"decision": name}
    sd = PosteriorSd(name, HALF)
    for after, at in (("_now", np.zeros(len(menu))), ("", x)):
        outcome = WrongCall(name, HALF).known(menu).outcome(at)
        found |= {f"danger_missed{after}": outcome.p_missed, f"needless{after}": outcome.p_needless}
        found[f"sd{after}"] = sd.left(menu, at)
    usd = menu.resources.index("usd") if "usd" in menu.resources else None
    return found | ({} if usd is None else {"usd": float(menu.use_of(x)[usd])})
