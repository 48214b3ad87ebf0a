"""Shaving: proving that a quantity cannot be small, so that the hull of its worth is tight.

The hull of an S-shaped G over [0, 1] is loose where G is half way up. Cap one quantity at a, as if
nothing more of it counted: where the programme then proves that no choice is worth more than what
is aimed at, every better choice has more than a, and the hull on [a, 1] takes its place. A tail
has as many quantities as draws times decisions; split one after another they would make boxes
without number, while to shave them takes a few programmes each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evalfolio.box import Box

Floats = NDArray[np.float64]

TRIALS = 4  # programmes per quantity
FIRST = 0.85  # of the way to the relaxed value: the first cap tried
LAST = 0.98  # caps nearer to it say nothing new
ENOUGH = 0.1  # of the room between bound and target: a cap whose bound is that near is best


def shaved(
    box: Box,
    quantity: int,
    v: float,
    target: float,
    bound_of: Callable[[Box], float],
) -> Iterator[float]:
    """Yield ever larger caps on one quantity below which no choice is worth more than the target.

    The bound as a function of the cap is concave, so a line through the last two points finds the
    next cap.

    Parameters
    ----------
    box
        The box; its `bound` is what is proved without a cap.
    quantity
        Position of the quantity.
    v
        Its relaxed value.
    target
        What choices are worth at most that need not be found.
    bound_of
        Bound that the programme proves of a box.
    """
    low = float(box.low[quantity])
    room, length = box.bound - target, v - low
    cap, before, bound_before = low + FIRST * length, v, box.bound
    best = low
    for _ in range(TRIALS):
        bound = bound_of(capped(box, quantity, cap))
        if bound <= target and cap > best:
            best = cap
            yield best
        if bound <= target and target - bound < ENOUGH * room:
            return
        slope = max((bound_before - bound) / (before - cap), 1e-300) if before != cap else 1e-300
        step = (target - bound) / slope
        cap, before, bound_before = cap + 0.95 * step - (0.02 * length if step < 0 else 0.0), cap, bound
        cap = min(cap, low + LAST * length)
        if cap <= max(best, low + 0.02 * length) or abs(cap - before) < 0.005 * length:
            return


def capped(box: Box, quantity: int, cap: float) -> Box:
    """Return the part of a box where a quantity is at most the cap."""
    high, near = box.high.copy(), box.near.copy()
    high[quantity] = near[quantity] = cap
    return replace(box, high=high, near=near)
