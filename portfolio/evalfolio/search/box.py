"""A box: part of the choices, by intervals of the explained variances and by options still free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from evalbayes.arrays import Array, Flags, Positions

LEAST_SHARE = 0.1  # of the interval, that either half of a split keeps
TRIALS = 4  # programmes per quantity


class Trail(NamedTuple):
    """What proves a bound of a box, or that it is empty: prices of its programme's rows."""

    prices: Array  # of the rows of limits
    tangents: list[tuple[int, float, Array]]  # quantity, price, and the choice where it touches
    empty: bool


class Step(NamedTuple):
    """A box narrowed: a part of it is proved by a trail and cut off, or without one it is split.

    First come an eval's ways `held` (*part*) or an interval below that (*half*); a *cap* is at what
    a choice explains, and one *choice* is all that is left.
    """

    kind: str
    at: int  # eval, then purchases and variables; or quantity
    held: Any
    trail: Trail | None = None


@dataclass(eq=False)  # eq=False: arrays have no single truth value
class Branch:
    """How a box is proved: steps in their order, and then its parts, or else the trail."""

    trail: Trail | None = None
    steps: list[Step] = field(default_factory=list)
    parts: list[Branch] = field(default_factory=list)
    left: Box | None = None  # what is not yet proved by prices


@dataclass(eq=False)
class Box:
    """Choices with low <= v <= high (scaled) and x_low <= x <= x_high."""

    low: Array  # low, high: interval of every v_d, of shape (n_decisions,)
    high: Array
    x_low: Array  # x_low, x_high: bounds of options and extra variables
    x_high: Array
    near: Array  # where v is believed to end up; segments are finest there
    bound: float  # no choice in the box is worth more, scaled
    run: Flags  # whether each eval must be run, by an option that is free, of shape (n_evals,)
    told: Branch = field(default_factory=Branch)

    def _parts(self, step: Step, *changes: dict[str, Any]) -> list[Box]:
        """Split it, which is told."""
        self.told.steps.append(step)
        parts = [replace(self, told=Branch(self.told.trail), **each) for each in changes]
        self.told.parts = [part.told for part in parts]
        return parts

    def halved(self, d: int, v: float) -> list[Box]:
        """Return the halves with v_d below and above v, moved off the ends of the interval."""
        margin = LEAST_SHARE * (self.high[d] - self.low[d])
        v = float(np.clip(v, self.low[d] + margin, self.high[d] - margin))
        halves = []
        for low, high in ((self.low[d], v), (v, self.high[d])):
            near = _with(self.near, d, np.clip(self.near[d], low, high))
            ends = {"low": _with(self.low, d, low), "high": _with(self.high, d, high)}
            halves.append({"near": near, **ends})
        return self._parts(Step("half", d, v), *halves)

    def parted(self, code: int, small: Positions, large: Positions) -> list[Box]:
        """Return the parts where an eval runs one of its large options, and where it does not."""
        within, without = _with(self.x_high, small, 0.0), _with(self.x_high, large, 0.0)
        step, run = Step("part", code, large.tolist()), _with(self.run, code, True)
        return self._parts(step, {"x_high": within, "run": run}, {"x_high": without})

    def with_and_without(self, option: int, code: int, rivals: Positions) -> list[Box]:
        """Return the parts that have an option, its rivals then ruled out, and that lack it."""
        within = _with(_with(self.x_high, rivals, 0.0), option, 1.0)
        has = {"x_low": _with(self.x_low, option, 1.0), "x_high": within}
        lacks = {"x_high": _with(self.x_high, option, 0.0)}
        return self._parts(Step("part", code, [option]), has, lacks)

    def without_options(self, out: Flags, inside: Flags) -> None:
        """Rule out some options and fix others, in place; the masks are over the options."""
        self.x_high = _with(self.x_high, np.flatnonzero(out), 0.0)
        self.x_low = _with(self.x_low, np.flatnonzero(inside), 1.0)


def shaved(
    box: Box, quantity: int, v: float, target: float, bound_of: Callable[[Box], float]
) -> Iterator[float]:
    """Yield ever larger caps on one quantity below which no choice is worth more than the target.

    The hull of an S-shaped G over [0, 1] is loose where G is half way up. Cap one quantity at a, as
    if nothing more of it counted: where the programme then proves that no choice is worth more than
    what is aimed at, every better choice has more than a, and the hull on [a, 1] takes its place. A
    tail has as many quantities as draws times decisions; split one after another they would make
    boxes without number, while to shave them takes a few programmes each.

    `v` is the quantity's relaxed value, `target` what choices are worth at most that need not be
    found, `bound_of` what the programme proves of a box.
    """
    proved, refused = float(box.low[quantity]), v
    for _ in range(TRIALS):
        cap = (proved + refused) / 2
        if bound_of(capped(box, quantity, cap)) <= target:
            proved = cap
            yield cap
        else:
            refused = cap


def capped(box: Box, quantity: int, cap: float) -> Box:
    """Return the part of a box where a quantity is at most the cap."""
    high, near = (_with(each, quantity, cap) for each in (box.high, box.near))
    return replace(box, high=high, near=near)


def _with(array: Any, at: Any, value: float) -> Any:
    """Return an array with other entries: boxes share those that are the same."""
    out = array.copy()
    out[at] = value
    return out
