"""G(v) against direct integration, simulation, its own derivative and published figures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import norm

from evalbayes.catalogue.domain import loss_ratio
from evalfolio.value.sample_information import (
    DecisionValue,
    certain_call,
    expected_excess,
    indifference,
)

RATIOS = (1 / 100, 1 / 30, 1 / 3, 1.0, 2.0, 10.0, 30.0, 100.0)
DISTANCES = (-3.0, -1.0, -0.2, 0.0, 0.5, 2.0, 3.5)


def _excess(z: float) -> float:
    """ψ(z) = φ(z) + zΦ(z) from ∫_{-z}^∞ (z + e) φ(e) de, with no cancellation."""
    tail = quad(lambda t: t * np.exp(-0.5 * (t - z) ** 2), 0, max(z, 0) + 40)[0]
    return float(tail / np.sqrt(2 * np.pi))


def _direct(value: DecisionValue, v: float) -> float:
    """E over the posterior mean of what changing the call then saves: the definition of EVSI.

    The call without results is the one with the least expected loss; results are worth the
    difference of the two losses wherever the other call is then better.
    """
    left = np.sqrt(value.variance - v)

    def saving(mean: float) -> float:
        """Return the loss of not mitigating less that of mitigating, at a posterior mean."""
        if left == 0:
            missed, false_alarm = max(mean, 0.0), max(-mean, 0.0)
        else:
            missed, false_alarm = left * expected_excess([mean / left, -mean / left])
        return float(value.loss_missed * missed - value.loss_false_alarm * false_alarm)

    s = np.sqrt(value.variance)
    before = value.loss_missed * expected_excess(value.distance / s) - (
        value.loss_false_alarm * expected_excess(-value.distance / s)
    )
    switch = brentq(saving, -60 * s, 60 * s, xtol=1e-15, rtol=1e-14) if left else 0.0
    root = np.sqrt(v)
    sign = -1.0 if before > 0 else 1.0  # to which side of the switch the call changes
    first = (switch - value.distance) / root

    def integrand(u: float) -> float:
        z = first + sign * u
        density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
        return float(sign * saving(value.distance + root * z) * density)

    # Beyond the switch; where the switch lies behind the mean, the density peaks at u = |first|.
    peak = max(-sign * first, 0.0)
    points = [peak] if peak > 0 else None
    return float(quad(integrand, 0, peak + 14, points=points, epsabs=0, epsrel=1e-11, limit=400)[0])


@pytest.mark.parametrize("ratio", RATIOS)
def test_indifference_solves_its_equation(ratio: float) -> None:
    k = indifference(ratio, 1.0)
    assert ratio * _excess(k) == pytest.approx(_excess(-k), rel=1e-7)
    assert indifference(1.0, ratio) == pytest.approx(-k, abs=1e-12)


@pytest.mark.parametrize("z", [-40.0, -13.0, -11.9, -5.0, -0.3, 0.0, 0.7, 9.0])
def test_expected_excess_keeps_its_digits(z: float) -> None:
    if z > -30:
        assert float(expected_excess(z)) == pytest.approx(_excess(z), rel=1e-7)
    else:  # φ(z)/z² to leading order
        leading = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) / z**2
        assert float(expected_excess(z)) == pytest.approx(leading, rel=3 / z**2)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_gain_agrees_with_direct_integration(ratio: float, distance: float) -> None:
    value = DecisionValue(distance, 1.7, 2.0 * ratio, 2.0)
    v = 1.7 * np.array([1e-4, 0.01, 0.1, 0.35, 0.8, 0.99, 1.0])
    expected = np.array([_direct(value, part) for part in v])
    np.testing.assert_allclose(value.gain(v), expected, rtol=2e-8, atol=1e-14 * value.evpi)


@pytest.mark.parametrize("ratio", [1.0, 0.05, 40.0])
@pytest.mark.parametrize("distance", [-7.0, 6.0, 12.0])
def test_gain_of_a_far_domain_keeps_its_digits(ratio: float, distance: float) -> None:
    value = DecisionValue(distance, 1.0, ratio, 1.0)
    for v in (0.3, 0.9, 1.0):
        expected = _direct(value, v)
        assert 0 < expected < 1e-6
        assert float(value.gain(v)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("ratio", [1 / 100, 1.0, 8.0, 100.0])
@pytest.mark.parametrize("later", [0.0, 0.6])
def test_gain_agrees_with_simulated_decisions(ratio: float, later: float) -> None:
    rng = np.random.default_rng(5)
    states, v, n = 1.0, 0.7, 400_000  # variance of the states; what is explained of it
    distance = 0.4
    value = DecisionValue(distance, states + later**2, ratio, 1.0)
    half = rng.standard_normal((n // 2, 2))
    z = np.concatenate([half, -half])
    mean = distance + np.sqrt(v) * z[:, 0]
    y = mean + np.sqrt(states - v + later**2) * z[:, 1]
    missed, false_alarm = ratio * np.maximum(y, 0), np.maximum(-y, 0)
    left = np.sqrt(states - v + later**2)
    mitigate = value.loss_missed * expected_excess(mean / left) > expected_excess(-mean / left)
    after = np.where(mitigate, false_alarm, missed)
    before = missed if missed.mean() < false_alarm.mean() else false_alarm
    saved = before - after
    assert float(value.gain(v)) == pytest.approx(saved.mean(), abs=5 * saved.std() / np.sqrt(n))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_slope_is_the_derivative_and_gain_never_falls(ratio: float, distance: float) -> None:
    value = DecisionValue(distance, 2.3, ratio, 1.0)
    v = 2.3 * np.linspace(0.02, 0.98, 97)
    step = 1e-4
    difference = (
        8 * (value.gain(v + step) - value.gain(v - step))
        - (value.gain(v + 2 * step) - value.gain(v - 2 * step))
    ) / (12 * step)
    np.testing.assert_allclose(value.slope(v), difference, rtol=1e-6, atol=1e-9 * value.evpi)
    fine = np.concatenate([[0.0], 2.3 * np.geomspace(1e-12, 1.0, 3000)])
    gain = value.gain(fine)
    assert gain[0] == 0
    assert (np.diff(gain) >= -1e-15 * gain[-1]).all()
    assert (value.slope(fine) >= 0).all()


def test_closed_form_of_equal_losses_meets_the_integral() -> None:
    v = np.geomspace(1e-6, 1.0, 60)
    for distance in (0.0, -0.7, 2.5):
        closed = DecisionValue(distance, 1.0, 3.0, 3.0).gain(v)
        integral = DecisionValue(distance, 1.0, 3.0 * (1 + 1e-12), 3.0).gain(v)
        np.testing.assert_allclose(closed, integral, rtol=1e-8, atol=1e-40)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("distance", [*DISTANCES, -0.9, 1.2, 1.7])
def test_inflections_are_where_the_cubic_says(ratio: float, distance: float) -> None:
    value = DecisionValue(distance, 1.3, ratio, 1.0)
    d, s, k = value.distance, value.variance, value.k
    for v in value.inflections:
        r = np.sqrt(s - v)
        cubic = np.array([r**3, -d * k * r**2, (k * k * s + d * d - s) * r, -d * k * s])
        assert abs(cubic.sum()) < 1e-9 * np.abs(cubic).max()
    # and nowhere else: G′ turns at the inflections only
    grid = s * np.linspace(0.02, 1 - 1e-9, 20_001)
    bend = np.sign(np.diff(value.slope(grid)))
    turns = grid[1:-1][bend[1:] * bend[:-1] < 0]
    inside = [part for part in value.inflections if part > grid[1]]
    np.testing.assert_allclose(turns, inside, atol=2e-4 * s)


def test_equal_losses_turn_once_at_the_squared_distance() -> None:
    assert DecisionValue(0.6, 1.0, 5.0, 5.0).inflections == pytest.approx((0.36,))
    assert DecisionValue(1.4, 1.0, 5.0, 5.0).inflections == ()
    assert DecisionValue(1.4, 1.0, 5.0, 5.0).convex(0.0, 1.0)
    assert DecisionValue(0.0, 1.0, 5.0, 5.0).inflections == ()
    assert not DecisionValue(0.0, 1.0, 5.0, 5.0).convex(0.0, 1.0)


def test_all_three_shapes_of_the_value_occur() -> None:
    shapes = {
        len(DecisionValue(d, 1.0, ratio, 1.0).inflections)
        for d in np.linspace(-3, 3, 61)
        for ratio in (1.0, 3.0, 10.0, 30.0)
    }
    assert shapes == {0, 1, 2}


# Raiffa & Schlaifer's two-action problem, equal losses 1/2 + 1/2 = |m1 - m2| = 1: distance in prior
# sds; t = prior-equivalent sample size at the inflection; t* at the greatest EVSI per sample;
# EVSI(t*)/EVPI; EVPI.
TABLE = (
    (0.25, 0.054, 0.131, 0.16, 0.2863),
    (0.5, 0.173, 0.385, 0.245, 0.1978),
    (1.0, 0.499, 1.042, 0.315, 0.0833),
    (1.5, 0.920, 1.879, 0.341, 0.0293),
    (2.0, 1.445, 2.911, 0.353, 0.0085),
    (3.0, 2.805, 5.623, 0.363, 0.0004),
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}")
def test_published_table_of_a_two_action_problem(row: tuple[float, ...]) -> None:
    distance, inflection, sweet, share, evpi = row
    value = DecisionValue(distance, 1.0, 1.0, 1.0)

    def evsi(t: float) -> float:
        return float(value.gain(t / (1 + t)))

    assert value.evpi == pytest.approx(evpi, abs=6e-5)
    t = np.linspace(0.01, 8, 100_001)
    marginal = value.slope(t / (1 + t)) / (1 + t) ** 2  # dEVSI/dt
    assert t[np.argmax(marginal)] == pytest.approx(inflection, abs=3e-3)
    best = minimize_scalar(lambda t: -evsi(t) / t, bounds=(0.02, 9), method="bounded").x
    assert best == pytest.approx(sweet, abs=4e-3)
    assert evsi(best) / value.evpi == pytest.approx(share, abs=6e-3)


def test_table_row_at_the_threshold() -> None:
    value = DecisionValue(0.0, 1.0, 1.0, 1.0)
    assert value.evpi == pytest.approx(0.3989, abs=5e-5)
    t = np.array([1e-4, 1e-3, 1e-2, 0.1, 1.0])
    assert (np.diff(value.gain(t / (1 + t)) / t) < 0).all()  # the first sample is worth most
    assert value.slope(0.0) == np.inf


@pytest.mark.parametrize("ratio", [1.0, 20.0])
def test_gain_scales_with_losses_and_units(ratio: float) -> None:
    one = DecisionValue(-0.8, 1.5, ratio, 1.0)
    v = 1.5 * np.array([0.1, 0.6, 1.0])
    money = DecisionValue(-0.8, 1.5, 1e6 * ratio, 1e6)
    np.testing.assert_allclose(money.gain(v), 1e6 * one.gain(v), rtol=1e-13)
    unit = DecisionValue(-8.0, 150.0, ratio, 1.0)  # the scale of y ten times as fine
    np.testing.assert_allclose(unit.gain(100 * v), 10 * one.gain(v), rtol=1e-12)


def test_nothing_to_learn_is_worth_nothing() -> None:
    certain = DecisionValue(1.0, 0.0, 3.0, 1.0)
    assert certain.gain([0.0, 1.0]).tolist() == [0.0, 0.0]
    assert certain.inflections == ()
    assert float(DecisionValue(1.0, 1.0, 3.0, 1.0).gain(0.0)) == 0


@pytest.mark.parametrize("ratio", [1.0, 0.1, 25.0])
@pytest.mark.parametrize("distance", [-1.5, 0.0, 0.4])
def test_probability_of_a_wrong_call_agrees_with_simulation(ratio: float, distance: float) -> None:
    rng = np.random.default_rng(11)
    n = 400_000
    value = DecisionValue(distance, 1.0, ratio, 1.0)
    z = rng.standard_normal((n, 2))
    for v in (0.2, 0.75):
        mean = distance + np.sqrt(v) * z[:, 0]
        y = mean + np.sqrt(1 - v) * z[:, 1]
        mitigate = mean > value.k * np.sqrt(1 - v)
        kinds = np.array([(~mitigate & (y > 0)).mean(), (mitigate & (y <= 0)).mean()])
        assert value.wrong_calls(v) == pytest.approx(kinds, abs=5 * 0.5 / np.sqrt(n))
        assert float(value.wrong_call(v)) == pytest.approx(kinds.sum(), abs=5 * 0.5 / np.sqrt(n))
    assert float(value.wrong_call(1.0)) == pytest.approx(0.0, abs=1e-7)
    exceeds = ndtr(distance)
    now = 1 - exceeds if distance > value.k else exceeds
    assert float(value.wrong_call(0.0)) == pytest.approx(now)
    assert np.isfinite(log_ndtr(distance))


@pytest.mark.parametrize("above", [0.02, 0.1, 0.5, 0.9])
def test_a_stated_rule_is_that_of_its_losses_and_is_followed_whatever_they_are(
    above: float,
) -> None:
    by_losses = DecisionValue(-0.4, 1.0, loss_ratio(above), 1.0)
    assert by_losses.k == pytest.approx(ndtri(above), abs=1e-8)
    stated = DecisionValue(-0.4, 1.0, 7.0, 1.0, above)
    assert stated.mitigates == (ndtr(-0.4) > above)
    assert stated.wrong_calls([0.0, 0.3]) == pytest.approx(by_losses.wrong_calls([0.0, 0.3]))


@pytest.mark.parametrize("left", [1e-3, 1e-6, 1e-9, 1e-11, 1e-13, 0.0])
def test_wrong_calls_vanish_as_all_is_explained(left: float) -> None:
    value = DecisionValue(0.3, 1.0, 3.0, 1.0)
    missed, needless = value.wrong_calls(value.variance * (1 - left))
    assert 0 <= missed <= 2 * np.sqrt(left) + 1e-12
    assert 0 <= needless <= 2 * np.sqrt(left) + 1e-12


@pytest.mark.parametrize("distance", [0.0, 0.3, -1.4, 3.0])
def test_the_fall_of_wrong_calls_is_their_integral(distance: float) -> None:
    """P(wrong) = E Φ(−|m|/√(1 − v)) of posterior means m ~ N(d, v), before the results Φ(−|d|)."""
    for v in (1e-6, 0.02, 0.3, 0.8, 0.999):

        def wrong(m: float, v: float = v) -> float:
            return float(norm.pdf(m, distance, np.sqrt(v)) * norm.cdf(-abs(m) / np.sqrt(1.0 - v)))

        reach = 12 * np.sqrt(v)
        ends = sorted({distance - reach, float(np.clip(0, distance - reach, distance + reach))})
        ends.append(distance + reach)
        after = sum(quad(wrong, a, b, epsabs=1e-13)[0] for a, b in pairwise(ends))
        fall = norm.cdf(-abs(distance)) - after
        assert float(certain_call(np.array(v), distance**2)) == pytest.approx(fall, abs=1e-10)


@pytest.mark.parametrize("ceiling", [1.0, 1.3, 4.0])
@pytest.mark.parametrize("distance", [-2.5, -0.7, 0.0, 1.2])
def test_bends_are_where_the_odds_of_what_is_explained_turn_the_value(
    distance: float, ceiling: float
) -> None:
    value = DecisionValue(distance, 1.0, 3.0, 1.0)
    v = np.linspace(0.002, 0.998, 3000)
    odds = v / (ceiling - v)
    slopes = np.diff(value.gain(v)) / np.diff(odds)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(slopes)))) + 1
    found = [b for b in value.bends(ceiling) if 0.004 < b < 0.996]
    assert [float(v[t]) for t in turns if 0.004 < v[t] < 0.996] == pytest.approx(found, abs=2e-3)
