"""The full-data horizon: held to another solver, to one fit at a time and to finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from evalbayes.errors import InputError
from evalfolio.backtests.regression import MIDDLE_SD, SLOPE_MODE, HorizonRegression


def outcomes(rng: np.random.Generator, minutes: np.ndarray, n: int) -> np.ndarray:
    p = expit(-0.5 * (np.log2(minutes) - rng.normal(4.0, 3.0, (n, 1))))
    drawn: np.ndarray = (rng.random(p.shape) < p).astype(float)
    return drawn


def test_fits_are_those_of_another_solver() -> None:
    rng = np.random.default_rng(0)
    minutes = 2.0 ** rng.integers(-3, 9, 80)
    y = outcomes(rng, minutes, 6)
    fits = HorizonRegression(minutes).fit(y)
    x = np.log2(minutes)
    middle = x.mean()
    for k in range(6):

        def loss(z: np.ndarray, k: int = k) -> float:
            a, s = z[0], np.exp(z[1])
            eta = a - s * (x - middle)
            likelihood = (y[k] * eta - np.logaddexp(0, eta)).sum()
            return float(-likelihood + 0.5 * (a / MIDDLE_SD) ** 2 - np.log(s) + s / SLOPE_MODE)

        best = minimize(loss, [0.0, -0.5], method="BFGS")
        assert fits.slope[k] == pytest.approx(np.exp(best.x[1]), rel=1e-3)
        assert fits.level[k] == pytest.approx(middle + best.x[0] / np.exp(best.x[1]), abs=3e-3)


def test_many_completions_are_fitted_as_each_by_itself() -> None:
    rng = np.random.default_rng(1)
    minutes = 2.0 ** rng.uniform(-4, 9, 200)
    y = outcomes(rng, minutes, 50)
    regression = HorizonRegression(minutes)
    together = regression.fit(y)
    alone = np.array([regression.fit(row).level[0] for row in y])
    np.testing.assert_allclose(together.level, alone, atol=1e-8)


def test_influence_is_the_derivative() -> None:
    rng = np.random.default_rng(2)
    minutes = 2.0 ** rng.integers(-3, 9, 150)
    y = outcomes(rng, minutes, 1)
    regression = HorizonRegression(minutes)
    fit = regression.fit(y)
    influence = regression.influence(float(fit.level[0]), float(fit.slope[0]))
    for task in (0, 40, 149):
        moved = y.copy()
        toward = 1e-3 if y[0, task] == 0 else -1e-3
        moved[0, task] += toward
        change = (regression.fit(moved).level[0] - fit.level[0]) / toward
        assert influence[task] == pytest.approx(change, rel=1e-2)


@pytest.mark.parametrize("solved", [0.0, 1.0])
def test_horizons_are_finite_where_outcomes_are_alike(solved: float) -> None:
    minutes = np.array([1.0, 4.0, 60.0])
    level = HorizonRegression(minutes).fit(np.full((1, 3), solved)).level[0]
    assert np.isfinite(level)
    assert (level > np.log2(60)) == bool(solved)


def test_separated_outcomes_put_the_horizon_between() -> None:
    level = HorizonRegression([1.0, 2.0, 64.0, 128.0]).fit([1, 1, 0, 0]).level[0]
    assert 1.0 < level < 6.0


def test_refuses_what_it_cannot_fit() -> None:
    with pytest.raises(InputError, match="human minutes above 0"):
        HorizonRegression([1.0, 0.0])
    with pytest.raises(InputError, match="one for each of 2 tasks"):
        HorizonRegression([1.0, 2.0]).fit([[0, 1, 1]])
