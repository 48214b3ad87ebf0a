"""Over-estimates of G: a polyline never below it, and that polyline's concave hull on an interval.

Where G is concave the polyline's corners are intersections of tangents, where it is convex they are
on G, cells split until it is within a wanted error. Everything is in scaled units: v ends at 1, G
is in units of the largest total value.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evalbayes.arrays import Array, Flags
from evalfolio.value.envelope import upper_hull
from evalfolio.value.worth import Curve

MAX_ROUNDS, MOST = 40, 4096  # of splits; corners at which splitting ends
MOST_PARTS = 16  # of a cell in a round
NARROW = 3e-4  # relative; narrower cells between tangents are exact to rounding
N_SEGMENTS = 24  # of the hull that a linear programme sees at a time
ROUNDING = 1e-13  # relative; what quadrature and tangents may be off by


@dataclass(frozen=True)
class Segments:
    """A concave polyline on [low, high]: `start` at low, then rising by slopes over widths."""

    low: float
    start: float
    widths: Array
    slopes: Array


class Hull:
    """A concave polyline with corners at v, ascending, of these heights."""

    def __init__(self, v: Array, height: Array) -> None:
        self.v, self.height = v, height
        self._slopes = np.maximum(np.diff(height) / np.diff(v), 0.0)
        self._heights = height[:-1] - self._slopes * v[:-1]  # of its edges at v = 0
        self._segments: dict[tuple[int, int], Segments] = {}

    def at(self, v: Array | float) -> Array:
        """Return its height at v."""
        return np.asarray(np.interp(v, self.v, self.height))

    def segments(self, near: float, n_segments: int = N_SEGMENTS) -> Segments:
        """Return at most n_segments of its edges, finest around `near`, extended to meet.

        Leaving edges out raises the polyline, so it stays an over-estimate.
        """
        n, (low, high) = len(self._slopes), self.v[[0, -1]].tolist()
        if not n or high <= low:
            return Segments(low, float(self.height.max()), np.zeros(0), np.zeros(0))
        centre = min(max(int(np.searchsorted(self.v, near)) - 1, 0), n - 1)
        key = centre if n > n_segments else 0, n_segments
        if key in self._segments:
            return self._segments[key]
        slopes, heights = self._slopes, self._heights
        if n > n_segments:
            reach = _reach(n, n_segments // 2 - 1)
            picked = np.concatenate([[0], centre - reach[::-1], [centre], centre + reach, [n - 1]])
            inner = (picked > 0) & (picked < n - 1)
            inner[0] = inner[-1] = True
            slopes, heights = slopes[picked[inner]], heights[picked[inner]]
        # Equal slopes have no corner between them; rounding may even make one rise.
        flatter = np.append(True, slopes[1:] < np.minimum.accumulate(slopes)[:-1])
        slopes, heights = slopes[flatter], heights[flatter]
        corners = np.diff(heights) / -np.diff(slopes)
        cuts = np.concatenate([[low], np.clip(np.maximum.accumulate(corners), low, high), [high]])
        found = Segments(low, float(heights[0] + slopes[0] * low), np.diff(cuts), slopes)
        return self._segments.setdefault(key, found)


class Overestimate:
    """A polyline on or above one decision's G on [0, v_max].

    `v_max`, the largest argument the menu can reach, is the unit of v, `scale` that of G; the
    polyline is at most about `error` above G.

    >>> from evalfolio.value.sample_information import DecisionValue
    >>> g = DecisionValue(-1.0, 1.0, 3.0, 1.0)
    >>> above = Overestimate(g, 0.9, float(g.evpi), 1e-4)
    >>> v = np.linspace(0, 1, 200)
    >>> excess = above.at(v) - g.gain(0.9 * v) / g.evpi
    >>> bool(excess.min() > -1e-12), bool(excess.max() < 2e-4)
    (True, True)
    """

    def __init__(self, value: Curve, v_max: float, scale: float, error: float) -> None:
        self.value, self.v_max, self.scale = value, v_max, scale
        inner = [v / v_max for v in value.inflections if 1e-12 < v / v_max < 1 - 1e-12]
        ends = [0.0, *inner, 1.0]
        parts = [self._piece(low, high, error) for low, high in pairwise(ends)]
        v, height, outer = map(np.concatenate, zip(*parts, strict=True))
        # Pieces share their ends; the higher of the two heights there keeps both sides covered.
        self.v, first = np.unique(v, return_index=True)
        self.height = np.maximum.reduceat(height, first)
        self._outer = np.logical_or.reduceat(outer, first)
        self._hulls: dict[tuple[float, float], Hull] = {}

    def at(self, v: Array | float) -> Array:
        """Return the over-estimate at scaled v, of any shape."""
        return np.asarray(np.interp(v, self.v, self.height))

    def gain(self, v: Array | float) -> Array:
        """Return G itself at scaled v."""
        return np.asarray(self.value.gain(np.asarray(v) * self.v_max) / self.scale)

    def hull(self, low: float, high: float) -> Hull:
        """Return the polyline's concave hull on [low, high]."""
        key = (low, high)
        if key not in self._hulls:
            inside = self._outer & (self.v > low) & (self.v < high)
            v = np.concatenate([[low], self.v[inside], [high]])
            h = np.concatenate([[self.at(low)], self.height[inside], [self.at(high)]])
            keep = upper_hull(v.tolist(), h.tolist())
            if len(self._hulls) > 2000:
                self._hulls.clear()
            self._hulls[key] = Hull(v[keep], h[keep])
        return self._hulls[key]

    def _piece(self, low: float, high: float, error: float) -> tuple[Array, Array, Flags]:
        """Return corners on a piece without inflection, and which may be a hull's inside it."""
        convex = self.value.convex(low * self.v_max, high * self.v_max)
        v = np.linspace(low, high, 25)
        if low == 0:
            v = np.unique(np.concatenate([v, high * np.geomspace(1e-16, 1.0, 33)]))
        g, s = self.gain(v), self._slope(v)
        for _ in range(MAX_ROUNDS):
            middle, tip = (_middles(v), _middles(g)) if convex else _tips(v, g, s)
            wide = convex | (np.diff(v) > NARROW * v[1:])
            off = np.abs(tip - self.gain(middle))
            split = np.flatnonzero((off > error) & wide & np.isfinite(off))
            if not len(split) or len(v) > MOST:
                break
            # What a cell is off by falls with the square of its width.
            parts = np.minimum(np.ceil(np.sqrt(off[split] / error)), MOST_PARTS).astype(int)
            cell, last = np.repeat(split, parts - 1), np.cumsum(parts - 1)
            part = 1 + np.arange(len(cell)) - np.repeat(last - parts + 1, parts - 1)
            new = v[cell] + np.diff(v)[cell] * part / np.repeat(parts, parts - 1)
            order = np.argsort(np.concatenate([v, new]), kind="stable")
            v = np.concatenate([v, new])[order]
            g = np.concatenate([g, self.gain(new)])[order]
            s = np.concatenate([s, self._slope(new)])[order]
        if convex:
            return v, g * (1 + ROUNDING), np.isin(v, (low, high))
        middle, tip = _tips(v, g, s)
        start = tip[:1] if not np.isfinite(s[0]) else g[:1]
        corners = np.concatenate([v[:1], middle, v[-1:]])
        heights = np.concatenate([start, tip, g[-1:]]) * (1 + ROUNDING)
        order = np.argsort(corners, kind="stable")
        return corners[order], heights[order], np.ones(len(order), dtype=bool)

    def _slope(self, v: Array) -> Array:
        return np.asarray(self.value.slope(v * self.v_max) * (self.v_max / self.scale))


@cache
def _reach(n: int, count: int) -> NDArray[np.int_]:
    """Return distances to the edges that are kept, ever wider apart, ascending."""
    return np.unique(np.geomspace(1, n, count).astype(int))


def _middles(v: Array) -> Array:
    return (v[:-1] + v[1:]) / 2


def _tips(v: Array, g: Array, s: Array) -> tuple[Array, Array]:
    """Return where the tangents at both ends of every cell meet, or the higher one's tip."""
    a, b = v[:-1], v[1:]
    left, right = s[:-1], s[1:]
    steep = ~np.isfinite(left)
    left = np.where(steep, right, left)
    turn = left - right
    meet = np.divide(
        np.diff(g) + left * a - right * b, turn, out=(a + b) / 2, where=np.abs(turn) > 1e-300
    )
    meet = np.where(steep, a, np.clip(meet, a, b))
    from_left = np.where(steep, -np.inf, g[:-1] + left * (meet - a))
    return meet, np.maximum(from_left, g[1:] + right * (meet - b))
