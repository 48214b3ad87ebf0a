"""The frontier: what the best mix is worth at every amount of one resource, the others held."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, words
from evalfolio.objectives.valuation import perfect_value
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.frontier_points import Frontier as Frontier
from evalfolio.sensitivities.relaxed_line import relaxed_line
from evalfolio.sensitivities.solution import Solution, solve
from evalfolio.sensitivities.sweep import Sweep, inputs_hash

Floats = NDArray[np.float64]


def frontier(
    question: Question,
    *,
    resource: str = "usd",
    points: int | Sequence[float] = 20,
    relaxed: bool = True,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> Frontier:
    """Return certified plans over a range of one resource, the other budgets held.

    Every point is certified by itself. A choice feasible at one amount is feasible at every larger
    one and a bound at one holds at every smaller one, so both are carried over: value and bound
    never fall as the amount rises.

    Parameters
    ----------
    question
        The question; the resource that is varied must have a budget unless `points` lists
        amounts.
    resource
        What is varied.
    points
        Amounts as stated, or how many: spaced geometrically from a hundredth of the budget to
        twice it (or to what the whole menu can use, where that is less), the budget among them.
    relaxed
        Also solve the convex relaxation at every point: its value is concave in the amount, and
        its price is the slope. Without it prices are those of each point's own relaxation.
    method
        Of every point.
    sweep
        Workers, checkpoint and progress.

    Returns
    -------
    Frontier

    Raises
    ------
    InputError
        If the resource is not on the menu, has no finite budget, or the points are not ascending.
    InfeasibleError
        If no choice meets the limits at any amount.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> question = Question(small_menu(), {"usd": 10_000.0})
    >>> line = frontier(question, points=[500, 2_000, 10_000])
    >>> [len(names) for names in line.points["options"]]
    [1, 3, 2]
    """
    menu, lean = question.menu, question.lean
    own = question.within(**{resource: 0.0}).budgets[resource]
    most = own.stated_for(_most_used(menu, resource))
    amounts = _amounts(points, question.budget.get(resource), most, resource)
    whole = max(most, *amounts) * (1 + 1e-9)
    run = (sweep or Sweep()).run(
        partial(_point, lean, resource, method),
        [*amounts.tolist(), whole],
        inputs=inputs_hash(lean, resource, method),
    )
    solved = [Solution.of_json(answer) for answer in run]
    values, prices = np.full((2, len(amounts)), np.nan)
    if relaxed:
        values, prices = relaxed_line(lean, resource, amounts)
        for k in np.flatnonzero(np.isfinite(values)):
            solved[k] = solved[k].with_bound(float(values[k]))
    solutions = carried(solved)
    found = [k for k in range(len(amounts)) if solutions[k].feasible]
    if not found:
        raise InfeasibleError(
            f"no choice meets all limits at any of the {len(amounts)} amounts of "
            f"{words(resource)} up to {amounts[-1]:g}; give more or loosen a limit"
        )
    evpi = perfect_value(menu)
    rows = [
        {
            "amount": float(amounts[k]),
            **_row(menu, resource, solutions[k], evpi),
            "relaxed": values[k],
            "price": prices[k] if relaxed else solutions[k].prices.get(resource, 0.0),
        }
        for k in found
    ]
    table = pd.DataFrame(rows)
    before = [(), *table["options"][:-1]]
    pairs = list(zip(before, table["options"], strict=True))
    table["enters"] = [tuple(o for o in now if o not in was) for was, now in pairs]
    table["leaves"] = [tuple(o for o in was if o not in now) for was, now in pairs]
    missing = tuple(float(amounts[k]) for k in range(len(amounts)) if k not in found)
    return Frontier(question, resource, table, solutions[-1].value, evpi, missing)


def carried(solutions: Sequence[Solution]) -> list[Solution]:
    """Carry choices to larger amounts and bounds to smaller ones; amounts ascend."""
    out: list[Solution] = []
    best: Solution | None = None
    for solution in solutions:
        if best is not None and best.feasible:
            solution = solution.at_least(best.options, best.value)
        out.append(solution)
        if solution.feasible:
            best = solution
    bound = np.inf
    for k in range(len(out) - 1, -1, -1):
        if out[k].feasible:
            out[k] = out[k].with_bound(bound)
            bound = out[k].bound
    return out


def _point(question: Question, resource: str, method: Method, amount: float) -> dict[str, Any]:
    return solve(question.within(**{resource: amount}), method).to_json()


def _row(menu: Menu, resource: str, solution: Solution, evpi: float) -> dict[str, Any]:
    x = menu.options.index.isin(list(solution.options)).astype(np.float64)
    return {
        "value": solution.value,
        "bound": solution.bound,
        "gap": solution.gap,
        "status": solution.status,
        "share_of_evpi": solution.value / evpi if evpi > 0 else 0.0,
        "deep": tier_share(menu, solution.options, DEPTH, resource),
        "used": float(menu.use_of(x)[menu.resources.index(resource)]),
        "options": solution.options,
    }


def _most_used(menu: Menu, resource: str) -> float:
    """Return the use of the resource if every eval ran the option that uses most of it."""
    use = menu.options[resource].astype(float)
    return float(use.groupby(menu.options["eval"]).max().sum())


def _amounts(
    points: int | Sequence[float], budget: float | None, most: float, resource: str
) -> Floats:
    if not isinstance(points, int):
        amounts = np.asarray(points, dtype=np.float64)
        if not len(amounts) or not np.isfinite(amounts).all() or (np.diff(amounts) <= 0).any():
            raise InputError(
                f"points must be finite amounts that rise, got {list(points)}; sort them"
            )
        if amounts[0] < 0:
            raise InputError(f"points must be 0 or more, got {amounts[0]:g}; leave it out")
        return amounts
    if points < 2:
        raise InputError(f"points must be 2 or more, or a list of amounts, got {points}")
    if budget is None or not np.isfinite(budget) or budget <= 0:
        raise InputError(
            f"budget must hold a finite amount of {resource} above 0 to vary it around, "
            f"got {budget}; give one or list the points"
        )
    top = max(min(2 * budget, most), budget)
    # the budget itself is a point, so it is laid in where the even spacing comes nearest
    amounts = np.geomspace(budget / 100, top, points)
    amounts[int(np.argmin(np.abs(np.log(amounts / budget))))] = budget
    return amounts
