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

from evalfolio.search.box import Box

TRIALS = 4  # programmes per quantity
FIRST = 0.85  # of the way to the relaxed value: the first cap tried
LAST = 0.98  # caps nearer to it say nothing new
LEAST = 0.02  # of the way: gains smaller than that are not worth a programme
BACK = 0.9  # of a step between two points, as a concave bound bulges above the line
ENOUGH = 0.1  # of the room between bound and target: a cap whose bound is that near is best


def shaved(
    box: Box,
    quantity: int,
    v: float,
    target: float,
    bound_of: Callable[[Box], float],
) -> Iterator[float]:
    """Yield ever larger caps on one quantity below which no choice is worth more than the target.

    The bound is a concave function of the cap, so a line through two points finds the next one. `v`
    is the quantity's relaxed value, `target` what choices are worth at most that need not be found,
    `bound_of` what the programme proves of a box; that of `box` itself is without a cap.
    """
    low = float(box.low[quantity])
    room, length = box.bound - target, v - low
    proved: tuple[float, float] | None = None  # the largest cap that was proved, and its bound
    before, above = (v, box.bound), (v, box.bound)  # the two smallest that were not
    cap = low + FIRST * length
    for _ in range(TRIALS):
        bound = bound_of(capped(box, quantity, cap))
        if bound <= target:
            proved = cap, bound
            yield cap
            if target - bound < ENOUGH * room:
                return
        else:
            before, above = above, (cap, bound)
        # Below two points the line through them is above a concave function, between them below.
        first, second = (proved, above) if proved else (above, before)
        rise = (second[1] - first[1]) / max(second[0] - first[0], 1e-300)
        step = (target - first[1]) / max(rise, 1e-300)
        cap = first[0] + (BACK * step if proved else step)
        cap = min(cap, low + LAST * length)
        if cap < low + LEAST * length or (proved and cap < proved[0] + LEAST * length):
            return


def capped(box: Box, quantity: int, cap: float) -> Box:
    """Return the part of a box where a quantity is at most the cap."""
    high, near = box.high.copy(), box.near.copy()
    high[quantity] = near[quantity] = cap
    return replace(box, high=high, near=near)
