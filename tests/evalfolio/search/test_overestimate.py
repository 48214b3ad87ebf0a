"""Over-estimates of G never fall below it, on any interval, and stay within their error."""

from __future__ import annotations

import numpy as np
import pytest

from evalbayes.arrays import Array
from evalfolio.search.overestimate import Overestimate, Segments
from evalfolio.value.sample_information import DecisionValue


def _random(seed: int) -> tuple[Overestimate, float, np.random.Generator]:
    rng = np.random.default_rng(seed)
    ratio = float(10 ** rng.uniform(-2, 2))
    variance = float(rng.uniform(0.5, 3))
    value = DecisionValue(float(rng.normal() * rng.choice([0.0, 2.0, 5.0])), variance, ratio, 1.0)
    if seed % 5 == 0:  # exactly where the call turns: G starts with infinite slope
        value = DecisionValue(value.k * value.sd, variance, ratio, 1.0)
    top = float(variance * rng.uniform(0.2, 1))
    error = float(10 ** rng.uniform(-7, -5))
    return Overestimate(value, top, float(value.gain(top)), error), error, rng


def _corners(parts: Segments) -> tuple[Array, Array]:
    v = parts.low + np.cumsum(np.append(0.0, parts.widths))
    return v, parts.start + np.cumsum(np.append(0.0, parts.widths * parts.slopes))


@pytest.mark.parametrize("seed", range(20))
def test_segments_lie_on_or_above_the_value(seed: int) -> None:
    above, _, rng = _random(seed)
    for _ in range(8):
        low, high = np.sort(rng.uniform(0, 1, 2))
        low, high = rng.choice([low, 0.0]), rng.choice([high, 1.0])
        parts = above.hull(float(low), float(high)).segments(float(rng.uniform(low, high)))
        assert (parts.widths >= 0).all()
        assert (np.diff(parts.slopes) < 0).all()
        grid = np.linspace(low, high, 200)
        heights = np.interp(grid, *_corners(parts))
        assert (heights - above.gain(grid)).min() >= -1e-12


@pytest.mark.parametrize("seed", range(20))
def test_polyline_stays_within_its_error(seed: int) -> None:
    above, error, _ = _random(seed)
    grid = np.linspace(1e-6, 1, 300)
    excess = above.at(grid) - above.gain(grid)
    assert excess.min() >= -1e-12
    assert excess.max() <= 2 * error + 1e-12


def test_an_interval_of_one_point_has_no_segments() -> None:
    above, _, _ = _random(1)
    parts = above.hull(0.3, 0.3).segments(0.3)
    assert len(parts.widths) == 0
    assert parts.start == pytest.approx(float(above.gain(0.3)), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_turned_round_has_none_either(seed: int) -> None:
    """Where a relaxed quantity is a rounding below its interval, what is shaved ends before it."""
    above, _, _ = _random(seed)
    parts = above.hull(0.3, 0.3 - 1e-12).segments(0.3)
    assert len(parts.widths) == 0
    assert parts.start >= float(above.gain(0.3)) - 1e-12
