"""Arrows: held to dense linear algebra, and draws to the covariance they are of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from evalbayes.responses.arrow import Arrow


def precision(rng: np.random.Generator, pairs: int, effects: int, rest: int) -> sparse.csr_matrix:
    """J'WJ + P as of observations with one pair, one effect and all of the rest each."""
    n = max(pairs, 60)
    columns = [rng.normal(size=(n, rest)), np.eye(effects)[rng.integers(0, effects, n)]]
    jacobian = np.hstack([*columns[::-1], np.eye(n)[:, :pairs]])
    weight = rng.uniform(0.1, 2.0, n)
    return sparse.csr_matrix(jacobian.T @ (weight[:, None] * jacobian) + np.eye(len(jacobian.T)))


@pytest.mark.parametrize("pairs", [0, 80])
def test_it_does_what_the_whole_matrix_does(pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    h = precision(rng, pairs, 7, 4)
    n = h.shape[0]
    # The effects come first, the rest after them and the pairs last: blocks may lie anywhere.
    arrow = Arrow(h, [slice(11, 11 + pairs), slice(0, 7)])
    inverse = np.linalg.inv(h.toarray())
    b, rows = rng.normal(size=n), sparse.csr_matrix(rng.normal(size=(5, n)))
    np.testing.assert_allclose(arrow.solve(b), inverse @ b, rtol=1e-8, atol=1e-10)
    wanted = np.einsum("ij,jk,ik->i", rows.toarray(), inverse, rows.toarray())
    np.testing.assert_allclose(arrow.spread(rows), wanted, rtol=1e-8)
    draws = arrow.draws(40_000, rng)
    scale = np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    np.testing.assert_allclose(np.cov(draws) / scale, inverse / scale, atol=0.03)
