"""The shape of an index as seven free numbers, and how u moves with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalfolio.value.skew.gap import SkewedGap
from evalfolio.value.skew.index import Index

Floats = NDArray[np.float64]

LARGEST = 7.0  # of the absolute value of the numbers
NARROW, WIDE = -2.0, (2.0, 4.0)  # of ln h₁/q and ln h₂/q: from, to


class Shapes:
    """Indices of one decision by x = (ln h₁/q, ln of ln h₂/h₁, ln ω₂/ω₁, ln ω₃/ω₁, ln r).

    Parameters
    ----------
    gap
        The decision.
    left
        Covariances of (w, δ) that u is wanted at, of shape (n, 2, 2).

    Examples
    --------
    >>> gap = SkewedGap(8.0, 1.4, 1.0, 0.9, 0.0, 1.0, -10.8, 0.2, 56.0, 2.0)
    >>> shapes = Shapes(gap, np.array([np.diag([0.7, 0.8])]))
    >>> x = np.array([-0.17, 0.43, 0.15, -2.9, -2.3, -3.7, -6.0])
    >>> index = shapes.index(x)
    >>> bool(np.isclose(shapes.of(x)[0], index.of(index.explained(gap.prior, shapes.left)))[0])
    True
    """

    def __init__(self, gap: SkewedGap, left: Floats) -> None:
        self.gap, self.left = gap, left
        self._left = left[:, 0, 0], left[:, 0, 1], left[:, 1, 1]
        prior = gap.prior
        self._prior = float(prior[0, 0]), float(prior[0, 1]), float(prior[1, 1])

    def index(self, x: Floats) -> Index:
        """Return the index of a shape."""
        (first, second), shares, bends, _ = self._numbers(x)
        w1, w2, w3 = shares.tolist()
        r1, r2, r3 = bends.tolist()
        return Index((first, second), (w1, w2, w3), (r1, r2, r3))

    def of(self, x: Floats) -> tuple[Floats, Floats]:
        """Return u and its derivatives in x, of shapes (n,) and (n, 7)."""
        weights, shares, bends, ends = self._numbers(x)
        explained, rise = np.empty((len(self.left), 3)), np.zeros((len(self.left), 3))
        for j, h in enumerate(weights):
            explained[:, j], rise[:, j] = self._explained(h)
        explained[:, 2] = np.clip(1.0 - self._left[2] / self._prior[2], 0.0, 1.0)
        over = 1.0 / (explained + bends)
        parts = explained * (1.0 + bends) * over
        u = parts @ shares
        by_weight = shares * bends * (1.0 + bends) * over**2 * rise * np.array([*weights, 0.0])
        out = np.empty((len(u), 7))
        out[:, 0] = by_weight[:, 0] * ends[0] + by_weight[:, 1] * ends[1]
        out[:, 1] = by_weight[:, 1] * ends[1] * np.exp(x[1])
        out[:, 2:4] = shares[1:] * (parts[:, 1:] - u[:, None])
        out[:, 4:] = shares * bends * explained * (explained - 1.0) * over**2
        return np.asarray(u), out

    def _numbers(
        self, x: Floats
    ) -> tuple[tuple[float, float], Floats, Floats, tuple[float, float]]:
        """Return h₁ and h₂, ω, r, and whether ln h₁ and ln h₂ are within their ends (1) or not."""
        x = np.clip(x, -LARGEST, LARGEST)
        first = min(max(float(x[0]), NARROW), WIDE[0])
        asked = first + float(np.exp(x[1]))
        second = min(asked, WIDE[1])
        each = np.exp(np.array([0.0, x[2], x[3]]))
        weights = self.gap.weight * float(np.exp(first)), self.gap.weight * float(np.exp(second))
        inside = float(first == x[0]), float(second == asked)
        return weights, each / each.sum(), np.exp(x[4:]), inside

    def _explained(self, h: float) -> tuple[Floats, Floats]:
        """Return the share explained of the variance of w + hδ, and its derivative in h."""
        (a, b, c), (p, q, r) = self._left, self._prior
        part, whole = a + h * (2.0 * b + h * c), p + h * (2.0 * q + h * r)
        rise = (part * (2.0 * (q + h * r)) / whole - 2.0 * (b + h * c)) / whole
        share = 1.0 - part / whole
        return np.clip(share, 0.0, 1.0), np.where((share > 0) & (share < 1), rise, 0.0)
