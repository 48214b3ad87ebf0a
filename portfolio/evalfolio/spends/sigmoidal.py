"""S-shaped curves under one budget: concave envelopes for the bound, branching for the gap."""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from evalbayes.arrays import Array, Positions
from evalfolio.spends.concave_split import Allocation, Moment, concave_allocation
from evalfolio.spends.curves import Counted

DECADES = 8  # below the top of its range that an item's grid reaches
SUBDIVISION = np.array([0.25, 0.5, 0.75])  # of an interval where an envelope is used
REFINED = 6 * len(SUBDIVISION)  # spends added per item and round: six intervals
GRID = 192  # geometric spends per item at first
ROUGH = 24  # of them for the first answers
ROUNDS = 3  # of refinement before the search
POLISHED_NODES = 60  # boxes whose split is polished by Newton steps, not only read off the grid


@dataclass(frozen=True, eq=False)
class SpendGrid:
    """Spends, values of the curves and over-estimates there, each of shape (n_points, n_items).

    Between neighbouring spends a curve is taken to be concave, convex, or one after the other.
    Then it lies below the line through the two over-estimates.
    """

    spend: Array
    value: Array
    slope: Array
    over: Array

    @classmethod
    def geometric(cls, curves: Counted, low: Array, high: Array, n_points: int) -> SpendGrid:
        """Return the curves at geometric spends from `low` to `high`, (n_points + 1) per item."""
        share = np.concatenate([[0.0], np.geomspace(10.0**-DECADES, 1.0, n_points)])
        spend = np.asarray(low + (high - low) * share[:, None])
        # the lower ends may be 0, where a curve's formula for all at once may not serve
        value, slope = curves.value(spend[:1]), curves.slope(spend[:1])
        above = curves.value_and_slope(spend[1:])
        value, slope = np.concatenate([value, above[0]]), np.concatenate([slope, above[1]])
        return cls(spend, value, slope, _over(spend, value, slope))

    @property
    def concave(self) -> bool:
        """Whether no slope rises on the grid."""
        return bool((np.diff(self.slope, axis=0) <= 1e-12 * self.slope[:-1]).all())

    @property
    def concave_from(self) -> Array:
        """The spend from which each curve stays concave, of shape (n_items,)."""
        rising = np.diff(self.slope, axis=0) > 1e-9 * np.abs(self.slope[:-1])
        last = np.where(rising.any(axis=0), len(rising) - np.argmax(rising[::-1], axis=0), 0)
        return np.asarray(np.take_along_axis(self.spend, last[None, :], axis=0)[0])

    def refined(self, curves: Counted, corners: list[Array], spend: Array) -> SpendGrid:
        """Return the grid with more points near each item's spend and the corners beside it."""
        n_points, n_items = self.spend.shape
        fresh = np.empty((REFINED, n_items))
        for item in range(n_items):
            at, x = corners[item], self.spend[:, item]
            right = int(np.searchsorted(at, spend[item]))
            used = at[[max(right - 1, 0), min(right, len(at) - 1)]]
            near = np.searchsorted(x, [*used, spend[item]], side="right")
            # the intervals on either side of the two corners and of the spend itself
            left = np.clip(np.concatenate([near - 2, near - 1]), 0, n_points - 2)
            width = x[left + 1] - x[left]
            fresh[:, item] = (x[left] + width * SUBDIVISION[:, None]).ravel()
        order = np.argsort(np.concatenate([self.spend, fresh]), axis=0, kind="stable")

        def merged(old: Array, new: Array) -> Array:
            return np.take_along_axis(np.concatenate([old, new]), order, axis=0)

        every = merged(self.spend, fresh)
        fresh_value, fresh_slope = curves.value_and_slope(fresh)
        value, slope = merged(self.value, fresh_value), merged(self.slope, fresh_slope)
        return SpendGrid(every, value, slope, _over(every, value, slope))

    def hulls(self, items: Positions, low: Array, high: Array) -> list[tuple[Array, Array]]:
        """Return each item's corners of the least concave function above its over-estimates.

        A point on or below the chord of its present neighbours is no corner; all such points of all
        items are dropped at once, until there is none.
        """
        spends, heights = [], []
        for item in items:
            x, over = self.spend[:, item], self.over[:, item]
            inside = slice(*np.searchsorted(x, [low[item], high[item]], side="right"))
            inner = x[inside] < high[item]
            ends = np.interp([low[item], high[item]], x, over)
            spends.append(np.concatenate([[low[item]], x[inside][inner], [high[item]]]))
            heights.append(np.concatenate([ends[:1], over[inside][inner], ends[1:]]))
        if not spends:
            return []
        owner = np.repeat(np.arange(len(items)), [len(part) for part in spends])
        x, height = np.concatenate(spends), np.concatenate(heights)
        # spends that coincide count once, with the highest over-estimate
        first = np.flatnonzero(np.concatenate([[True], (np.diff(x) > 0) | (np.diff(owner) > 0)]))
        x, owner, height = x[first], owner[first], np.maximum.reduceat(height, first)
        while True:
            between = np.zeros(len(x), dtype=bool)
            between[1:-1] = (owner[1:-1] == owner[:-2]) & (owner[1:-1] == owner[2:])
            left, right = np.diff(x)[:-1], np.diff(x)[1:]
            rise, next_rise = np.diff(height)[:-1], np.diff(height)[1:]
            between[1:-1] &= rise * right <= next_rise * left
            if not between.any():
                break
            x, height, owner = x[~between], height[~between], owner[~between]
        cuts = np.flatnonzero(np.diff(owner)) + 1
        return list(zip(np.split(x, cuts), np.split(height, cuts), strict=True))


