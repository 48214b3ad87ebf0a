"""Enumeration: what little is left of a box, listed choice by choice and settled.

The prices of a box's programme bound every choice x in it by a sum over options,
rest + reduced · x. Deep in a search few combinations of options have such a sum above the best
value. They are built up eval by eval, then bounded by G at the tangents' least, which is far
tighter than a programme's hull, and the handful left are valued exactly. That takes as long as one
or two programmes and puts an end to a whole branch. A proof by prices then takes as many boxes as
that spared: it pays where little is left, and where ties make a search long.
"""

from collections.abc import Callable

import numpy as np

from evalbayes.arrays import Array, Flags, Positions
from evalfolio.limits.stack import TOLERANCE
from evalfolio.search.box import Box
from evalfolio.search.incumbent import Incumbent
from evalfolio.search.odds import Scales
from evalfolio.search.overestimate import Overestimate
from evalfolio.search.programme import Relaxed
from evalfolio.search.tangents import Tangents

MOST = 4000  # combinations held at a time; with more the box is split instead
LOOKS = 30  # exact values and tangents
FEW_WAYS, MANY_WAYS = 11.0, 25.0  # log of the combinations without any pruning
ROUNDING = 1e-12  # scaled; what sums in another order may be off by


class Enumeration:
    """Listing of the choices of boxes of one problem."""

    most_ways = FEW_WAYS

    def __init__(self, scales: Scales, above: list[Overestimate], incumbent: Incumbent) -> None:
        self.scales, self.problem = scales, scales.problem
        self.above, self.incumbent = above, incumbent
        limits = incumbent.exchanges
        self.use, self.shared = limits.use, limits.shared
        hard = ~limits.frozen  # rows with variables of their own are looked at last
        self.upper = np.where(hard, limits.upper, np.inf) + 2 * TOLERANCE
        self.lower = np.where(hard, limits.lower, -np.inf) - 2 * TOLERANCE
        # What options use before their purchases are known bounds rows that these only add to.
        self.early = np.where((self.shared >= 0).all(axis=1), self.upper, np.inf)

    def settled(
        self, box: Box, relaxed: Relaxed, tangents: Tangents, target: Callable[[], float]
    ) -> bool:
        """Look at every choice of a box that may be worth more than the target; False: too many.

        `relaxed` solves the programme of the box, or of a larger one; the target rises with the
        best value.
        """
        free = np.flatnonzero(box.x_high[: self.problem.n_options] > 0.5)
        held = self._combinations(box, free, relaxed, target())
        if held is None:
            return False
        x = held.astype(np.float64)
        n = self.problem.n_options
        of, rows, limits = tangents.of, tangents.rows[:, free], tangents.limits
        reach = limits - x @ rows.T - self._bought(held, free) @ tangents.rows[:, n:].T
        allowed = (reach[:, of < 0] >= -1e-9).all(axis=1)
        x, reach = x[allowed], reach[allowed]
        most = np.ones((len(x), len(self.above)))
        for d in range(len(self.above)):
            most[:, d] = reach[:, of == d].min(axis=1, initial=1.0)
        for _ in range(LOOKS):
            bound = self._bounds(most)
            alive = bound > target()
            if not alive.any():
                return True
            x, most, bound = x[alive], most[alive], bound[alive]
            top = int(np.argmax(bound))
            whole = np.zeros(self.problem.n_options)
            whole[free] = x[top]
            if self.incumbent.met(whole):
                self.incumbent.learn(whole)
            v, gradient = self.scales.tangent(whole)
            most = np.minimum(most, v + (x - x[top]) @ gradient[:, free].T)
            x, most = np.delete(x, top, axis=0), np.delete(most, top, axis=0)
        return False

    def _combinations(
        self, box: Box, free: Positions, relaxed: Relaxed, target: float
    ) -> Flags | None:
        """Return choices whose bound is above the target, of shape (n, n_free); None: too many."""
        codes = self.problem.eval_codes[free]
        must = box.run.copy()
        must[codes[box.x_low[free] > 0.5]] = True
        ways = np.bincount(codes, minlength=len(must)) + ~must
        if np.log(ways, where=ways > 0, out=np.zeros(len(ways))).sum() > self.most_ways:
            return None
        reduced, use = relaxed.reduced[free], self.use[:, free].T
        parts = []
        for code in np.unique(codes):
            own = np.flatnonzero(codes == code)
            gain, needs, which = reduced[own], use[own], own
            if not must[code]:
                gain, needs = np.append(gain, 0.0), np.vstack([needs, np.zeros(needs.shape[1])])
                which = np.append(which, -1)
            parts.append((gain, needs, which))
        parts.sort(key=lambda part: len(part[0]))
        best = np.append(np.cumsum([part[0].max() for part in parts][::-1])[::-1], 0.0)
        least = np.zeros((len(parts) + 1, use.shape[1]))
        for k in range(len(parts) - 1, -1, -1):
            least[k] = least[k + 1] + parts[k][1].min(axis=0)
        total, used = np.array([relaxed.rest]), np.zeros((1, use.shape[1]))
        grown = []  # of every combination which it grew from, and by what
        for k, (gain, needs, which) in enumerate(parts):
            after = total[:, None] + gain
            old, new = np.nonzero(after > target - best[k + 1] - ROUNDING)
            spent = used[old] + needs[new]
            fits = (spent <= self.early - least[k + 1]).all(axis=1)
            old, new, used = old[fits], new[fits], spent[fits]
            if len(old) > MOST:
                return None
            total = after[old, new]
            grown.append((old, which[new]))
        held = np.zeros((len(total), len(free) + 1), dtype=bool)  # the last column: no option
        each = at = np.arange(len(total))
        for old, way in reversed(grown):
            held[each, way[at]] = True
            at = old[at]
        held = held[:, :-1]
        used = used + self._bought(held, free) @ self.shared.T
        return np.asarray(held[((used >= self.lower) & (used <= self.upper)).all(axis=1)])

    def _bought(self, held: Flags, free: Positions) -> Array:
        """Return what follows from choices, of shape (n, n_following)."""
        return self.problem.following(held @ self.problem.counted[free])

    def _bounds(self, most: Array) -> Array:
        """Return bounds of the values of choices whose quantities are at most so much, scaled."""
        every = np.zeros((len(most), len(self.problem.values)))
        for d, (place, above) in enumerate(zip(self.problem.active, self.above, strict=True)):
            every[:, place] = above.at(np.clip(most[:, d], 0.0, 1.0))
        return self.problem.constant + self.problem.total.of(every)
