"""A horizon against the spend per task: dollars per horizon-hour, sweet spot and saturation.

Ord's essay on hourly costs. On axes of ln spend C and ln horizon T, lines of equal cost per
human hour have slope 1: the sweet spot is where such a line grazes the curve from above, the
largest T/C; the curve has saturated where its slope has fallen to a tenth of the sweet spot's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import BSpline, PchipInterpolator, make_smoothing_spline
from scipy.optimize import brentq

from evalbayes.arrays import Array
from evalbayes.errors import InputError
from evalbayes.horizons.falling_slope import FallingSlope, falling_slope

SMOOTHED = 8  # points from which slopes are smoothed
BEFORE = 0.3  # e-folds before the sweet spot from which returns are taken to fall
FLAT = 1e-9  # elasticities below it are rounding
GRID = 2000  # points on which turning points are looked for, before they are refined


@dataclass(frozen=True, eq=False)
class HourlyCost:
    """A horizon curve through points, monotone and smooth between them in logarithms.

    Slopes come from a cubic spline through the same points that is smoothed by generalised
    cross-validation (8 points or more): the slope of a curve read off a chart, or of horizons
    fitted to runs, would else be mostly noise where the curve is flat. InputError if there are
    fewer than two points, or they do not rise.

    Parameters
    ----------
    usd
        Spend per task, or cap, rising.
    hours
        Horizon at each, in human hours, never falling.

    Examples
    --------
    >>> curve = HourlyCost(np.array([1.0, 10.0]), np.array([0.5, 1.0]))
    >>> float(curve.per_hour(10.0))
    10.0
    """

    usd: Array
    hours: Array

    def __post_init__(self) -> None:
        usd, hours = np.asarray(self.usd, dtype=float), np.asarray(self.hours, dtype=float)
        good = (
            len(usd) >= 2
            and usd.shape == hours.shape
            and bool((usd[0] > 0) & (hours[0] > 0))
            and bool((np.diff(usd) > 0).all() and (np.diff(hours) >= 0).all())
        )
        if not good:
            raise InputError(
                "a horizon curve needs two or more spends above 0 that rise, with horizons above 0 "
                f"that never fall; got spends {usd.tolist()} and horizons {hours.tolist()}: sort "
                "the points and take the running maximum of the horizons"
            )

    def horizon(self, usd: Array | float) -> Array:
        """Horizon in hours at a spend within the points."""
        return np.exp(self._curve()(np.log(usd)))

    def per_hour(self, usd: Array | float) -> Array:
        """Dollars per horizon-hour, C/T(C)."""
        return np.asarray(usd) / self.horizon(usd)

    def elasticity(self, usd: Array | float) -> Array:
        """Slope of ln horizon in ln spend: per cent of horizon for one per cent of spend.

        Never below 0, as the horizons never fall.
        """
        slope = np.asarray(self._smooth.derivative()(np.log(usd)))
        return np.where(slope > FLAT, slope, 0.0)

    def sweet_spot(self) -> float:
        """Spend with the least cost per horizon-hour; NaN if that lies at an end of the points."""
        x = self._grid()
        excess = self._smooth.derivative()(x) - 1.0
        ratio = self._smooth(x) - x
        best = int(np.argmax(ratio))
        if best in (0, GRID - 1):
            return float("nan")
        below, above = max(best - 1, 0), min(best + 1, GRID - 1)
        if not excess[below] > 0 > excess[above]:
            return float(np.exp(x[best]))
        return float(np.exp(brentq(lambda v: self._slope(v) - 1.0, x[below], x[above])))

    def saturation(self, fraction: float = 0.1) -> float:
        """Spend past the sweet spot where the elasticity has fallen to `fraction` for good.

        The elasticity at the sweet spot is 1, so this is `fraction` of it. Without a sweet spot
        within the points the same elasticity is sought over all of them; NaN if it is never so low
        or rises again at the end (a last-moment uptick: an apparent plateau may be false).
        Past a sweet spot, with 8 points or more, elasticities that may only fall are fitted
        (`falling_slope`); the smoothed ones are used where the last points do not lie on that.
        """
        spot = self.sweet_spot()
        tail = self._tail(spot)
        if tail is not None and tail.holds:
            x = np.linspace(max(np.log(spot), tail.start), np.log(self.usd[-1]), GRID)
            reached = np.flatnonzero(tail.slope(x) <= fraction)
            return float(np.exp(x[reached[0]])) if len(reached) else float("nan")
        x = self._grid()
        above = (self._smooth.derivative()(x) > fraction) | (
            (x < np.log(spot)) if np.isfinite(spot) else np.zeros(GRID, bool)
        )
        last = np.flatnonzero(above)
        if not len(last) or last[-1] == GRID - 1:
            return float("nan")
        left, right = x[last[-1]], x[last[-1] + 1]
        if self._slope(right) > fraction or self._slope(left) < fraction:
            return float(np.exp(right))
        return float(np.exp(brentq(lambda v: self._slope(v) - fraction, left, right)))

    def saturation_share(self, share: float = 0.95) -> float:
        """Cheapest spend that reaches `share` of the largest horizon (Redwood's definition)."""
        wanted = np.log(share * self.hours[-1])
        if self._curve()(np.log(self.usd[0])) >= wanted:
            return float(self.usd[0])
        ends = np.log(self.usd[[0, -1]])
        return float(np.exp(brentq(lambda v: float(self._curve()(v)) - wanted, ends[0], ends[1])))

    def _tail(self, spot: float) -> FallingSlope | None:
        """Fit the part from just before the sweet spot on; None where points are too few."""
        x, y = np.log(self.usd), np.log(self.hours)
        keep = x >= np.log(spot) - BEFORE if np.isfinite(spot) else np.zeros(len(x), bool)
        return falling_slope(x[keep], y[keep]) if keep.sum() >= SMOOTHED else None

    def _curve(self) -> PchipInterpolator:
        return PchipInterpolator(np.log(self.usd), np.log(self.hours))

    @cached_property
    def _smooth(self) -> PchipInterpolator | BSpline:
        if len(self.usd) < SMOOTHED:
            return self._curve()
        return make_smoothing_spline(np.log(self.usd), np.log(self.hours))

    def _slope(self, ln_usd: float) -> float:
        return float(self._smooth.derivative()(ln_usd))

    def _grid(self) -> Array:
        return np.linspace(np.log(self.usd[0]), np.log(self.usd[-1]), GRID)
