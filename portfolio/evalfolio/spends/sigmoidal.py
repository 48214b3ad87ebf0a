"""S-shaped curves under one budget: concave envelopes for the bound, branching for the gap."""

from __future__ import annotations

import heapq
import time
from itertools import count

import numpy as np
from numpy.typing import NDArray

from evalfolio.spends.allocation import Allocation, Moment
from evalfolio.spends.concave_split import concave_allocation
from evalfolio.spends.counted import Counted
from evalfolio.spends.grid import SpendGrid

Array = NDArray[np.float64]

GRID = 192  # geometric spends per item at first
ROUGH = 24  # of them for the first answers
ROUNDS = 3  # of refinement before the search
POLISHED_NODES = 60  # boxes whose split is polished by Newton steps, not only read off the grid


def sigmoidal_allocation(
    curves: Counted, budget: float, low: Array, high: Array, *, gap: float, max_nodes: int
) -> Allocation:
    """Return a split within `gap` of the best, for curves of any shape that never fall."""
    search = _Search(curves, budget, low, high)
    search.even_answer()
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
    return Allocation(
        spend=search.spend,
        value=search.value,
        bound=max(search.bound, search.value),
        multiplier=search.multiplier,
        n_evaluations=curves.n_evaluations,
        n_nodes=search.n_nodes,
        trace=tuple(search.trace),
    )


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

    def even_answer(self) -> None:
        """Take the even split for a first answer: one evaluation."""
        share = (self.budget - self.low.sum()) / (self.high - self.low).sum()
        self._keep(self.low + share * (self.high - self.low))

    def rough_answer(self, rough: SpendGrid) -> None:
        """Look for an answer on a coarse grid, long before there is a bound.

        The envelopes of the curves' own values say which items to have at all; the lifts that
        make a bound of them are large on a coarse grid and would choose too many.
        """
        for last in (False, True):
            self.look_at(rough.unlifted)
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
        distance = np.array(
            [
                np.interp(spend[i], *box.pieces[i])
                - np.interp(spend[i], self.grid.spend[:, i], self.grid.value[:, i])
                for i in range(len(spend))
            ]
        )
        item = int(np.argmax(distance))
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
            self._keep(start)
            if self.n_nodes < POLISHED_NODES:
                self._polish(start)

    def _keep(self, spend: Array) -> bool:
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
            self._keep(high)
            return
        found = concave_allocation(self.curves, self.budget, low, high)
        if self._keep(found.spend):
            self.multiplier = found.multiplier
