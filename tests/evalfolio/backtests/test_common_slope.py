"""The horizon at a common slope: held to its equation, to differences and to a known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from evalbayes.errors import InputError
from evalfolio.backtests.regression import MIDDLE_SD, CommonSlopeHorizon, common_slope


def test_as_many_are_expected_as_were_solved() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-4, 9, 120)
    y = (rng.random((40, 120)) < expit(0.5 * (rng.normal(3, 4, (40, 1)) - x))).astype(float)
    fits = CommonSlopeHorizon(2.0**x, 0.5).fit(y)
    for level, row in zip(fits.level, y, strict=True):

        def short(t: float, row: np.ndarray = row) -> float:
            pulled = 0.5 * (t - x.mean()) / MIDDLE_SD**2
            return float(row.sum() - expit(0.5 * (t - x)).sum() - pulled)

        assert level == pytest.approx(brentq(short, -60, 60), abs=1e-6)


@pytest.mark.parametrize("solved", [0, 3, 119, 120])
def test_influence_is_the_derivative(solved: int) -> None:
    x = np.random.default_rng(1).uniform(-4, 9, 120)
    horizon = CommonSlopeHorizon(2.0**x, 0.5)
    y = (np.arange(120) < solved) * 1.0
    level = float(horizon.fit(y).level[0])
    task, toward = (0, -1e-4) if y[0] else (0, 1e-4)
    moved = y.copy()
    moved[task] += toward
    change = (float(horizon.fit(moved).level[0]) - level) / toward
    assert np.isfinite(level)
    assert horizon.influence(level, 0.5)[task] == pytest.approx(change, rel=1e-2)


def test_the_slope_of_many_is_found_again() -> None:
    rng = np.random.default_rng(2)
    groups = []
    for level in rng.normal(3.0, 2.0, 30):
        x = rng.uniform(-4, 9, 300)
        groups.append((2.0**x, (rng.random(300) < expit(0.7 * (level - x))).astype(float)))
    # 9,000 outcomes: the standard error of the slope is about 0.013
    assert common_slope(groups) == pytest.approx(0.7, abs=0.04)


def test_refuses_what_it_cannot_fit() -> None:
    with pytest.raises(InputError, match="slope must be above 0"):
        CommonSlopeHorizon([1.0], 0.0)
    with pytest.raises(InputError, match="human minutes above 0"):
        CommonSlopeHorizon([0.0], 1.0)
    with pytest.raises(InputError, match="one for each of 2 tasks"):
        CommonSlopeHorizon([1.0, 2.0], 1.0).fit([[1.0]])
    with pytest.raises(InputError, match="one AI model or more"):
        common_slope([])
