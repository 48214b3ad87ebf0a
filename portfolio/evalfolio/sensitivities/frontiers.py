"""The frontier: what the best mix is worth at every amount of one resource, the others held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
ALL, BINDING = "all", "binding"


def frontier(
    question: Question,
    *,
    resource: str = "usd",
    points: int | Sequence[float] = 20,
    relaxed: bool = True,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> Frontier:
    """Return certified plans over a range of one resource, or of all budgets together.

    Every point is certified by itself. A choice feasible at one amount is feasible at every larger
    one and a bound at one holds at every smaller one, so both are carried over: value and bound
    never fall as the amount rises.

    Parameters
    ----------
    question
        The question; the resource that is varied must have a budget unless `points` lists
        amounts.
    resource
        What is varied, the other budgets held; "binding" for that whose budget is worth most at
        its shadow price, "all" for all budgets together, amounts being multiples of them.
    points
        Amounts as stated, or how many: spaced geometrically from a hundredth of the budget to
        twice it (or to what the whole menu can use, where that is less), the budget among them.
    relaxed
        Also solve the convex relaxation at every point: its value is concave in the amount, and
        its price is the slope. Without it, and of all budgets, prices are those of each point's
        own relaxation.
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
    if resource == BINDING:
        resource = _binding(lean, method)
    budget = 1.0 if resource == ALL else question.budget.get(resource)
    most = most_stated(question, resource)
    amounts = _amounts(points, budget, most, resource)
    relaxed = relaxed and resource != ALL
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
            **_row(question, resource, solutions[k], evpi),
            "relaxed": values[k],
            "price": prices[k] if relaxed else _price(question, resource, solutions[k].prices),
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
    return solve(scaled(question, resource, amount), method).to_json()


def scaled(question: Question, resource: str, amount: float) -> Question:
    """Return the question with another budget of a resource, or a multiple of all its budgets.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> question = Question(small_menu(), {"usd": 10_000.0, "staff_hours": 90.0})
    >>> scaled(question, "all", 0.5).budget, scaled(question, "usd", 3.0).budget["usd"]
    ({'usd': 5000.0, 'staff_hours': 45.0}, 3.0)
    """
    if resource != ALL:
        return question.within(**{resource: amount})
    return question.within(**{name: stated * amount for name, stated in question.budget.items()})


def most_stated(question: Question, resource: str) -> float:
    """Return the budget of a resource that the whole menu could use, or that multiple of all."""
    menu = question.menu
    if resource == ALL:
        limited = [name for name, stated in question.budget.items() if 0 < stated < np.inf]
        if not limited:
            raise InputError(
                "budget must hold a finite amount above 0 of some resource to vary all of them, "
                "got none; give one"
            )
        return max(most_stated(question, name) / question.budget[name] for name in limited)
    own = question.within(**{resource: 0.0}).budgets[resource]
    use = menu.options[resource].astype(float).groupby(menu.options["eval"]).max()
    return own.stated_for(float(use.sum()))


def _binding(question: Question, method: Method) -> str:
    """Return the resource whose budget is worth most at its shadow price; money where none is."""
    worth = {
        name: price * question.budget[name]
        for name, price in solve(question, method).prices.items()
        if question.budget.get(name, np.inf) < np.inf
    }
    return max(worth, key=lambda name: worth[name]) if any(worth.values()) else "usd"


def _price(question: Question, resource: str, prices: Mapping[str, float]) -> float:
    if resource != ALL:
        return prices.get(resource, 0.0)
    return sum(price * question.budget.get(name, 0.0) for name, price in prices.items())


def _row(question: Question, resource: str, solution: Solution, evpi: float) -> dict[str, Any]:
    menu = question.menu
    x = menu.options.index.isin(list(solution.options)).astype(np.float64)
    used = dict(zip(menu.resources, menu.use_of(x).tolist(), strict=True))
    if resource == ALL:  # the multiple of the budget that is used most
        stated = question.budget.items()
        used[ALL] = max(used[name] / amount if amount > 0 else 0.0 for name, amount in stated)
    return {
        "value": solution.value,
        "bound": solution.bound,
        "gap": solution.gap,
        "status": solution.status,
        "share_of_evpi": solution.value / evpi if evpi > 0 else 0.0,
        "deep": tier_share(menu, solution.options, DEPTH, None if resource == ALL else resource),
        "used": used[resource],
        "options": solution.options,
    }


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
