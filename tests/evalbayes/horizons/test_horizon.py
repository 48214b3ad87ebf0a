"""Horizons against closed forms, simulation and published figures."""

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from evalbayes.errors import InputError
from evalbayes.horizons import (
    Horizon,
    HourlyCost,
    constant_hazard,
    fit_horizon,
    horizon_by_cap,
)

Array = NDArray[np.float64]
DATA = Path(os.environ.get("EVALFOLIO_DATA", Path(__file__).parents[4] / "shared" / "data"))


def test_under_a_constant_hazard_the_80_per_cent_horizon_is_a_third() -> None:
    assert constant_hazard(0.8) == pytest.approx(1 / 3, rel=0.04)
    ratios = [1 / constant_hazard(share) for share in (0.9, 0.99, 0.999)]
    np.testing.assert_allclose(ratios, [7.0, 70.0, 700.0], rtol=0.07)  # Ord's rounded figures


def test_horizons_from_runs_that_fail_at_a_constant_rate() -> None:
    rng = np.random.default_rng(1)
    minutes = np.repeat(2.0 ** np.linspace(4.0, 7.0, 40), 1000)
    success = (rng.random(40_000) < 0.5 ** (minutes / 60.0)).astype(float)
    found = fit_horizon(minutes, success)
    # A logistic in ln length is not that law, but comes near where tasks span it.
    assert np.median(found.minutes(0.5)) == pytest.approx(60.0, rel=0.06)
    assert np.median(found.minutes(0.8) / found.minutes(0.5)) == pytest.approx(1 / 3, rel=0.15)


def test_the_truth_lies_in_the_interval_as_often_as_it_says() -> None:
    """90 % intervals over 200 truths from the prior: binomial bounds at 1 in 1000."""
    rng = np.random.default_rng(3)
    minutes = 2.0 ** np.linspace(0.0, 10.0, 60)
    covered = 0
    for _ in range(200):
        level, slope = rng.normal(5.0, 6.0), np.exp(rng.normal(np.log(0.6), 0.6))
        p = 1.0 / (1.0 + np.exp(-slope * (level - np.log2(minutes))))
        found = fit_horizon(minutes, rng.random(60) < p, n_draws=400)
        low, high = np.quantile(found.level, (0.05, 0.95))
        covered += bool(low <= level <= high)
    assert 165 <= covered <= 193


def test_repeats_of_unlike_tasks_are_no_independent_runs() -> None:
    """90 % intervals over 200 truths from the prior, eight attempts at 40 tasks that differ.

    Taken as runs of their own the same attempts cover far less.
    """
    rng = np.random.default_rng(5)
    x = np.linspace(0.0, 10.0, 40)
    of = np.repeat(np.arange(40), 8)
    covered = naive = 0
    for _ in range(200):
        level, slope = rng.normal(5.0, 6.0), np.exp(rng.normal(np.log(0.6), 0.6))
        # 2 logits between tasks make the curve over tasks flatter by the probit approximation
        steeper = slope * np.sqrt(1.0 + np.pi * 4.0 / 8.0)
        p = 1.0 / (1.0 + np.exp(-steeper * (level - x) - 2.0 * rng.standard_normal(40)))
        success = (rng.random(320) < p[of]).astype(float)
        found = fit_horizon(2.0 ** x[of], success, tasks=of, n_draws=400)
        low, high = np.quantile(found.level, (0.05, 0.95))
        covered += bool(low <= level <= high)
        low, high = np.quantile(fit_horizon(2.0 ** x[of], success, n_draws=400).level, (0.05, 0.95))
        naive += bool(low <= level <= high)
    assert 165 <= covered <= 193
    assert naive < 160


def test_one_attempt_each_is_as_before_and_copies_change_nothing() -> None:
    minutes, success = 2.0 ** np.arange(10.0), np.array([1, 1, 1, 1, 0, 1, 0, 0, 0, 0])
    plain = fit_horizon(minutes, success)
    named = fit_horizon(minutes, success, tasks=np.arange(10))
    copied = fit_horizon(np.tile(minutes, 7), np.tile(success, 7), tasks=np.tile(np.arange(10), 7))
    np.testing.assert_allclose(named.level, plain.level)
    np.testing.assert_allclose(copied.level, plain.level)
    # copies of repeats that disagree leave the shares, and so the horizon, too
    again = np.concatenate([success, 1 - success[::-1]])
    of, twice = np.tile(np.arange(10), 2), np.tile(minutes, 2)
    once = fit_horizon(twice, again, tasks=of)
    ten = fit_horizon(np.tile(twice, 10), np.tile(again, 10), tasks=np.tile(of, 10))
    np.testing.assert_allclose(ten.level, once.level)


