"""Continuous spends on separate curves under one budget: exact where concave, bounded always."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalfolio.errors import InfeasibleError, InputError
from evalfolio.spend_curves import SpendCurves

Array = NDArray[np.float64]

SLOPE_ERROR = 1e-11  # relative, of the slopes of items that share the money
MAX_STEPS = 100  # of Newton or bisection, inner and outer
FLOOR_SHARE = 1e-13  # of an item's range: spends nearer to its lower end count as that end


class Moment(NamedTuple):
    """What was known at a moment of a search: seconds since its start, best value, bound."""

    seconds: float
    value: float
    bound: float


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Allocation:
    """How the budget is split, and how good that is at best.

    Parameters
    ----------
    spend
        Spend of every item, of shape (n_items,).
    value, bound, gap
        Value of the spends, an upper bound on that of any split, and
        (bound - value)/max(|bound|, tiny).
    multiplier
        Value of one more unit of budget.
    n_evaluations
        How often the curves of all items were evaluated (value, slope or curvature).
    n_nodes
        Boxes of spends looked into; 1 where the curves are concave.
    trace
        How value and bound came together, a moment for every better answer; empty where the
        curves are concave, as the first answer then is the last. The first bounds are infinite.
    """

    spend: Array
    value: float
    bound: float
    multiplier: float
    n_evaluations: int
    n_nodes: int = 1
    trace: tuple[Moment, ...] = ()

    @property
    def gap(self) -> float:
        """Relative distance of the value from the bound."""
        return max(self.bound - self.value, 0.0) / max(abs(self.bound), 1e-300)


def allocate(
    curves: SpendCurves,
    budget: float,
    *,
    low: ArrayLike = 0.0,
    high: ArrayLike | None = None,
    gap: float = 1e-6,
    max_nodes: int = 2000,
) -> Allocation:
    """Return spends x maximising ``sum_i f_i(x_i)`` with ``sum x <= budget, low <= x <= high``.

    Where every curve is concave, the multiplier λ is found by safeguarded Newton steps, with
    x_i(λ) solving f_i'(x) = λ for all items at once. The bound is the dual function at λ, with
    each curve over-estimated by its tangent there: it holds however well the steps converged.
    Other curves go through their concave envelopes and a branch and bound on the item whose
    envelope lies furthest above its curve (Udell and Boyd 2013, "Maximizing a sum of sigmoids").

    Parameters
    ----------
    curves
        Never falling curves, one per item; see `SpendCurves`.
    budget
        Most that may be spent in all, in the unit of the spends.
    low, high
        Bounds on each item's spend, numbers or of shape (n_items,); `high` is the budget by
        default.
    gap
        Relative gap to stop at, where curves are not concave.
    max_nodes
        Boxes to look into at most; the gap returned is honest where they run out.

    Raises
    ------
    InputError
        If a number is not finite, or `low` is above `high`.
    InfeasibleError
        If the lower bounds together are above the budget.

    Examples
    --------
    >>> from evalfolio.spend_curves import MichaelisMenten
    >>> curves = MichaelisMenten(np.array([1.0, 1.0]), np.array([1.0, 4.0]))
    >>> allocate(curves, 3.0).spend.round(6)
    array([1.666667, 1.333333])
    """
    curves = Counted(curves)
    low, high = _bounds(curves, budget, low, high)
    if high.sum() <= budget:
        value = float(curves.value(high).sum())
        return Allocation(high, value, value, 0.0, curves.n_evaluations)
    known = getattr(curves.curves, "concave", None)
    if known is not None and np.all(known):
        return concave_allocation(curves, budget, low, high)
    from evalfolio.sigmoidal import sigmoidal_allocation

    return sigmoidal_allocation(curves, budget, low, high, gap=gap, max_nodes=max_nodes)


class Counted:
    """Curves that count their evaluations and find a curvature where there is none."""

    def __init__(self, curves: SpendCurves) -> None:
        self.curves = curves
        self.n_evaluations = 0

    def value(self, spend: Array) -> Array:
        """Return the values."""
        self.n_evaluations += 1 if spend.ndim == 1 else len(spend)
        return self.curves.value(spend)

    def slope(self, spend: Array) -> Array:
        """Return the slopes."""
        self.n_evaluations += 1 if spend.ndim == 1 else len(spend)
        return self.curves.slope(spend)

    def jet(self, spend: Array) -> tuple[Array, Array]:
        """Return slopes and second derivatives, these by a difference where not given."""
        exact: Any = getattr(self.curves, "jet", None)
        if exact is not None:
            self.n_evaluations += 1
            # an item kept at 0 needs neither, and a formula may divide by its spend
            _, slope, bend = exact(np.where(spend > 0, spend, 1.0))
            return slope, bend
        slope = self.slope(spend)
        step = 1e-5 * spend
        with np.errstate(divide="ignore", invalid="ignore"):  # no step at 0: no curvature either
            return slope, np.where(step > 0, (self.slope(spend + step) - slope) / step, np.nan)

    def value_and_slope(self, spend: Array) -> tuple[Array, Array]:
        """Return values and slopes at spends of shape (n_points, n_items)."""
        exact: Any = getattr(self.curves, "jet", None)
        if exact is None or not (spend > 0).all():
            return self.value(spend), self.slope(spend)
        self.n_evaluations += len(spend)
        rows = [exact(row)[:2] for row in spend]
        return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def concave_allocation(curves: Counted, budget: float, low: Array, high: Array) -> Allocation:
    """Return the optimum for curves concave between `low` and `high`, of shape (n_items,)."""
    at_low, at_high = curves.slope(low), curves.slope(high)
    spend, multiplier = _split(curves, budget, (low, high), (at_low, at_high))
    value, slope = curves.value(spend), curves.slope(spend)
    above = np.maximum(slope - multiplier, 0.0) * (high - spend)
    with np.errstate(invalid="ignore"):  # an infinite slope at the lower end: nothing is lost
        excess = np.where(spend > low, above, np.where(slope > multiplier, np.inf, 0.0))
        excess = np.where((spend <= low) & np.isfinite(slope), above, excess)
    below = np.maximum(multiplier - slope, 0.0) * (spend - low)
    total = float(value.sum())
    bound = total + multiplier * (budget - spend.sum()) + float((excess + below).sum())
    return Allocation(spend, total, max(bound, total), multiplier, curves.n_evaluations)


def _split(
    curves: Counted, budget: float, box: tuple[Array, Array], ends: tuple[Array, Array]
) -> tuple[Array, float]:
    """Return the spends and the multiplier at which they add up to the budget."""
    low, high = box
    finite = np.concatenate([side[np.isfinite(side) & (side > 0)] for side in ends])
    if not len(finite):  # nothing more to gain anywhere
        return low.copy(), 0.0
    # ln λ between the least and the greatest slope; an infinite one needs room above
    floor, ceiling = np.log(finite.min()) - 1.0, np.log(finite.max()) + 1.0
    if np.isinf(ends[0]).any():
        ceiling += 60.0
    if ends[1].min() <= 0:
        floor -= 700.0
    start = low + (high - low) * min(1.0, (budget - low.sum()) / (high - low).sum())
    middle = curves.slope(start)
    inside = middle[np.isfinite(middle) & (middle > 0)]
    at = float(np.log(np.median(inside))) if len(inside) else 0.5 * (floor + ceiling)
    at = min(max(at, floor), ceiling)
    spend = start
    for _ in range(MAX_STEPS):
        spend, bend = _spend_at(curves, np.exp(at), spend, box, ends)
        left = budget - spend.sum()
        if left > 0:
            ceiling = at
        else:
            floor = at
        # d(sum x)/d(ln λ) = λ sum 1/f'' over the items strictly inside their bounds
        rate = float(np.exp(at) * np.sum(1.0 / bend[bend < 0]))
        step = at + left / rate if rate < 0 else np.nan
        if abs(left) <= 1e-12 * budget or ceiling - floor <= 1e-15 * max(1.0, abs(at)):
            break
        at = step if floor < step < ceiling else 0.5 * (floor + ceiling)
    return _spent_out(spend, bend, budget, low, high), float(np.exp(at))


def _spend_at(
    curves: Counted,
    multiplier: float,
    start: Array,
    box: tuple[Array, Array],
    ends: tuple[Array, Array],
) -> tuple[Array, Array]:
    """Return the spends of slope λ and the curvature there (NaN at the bounds).

    Newton on ln slope against ln spend, bisecting where it leaves the bracket.
    """
    low, high = box
    stay, full = ends[0] <= multiplier, ends[1] >= multiplier
    inside = ~stay & ~full
    least = low + FLOOR_SHARE * (high - low)
    below, above = least.copy(), high.copy()
    spend = np.clip(start, least, high)
    bend = np.full(len(spend), np.nan)
    for _ in range(MAX_STEPS):
        slope, bend = curves.jet(spend)
        error = slope / multiplier - 1.0
        done = ~inside | (np.abs(error) <= SLOPE_ERROR) | (above - below <= 1e-15 * above)
        if done.all():
            break
        below, above = np.where(error > 0, spend, below), np.where(error > 0, above, spend)
        with np.errstate(all="ignore"):  # steps that fail are replaced by bisection below
            step = spend * np.exp(-np.log1p(error) * slope / (bend * spend))
            apart = above > 4 * below
            middle = np.where(apart, np.sqrt(below * above), 0.5 * (below + above))
        step = np.where((step > below) & (step < above), step, middle)
        spend = np.where(done, spend, step)
    spend = np.where(stay, low, np.where(full, high, spend))
    return spend, np.where(inside & np.isfinite(bend), bend, np.nan)


def _spent_out(spend: Array, bend: Array, budget: float, low: Array, high: Array) -> Array:
    """Return the spends with the last hair of the budget shared out where it costs least."""
    for _ in range(3):
        left = budget - spend.sum()
        room = (high - spend) if left > 0 else (spend - low)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(bend < 0, -1.0 / bend, 0.0) * (room > 0)
        if not weight.sum() > 0:
            weight = room
        if left == 0 or not weight.sum() > 0:
            break
        spend = np.clip(spend + left * weight / weight.sum(), low, high)
    if spend.sum() > budget:  # by rounding only
        spend = low + (spend - low) * (1 - 4e-16 * len(spend))
    return spend


def _bounds(
    curves: Counted, budget: float, low: ArrayLike, high: ArrayLike | None
) -> tuple[Array, Array]:
    """Return the bounds as arrays after checking them."""
    if not 0 < budget < np.inf:
        raise InputError(f"budget must be a finite number above 0, got {budget!r}")
    n_items = _n_items(curves)
    sides = []
    for key, side in (("low", low), ("high", budget if high is None else high)):
        array = np.asarray(side, dtype=np.float64)
        if array.shape not in ((), (n_items,)):
            raise InputError(
                f"{key} must be a number or have one entry for each of {n_items} items, "
                f"got shape {array.shape}"
            )
        sides.append(np.broadcast_to(array, (n_items,)).copy())
    lower, upper = sides
    if not (np.isfinite(lower).all() and (lower >= 0).all()):
        raise InputError(f"low must be finite, 0 or more, got a least of {lower.min():g}")
    upper = np.minimum(upper, budget - lower.sum() + lower)
    if lower.sum() > budget * (1 + 1e-12):
        raise InfeasibleError(
            f"No split meets the limits: the lower bounds add up to {lower.sum():g}, above the "
            f"budget of {budget:g}. The least change that mends it: raise the budget by "
            f"{lower.sum() - budget:g}, or lower the bounds by as much."
        )
    worst = int(np.argmax(lower - upper))
    if lower[worst] > upper[worst] + 1e-12 * budget:
        raise InputError(
            f"low must not be above high, but item {worst} has {lower[worst]:g} > "
            f"{upper[worst]:g}; mend one of them"
        )
    return lower, np.maximum(lower, upper)


def _n_items(curves: Counted) -> int:
    """Return the number of items, from the curves' parameters or attribute ``n_items``."""
    stated = getattr(curves.curves, "n_items", None)
    if stated is not None:
        return int(stated)
    sizes = [
        array.shape[-1]
        for array in vars(curves.curves).values()
        if isinstance(array, np.ndarray) and array.ndim
    ]
    if not sizes:
        raise InputError(
            "curves must say how many items they are for; give them an attribute n_items"
        )
    return int(max(sizes))
