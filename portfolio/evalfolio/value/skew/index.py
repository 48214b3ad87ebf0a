r"""What a mix lets one know of a decision, as one number that is concave in the choice.

u = Σ_j ω_j·ρ(V_j; r_j),  ρ(t; r) = t·(1 + r)/(t + r),  Σ_j ω_j = 1.

V₁ and V₂ are the shares explained of the variances of w + h₁δ and w + h₂δ, V₃ that of the gap δ
itself, all by the normal model and so concave in the choice; ρ rises from 0 to 1, is concave and
the straighter the larger r. Concave and rising functions of concave ones are concave. A little
information on a skewed gap rules out its long tail, which is why h₂ is large and V₃ counts apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Index:
    """The number u in [0, 1].

    Parameters
    ----------
    gap_weights
        h₁ and h₂, the weights of δ beside w in the first two variances.
    shares
        ω, of length 3 and summing to 1.
    bends
        r, of length 3, each above 0.

    Examples
    --------
    >>> index = Index((0.9, 3.0), (0.5, 0.3, 0.2), (1.0, 0.1, 0.05))
    >>> index.of(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])).round(9).tolist()
    [0.0, 1.0]
    """

    gap_weights: tuple[float, float]
    shares: tuple[float, float, float]
    bends: tuple[float, float, float]

    @property
    def contrasts(self) -> Floats:
        """Weights of w and δ in what the three variances are of, of shape (3, 2)."""
        first, second = self.gap_weights
        return np.array([[1.0, first], [1.0, second], [0.0, 1.0]])

    def explained(self, prior: Floats, left: Floats) -> Floats:
        """Return the shares explained where the covariance of (w, δ) falls to `left`.

        Parameters
        ----------
        prior
            Of shape (2, 2).
        left
            Of shape (n, 2, 2).

        Returns
        -------
        numpy.ndarray
            Of shape (n, 3).
        """
        c = self.contrasts
        whole = np.einsum("ki,ij,kj->k", c, prior, c)
        return np.asarray(np.clip(1.0 - np.einsum("ki,nij,kj->nk", c, left, c) / whole, 0.0, 1.0))

    def of(self, explained: Floats) -> Floats:
        """Return u for shares explained of shape (..., 3)."""
        bends = np.array(self.bends)
        return np.asarray((explained * (1.0 + bends) / (explained + bends)) @ np.array(self.shares))

    def gradient(self, explained: Floats) -> Floats:
        """Return ∂u/∂V, of the shape of `explained`."""
        bends = np.array(self.bends)
        rise = bends * (1.0 + bends) / np.square(explained + bends)
        return np.asarray(np.array(self.shares) * rise)