def test_figures_of_a_known_horizon() -> None:
    found = Horizon(np.full(3, 6.0), np.full(3, 1.0))
    assert found.completion(128.0) == pytest.approx(1 / (1 + math.e))
    assert found.doublings_to(480.0) == pytest.approx(np.log2(480.0) - 6.0)
    assert found.minutes(0.8) == pytest.approx(2.0 ** (6.0 - np.log(4.0)))
    table = found.table(480.0)
    assert list(table.index) == [
        "50% horizon (min)",
        "80% horizon (min)",
        "completion at 10 min",
        "completion at 30 min",
        "completion at 2 h",
        "completion at 8 h",
        "doublings to 8 h",
    ]
    assert table.loc["completion at 2 h", "median"] == pytest.approx(
        float(found.completion(120)[0])
    )


def test_weights_do_not_invent_certainty() -> None:
    minutes, success = 2.0 ** np.arange(10.0), np.array([1, 1, 1, 1, 0, 1, 0, 0, 0, 0])
    plain = fit_horizon(minutes, success)
    scaled = fit_horizon(minutes, success, np.full(10, 100.0))
    assert scaled.level.std() == pytest.approx(plain.level.std(), rel=1e-6)


def saturating(power: float, usd: Array) -> Array:
    hours: Array = 2.0 * usd**power / (usd**power + 10.0**power)
    return hours


def test_sweet_spot_and_saturation_of_a_curve_with_closed_forms() -> None:
    # T = Tmax Cᵍ/(Cᵍ + Kᵍ) has elasticity g(1 − T/Tmax)
    g = 2.5
    usd = np.geomspace(0.3, 1000.0, 25)
    curve = HourlyCost(usd, saturating(g, usd))
    spot = 10.0 * ((1 - 1 / g) * g) ** (1 / g)
    assert curve.sweet_spot() == pytest.approx(spot, rel=0.1)
    share = 1.0 - 0.1 / g
    assert curve.saturation() == pytest.approx(10.0 * (share / (1 - share)) ** (1 / g), rel=0.1)
    assert curve.saturation_share() == pytest.approx(10.0 * 19.0 ** (1 / g), rel=0.1)
    fine = np.geomspace(0.3, 1000.0, 4000)
    assert curve.per_hour(curve.sweet_spot()) == pytest.approx(curve.per_hour(fine).min(), rel=1e-4)


def test_a_curve_that_only_flattens_has_no_sweet_spot_within_the_points() -> None:
    usd = np.geomspace(1.0, 100.0, 12)
    assert np.isnan(HourlyCost(usd, usd**0.5).sweet_spot())
    assert np.isnan(HourlyCost(usd, usd**0.5).saturation())  # never a tenth


def test_an_uptick_at_the_end_is_not_called_saturated() -> None:
    usd = np.geomspace(0.3, 1000.0, 25)
    hours = saturating(2.5, usd)
    assert np.isfinite(HourlyCost(usd, hours).saturation())
    for uptick in ((1.3, 1.9), (1.0, 1.06)):
        later = hours.copy()
        later[-2:] *= uptick
        assert np.isnan(HourlyCost(usd, later).saturation())


def test_published_hourly_costs_are_read_back() -> None:
    # GPT-5 in Ord's essay: about $13/h at 45 min and $120/h at 2 h
    curve = HourlyCost(np.array([13 * 0.75, 120 * 2.0]), np.array([0.75, 2.0]))
    assert curve.per_hour(13 * 0.75) == pytest.approx(13.0)
    assert curve.per_hour(240.0) == pytest.approx(120.0)
    assert np.isnan(curve.sweet_spot())  # both points lie past it
    # AISI: 40 min at 2.5M tokens, 4 h at 50M: elasticity 0.60
    tokens = HourlyCost(np.array([2.5, 50.0]), np.array([2 / 3, 4.0]))
    assert tokens.elasticity(11.0) == pytest.approx(0.60, abs=0.005)


