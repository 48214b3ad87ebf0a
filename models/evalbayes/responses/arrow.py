r"""Arrows: normal equations whose single effects touch nothing of their own kind.

A precision H = [[D, B], [Bᵀ, C]] with D diagonal is factored by eliminating D: S = C − BᵀD⁻¹B,
block after block, until what is left is dense. Thousands of tasks' or pairs' effects cost what the
few parameters behind them do.
"""

from collections.abc import Sequence

import numpy as np
from scipy import linalg, sparse

from evalbayes.arrays import Array


class Arrow:
    """The factored precision H of a normal; `blocks` are eliminated in turn, each diagonal in H.

    What is left of H after a block must have the next one diagonal too; empty blocks are none.

    >>> H = np.array([[2.0, 0.0, 1.0], [0.0, 4.0, 1.0], [1.0, 1.0, 3.0]])
    >>> arrow = Arrow(sparse.csr_matrix(H), [slice(0, 2)])
    >>> np.allclose(arrow.solve(np.ones(3)), np.linalg.solve(H, np.ones(3)))
    True
    >>> np.allclose(arrow.spread(sparse.csr_matrix(np.eye(3))), np.diag(np.linalg.inv(H)))
    True
    """

    def __init__(self, precision: sparse.csr_matrix, blocks: Sequence[slice]) -> None:
        rest, places = precision, np.arange(precision.shape[0])
        self._steps = []
        for block in blocks:
            own = np.isin(places, np.arange(block.start, block.stop))
            if not own.any():
                continue
            diagonal, across = rest.diagonal()[own], rest[own][:, ~own]
            rest = rest[~own][:, ~own] - across.T @ sparse.diags(1.0 / diagonal) @ across
            rest, places = sparse.csr_matrix(rest), places[~own]
            self._steps.append((own, diagonal, across))
        self._upper = linalg.cholesky(rest.toarray())

    def solve(self, vector: Array) -> Array:
        """Return H⁻¹b."""
        kept, b = [], vector
        for own, diagonal, across in self._steps:
            kept.append(b[own])
            b = b[~own] - across.T @ (b[own] / diagonal)
        return self._back(linalg.cho_solve((self._upper, False), b), kept)

    def draws(self, n: int, rng: np.random.Generator) -> Array:
        """Return draws of N(0, H⁻¹), (n_parameters, n)."""
        kept = [np.sqrt(d)[:, None] * rng.standard_normal((len(d), n)) for _, d, _ in self._steps]
        z = rng.standard_normal((len(self._upper), n))
        return self._back(linalg.solve_triangular(self._upper, z), kept)

    def spread(self, rows: sparse.csr_matrix) -> Array:
        """Return xᵀH⁻¹x of every row, (n_rows,)."""
        found, x = np.zeros(rows.shape[0]), rows
        for own, diagonal, across in self._steps:
            scaled = x[:, own] @ sparse.diags(1.0 / diagonal)
            found += np.asarray(scaled.multiply(x[:, own]).sum(axis=1)).ravel()
            x = sparse.csr_matrix(x[:, ~own] - scaled @ across)
        half = linalg.solve_triangular(self._upper, x.toarray().T, trans="T")
        return np.asarray(found + (half**2).sum(axis=0))

    def _back(self, x: Array, kept: Sequence[Array]) -> Array:
        for (own, diagonal, across), mine in zip(self._steps[::-1], kept[::-1], strict=True):
            whole = np.empty((len(own), *x.shape[1:]))
            whole[~own] = x
            whole[own] = ((mine - across @ x).T / diagonal).T
            x = whole
        return x
