r"""A worth given by its slopes: they are straight between knots, so it is made of parabolas.

G(u) = ∫₀^u s with s straight between its values at the knots. With slopes that rise to a peak and
fall after it, G is convex up to the peak and concave from there on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from evalbayes.arrays import Array


@dataclass(frozen=True)
class Sloped:
    """A nondecreasing function on [0, 1] whose slope rises to a peak and falls after it.

    >>> g = Sloped((0.0, 0.5, 1.0), (0.0, 2.0, 0.0), 1.0)
    >>> g.gain([0.0, 0.5, 1.0]).tolist(), g.inflections
    ([0.0, 0.5, 1.0], (0.5,))
    """

    knots: tuple[float, ...]  # from 0 to 1, ascending
    slopes: tuple[float, ...]  # at the knots, 0 or more
    evpi: float  # what knowing everything would be worth, at least the value at 1

    @cached_property
    def _arrays(self) -> tuple[Array, Array, Array]:
        knots, slopes = np.array(self.knots), np.array(self.slopes)
        parts = np.diff(knots) * (slopes[1:] + slopes[:-1]) / 2
        return knots, slopes, np.concatenate([[0.0], np.cumsum(parts)])

    def gain(self, v: ArrayLike) -> Array:
        """Return G; v is clipped to [0, 1]."""
        knots, slopes, values = self._arrays
        v = np.clip(np.asarray(v, dtype=np.float64), 0.0, 1.0)
        k = np.clip(np.searchsorted(knots, v, side="right") - 1, 0, len(knots) - 2)
        step = v - knots[k]
        bend = (slopes[k + 1] - slopes[k]) / (knots[k + 1] - knots[k])
        return np.asarray(values[k] + step * (slopes[k] + bend * step / 2))

    def slope(self, v: ArrayLike) -> Array:
        """Return G′."""
        knots, slopes, _ = self._arrays
        return np.asarray(np.interp(np.clip(v, 0.0, 1.0), knots, slopes))

    @cached_property
    def inflections(self) -> tuple[float, ...]:
        """Where it turns from convex to concave: the peak of the slopes, if it is inside."""
        knots, slopes, _ = self._arrays
        return _turns(knots, np.diff(slopes))

    def bends(self, ceiling: float) -> tuple[float, ...]:
        """Return where it turns between convex and concave as a function of u/(ceiling − u).

        Where the slope is a + bu, it turns at u = (b·ceiling − 2a)/(3b), or at a knot.
        """
        knots, slopes, _ = self._arrays
        rise = np.diff(slopes) / np.diff(knots)
        start = slopes[:-1] - rise * knots[:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = (rise * ceiling - 2.0 * start) / (3.0 * rise)
        inner = inner[(inner > knots[:-1]) & (inner < knots[1:])]
        ends = np.unique(np.concatenate([knots, inner]))
        middle = (ends[:-1] + ends[1:]) / 2
        k = np.searchsorted(knots, middle) - 1
        return _turns(ends, rise[k] * (ceiling - middle) - 2.0 * (start[k] + rise[k] * middle))

    def convex(self, low: float, high: float) -> bool:
        """Say whether it is convex on [low, high], which holds no inflection inside."""
        first, second = self.slope(np.array([low, high]))
        return bool(second > first)

    def scaled(self, factor: float) -> Sloped:
        """Return it times a factor above 0."""
        slopes = tuple(factor * s for s in self.slopes)
        return Sloped(self.knots, slopes, factor * self.evpi)


def _turns(starts: Array, values: Array) -> tuple[float, ...]:
    """Return the starts of the pieces at which the values' sign is another than before."""
    turns, last = [], 0.0
    for at, sign in zip(starts, np.sign(values), strict=False):
        if sign and last and sign != last:
            turns.append(float(at))
        last = float(sign) or last
    return tuple(turns)


def ramps(u: Array, knots: Array) -> Array:
    """Return the integral from 0 to u of the hat function of every knot, of shape (n, n_knots).

    ``ramps(u, knots) @ slopes`` is the function with these slopes at the knots.
    """
    width = np.diff(knots)
    share = np.clip((u[:, None] - knots[:-1]) / width, 0.0, 1.0)
    out = np.zeros((len(u), len(knots)))
    out[:, 1:] += width * share**2 / 2
    out[:, :-1] += width * (share - share**2 / 2)
    return out
