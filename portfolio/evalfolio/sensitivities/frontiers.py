"""The frontier: what the best mix is worth at every amount of one resource, the others held."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits import Forbidden, Limit, Where
from evalfolio.limits.amount import tier_share
from evalfolio.limits.group import members
from evalfolio.narrative import DEPTH, listing, percent, two_digits, words
from evalfolio.objectives.valuation import perfect_value
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.plan import Plan
from evalfolio.search import Certified, Method, Question
from evalfolio.sensitivities.relaxed_line import relaxed_line
from evalfolio.sensitivities.sweep import Solution, Sweep, best_at, solve, swept

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALL, BINDING = "all", "binding"
Points = dict[str, list[Any]]  # a frontier's, column by column
NEAR = 1.03  # a bracket is halved until its ends are within 3 %
COLUMNS = ("what", "below", "at", "adds", "why")
SATURATED = 0.95


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Frontier:
    """Certified plans over a range of one resource.

    Parameters
    ----------
    question
        The question; the other budgets are held.
    resource
        The resource that is varied.
    points
        One row per feasible amount, ascending: amount (as stated), value, bound, gap, status,
        relaxed (value of the convex relaxation, concave; NaN where not asked for), price (value of
        one more unit), share_of_evpi, deep (share of the mix's use of the resource that goes to
        max elicitation), options (tuple of names), used (expected use of the resource), enters
        and leaves (options, against the row before).
    ceiling
        Value with as much of the resource as the whole menu could use, the others held.
    evpi
        Value of perfect information.
    infeasible
        Amounts at which no choice meets all limits.
    """

    question: Question
    resource: str
    points: pd.DataFrame
    ceiling: float
    evpi: float
    infeasible: tuple[float, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the points, one row per amount."""
        return self.points.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw value, and the bound on any mix's, by the amount of the resource; return axes."""
        from evalfolio.export.plots import plot_frontier

        here = self.question.budget.get(self.resource)
        return plot_frontier(self.points, self.resource, here, self.evpi, ax)

    def saturation(self, share: float = 0.95) -> tuple[float, float] | None:
        """Return (below, at): amounts between which the value reaches a share of the ceiling.

        None where the range ends before; `below` is 0 where the first point reaches it.
        """
        enough = np.flatnonzero(self.points["value"] >= share * self.ceiling)
        if not len(enough):
            return None
        amounts = self.points["amount"].to_numpy()
        return (float(amounts[enough[0] - 1]) if enough[0] else 0.0, float(amounts[enough[0]]))

    def kinks(self) -> list[str]:
        """Return a sentence for every amount at which the mix changes: what enters, what leaves."""
        out, options = [], self.question.menu.options
        for (_, before), (_, now) in pairwise(self.points.iterrows()):
            was, new = (options.loc[list(row["options"])] for row in (before, now))
            if said := moves(was, new):
                at = f"{two_digits(now['amount'])} {words(self.resource)}"
                out.append(f"By {at}: {'; '.join(said)}.")
        return out

    def record(self, plan: Plan | None = None) -> list[dict[str, Any]]:
        """Return the points as `plan.json` holds them, their values as a plan's are told.

        Parameters
        ----------
        plan
            The plan they stand beside: its own budget is left out, and no point contradicts it
            (each is certified only to its gap, so a smaller budget's might be worth a trifle more
            or a larger one's a trifle less).
        """
        rows = []
        own = plan.budget.get(self.resource, np.inf) if plan else np.nan
        for _, row in self.points.iterrows():
            amount, options = float(row["amount"]), row["options"]
            value = evaluate(self.question.menu, options).value
            more = float(row["bound"]) - float(row["value"])  # that any mix adds, by the search
            if plan is not None:
                if np.isclose(amount, own, rtol=1e-9) or (amount < own and value > plan.value):
                    continue
                if amount > own and value < plan.value:
                    value, options = plan.value, plan.chosen
            bound = value + max(more, 0.0)
            gap = None if pd.isna(row["gap"]) else (bound - value) / bound if bound > 0 else 0.0
            told = {self.resource: amount, "value": value, "bound": bound, "gap": gap}
            rows.append(told | {"options": list(options)})
        return rows

    def __str__(self) -> str:
        first, last = self.points.iloc[0], self.points.iloc[-1]
        unit = words(self.resource)
        reached = self.saturation()
        tail = (
            f"95 % of what the whole programme can be worth is reached by "
            f"{two_digits(reached[1])} {unit}."
            if reached
            else f"At {two_digits(last['amount'])} {unit} it is still "
            f"{percent(1 - last['value'] / self.ceiling)} short of the whole programme."
        )
        return (
            f"From {two_digits(first['amount'])} to {two_digits(last['amount'])} {unit} the best "
            f"mix rises from {percent(first['share_of_evpi'])} to "
            f"{percent(last['share_of_evpi'])} of perfect information. {tail}"
        )


