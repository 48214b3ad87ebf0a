"""A horizon against the spend per task: dollars per horizon-hour, sweet spot and saturation.

Ord's essay on hourly costs. On axes of ln spend C and ln horizon T, lines of equal cost per
human hour have slope 1: the sweet spot is where such a line grazes the curve from above, the
largest T/C; the curve has saturated where its slope has fallen to a tenth of the sweet spot's.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import BSpline, PchipInterpolator, make_smoothing_spline
from scipy.optimize import brentq, lsq_linear

from evalbayes.arrays import Array
from evalbayes.errors import InputError

KNOTS = (4, 5, 6, 7)  # fits whose slopes are averaged, so that no knot shows
WIDTH = 2.0  # of a step down, in distances of the knots
UPTICK, READING = 3.0, 0.01  # of the last points: so many rms of the others, and one per cent


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class FallingSlope:
    """Least-squares fit y = a + ∫s, s = s_end + Σ w_j·S((x − k_j)/h), w_j ≥ 0, s_end ≥ 0.

    S falls smoothly from 1 to 0, so s only falls.
    """

    start: float  # where x begins
    # starts, widths, weights: k_j, h and w_j of every step down
    starts: Array
    widths: Array
    weights: Array
    # level, end: y at the start, and s_end
    level: float
    end: float
    residuals: Array  # of the points

    def slope(self, x: Array) -> Array:
        """Slope s at x."""
        steps = _step((np.asarray(x)[..., None] - self.starts) / self.widths)
        return self.end + steps @ self.weights

    def value(self, x: Array) -> Array:
        """Height y at x."""
        value: Array = self.level + self.end * (np.asarray(x) - self.start)
        return value + (_ramps(np.asarray(x), self.starts, self.widths, self.start) @ self.weights)

    @property
    def holds(self) -> bool:
        """Whether the last two points lie on it: otherwise the curve rises again at its end."""
        last, rest = np.abs(self.residuals[-2:]), self.residuals[:-2]
        return bool(last.max() <= UPTICK * np.sqrt(np.mean(rest**2)) + READING)


def falling_slope(x: Array, y: Array) -> FallingSlope:
    """Fit points that rise less and less, the mean of fits with several numbers of knots.

    A slope read off points is mostly noise where a curve is nearly flat. That it only falls past
    the sweet spot is what everyone believes of returns, and tells more than any smoothing: at half
    a per cent of reading error nine in ten saturation points come within a tenth of the truth,
    against half of them from a smoothing spline (curves of Ord's figures, 24 points).
    """
    parts = [_fit(x, y, n) for n in KNOTS]
    return FallingSlope(
        start=float(x[0]),
        starts=np.concatenate([part[0] for part in parts]),
        widths=np.concatenate([part[1] for part in parts]),
        weights=np.concatenate([part[2][2:] for part in parts]) / len(parts),
        level=float(np.mean([part[2][0] for part in parts])),
        end=float(np.mean([part[2][1] for part in parts])),
        residuals=np.mean([part[3] for part in parts], axis=0),
    )


def _fit(x: Array, y: Array, n_knots: int) -> tuple[Array, Array, Array, Array]:
    distance = (x[-1] - x[0]) / (n_knots - 1)
    starts = x[0] + distance * np.arange(-1.0, n_knots - 1.0)
    widths = np.full(len(starts), WIDTH * distance)
    ramps = _ramps(x, starts, widths, x[0])
    columns = np.column_stack([np.ones_like(x), x - x[0], ramps])
    low = np.concatenate([[-np.inf], np.zeros(columns.shape[1] - 1)])
    found = lsq_linear(columns, y, bounds=(low, np.full(len(low), np.inf)))
    residuals: Array = y - columns @ found.x
    return starts, widths, np.asarray(found.x), residuals


def _step(u: Array) -> Array:
    """Fall from 1 to 0 over [0, 1]: 1 − 3u² + 2u³."""
    v = np.clip(u, 0.0, 1.0)
    return 1.0 - 3.0 * v**2 + 2.0 * v**3


def _ramps(x: Array, starts: Array, widths: Array, start: float) -> Array:
    """Integrals of the steps from the start to x, of shape (..., n_steps)."""

    def whole(u: Array) -> Array:
        v = np.clip(u, 0.0, 1.0)
        return np.where(u < 0.0, u, v - v**3 + v**4 / 2.0)

    at = whole((x[..., None] - starts) / widths)
    return widths * (at - whole((start - starts) / widths))


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

    >>> curve = HourlyCost(np.array([1.0, 10.0]), np.array([0.5, 1.0]))
    >>> float(curve.per_hour(10.0))
    10.0
    """

    usd: Array  # spend per task, or cap, rising
    hours: Array  # horizon at each, in human hours, never falling

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
        # Fit the part from just before the sweet spot on; None where points are too few
        x, y = np.log(self.usd), np.log(self.hours)
        keep = x >= np.log(spot) - BEFORE  # none without a sweet spot
        tail = falling_slope(x[keep], y[keep]) if keep.sum() >= SMOOTHED else None
        if tail is not None and tail.holds:
            x = np.linspace(max(np.log(spot), tail.start), np.log(self.usd[-1]), GRID)
            reached = np.flatnonzero(tail.slope(x) <= fraction)
            return float(np.exp(x[reached[0]])) if len(reached) else float("nan")
        x = self._grid()
        last = np.flatnonzero((self._smooth.derivative()(x) > fraction) | (x < np.log(spot)))
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
