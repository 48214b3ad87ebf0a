"""The part of a horizon curve where returns fall, with slopes that may only fall.

A slope read off points is mostly noise where a curve is nearly flat. That it only falls past the
sweet spot is what everyone believes of returns, and tells more than any smoothing: at half a per
cent of reading error nine in ten saturation points come within a tenth of the truth, against half
of them from a smoothing spline (curves of Ord's figures, 24 points).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from evalbayes.arrays import Array

KNOTS = (4, 5, 6, 7)  # fits whose slopes are averaged, so that no knot shows
WIDTH = 2.0  # of a step down, in distances of the knots
UPTICK, READING = 3.0, 0.01  # of the last points: so many rms of the others, and one per cent


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class FallingSlope:
    """Least-squares fit y = a + ∫s, s = s_end + Σ w_j·S((x − k_j)/h), w_j ≥ 0, s_end ≥ 0.

    S falls smoothly from 1 to 0, so s only falls.

    Parameters
    ----------
    start
        Where x begins.
    starts, widths, weights
        k_j, h and w_j of every step down.
    level, end
        y at the start, and s_end.
    residuals
        Of the points.
    """

    start: float
    starts: Array
    widths: Array
    weights: Array
    level: float
    end: float
    residuals: Array

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
    """Fit points that rise less and less, the mean of fits with several numbers of knots."""
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
