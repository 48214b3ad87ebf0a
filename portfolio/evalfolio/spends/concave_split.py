"""The best split of one budget over concave curves, by its multiplier, and the dual bound."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evalbayes.arrays import Array
from evalfolio.spends.curves import Counted

Pair = tuple[Array, Array]  # at the lower and the upper ends
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


def _split(curves: Counted, budget: float, box: Pair, ends: Pair) -> tuple[Array, float]:
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


def _spend_at(curves: Counted, multiplier: float, start: Array, box: Pair, ends: Pair) -> Pair:
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
