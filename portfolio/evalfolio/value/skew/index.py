r"""What a mix lets one know of a decision, as one number that is concave in the choice.

u = Σ_j ω_j·ρ(V_j; r_j),  ρ(t; r) = t·(1 + r)/(t + r),  Σ_j ω_j = 1.

The decision is about y = w + Σ_k q_k·δ_k with gaps δ_k, one for each domain it weighs. V₁ and V₂
are the shares explained of the variances of w + Σ_k h_k·δ_k at two sets of weights h, the others
those of every gap by itself, all by the normal model and so concave in the choice; ρ rises from 0
to 1, is concave and the straighter the larger r. Concave and rising functions of concave ones are
concave. A little information on a skewed gap rules out its long tail, which is why the second h is
larger and gaps count apart.
"""

from dataclasses import dataclass

import numpy as np

from evalbayes.arrays import Array

LARGEST = 7.0  # of the absolute value of the numbers
NARROW, WIDE = -2.0, (2.0, 4.0)  # of ln h/q, first and second: from, to
# Of one gap: ln h₁/q, ln of ln h₂/h₁, ln ω₂/ω₁, ln ω₃/ω₁, ln r₁, ln r₂, ln r₃
BEGIN = (-0.17, 0.43, 0.15, -2.9, -2.3, -3.7, -6.0)


@dataclass(frozen=True)
class Index:
    """The number u in [0, 1].

    >>> index = Index(((0.9,), (3.0,)), (0.5, 0.3, 0.2), (1.0, 0.1, 0.05))
    >>> index.of(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])).round(9).tolist()
    [0.0, 1.0]
    """

    gap_weights: tuple[tuple[float, ...], tuple[float, ...]]  # h of V₁ and V₂, for every gap
    shares: tuple[float, ...]  # ω, two and one for every gap, summing to 1
    bends: tuple[float, ...]  # r, as many, each above 0

    @property
    def contrasts(self) -> Array:
        """Weights of w and the gaps in what the variances are of, (2 + n_gaps, 1 + n_gaps)."""
        return contrasts_of(np.array(self.gap_weights))

    def explained(self, prior: Array, left: Array) -> Array:
        """Return the shares explained where the covariance of (w, δ) falls to `left`.

        With a prior of shape (1 + n_gaps, 1 + n_gaps) and n of `left` they are of shape (n, 2 +
        n_gaps).
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


class Shapes:
    """Indices of one decision by x = (ln h₁/q, ln of ln h₂/h₁, ln ω/ω₁ but the first, ln r).

    The first two are one for every gap. The weights q of the gaps in y are above 0; `prior` is the
    covariance of (w, δ), of shape (1 + n_gaps, 1 + n_gaps), `left` n of those that u is wanted at.

    >>> prior = np.diag([1.4, 0.9])
    >>> shapes = Shapes(np.ones(1), prior, np.array([np.diag([0.7, 0.8])]))
    >>> x = shapes.start(BEGIN)
    >>> index = shapes.index(x)
    >>> bool(np.isclose(shapes.of(x)[0], index.of(index.explained(prior, shapes.left)))[0])
    True
    """

    def __init__(self, weights: Array, prior: Array, left: Array) -> None:
        self.weights, self.prior, self.left = weights, prior, left
        self.n_gaps = len(weights)

    def start(self, one_gap: tuple[float, ...]) -> Array:
        """Return x from that of a decision with one gap: the same for every gap."""
        n, (h1, h2, w2, w3, r1, r2, r3) = self.n_gaps, one_gap
        return np.array([h1] * n + [h2] * n + [w2] + [w3] * n + [r1, r2] + [r3] * n)

    def index(self, x: Array) -> Index:
        """Return the index of a shape."""
        weights, shares, bends, _ = self._numbers(x)
        first, second = (tuple(each) for each in weights.tolist())
        return Index((first, second), tuple(shares.tolist()), tuple(bends.tolist()))

    def of(self, x: Array) -> tuple[Array, Array]:
        """Return u and its derivatives in x, of shapes (n,) and (n, len(x))."""
        n = self.n_gaps
        weights, shares, bends, inside = self._numbers(x)
        lines = contrasts_of(weights)
        along = lines @ self.prior  # (k, 1 + n_gaps)
        whole = (along * lines).sum(axis=1)
        kept = np.einsum("nij,kj->nki", self.left, lines)
        rest = 1.0 - np.einsum("nki,ki->nk", kept, lines) / whole
        explained = np.clip(rest, 0.0, 1.0)
        # of V₁ and V₂ in their h, (n, 2, n_gaps)
        rise = 2.0 * ((1.0 - rest[:, :2, None]) * along[:2, 1:] - kept[:, :2, 1:])
        rise = rise / whole[:2, None] * ((rest > 0) & (rest < 1))[:, :2, None] * weights
        over = 1.0 / (explained + bends)
        parts = explained * (1.0 + bends) * over
        u = parts @ shares
        rise = rise * (shares * bends * (1.0 + bends) * over**2)[:, :2, None]
        out = np.empty((len(u), len(x)))
        out[:, :n] = rise[:, 0] * inside[0] + rise[:, 1] * inside[1]
        out[:, n : 2 * n] = rise[:, 1] * inside[1] * np.exp(x[n : 2 * n])
        out[:, 2 * n : 3 * n + 1] = shares[1:] * (parts[:, 1:] - u[:, None])
        out[:, 3 * n + 1 :] = shares * bends * explained * (explained - 1.0) * over**2
        return np.asarray(u), out

    def _numbers(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """Return both h, ω, r, and whether ln h are within their ends (1) or not, (2, n_gaps)."""
        x, n = np.clip(x, -LARGEST, LARGEST), self.n_gaps
        first = np.clip(x[:n], NARROW, WIDE[0])
        asked = first + np.exp(x[n : 2 * n])
        second = np.minimum(asked, WIDE[1])
        each = np.exp(np.concatenate([[0.0], x[2 * n : 3 * n + 1]]))
        inside = np.array([first == x[:n], second == asked], dtype=np.float64)
        weights = self.weights * np.exp([first, second])
        return weights, each / each.sum(), np.exp(x[3 * n + 1 :]), inside