def _over(spend: Array, value: Array, slope: Array) -> Array:
    """Return over-estimates at the grid whose chords lie above the curves.

    Concave between a and b: below both tangents, which meet at most
    (s_a - c)(c - s_b)/(s_a - s_b)·(b - a) above the chord of slope c. Convex: below the chord.
    Convex, then concave: below the tangent at b, at most (c - s_b)(b - a) above the chord; and
    the other way round with a. A rising curve is never above its value at b either.
    """
    width = np.diff(spend, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        chord = np.where(width > 0, np.diff(value, axis=0) / width, 0.0)
        fore, aft = slope[:-1] - chord, chord - slope[1:]
        meet = np.where((fore > 0) & (aft > 0), fore * aft / (fore + aft), 0.0)
    meet = np.where(np.isposinf(fore), np.maximum(aft, 0.0), meet)
    falls = np.pad(slope[1:] <= slope[:-1], ((1, 1), (0, 0)), mode="edge")
    concave = falls[:-2] & falls[1:-1] & falls[2:]  # with both neighbours: no bend near
    mixed = np.where(concave, meet, np.maximum(np.maximum(fore, aft), 0.0))
    convex = ~(falls[:-2] | falls[1:-1] | falls[2:])
    mixed = np.where(convex, 0.0, mixed)
    lift = np.minimum(mixed * width, np.diff(value, axis=0))
    over = value.copy()
    over[:-1] += lift
    over[1:] = np.maximum(over[1:], value[1:] + lift)
    return over


def sigmoidal_allocation(
    curves: Counted, budget: float, low: Array, high: Array, *, gap: float, max_nodes: int
) -> Allocation:
    """Return a split within `gap` of the best, for curves of any shape that never fall."""
    search = _Search(curves, budget, low, high)
    share = (budget - low.sum()) / (high - low).sum()
    search.keep(low + share * (high - low))  # the even split for a first answer: one evaluation
    rough = SpendGrid.geometric(curves, low, high, ROUGH)
    if not rough.concave:
        search.rough_answer(rough)
    grid = SpendGrid.geometric(curves, low, high, GRID)
    if grid.concave:
        return concave_allocation(curves, budget, low, high)
    for _ in range(ROUNDS):
        grid = _Box(grid, budget, low, high).finer(curves, grid)
    search.look_at(grid)
    search.run(gap, max_nodes)
    bound, counts = max(search.bound, search.value), (curves.n_evaluations, search.n_nodes)
    found = Allocation(search.spend, search.value, bound, search.multiplier, *counts)
    return replace(found, trace=tuple(search.trace))


class _Box:
    """The envelope problem with every item's spend in its own range."""

    pieces: list[tuple[Array, Array]]  # corners of each item's envelope

    def __init__(
        self, grid: SpendGrid, budget: float, low: Array, high: Array, parent: _Box | None = None
    ) -> None:
        self.low, self.high = low, high
        n_items = grid.spend.shape[1]
        self.spend = low.copy()
        stale = np.ones(n_items, dtype=bool)
        if parent is not None:
            stale = (parent.low != low) | (parent.high != high)
        fresh = grid.hulls(np.flatnonzero(stale), low, high)
        pieces = [fresh.pop(0) if old else parent.pieces[i] for i, old in enumerate(stale)]  # type: ignore[union-attr]  # a piece is kept only where there is a parent
        self.pieces = pieces
        widths = np.concatenate([np.diff(x) for x, _ in pieces])
        rises = np.concatenate([np.diff(u) for _, u in pieces])
        owner = np.repeat(np.arange(n_items), [len(x) - 1 for x, _ in pieces])
        total = float(sum(u[0] for _, u in pieces))
        with np.errstate(divide="ignore", invalid="ignore"):
            steep = np.where(widths > 0, rises / widths, 0.0)
        order = np.argsort(-steep, kind="stable")
        left = budget - low.sum()
        filled = np.clip(left - (np.cumsum(widths[order]) - widths[order]), 0.0, widths[order])
        np.add.at(self.spend, owner[order], filled)
        self.bound = total + float((filled * steep[order]).sum())
        used = order[filled > 0]
        self.multiplier = float(steep[used[-1]]) if len(used) else 0.0
        # the last segment taken in part belongs to the one item between two hull points
        partial = filled < widths[order] * (1 - 1e-12)
        cut = order[partial & (filled > 0)]
        self.split_item = int(owner[cut[0]]) if len(cut) else -1

    def finer(self, curves: Counted, grid: SpendGrid) -> SpendGrid:
        """Return the grid with more points where this box uses it."""
        return grid.refined(curves, [corners for corners, _ in self.pieces], self.spend)


class _Search:
    """Branch and bound over ranges of spend, best bound first."""

    grid: SpendGrid

    def __init__(self, curves: Counted, budget: float, low: Array, high: Array) -> None:
        self.started = time.perf_counter()
        self.trace: list[Moment] = []
        self.curves, self.budget = curves, budget
        self.low, self.high = low, high
        self.spend, self.value = low.copy(), -np.inf
        self.bound, self.multiplier, self.n_nodes = np.inf, 0.0, 0

    def look_at(self, grid: SpendGrid) -> None:
        """Search on this grid from now on."""
        self.grid, self._bends = grid, grid.concave_from

    def rough_answer(self, rough: SpendGrid) -> None:
        """Look for an answer on a coarse grid, long before there is a bound.

        The envelopes of the curves' own values say which items to have at all; the lifts that
        make a bound of them are large on a coarse grid and would choose too many.
        """
        for last in (False, True):
            self.look_at(replace(rough, over=rough.value))  # for answers, not for bounds
            box = _Box(self.grid, self.budget, self.low, self.high)
            self._try(box)
            if not last:
                rough = box.finer(self.curves, rough)

    def run(self, gap: float, max_nodes: int) -> None:
        """Search until the gap or the number of boxes is reached."""
        root = _Box(self.grid, self.budget, self.low, self.high)
        self.multiplier = root.multiplier
        self._try(root)
        ticket = count()
        queue = [(-root.bound, next(ticket), root)]
        self.bound, self.n_nodes = root.bound, 1
        while queue:
            self.bound = max(-queue[0][0], self.value)
            if self.bound - self.value <= gap * abs(self.bound) or self.n_nodes >= max_nodes:
                return
            box = heapq.heappop(queue)[2]
            if self._lift(box) > 0.25 * (self.bound - self.value):
                # the grid, not the shape of the curves, keeps the bound up
                self.grid = box.finer(self.curves, self.grid)
                again = _Box(self.grid, self.budget, box.low, box.high)
                self.n_nodes += 1
                heapq.heappush(queue, (-min(again.bound, box.bound), next(ticket), again))
                continue
            for child in self._branches(box):
                self.n_nodes += 1
                self._try(child)
                if child.bound > self.value:
                    heapq.heappush(queue, (-child.bound, next(ticket), child))
        self.bound = self.value

    def _lift(self, box: _Box) -> float:
        """Return how much of a box's bound comes from the over-estimates at the grid."""
        lift = self.grid.over - self.grid.value
        total = 0.0
        for item, (corners, _) in enumerate(box.pieces):
            right = int(np.searchsorted(corners, box.spend[item]))
            ends = [corners[max(right - 1, 0)], corners[min(right, len(corners) - 1)]]
            total += float(np.interp(ends, self.grid.spend[:, item], lift[:, item]).max())
        return total

    def _branches(self, box: _Box) -> list[_Box]:
        """Return the two halves of a box, split where the envelope lies furthest above."""
        spend = box.spend
        # the curve's own value on the grid: the over-estimate would hide the distance
        curves = zip(spend, self.grid.spend.T, self.grid.value.T, strict=True)
        own = np.array([np.interp(*each) for each in curves])
        above = [np.interp(x, *piece) for x, piece in zip(spend, box.pieces, strict=True)]
        item = int(np.argmax(above - own))
        at = float(spend[item])
        if not box.low[item] < at < box.high[item]:
            at = 0.5 * (box.low[item] + box.high[item])
        if not box.low[item] < at < box.high[item]:
            return []
        halves = []
        for side in (0, 1):
            low, high = box.low.copy(), box.high.copy()
            (high if side == 0 else low)[item] = at
            if low.sum() <= self.budget:
                halves.append(_Box(self.grid, self.budget, low, high, box))
        return halves

    def _try(self, box: _Box) -> None:
        """Keep the best of a box's own split and its polished forms."""
        starts = [box.spend]
        if box.split_item >= 0 and self.n_nodes < POLISHED_NODES:
            dropped = box.spend.copy()
            dropped[box.split_item] = self.low[box.split_item]
            starts.append(dropped)
        for start in starts:
            self.keep(start)
            if self.n_nodes < POLISHED_NODES:
                self._polish(start)

    def keep(self, spend: Array) -> bool:
        """Take an answer if it is within the budget and better than the last; say whether."""
        if spend.sum() > self.budget * (1 + 1e-12):
            return False
        value = float(self.curves.value(spend).sum())
        if value > self.value:
            self.spend, self.value = spend, value
            seconds = time.perf_counter() - self.started
            self.trace.append(Moment(seconds, value, self.bound))
            return True
        return False

    def _polish(self, spend: Array) -> None:
        """Split anew among the items that are past their last bend, the others as they are."""
        free = spend >= self._bends
        if not free.any():
            return
        low = np.where(free, np.minimum(np.maximum(self._bends, self.low), spend), spend)
        high = np.where(free, self.high, spend)
        if high.sum() <= self.budget:
            self.keep(high)
            return
        found = concave_allocation(self.curves, self.budget, low, high)
        if self.keep(found.spend):
            self.multiplier = found.multiplier