def moves(before: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    """Say eval by eval what changed between two mixes, the chosen rows of one menu or of two."""
    was, new = (
        dict(zip(f["eval"].astype(str), f["tier"].astype(str), strict=True)) for f in (before, now)
    )
    same = set(before.index) & set(now.index)
    held = set(now.loc[now.index.isin(same), "eval"].astype(str))
    enters = [f"{e} ({new[e]})" for e in new if e not in was]
    leaves = [f"{e} ({was[e]})" for e in was if e not in new]
    kept = [e for e in new if e in was and e not in held]
    resized = [e for e in kept if was[e] == new[e]]
    moved = [f"{e} ({was[e]} to {new[e]})" for e in kept if e not in resized]
    parts = (
        (enters, "{} enters", "{} enter"),
        (leaves, "{} leaves", "{} leave"),
        (moved, "{} changes tier", "{} change tier"),
        (resized, "{} changes size", "{} change size"),
    )
    return [
        (one if len(names) == 1 else many).format(listing(names))
        for names, one, many in parts
        if names
    ]


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
    tried = [*amounts.tolist(), whole]
    solved = best_at(scaled, tried, lean, resource, method=method, sweep=sweep)
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
    rows = []
    for at in found:
        price = prices[at] if relaxed else _price(question, resource, solutions[at].prices)
        told = _row(question, resource, solutions[at], evpi)
        rows.append({"amount": float(amounts[at]), **told, "relaxed": values[at], "price": price})
    table = pd.DataFrame(rows)
    pairs = list(zip([(), *table["options"][:-1]], table["options"], strict=True))
    for column, turned in (("enters", 1), ("leaves", -1)):
        table[column] = [tuple(o for o in b if o not in a) for a, b in (p[::turned] for p in pairs)]
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


def scaled(question: Question, resource: str, amount: float) -> Question:
    """Return the question with another budget of a resource, or a multiple of all its budgets.

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
        **{key: getattr(solution, key) for key in ("value", "bound", "gap", "status")},
        "share_of_evpi": solution.value / evpi if evpi > 0 else 0.0,
        "deep": tier_share(menu, solution.options, DEPTH, None if resource == ALL else resource),
        "used": used[resource],
        "options": solution.options,
    }


def _amounts(
    points: int | Sequence[float], budget: float | None, most: float, resource: str
) -> Array:
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
    question: Question, resource: str, points: Points, ceiling: float, method: Method, name: str
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
        below, at = _crossing(grid, lambda amount: value(amount) >= SATURATED * ceiling)
        return {"below": below, "at": at, "adds": None, "why": "never" if at is None else ""}
    without = Forbidden(groups(menu)[name])
    inside = set(menu.options.index[members(menu, groups(menu)[name])])
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


def _crossing(
    grid: list[float], holds: Callable[[float], bool]
) -> tuple[float | None, float | None]:
    """Return amounts around the first at which a condition holds: on the grid, then by halving.

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
