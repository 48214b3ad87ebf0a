"""Curves of spend on a grid of each item's own, with over-estimates that make bounds of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evalfolio.spends.counted import Counted

Array = NDArray[np.float64]

DECADES = 8  # below the top of its range that an item's grid reaches
SUBDIVISION = np.array([0.25, 0.5, 0.75])  # of an interval where an envelope is used
REFINED = 6 * len(SUBDIVISION)  # spends added per item and round: six intervals


@dataclass(frozen=True, eq=False)
class SpendGrid:
    """Spends, values of the curves and over-estimates there, each of shape (n_points, n_items).

    Between neighbouring spends a curve is taken to be concave, convex, or one after the other.
    Then it lies below the line through the two over-estimates.
    """

    spend: Array
    value: Array
    slope: Array
    over: Array

    @classmethod
    def geometric(cls, curves: Counted, low: Array, high: Array, n_points: int) -> SpendGrid:
        """Return the curves at geometric spends from `low` to `high`, (n_points + 1) per item."""
        share = np.concatenate([[0.0], np.geomspace(10.0**-DECADES, 1.0, n_points)])
        spend = np.asarray(low + (high - low) * share[:, None])
        # the lower ends may be 0, where a curve's formula for all at once may not serve
        value, slope = curves.value(spend[:1]), curves.slope(spend[:1])
        above = curves.value_and_slope(spend[1:])
        value, slope = np.concatenate([value, above[0]]), np.concatenate([slope, above[1]])
        return cls(spend, value, slope, _over(spend, value, slope))

    @property
    def unlifted(self) -> SpendGrid:
        """The same with the values for over-estimates: for answers, not for bounds."""
        return replace(self, over=self.value)

    @property
    def concave(self) -> bool:
        """Whether no slope rises on the grid."""
        return bool((np.diff(self.slope, axis=0) <= 1e-12 * self.slope[:-1]).all())

    @property
    def concave_from(self) -> Array:
        """The spend from which each curve stays concave, of shape (n_items,)."""
        rising = np.diff(self.slope, axis=0) > 1e-9 * np.abs(self.slope[:-1])
        last = np.where(rising.any(axis=0), len(rising) - np.argmax(rising[::-1], axis=0), 0)
        return np.asarray(np.take_along_axis(self.spend, last[None, :], axis=0)[0])

    def refined(self, curves: Counted, corners: list[Array], spend: Array) -> SpendGrid:
        """Return the grid with more points near each item's spend and the corners beside it."""
        n_points, n_items = self.spend.shape
        fresh = np.empty((REFINED, n_items))
        for item in range(n_items):
            at, x = corners[item], self.spend[:, item]
            right = int(np.searchsorted(at, spend[item]))
            used = at[[max(right - 1, 0), min(right, len(at) - 1)]]
            near = np.searchsorted(x, [*used, spend[item]], side="right")
            # the intervals on either side of the two corners and of the spend itself
            left = np.clip(np.concatenate([near - 2, near - 1]), 0, n_points - 2)
            width = x[left + 1] - x[left]
            fresh[:, item] = (x[left] + width * SUBDIVISION[:, None]).ravel()
        order = np.argsort(np.concatenate([self.spend, fresh]), axis=0, kind="stable")

        def merged(old: Array, new: Array) -> Array:
            return np.take_along_axis(np.concatenate([old, new]), order, axis=0)

        every = merged(self.spend, fresh)
        fresh_value, fresh_slope = curves.value_and_slope(fresh)
        value, slope = merged(self.value, fresh_value), merged(self.slope, fresh_slope)
        return SpendGrid(every, value, slope, _over(every, value, slope))

    def hulls(self, items: NDArray[np.intp], low: Array, high: Array) -> list[tuple[Array, Array]]:
        """Return each item's corners of the least concave function above its over-estimates.

        A point on or below the chord of its present neighbours is no corner; all such points of all
        items are dropped at once, until there is none.
        """
        spends, heights = [], []
        for item in items:
            x, over = self.spend[:, item], self.over[:, item]
            inside = slice(*np.searchsorted(x, [low[item], high[item]], side="right"))
            inner = x[inside] < high[item]
            ends = np.interp([low[item], high[item]], x, over)
            spends.append(np.concatenate([[low[item]], x[inside][inner], [high[item]]]))
            heights.append(np.concatenate([ends[:1], over[inside][inner], ends[1:]]))
        if not spends:
            return []
        owner = np.repeat(np.arange(len(items)), [len(part) for part in spends])
        x, height = np.concatenate(spends), np.concatenate(heights)
        # spends that coincide count once, with the highest over-estimate
        first = np.flatnonzero(np.concatenate([[True], (np.diff(x) > 0) | (np.diff(owner) > 0)]))
        x, owner, height = x[first], owner[first], np.maximum.reduceat(height, first)
        while True:
            between = np.zeros(len(x), dtype=bool)
            between[1:-1] = (owner[1:-1] == owner[:-2]) & (owner[1:-1] == owner[2:])
            left, right = np.diff(x)[:-1], np.diff(x)[1:]
            rise, next_rise = np.diff(height)[:-1], np.diff(height)[1:]
            between[1:-1] &= rise * right <= next_rise * left
            if not between.any():
                break
            x, height, owner = x[~between], height[~between], owner[~between]
        cuts = np.flatnonzero(np.diff(owner)) + 1
        return list(zip(np.split(x, cuts), np.split(height, cuts), strict=True))


def _over(spend: Array, value: Array, slope: Array) -> Array:
    """Return over-estimates at the grid whose chords lie above the curves.

    Concave between a and b: below both tangents, which meet at most
    (s_a - c)(c - s_b)/(s_a - s_b)·(b - a) above the chord of slope c. Convex: below the chord.
    Convex, then concave: below the tangent at b, at most (c - s_b)(b - a) above the chord; and
    the other way round with a. A rising curve is never above its value at b either.
    """
    width = np.diff(spend, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        chord = np.where(width > 0, np.diff(value, axis=0) / width, 0.0)
        fore, aft = slope[:-1] - chord, chord - slope[1:]
        meet = np.where((fore > 0) & (aft > 0), fore * aft / (fore + aft), 0.0)
    meet = np.where(np.isposinf(fore), np.maximum(aft, 0.0), meet)
    falls = np.pad(slope[1:] <= slope[:-1], ((1, 1), (0, 0)), mode="edge")
    concave = falls[:-2] & falls[1:-1] & falls[2:]  # with both neighbours: no bend near
    mixed = np.where(concave, meet, np.maximum(np.maximum(fore, aft), 0.0))
    convex = ~(falls[:-2] | falls[1:-1] | falls[2:])
    mixed = np.where(convex, 0.0, mixed)
    lift = np.minimum(mixed * width, np.diff(value, axis=0))
    over = value.copy()
    over[:-1] += lift
    over[1:] = np.maximum(over[1:], value[1:] + lift)
    return over
