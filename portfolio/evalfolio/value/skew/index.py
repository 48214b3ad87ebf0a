r"""What a mix lets one know of a decision, as one number that is concave in the choice.

u = Σ_j ω_j·ρ(V_j; r_j),  ρ(t; r) = t·(1 + r)/(t + r),  Σ_j ω_j = 1.

The decision is about y = w + Σ_k q_k·δ_k with gaps δ_k, one for each domain it weighs. V₁ and V₂
are the shares explained of the variances of w + Σ_k h_k·δ_k at two sets of weights h, the others
those of every gap by itself, all by the normal model and so concave in the choice; ρ rises from 0
to 1, is concave and the straighter the larger r. Concave and rising functions of concave ones are
concave. A little information on a skewed gap rules out its long tail, which is why the second h is
larger and gaps count apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalbayes.arrays import Array


@dataclass(frozen=True)
class Index:
    """The number u in [0, 1].

    Parameters
    ----------
    gap_weights
        h of the first two variances, each with one weight for every gap.
    shares
        ω, two and one for every gap, summing to 1.
    bends
        r, as many, each above 0.

    Examples
    --------
    >>> index = Index(((0.9,), (3.0,)), (0.5, 0.3, 0.2), (1.0, 0.1, 0.05))
    >>> index.of(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])).round(9).tolist()
    [0.0, 1.0]
    """

    gap_weights: tuple[tuple[float, ...], tuple[float, ...]]
    shares: tuple[float, ...]
    bends: tuple[float, ...]

    @property
    def contrasts(self) -> Array:
        """Weights of w and the gaps in what the variances are of, (2 + n_gaps, 1 + n_gaps)."""
        return contrasts_of(np.array(self.gap_weights))

    def explained(self, prior: Array, left: Array) -> Array:
        """Return the shares explained where the covariance of (w, δ) falls to `left`.

        Parameters
        ----------
        prior
            Of shape (1 + n_gaps, 1 + n_gaps).
        left
            Of shape (n, 1 + n_gaps, 1 + n_gaps).

        Returns
        -------
        numpy.ndarray
            Of shape (n, 2 + n_gaps).
        """
        c = self.contrasts
        whole = np.einsum("ki,ij,kj->k", c, prior, c)
        return np.asarray(np.clip(1.0 - np.einsum("ki,nij,kj->nk", c, left, c) / whole, 0.0, 1.0))

    def of(self, explained: Array) -> Array:
        """Return u for shares explained of shape (..., 2 + n_gaps)."""
        bends = np.array(self.bends)
        return np.asarray((explained * (1.0 + bends) / (explained + bends)) @ np.array(self.shares))

    def gradient(self, explained: Array) -> Array:
        """Return ∂u/∂V, of the shape of `explained`."""
        bends = np.array(self.bends)
        rise = bends * (1.0 + bends) / np.square(explained + bends)
        return np.asarray(np.array(self.shares) * rise)


def contrasts_of(gap_weights: Array) -> Array:
    """Return an index's contrasts for both sets of weights, of shape (2, n_gaps)."""
    n = gap_weights.shape[1]
    both = np.hstack([np.ones((2, 1)), gap_weights])
    return np.vstack([both, np.hstack([np.zeros((n, 1)), np.eye(n)])])
