"""The concave envelope of a value: above it everywhere, and no looser than is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from evalfolio.value.envelope import envelope_lines, envelope_points, upper_hull
from evalfolio.value.sample_information import DecisionValue

VALUES = {
    "convex at first": DecisionValue(-1.0, 1.0, 1.0, 1.0),
    "at the threshold": DecisionValue(0.0, 1.0, 1.0, 1.0),
    "rare danger": DecisionValue(-3.0, 1.0, 30.0, 1.0),
    "in other units": DecisionValue(-100.0, 1e4, 5e6, 2e5),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("share", [0.3, 0.999])
def test_lines_are_above_the_value_and_within_a_ten_thousandth_of_its_envelope(
    name: str, share: float
) -> None:
    value = VALUES[name]
    top = share * value.variance
    slopes, heights = envelope_lines(value, top)
    v = np.unique(np.concatenate([top * np.linspace(0, 1, 7001), top * np.geomspace(1e-6, 1, 500)]))
    g, whole = value.gain(v), float(value.gain(top))
    least = (slopes[:, None] * v + heights[:, None]).min(axis=0)
    assert (least >= g - 1e-12 * whole).all()
    chords = [  # the envelope by its definition: the highest chord over a point
        max(np.interp(at, [v[a], v[b]], [g[a], g[b]]) for a, b in spans(v, at))
        for at in v[1:-1:500]
    ]
    loose = np.where(v[1:-1:500] < 1e-3 * top, 3e-3, 1e-4)  # √v at the threshold: steep from 0
    assert (np.abs(least[1:-1:500] - chords) <= loose * whole).all()
    assert least[-1] == pytest.approx(whole, rel=1e-12)
    assert (slopes >= 0.0).all()
    assert slopes[-1] == 0.0


def spans(v: NDArray[np.float64], at: float) -> list[tuple[int, int]]:
    below = [0, *np.flatnonzero(v <= at)[::37].tolist()]
    above = [*np.flatnonzero(v >= at)[::37].tolist(), len(v) - 1]
    return [(a, b) for a in below for b in above if a < b]


@pytest.mark.parametrize("name", VALUES)
def test_corners_lie_on_the_value_and_turn_down(name: str) -> None:
    value = VALUES[name]
    v, g = envelope_points(value, 0.9 * value.variance)
    assert v[0] == 0.0
    assert v[-1] == pytest.approx(0.9 * value.variance, rel=1e-15)
    np.testing.assert_allclose(g, value.gain(v), rtol=1e-14)
    slopes = np.diff(g) / np.diff(v)
    assert (np.diff(slopes) <= 1e-9 * slopes.max()).all()


@pytest.mark.parametrize("seed", range(50))
def test_the_upper_hull_is_what_no_chord_passes(seed: int) -> None:
    """Small whole numbers, so that points lie above one another and on one line too."""
    rng = np.random.default_rng(seed)
    v = np.sort(rng.integers(0, 6, size=rng.integers(1, 9))).astype(float)
    h = rng.integers(0, 5, size=len(v)).astype(float)
    hull = upper_hull(v.tolist(), h.tolist())
    assert (np.diff(v[hull]) > 0).all()
    assert {v[hull[0]], v[hull[-1]]} == {v[0], v[-1]}
    assert (np.interp(v, v[hull], h[hull]) >= h - 1e-12).all()
    bends = np.diff(np.diff(h[hull]) / np.diff(v[hull]))
    assert (bends < 0).all(), "a corner that is none"
