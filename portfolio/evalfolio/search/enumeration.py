"""Enumeration: what little is left of a box, listed choice by choice and settled.

Choices are built up eval by eval, from those that add the most down. A combination ends where no
way to go on is worth more than the best value: by the prices of the box's programme, which bound
every choice by rest + reduced · x; by a limit from above; or by G at the tangents' least, which is
far tighter than a programme's hull. The few choices left are valued exactly. That takes as long as
a programme or two and puts an end to a whole branch; every end is a leaf of the proof as it stands.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from evalbayes.arrays import Array, Flags, Positions
from evalfolio.limits.stack import TOLERANCE
from evalfolio.search.box import Box, Branch, Step, Trail
from evalfolio.search.incumbent import Incumbent
from evalfolio.search.odds import Scales
from evalfolio.search.overestimate import Overestimate
from evalfolio.search.programme import Programme, Relaxed

# Combinations looked at, and the log of how many there are: with more the box is split. Where
# ties make a search long more are listed, and then proved by prices.
FEW, MANY = (150, 13.0), (20_000, 25.0)
LOOKS = 30  # choices valued exactly
ROUNDING = 1e-12  # scaled; what sums in another order may be off by


class Enumeration:
    """Listing of the choices of boxes of one problem."""

    most = FEW

    def __init__(self, scales: Scales, above: list[Overestimate], incumbent: Incumbent) -> None:
        self.scales, self.problem, self.incumbent = scales, scales.problem, incumbent
        limits = self.limits = incumbent.exchanges
        hard = ~limits.frozen  # rows with variables of their own are looked at last
        self.upper = np.where(hard, limits.upper, np.inf) + 2 * TOLERANCE
        self.lower = np.where(hard, limits.lower, -np.inf) - 2 * TOLERANCE
        # What options use before their purchases are known bounds rows that these only add to.
        self.early = np.where((limits.shared >= 0).all(axis=1), self.upper, np.inf)
        self._broken: dict[int, Trail] = {}
        same: dict[int, list[int]] = {}  # draws share their decision's
        for d, each in enumerate(above):
            same.setdefault(id(each), []).append(d)
        self._same = [(above[group[0]], np.array(group)) for group in same.values()]

    def settled(
        self,
        box: Box,
        relaxed: Relaxed,
        programme: Programme,
        target: Callable[[], float],
        trail: Callable[[], Trail],
    ) -> bool:
        """Look at every choice of a box that may be worth more than the target; False: too many.

        `relaxed` solves the programme of the box, or of a larger one, as `trail` shows; the target
        rises with the best value. How the box is settled is told.
        """
        codes, must = self.problem.eval_codes, box.run.copy()
        free = np.flatnonzero(box.x_high[: len(codes)] > 0.5)
        must[codes[box.x_low[: len(codes)] > 0.5]] = True
        ways = np.bincount(codes[free], minlength=len(must)) + ~must
        if np.log(np.maximum(ways, 1)).sum() > self.most[1]:
            return False
        listed = _Listed(self, box, relaxed, programme, free, must)
        if not listed.grown(target, trail()) or not listed.looked(target):
            return False
        if listed.n <= FEW[0]:
            box.told.steps, box.told.parts = box.told.steps + listed.root.steps, listed.root.parts
        else:
            box.told.left = box
        return True

    def broken(self, row: int) -> Trail:
        """Return what proves that a limit from above is broken: a price of it alone."""
        if row not in self._broken:
            prices = np.zeros(self.problem.matrix.shape[0])
            prices[self.limits.rows[row]] = 1.0
            self._broken[row] = Trail(prices, [], True)
        return self._broken[row]

    def bounds(self, high: Array) -> Array:
        """Return bounds of the values of choices whose quantities are at most so much, scaled."""
        every = np.zeros((len(high), len(self.problem.values)))
        for above, group in self._same:
            every[:, self.problem.active[group]] = above.at(high[:, group])
        return self.problem.constant + self.problem.total.of(every)


class _Listed:
    """The choices of a box as they are built up, and how those ended that are left."""

    def __init__(
        self,
        enumeration: Enumeration,
        box: Box,
        relaxed: Relaxed,
        programme: Programme,
        free: Positions,
        must: Flags,
    ) -> None:
        self.enumeration, self.box, self.free = enumeration, box, free
        limits, self.tangents = enumeration.limits, programme.tangents
        none, codes, every = len(free), enumeration.problem.eval_codes[free], programme.tangents.of
        rows = np.argsort(every, kind="stable")[np.count_nonzero(every < 0) :]
        self.points = [programme.points[row] for row in rows.tolist()]
        self.quantities, self.first = np.unique(every[rows], return_index=True)
        # What ways add to the bound by prices, to the limits and to the tangents; the last, none.
        self.gain = np.append(relaxed.reduced[free], 0.0)
        self.use = np.vstack([limits.use[:, free].T, np.zeros(len(limits.use))])
        self.rise = np.vstack([-self.tangents.rows[np.ix_(rows, free)].T, np.zeros(len(rows))])
        adds = np.append(programme.rise(relaxed)[free], 0.0)
        own = [(code, np.flatnonzero(codes == code)) for code in np.unique(codes).tolist()]
        ways = [(code, each if must[code] else np.append(each, none)) for code, each in own]
        ways.sort(key=lambda each: -float(adds[each[1]].max()))
        self.ways = [each for each in ways if len(each[1]) > 1]
        sure = np.array([each[0] for _, each in ways if len(each) == 1], dtype=int)
        self.held = np.zeros((1, none + 1), dtype=bool)
        self.held[0, sure] = True
        self.total = relaxed.rest + self.gain[sure].sum(keepdims=True)
        self.used = self.use[sure].sum(axis=0, keepdims=True)
        self.reach = self.tangents.limits[rows] + self.rise[sure].sum(axis=0, keepdims=True)
        self.high = self._high(self.reach)
        self.n, self.root = 0, Branch()
        self.nodes = [self.root]  # what is to be told of those begun, while they are few

    def _high(self, reach: Array) -> Array:
        """Return what quantities are at most, by the least of their tangents."""
        high = np.tile(self.box.high, (len(reach), 1))
        if len(self.first):
            least = np.minimum.reduceat(reach, self.first, axis=1)
            high[:, self.quantities] = np.minimum(high[:, self.quantities], least)
        return high

    def grown(self, target: Callable[[], float], trail: Trail) -> bool:
        """Build up what is left of the choices; False: too many."""
        listing, options = self.enumeration, np.append(self.free, -1)
        ends = (self.gain, np.maximum), (self.use, np.minimum), (self.rise, np.maximum)
        best, least, most = (
            np.cumsum([0 * own[0], *(end.reduce(own[w]) for _, w in self.ways[::-1])], axis=0)[::-1]
            for own, end in ends
        )
        for k, (code, ways) in enumerate(self.ways, 1):
            after = self.total[:, None] + self.gain[ways]
            spent = self.used[:, None] + self.use[ways]
            paid, over = after > target() - best[k] - ROUNDING, spent > listing.early - least[k]
            goes = paid & ~over.any(axis=2)
            old, new = np.nonzero(goes)
            reach = self.reach[old] + self.rise[ways[new]]
            high = self._high(reach + most[k])
            alive = listing.bounds(high) > target()
            self.n += len(alive)
            if self.n > listing.most[0]:
                return False
            if self.n <= FEW[0]:
                row = over.argmax(axis=2) if len(listing.early) else 0  # none: prices end all
                self._end(code, options[ways], goes, np.where(paid, row, -1), trail)
                fresh = self._begin(code, old, options[ways[new]])
                ended = [fresh[each] for each in np.flatnonzero(~alive).tolist()]
                self._cap(ended, high[~alive], reach[~alive] + most[k])
                self.nodes = [fresh[each] for each in np.flatnonzero(alive).tolist()]
            old, new = old[alive], new[alive]
            self.held = self.held[old]
            self.held[np.arange(len(old)), ways[new]] = True
            self.total, self.used = after[old, new], spent[old, new]
            self.reach, self.high = reach[alive], high[alive]
        return True

    def _end(self, code: int, ways: Positions, goes: Flags, over: Positions, trail: Trail) -> None:
        """Tell which ways to go on prices or a limit (-1: none) put an end to."""
        for i in np.flatnonzero(~goes.all(axis=1)).tolist():
            gone: dict[int, list[int]] = {}
            for way in np.flatnonzero(~goes[i]).tolist():
                gone.setdefault(int(over[i, way]), []).append(int(ways[way]))
            for row, own in gone.items():
                proof = trail if row < 0 else self.enumeration.broken(row)
                self.nodes[i].steps.append(Step("part", code, own, proof))

    def _begin(self, code: int, old: Positions, options: Positions) -> list[Branch]:
        """Tell which options (-1: none) combinations go on with; return what is to be told then."""
        fresh = [Branch() for _ in old]
        for parent, option, child in zip(old.tolist(), options.tolist(), fresh, strict=True):
            rest, node = Branch(), self.nodes[parent]
            node.steps.append(Step("part", code, [option]))
            node.parts, self.nodes[parent] = [child, rest], rest
        return fresh

    def _cap(self, nodes: list[Branch], high: Array, reach: Array) -> None:
        """Tell that what is left of choices is worth too little at so much of their quantities."""
        ends, shut = [*self.first.tolist(), None][1:], high < self.box.high
        for d, a, b in zip(self.quantities.tolist(), self.first.tolist(), ends, strict=True):
            least = a + reach[:, a:b].argmin(axis=1)
            for i in np.flatnonzero(shut[:, d]).tolist():
                nodes[i].steps.append(Step("cap", d, self.points[least[i]]))

    def looked(self, target: Callable[[], float]) -> bool:
        """Value exactly what is left, as far as it may be worth more; False: too many."""
        listing, problem = self.enumeration, self.enumeration.problem
        x, n = self.held[:, :-1].astype(np.float64), problem.n_options
        whole = np.zeros((len(x), n))
        whole[:, self.free] = x
        bought = problem.following(x @ problem.counted[self.free])
        used, cuts = self.used + bought @ listing.limits.shared.T, self.tangents.of < 0
        spent = np.hstack([whole, bought]) @ self.tangents.rows[cuts].T
        met = ((used >= listing.lower) & (used <= listing.upper)).all(axis=1)
        met &= (spent <= self.tangents.limits[cuts] + 1e-9).all(axis=1)
        left, bound = np.flatnonzero(met), listing.bounds(self.high)
        for _ in range(LOOKS):
            left = left[bound[left] > target()]
            if not len(left):
                break
            top = left[bound[left].argmax()]
            left = left[left != top]
            if listing.incumbent.met(whole[top]):
                listing.incumbent.learn(whole[top])
            else:
                met[top] = False
            v, gradient = listing.scales.tangent(whole[top])
            most = v + (x[left] - x[top]) @ gradient[:, self.free].T
            self.high[left] = np.minimum(self.high[left], most)
            bound[left] = listing.bounds(self.high[left])
        if len(left) or self.n > FEW[0]:
            return not len(left)
        for node, choice, fits in zip(self.nodes, whole, met, strict=True):
            if fits:
                node.steps.append(Step("choice", 0, choice))
            else:  # what breaks limits not looked at before is left to be proved
                low, high = self.box.x_low.copy(), self.box.x_high.copy()
                low[:n] = high[:n] = choice
                node.left = replace(self.box, x_low=low, x_high=high, told=node)
        return True
