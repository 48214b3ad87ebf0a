"""Entries: the amount from which a domain, or max elicitation in it, is worth its price."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalfolio.limits import Forbidden, Limit, Where
from evalfolio.narrative import DEPTH
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.frontiers import Frontier, most_stated, scaled
from evalfolio.sensitivities.sweep import Solution, Sweep, solve, swept

NEAR = 1.03  # a bracket is halved until its ends are within 3 %
COLUMNS = ("what", "below", "at", "adds", "why")
SATURATED = 0.95


def entries(
    frontier: Frontier, *, method: Method = Certified(), sweep: Sweep | None = None
) -> pd.DataFrame:
    """Return from which amount of the resource each domain, and depth in it, is worth its price.

    Something is worth its price at an amount if the best mix with it is certified to be worth more
    than any mix without it: its value lies above the bound of the search that was forbidden it.
    The frontier's own points bracket the amount, then halving narrows the bracket to 3 %; where
    the last point is too low, amounts up to what the whole menu can use are tried. It is the first
    such amount among those tried: as options are whole, it may not pay again at a larger one.

    Parameters
    ----------
    frontier
        What `frontier` returned.
    method
        As the frontier was made with.
    sweep
        Workers, checkpoint and progress; every entry is a point.

    Returns
    -------
    pandas.DataFrame
        One row per entry: what, below and at (it is not worth its price at the one and is at the
        other; NaN where it never is), adds (share of the value that would be lost without it, at
        `at`), why ("pays", "a limit asks for it" where it cannot be left out, or "never"). The
        last row is the saturation of the programme: 95 % of what any amount can reach.
    """
    question = frontier.question.lean
    points = {key: frontier.points[key].tolist() for key in ("amount", "value", "options")}
    names = [*groups(question.menu), "saturation"]
    held = (question, frontier.resource, points, frontier.ceiling, method)
    found = swept(_entry, names, *held, sweep=sweep)
    rows = [{**row, "what": name} for name, row in zip(names, found, strict=True)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["what"] = frame["what"].replace(
        "saturation", f"{SATURATED:.0%} of what any amount can reach"
    )
    return frame.astype({"below": float, "at": float, "adds": float})


def groups(menu: Menu) -> dict[str, Where]:
    """Return by its words every group of options whose entry is of interest."""
    domain = menu.options["domain"].astype(str)
    deep = menu.options["tier"].astype(str) == DEPTH
    found = {"max elicitation anywhere": Where(tier=DEPTH)} if deep.any() else {}
    for name in domain.unique():
        found[f"{name}: any eval"] = Where(domain=name)
        if (deep & (domain == name)).any():
            found[f"{name}: max elicitation"] = Where(domain=name, tier=DEPTH)
    return found


def _entry(
    question: Question,
    resource: str,
    points: dict[str, list[Any]],
    ceiling: float,
    method: Method,
    name: str,
) -> dict[str, Any]:
    """Find one entry."""
    menu = question.menu
    amounts, values, options = points["amount"], points["value"], points["options"]
    most = most_stated(question, resource) * (1 + 1e-9)
    beyond = list(np.geomspace(amounts[-1], max(most, amounts[-1]), 5)[1:])
    grid = [*amounts, *(a for a in beyond if a > amounts[-1])]

    def best(amount: float, *limits: Limit) -> Solution:
        return solve(scaled(question, resource, amount).under(*limits), method)

    def value(amount: float) -> float:
        return values[amounts.index(amount)] if amount in amounts else best(amount).value

    if name == "saturation":
        enough = partial(_reaches, value, SATURATED * ceiling)
        below, at = _crossing(grid, enough)
        return {"below": below, "at": at, "adds": None, "why": "never" if at is None else ""}
    without = Forbidden(groups(menu)[name])
    inside = set(menu.options.index[_members(menu, groups(menu)[name])])
    seen: dict[float, tuple[bool, float, str]] = {}

    def pays(amount: float) -> bool:
        if amount in amounts and not inside & set(options[amounts.index(amount)]):
            return False  # the best mix known does without it
        rest, own = best(amount, without), value(amount)
        held = "pays" if rest.feasible else "a limit asks for it"
        seen[amount] = (own > rest.bound, 1 - rest.value / own if own > 0 else 0.0, held)
        return seen[amount][0] or not rest.feasible

    below, at = _crossing(grid, pays)
    if at is None:
        return {"below": None, "at": None, "adds": None, "why": "never"}
    _, adds, why = seen[at]
    return {"below": below, "at": at, "adds": adds if why == "pays" else None, "why": why}


def _members(menu: Menu, group: Where) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    from evalfolio.limits.group import members

    return members(menu, group)


def _reaches(value: Callable[[float], float], aim: float, amount: float) -> bool:
    return value(amount) >= aim


def _crossing(
    grid: list[float], holds: Callable[[float], bool]
) -> tuple[float | None, float | None]:
    """Return amounts around the first at which a condition holds: on the grid, then by halving.

    Examples
    --------
    >>> below, at = _crossing([1.0, 4.0, 16.0], lambda amount: amount >= 5.0)
    >>> bool(below < 5.0 <= at <= below * NEAR)
    True
    >>> _crossing([1.0, 4.0], lambda amount: amount > 9.0)
    (None, None)
    """
    first = next((k for k, amount in enumerate(grid) if holds(amount)), None)
    if first is None:
        return None, None
    at = grid[first]
    below = grid[first - 1] if first else 0.0
    while below > 0 and at > below * NEAR:
        middle_amount = float(np.sqrt(below * at))
        if holds(middle_amount):
            at = middle_amount
        else:
            below = middle_amount
    return below, at
