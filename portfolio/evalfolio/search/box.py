"""A box: part of the choices, by intervals of the explained variances and by options still free."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evalbayes.arrays import Array, Flags, Positions

LEAST_SHARE = 0.1  # of the interval, that either half of a split keeps


@dataclass(eq=False)  # eq=False: arrays have no single truth value
class Box:
    """Choices with low <= v <= high (scaled) and x_low <= x <= x_high."""

    # low, high: interval of every v_d, of shape (n_decisions,)
    low: Array
    high: Array
    # x_low, x_high: bounds of options and extra variables
    x_low: Array
    x_high: Array
    near: Array  # where v is believed to end up; segments are finest there
    bound: float  # no choice in the box is worth more, scaled
    run: Flags  # whether each eval must be run, by an option that is free, of shape (n_evals,)

    def halved(self, d: int, v: float) -> list[Box]:
        """Return the halves with v_d below and above v, moved off the ends of the interval."""
        margin = LEAST_SHARE * (self.high[d] - self.low[d])
        v = float(np.clip(v, self.low[d] + margin, self.high[d] - margin))
        halves = []
        for low, high in ((self.low[d], v), (v, self.high[d])):
            lows, highs, near = self.low.copy(), self.high.copy(), self.near.copy()
            lows[d], highs[d] = low, high
            near[d] = np.clip(near[d], low, high)
            halves.append(replace(self, low=lows, high=highs, near=near))
        return halves

    def parted(self, code: int, small: Positions, large: Positions) -> list[Box]:
        """Return the parts where an eval runs one of its large options, and where it does not."""
        within, without, run = self.x_high.copy(), self.x_high.copy(), self.run.copy()
        within[small] = 0.0
        without[large] = 0.0
        run[code] = True
        return [replace(self, x_high=within, run=run), replace(self, x_high=without)]

    def with_and_without(self, option: int, rivals: Positions) -> list[Box]:
        """Return the parts that have an option, its rivals then ruled out, and that lack it."""
        without, within, x_low = self.x_high.copy(), self.x_high.copy(), self.x_low.copy()
        without[option] = 0.0
        within[rivals] = 0.0
        x_low[option] = within[option] = 1.0
        return [
            replace(self, x_low=x_low, x_high=within),
            replace(self, x_high=without),
        ]

    def without_options(self, out: Flags, inside: Flags) -> None:
        """Rule out some options and fix others, in place; the masks are over the options."""
        n = len(out)
        self.x_high, self.x_low = self.x_high.copy(), self.x_low.copy()
        self.x_high[:n][out] = 0.0
        self.x_low[:n][inside] = 1.0
