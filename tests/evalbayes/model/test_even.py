"""Even draws: as normal as any, with moments that luck does not move."""

from __future__ import annotations

import numpy as np
from scipy.stats import kstest, norm

from evalbayes.halves import EvenNormals


def test_moments_vary_far_less_between_seeds_than_those_of_free_draws() -> None:
    even = [EvenNormals(np.random.default_rng(s)).normal(size=(3200, 2)) for s in range(40)]
    free = [np.random.default_rng(s).standard_normal((3200, 2)) for s in range(40)]
    figures = ((np.mean, 0.1), (np.var, 0.25), (lambda x: np.exp(x).mean(), 0.4))
    for figure, most in figures:
        spread = [np.std([figure(x[:, 0]) for x in seeds]) for seeds in (even, free)]
        assert spread[0] < most * spread[1]


def test_draws_are_normal_tails_and_all_and_columns_are_free_of_each_other() -> None:
    every = np.concatenate(
        [EvenNormals(np.random.default_rng(s)).normal(size=(3200, 2)) for s in range(40)]
    )
    assert kstest(every[:, 0], norm.cdf).pvalue > 0.001
    beyond = (np.abs(every[:, 0]) > 3.5).mean()
    assert 0.5 < beyond / (2 * norm.sf(3.5)) < 1.7
    assert abs(np.corrcoef(every.T)[0, 1]) < 4 / np.sqrt(len(every))


def test_few_draws_are_one_batch_and_any_shape_will_do() -> None:
    rng = EvenNormals(np.random.default_rng(0))
    assert rng.normal(size=7).shape == (7,)
    assert rng.normal(1.0, np.ones(3), size=(10, 3)).shape == (10, 3)
    assert rng.normal(size=(64, 0)).shape == (64, 0)
    assert abs(rng.normal(size=50).mean()) < 0.1