@pytest.mark.parametrize(
    ("sweet", "saturated", "longest"),
    [(0.40, 13.0, 1.8), (40.0, 350.0, 1.5)],  # USD an hour: Grok 4 and o3 in Ord's essay
)
def test_hourly_costs_of_digitised_curves_are_found_within_a_tenth(
    sweet: float, saturated: float, longest: float
) -> None:
    """Curves with just these hourly costs, each point read off a chart to half a per cent.

    T = Tmax·(1 + (K/C)ᶜ)^(−2/c) has elasticity 2w with w = 1/(1 + (C/K)ᶜ): 1 at C = K, a tenth at
    C = K·19^(1/c), and cost per hour there is (19/3.61)^(1/c) times that at K. Without error both
    are found within 3 %. Where a curve is nearly flat its slope is hard to read: with it every
    sweet spot is within a tenth, saturation in nine of ten of 30 readings, and all within a fifth.
    """
    c = np.log(19.0 / 3.61) / np.log(saturated / sweet)
    middle = sweet * longest * 0.5 ** (2.0 / c)
    usd = middle * np.geomspace(1.0 / 30.0, 10.0 * 19.0 ** (1.0 / c), 24)
    hours = longest * (1.0 + (middle / usd) ** c) ** (-2.0 / c)
    exact = HourlyCost(usd, hours)
    assert exact.per_hour(exact.sweet_spot()) == pytest.approx(sweet, rel=0.02)
    assert exact.per_hour(exact.saturation()) == pytest.approx(saturated, rel=0.03)
    found = []
    for seed in range(30):
        noise = np.exp(0.005 * np.random.default_rng(seed).standard_normal((2, len(usd))))
        curve = HourlyCost(usd * noise[0], np.maximum.accumulate(hours * noise[1]))
        assert curve.per_hour(curve.sweet_spot()) == pytest.approx(sweet, rel=0.1)
        found.append(float(curve.per_hour(curve.saturation())))
    off = np.abs(np.log(np.array(found) / saturated))
    assert np.mean(off < np.log(1.1)) >= 0.9
    assert off.max() < np.log(1.2)


def test_a_curve_that_falls_is_refused() -> None:
    with pytest.raises(InputError, match="take the running maximum"):
        HourlyCost(np.array([1.0, 2.0]), np.array([1.0, 0.5]))


def test_horizon_by_cap_finds_what_the_runs_were_made_from() -> None:
    rng = np.random.default_rng(4)
    n = 6000
    minutes = 2.0 ** rng.uniform(0.0, 10.0, n)
    solvable = rng.random(n) < 1.0 / (1.0 + np.exp(-0.8 * (6.0 - np.log2(minutes))))
    spend = np.exp(rng.normal(np.log(minutes), 0.5))
    runs = pd.DataFrame(
        {"task": np.arange(n), "human_minutes": minutes, "success": solvable, "spend": spend}
    )
    table = horizon_by_cap(runs, [1.0, 8.0, 64.0, 1e9], n_draws=500)
    assert table["minutes"].is_monotonic_increasing
    last = table.iloc[-1]
    assert last["minutes"] == pytest.approx(64.0, rel=0.15)
    assert last["minutes_low"] < 64.0 * 1.1
    assert last["minutes_high"] > 64.0 * 0.9
    fitted = fit_horizon(minutes, solvable.astype(float))
    assert last["minutes"] == pytest.approx(np.median(fitted.minutes()), rel=0.02)
    assert 1.0 < table["minutes"].iloc[0] < 8.0


def test_wrong_runs_are_told() -> None:
    runs = pd.DataFrame({"task": ["a"], "human_minutes": [1.0], "success": [1], "spend": [1.0]})
    with pytest.raises(InputError, match="missing: spend"):
        horizon_by_cap(runs.drop(columns="spend"), [1.0])
    with pytest.raises(InputError, match="caps must be above 0; the smallest is 0"):
        horizon_by_cap(runs, [0.0, 1.0])
    with pytest.raises(InputError, match="human minutes above 0; got 1 of 2 without"):
        fit_horizon(np.array([1.0, 0.0]), np.array([1, 0]))


def test_the_cyber_horizon_still_rises_at_the_cap_so_nothing_is_called_saturated() -> None:
    path = DATA / "cyber_runs.csv.gz"
    if not path.exists():
        pytest.skip(f"the public data is not in {DATA}; set EVALFOLIO_DATA to its folder")
    runs = pd.read_csv(path).rename(columns={"spend_tokens": "spend"})
    runs["task"] = runs["eval"] + "/" + runs["task"].astype(str)
    own = runs[runs["ai_model"] == "GPT-5.3 Codex"]
    caps = np.geomspace(2e3, 2e6, 10)
    table = horizon_by_cap(own, list(caps), n_draws=300)
    assert table["minutes"].is_monotonic_increasing
    curve = HourlyCost(caps, table["minutes"].to_numpy() / 60.0)
    assert curve.elasticity(2e6) > 0.1
    assert np.isnan(curve.saturation())
