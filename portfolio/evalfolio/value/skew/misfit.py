r"""By how much a stand-in misses the exact values, and the shape of its index that misses least.

For any shape of the index the slopes are the best there are (nonnegative least squares), so that
only the shape is searched: Levenberg-Marquardt steps (MINPACK) on the residuals, their derivatives
with the slopes projected out (Golub & Pereyra 1973, in Kaufman's form).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares, nnls

from evalbayes.arrays import Array
from evalfolio.value.skew.shape import Shapes
from evalfolio.value.skew.sloped import ramps

TOLERANCE = 1e-3  # relative; the fit is not better than that for other reasons
EVALUATIONS = 40


class Misfit:
    """Residuals of a stand-in as a function of its index's shape.

    Parameters
    ----------
    shapes
        Shapes, at n results.
    values
        Exact values, of shape (n,).
    count
        How much each residual counts, of shape (n,).
    knots
        Of the slopes.
    start, pull
        The shape that is pulled towards, and how strongly.
    """

    def __init__(
        self,
        shapes: Shapes,
        values: Array,
        count: Array,
        knots: Array,
        start: Array,
        pull: float,
    ) -> None:
        self.shapes, self.knots, self.start, self.pull = shapes, knots, start, pull
        self.count, self.wanted = count, values * count
        self._at: Array | None = None

    def least(self, start: Array) -> tuple[Array, float]:
        """Return the shape reached from a start and the sum of its squared residuals."""
        found = least_squares(
            self.residuals,
            start,
            self.jacobian,
            method="lm",
            max_nfev=EVALUATIONS,
            ftol=TOLERANCE,
            xtol=TOLERANCE,
        )
        return np.asarray(found.x), float(2.0 * found.cost)

    def design(self, x: Array) -> Array:
        """Return what every slope contributes to every value, of shape (n, n_knots)."""
        self._look(x)
        return self._rows

    def residuals(self, x: Array) -> Array:
        """Return residuals with the best slopes, then those of the pull."""
        self._look(x)
        return np.append(self._rows @ self._slopes - self.wanted, self.pull * (x - self.start))

    def jacobian(self, x: Array) -> Array:
        """Return their derivatives, the slopes moving along."""
        self._look(x)
        rise = np.interp(self._u, self.knots, self._slopes) * self.count
        turned = self._turn * rise[:, None]
        basis, _ = np.linalg.qr(self._rows[:, self._slopes > 0])
        turned -= basis @ (basis.T @ turned)
        return np.vstack([turned, self.pull * np.eye(len(x))])

    def _look(self, x: Array) -> None:
        """Fit the slopes at x, unless that was done last."""
        if self._at is not None and (self._at == x).all():
            return
        self._at = x.copy()
        self._u, self._turn = self.shapes.of(x)
        self._rows: Array = ramps(self._u, self.knots) * self.count[:, None]
        self._slopes: Array = nnls(self._rows, self.wanted)[0]
