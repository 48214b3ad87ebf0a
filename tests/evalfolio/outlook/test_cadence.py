"""How often to look: closed forms exact and in their limits, and the numbers that follow them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import ndtr

from evalfolio.errors import InputError
from evalfolio.outlook.cadence import losses, one_off_period, random_walk_period, renewal_period
from evalfolio.outlook.presets import Rate
from evalfolio.value.sample_information import DecisionValue

PHI0 = 1 / np.sqrt(2 * np.pi)
PUBLISHED = [(0.01, 0.1486, 0.1382), (0.1, 0.5318, 0.4162)]


@pytest.mark.parametrize(("ratio", "renewal", "once"), PUBLISHED)
def test_both_inspection_intervals_are_those_published(
    ratio: float, renewal: float, once: float
) -> None:
    assert round(renewal_period(1.0, ratio, 1.0), 4) == renewal
    assert round(one_off_period(1.0, ratio, 1.0), 4) == once


@pytest.mark.parametrize("ratio", [1e-6, 0.01, 0.3, 0.9, 0.999999])
def test_the_renewal_interval_solves_its_equation(ratio: float) -> None:
    x = renewal_period(2.0, ratio * 3.0 / 2.0, 3.0) * 2.0
    assert 1 - (1 + x) * np.exp(-x) == pytest.approx(ratio, rel=1e-6)


@pytest.mark.parametrize("ratio", [1e-6, 0.01, 1.0, 50.0])
def test_the_one_off_interval_solves_its_equation(ratio: float) -> None:
    x = one_off_period(2.0, ratio * 3.0 / 2.0, 3.0) * 2.0
    assert np.expm1(x) - x == pytest.approx(ratio, rel=1e-6)


def test_in_the_limit_both_are_the_square_root_law() -> None:
    hazard, cost, loss = 0.7, 1e-9, 3.0
    law = np.sqrt(2 * cost / (hazard * loss))
    assert renewal_period(hazard, cost, loss) == pytest.approx(law, rel=1e-4)
    assert one_off_period(hazard, cost, loss) == pytest.approx(law, rel=1e-4)


def test_the_renewal_interval_is_best_by_brute_force_and_never_worth_it_beyond() -> None:
    hazard, cost, loss = 0.8, 0.3, 2.0

    def rate(period: float) -> float:  # a year's cost: a look, and danger unseen until the next
        return float((cost + loss * (period - (1 - np.exp(-hazard * period)) / hazard)) / period)

    best = minimize_scalar(rate, bounds=(1e-3, 20), method="bounded", options={"xatol": 1e-9})
    assert renewal_period(hazard, cost, loss) == pytest.approx(best.x, rel=1e-6)
    assert renewal_period(1.0, 2.0, 1.0) == np.inf


def test_the_one_off_interval_is_best_by_brute_force() -> None:
    hazard, cost, loss = 0.8, 0.3, 2.0

    def expected(period: float) -> float:  # looks until danger is seen, and how long it waited
        seen = 1 - np.exp(-hazard * period)
        return float(cost / seen + loss * (period / seen - 1 / hazard))

    best = minimize_scalar(expected, bounds=(1e-3, 20), method="bounded", options={"xatol": 1e-9})
    assert one_off_period(hazard, cost, loss) == pytest.approx(best.x, rel=1e-6)


def test_the_random_walk_law_is_best_for_what_a_look_at_the_threshold_loses() -> None:
    cost, loss, sd = 0.2, 1.7, 0.6
    a = 2 / 3 * PHI0 * loss * sd
    best = minimize_scalar(lambda t: (cost + a * t**1.5) / t, bounds=(1e-3, 50), method="bounded")
    assert random_walk_period(cost, loss, sd) == pytest.approx(best.x, rel=1e-5)
    # and a·T^1.5 is what a year loses that begins at the threshold and is not looked at again
    value = DecisionValue(0.0, 0.0, loss, loss)
    lost = losses(value, 0.0, Rate(0.0, scatter=sd), 1.0).sum()
    assert lost == pytest.approx(a, rel=2e-3)


@pytest.mark.parametrize("figures", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, np.nan)])
def test_figures_that_are_not_above_0_are_refused(figures: tuple[float, float, float]) -> None:
    for law in (renewal_period, one_off_period):
        with pytest.raises(InputError, match="must be above 0"):
            law(*figures)
    with pytest.raises(InputError, match="must be above 0"):
        random_walk_period(1.0, 1.0, 0.0)


@pytest.mark.parametrize("per_unit", [(1.0, 1.0), (9.0, 1.0), (1.0, 4.0)])
def test_without_growth_a_year_loses_what_is_left_after_one_look(
    per_unit: tuple[float, float],
) -> None:
    missed, alarm = per_unit
    value = DecisionValue(-0.4, 1.3, missed, alarm)
    z = value.distance / value.sd
    calm = missed * value.sd * (np.exp(-(z**2) / 2) * PHI0 + z * ndtr(z))
    acts = alarm * value.sd * (np.exp(-(z**2) / 2) * PHI0 - z * ndtr(-z))
    for explained in (0.0, 0.5, 1.2):
        exact = min(calm, acts) - float(value.gain(explained))
        for every in (1.0, 0.25):  # looking again changes nothing
            lost = losses(value, explained, Rate(0.0), every).sum()
            assert lost == pytest.approx(exact, abs=4e-3)


def test_a_simulated_year_loses_as_much() -> None:
    value, rate = DecisionValue(-0.5, 0.8, 6.0, 1.0), Rate(0.7, scatter=0.9)
    every, explained, n, steps = 0.25, 0.6, 40_000, 96
    rng = np.random.default_rng(3)
    y = value.distance + np.sqrt(value.variance) * rng.standard_normal(n)
    lost = np.zeros(2)
    for step in range(steps):
        t, dt = (step + 0.5) / steps, (1.0 if step else 0.5) / steps
        y = y + rate.mean * dt + rate.scatter * np.sqrt(dt) * rng.standard_normal(n)
        left = value.variance - explained + rate.variance(t % every)
        seen = 1 - left / (value.variance + rate.variance(t))
        prior = value.distance + rate.mean * t
        # what is known at t: a mean of y whose error has the variance `left`
        mean = prior + seen * (y - prior) + np.sqrt(left * seen) * rng.standard_normal(n)
        calm = mean <= value.k * np.sqrt(left)
        lost += [(6.0 * np.maximum(y, 0) * calm).mean(), (np.maximum(-y, 0) * ~calm).mean()]
    np.testing.assert_allclose(losses(value, explained, rate, every), lost / steps, rtol=0.03)


def test_looks_that_tell_nothing_tell_nothing_of_growth_either() -> None:
    value, rate = DecisionValue(-1.0, 2.0, 6.0, 1.0), Rate(0.5, sd=1.5, drift=0.4, scatter=0.6)
    never = losses(value, 0.0, rate, 1.0)
    for every in (1 / 2, 1 / 6, 1 / 12):
        np.testing.assert_allclose(losses(value, 0.0, rate, every), never)
        weak = losses(value, 1e-3, rate, every).sum()
        assert 0.99 * never.sum() < weak < never.sum()


def test_a_look_leaves_no_less_than_readings_with_errors_of_their_own() -> None:
    """Calls of a year by all readings so far, simulated, where growth between looks is large."""
    value, rate = DecisionValue(-0.5, 1.0, 3.0, 1.0), Rate(0.0, sd=2.0, scatter=1.5)
    every, explained, n, steps = 0.25, 0.3, 40_000, 24
    rng, times = np.random.default_rng(4), (np.arange(24) + 0.5) / 24
    pace = rate.sd * rng.standard_normal(n)
    begin = value.distance + np.sqrt(value.variance) * rng.standard_normal(n)
    at = np.arange(4) * every
    luck = np.cumsum(rng.standard_normal((n, 96)) * rate.scatter / np.sqrt(96), axis=1)
    path = np.pad(luck, ((0, 0), (1, 0)))  # at even 96ths of the year
    noise = value.variance * (value.variance - explained) / explained
    read = begin[:, None] + pace[:, None] * at + path[:, ::24][:, :4]
    read = read + np.sqrt(noise) * rng.standard_normal((n, 4))
    lost = 0.0
    for t in times:
        y, k = begin + pace * t + path[:, round(96 * t)], 1 + int(t / every)
        line = np.column_stack([np.ones(n), read[:, :k]])
        mean = line @ np.linalg.lstsq(line, y, rcond=None)[0]
        calm = mean <= value.k * (y - mean).std()
        lost += (3.0 * np.maximum(y, 0) * calm + np.maximum(-y, 0) * ~calm).mean() / steps
    assert losses(value, explained, rate, every).sum() == pytest.approx(lost, rel=0.02)
