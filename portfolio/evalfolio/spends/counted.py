"""Curves that count how often they are evaluated: the measure of work that no machine changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalfolio.spends.curves import SpendCurves

Array = NDArray[np.float64]


class Counted:
    """Curves that count their evaluations and find a curvature where there is none."""

    def __init__(self, curves: SpendCurves) -> None:
        self.curves = curves
        self.n_evaluations = 0

    def value(self, spend: Array) -> Array:
        """Return the values."""
        self.n_evaluations += 1 if spend.ndim == 1 else len(spend)
        return self.curves.value(spend)

    def slope(self, spend: Array) -> Array:
        """Return the slopes."""
        self.n_evaluations += 1 if spend.ndim == 1 else len(spend)
        return self.curves.slope(spend)

    def jet(self, spend: Array) -> tuple[Array, Array]:
        """Return slopes and second derivatives, these by a difference where not given."""
        exact: Any = getattr(self.curves, "jet", None)
        if exact is not None:
            self.n_evaluations += 1
            # an item kept at 0 needs neither, and a formula may divide by its spend
            _, slope, bend = exact(np.where(spend > 0, spend, 1.0))
            return slope, bend
        slope = self.slope(spend)
        step = 1e-5 * spend
        with np.errstate(divide="ignore", invalid="ignore"):  # no step at 0: no curvature either
            return slope, np.where(step > 0, (self.slope(spend + step) - slope) / step, np.nan)

    def value_and_slope(self, spend: Array) -> tuple[Array, Array]:
        """Return values and slopes at spends of shape (n_points, n_items)."""
        exact: Any = getattr(self.curves, "jet", None)
        if exact is None or not (spend > 0).all():
            return self.value(spend), self.slope(spend)
        self.n_evaluations += len(spend)
        rows = [exact(row)[:2] for row in spend]
        return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
