"""The sampler: reproducible on a known target, and clear where it cannot start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalbayes.errors import FitError
from evalbayes.model import sampling


@pytest.fixture(scope="module")
def program() -> Any:
    with sampling.pm.Model() as model:
        centre = sampling.pm.Data("centre", np.array([1.0, -2.0]))
        x = sampling.pm.Normal("x", shape=2)
        sampling.pm.Potential("pull", -0.5 * ((x - centre) ** 2).sum())
    return sampling.compiled(model)


def test_moments_are_those_of_the_target_and_seeds_repeat(program: Any) -> None:
    settings: dict[str, Any] = {"draws": 1000, "tune": 300, "chains": 2}
    first = sampling.sample(program, seed=4, **settings)
    again = sampling.sample(program, seed=4, cores=1, **settings)
    other = sampling.sample(program, seed=5, **settings)
    assert first.draws["x"].shape[:2] == (2, 1000)
    np.testing.assert_array_equal(first.draws["x"], again.draws["x"])  # on any number of cores
    assert (first.draws["x"] != other.draws["x"]).any()
    np.testing.assert_allclose(first.draws["x"].mean(axis=(0, 1)), [0.5, -1.0], atol=0.1)
    r_hat, bulk, tail = sampling.convergence(first.draws["x"])
    assert (r_hat < 1.02).all()
    assert (bulk > 400).all()
    assert (tail > 400).all()


def test_data_may_be_exchanged_without_compiling_again(program: Any) -> None:
    moved = program.with_data(centre=np.array([4.0, 6.0]))
    draws = sampling.sample(moved, seed=1, draws=1000, tune=300, chains=2).draws["x"]
    np.testing.assert_allclose(draws.mean(axis=(0, 1)), [2.0, 3.0], atol=0.1)


def test_a_density_that_is_nowhere_finite_is_refused(program: Any) -> None:
    nowhere = program.with_data(centre=np.array([np.nan, 0.0]))
    with pytest.raises(FitError, match="the sampler must find a place to start from"):
        sampling.sample(nowhere, seed=1, draws=10, tune=10, chains=1)
