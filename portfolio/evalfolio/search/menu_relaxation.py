"""The linear relaxation of a whole menu: options in part, hulls over all that can be explained.

The certified search starts from it, prices are read from it, and a sweep of budgets solves it again
and again. Tangents hold everywhere, so whatever one box or budget needed serves the next.
"""

import time
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from evalbayes.arrays import Array, Flags
from evalfolio.search.box import Box
from evalfolio.search.odds import Scales
from evalfolio.search.overestimate import N_SEGMENTS, Overestimate
from evalfolio.search.problem import Problem
from evalfolio.search.programme import Programme, Relaxed

ROUNDS = 40
PRICE_ERROR = 1e-4  # relative looseness of the programme that prices are read from


class MenuRelaxation:
    """A problem's linear programme and what it stands on.

    `gap` is the relative gap that the over-estimates of the worths must allow for, `deadline` when
    to stop by `time.monotonic`; every hull has `n_segments` that the programme sees at a time. By
    odds, shares explained are measured in a tighter way (see `Scales`).
    """

    def __init__(
        self,
        problem: Problem,
        *,
        gap: float,
        deadline: float | None = None,
        seed: int = 0,
        n_segments: int = N_SEGMENTS,
        by_odds: bool = True,
    ) -> None:
        self.problem, self.deadline = problem, deadline
        self.scales = problem.once((Scales, by_odds), lambda: Scales(problem, by_odds))
        error = float(np.clip(0.02 * gap, 1e-8, 1e-5))
        above = cache(partial(Overestimate, v_max=1.0, scale=problem.scale, error=error))
        worths = self.scales.worths  # draws share their decision's
        self.above = problem.once((Overestimate, by_odds, error), lambda: [*map(above, worths)])
        self.programme = Programme(problem, self.scales, self.above, seed, n_segments)
        self.near = 0.5 * self.scales.at(problem.allowed)  # where the whole menu's last ended up

    def whole_menu(self) -> Box:
        """Return the box of all choices."""
        problem = self.problem
        x_high = np.concatenate([problem.allowed, problem.extra_upper])
        reach = self.scales.at(problem.allowed)
        free = np.zeros(len(problem.evals), dtype=bool)
        nothing = np.zeros(len(x_high))
        return Box(np.zeros(len(reach)), reach, nothing, x_high, self.near, np.inf, free)

    def price(self) -> Array:
        """Return what one more unit of each budget row is worth to the relaxation, scaled.

        The search's own programmes stop when their bound is good enough; prices take longer to
        settle, so the whole menu's programme is tightened further here.
        """
        found = self.settled(PRICE_ERROR)
        n_budgets = len(self.problem.resource_names)
        return np.zeros(n_budgets) if found is None else np.maximum(found.prices[:n_budgets], 0.0)

    def at_budget(self, row: int, limit: float, error: float) -> Relaxed | None:
        """Return the relaxation with another budget, or None where nothing fits.

        Tangents found before hold for every budget, and the simplex method starts from the last
        one's basis, so a sweep costs little more than its first programme. `limit` is in units of
        the budget the problem was made with, at most 1; `error` the relative looseness at which the
        tangents suffice, infinite for those there are.
        """
        self.programme.set_budget(row, limit)
        return self.settled(error)

    def cut(self, x: Array) -> bool:
        """Add the rows by which a curved limit refuses shares; say whether there were any."""
        cuts = self.problem.cuts(x[: self.problem.n_options])
        if cuts is None:
            return False
        self.programme.add_rows(*cuts)
        return True

    def loose(self, box: Box, relaxed: Relaxed) -> tuple[float, Flags]:
        """Return by how much more tangents could lower a bound, and of which quantities."""
        assert relaxed.x is not None  # boxes without a point are split before
        problem = self.problem
        v = self.scales.at(relaxed.x[: problem.n_options])
        high = relaxed.v - v
        hulls, true = np.empty(len(v)), np.empty(len(v))
        for d, a in enumerate(self.above):
            hull = a.hull(float(box.low[d]), float(box.high[d]))
            hulls[d], true[d] = hull.at(np.array([relaxed.v[d], v[d]]))
        below = v < box.low - 1e-12
        true = np.where(below, np.minimum(true, hulls - high), true)
        every = np.zeros(len(problem.values))
        every[problem.active] = true
        loose = relaxed.bound - problem.constant - float(problem.total.of(every[None])[0])
        # Draws that weigh nothing may do so only because nothing holds them down yet.
        wanted = (relaxed.weight > 0) | _in_tail(problem, every)[problem.active]
        return loose, (high > 1e-12) & wanted

    def bent(self, box: Box, relaxed: Relaxed) -> Array:
        """Return by how much each quantity's hull lies above its worth, as far as it weighs."""
        hulls = [
            float(a.hull(low, high).at(v) - a.at(v))
            for v, a, low, high in zip(relaxed.v, self.above, box.low, box.high, strict=True)
        ]
        return np.array(hulls) * relaxed.weight

    def time_left(self) -> float | None:
        """Return seconds to the deadline, or None without one."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def out_of_time(self) -> bool:
        """Whether the time limit has passed."""
        left = self.time_left()
        return left is not None and left <= 0

    def settled(
        self, error: float, solve: Callable[[Box], Relaxed] | None = None
    ) -> Relaxed | None:
        """Tighten the whole menu's programme, solved this way, until it is loose by less."""
        box = self.whole_menu()
        found: Relaxed | None = None
        left: float | None = None  # the first programme is solved even when time has run out
        for _ in range(ROUNDS):
            self.programme.enter(box)
            relaxed = self.programme.solve(left) if solve is None else solve(box)
            if relaxed.x is None:
                break
            found = relaxed
            if self.cut(relaxed.x):
                continue
            self.near = box.near = relaxed.v
            loose, wanted = self.loose(box, relaxed)
            if loose <= error * relaxed.bound or self.out_of_time():
                break
            self.programme.add_tangents(relaxed.x[: self.problem.n_options], wanted)
            left = self.time_left()
        return found


def _in_tail(problem: Problem, gains: Array) -> Flags:
    """Say which quantities are of draws among the worst, gains of shape (n_quantities,)."""
    worst = np.zeros(len(gains), dtype=bool)
    worst[problem.total.plain] = True
    for tail in problem.total.tails:
        totals = gains[tail.quantities].sum(axis=1)
        last = np.partition(totals, tail.count - 1)[tail.count - 1]
        worst[tail.quantities[totals <= last]] = True
    return worst
