"""Matched sampling noise, against exact sums over every outcome the runs may have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, gammaln
from scipy.stats import norm

from evalbayes.curves import Curve
from evalbayes.menus.sampling_noise import (
    explained_variance,
    margin_grid,
    margin_information,
    matched_noise,
    sampling_variance,
)

KNOWN = np.zeros((2, 2))


def exact_explained(mean: Any, sd: Any, slope: Any, ended: Any, gave_up: Any, n: Any) -> float:
    """Var(E[m | counts]) by summing over all trinomial outcomes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()
    plateau = expit(slope * (mean + sd * nodes))
    success, failure = plateau * ended, (1 - plateau) * gave_up
    rest = 1 - success - failure
    total = 0.0
    for k in range(n + 1):
        j = np.arange(n - k + 1)[:, None]
        ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(j + 1) - gammaln(n - k - j + 1)
        likelihood = np.exp(
            ways + k * np.log(success) + j * np.log(failure) + (n - k - j) * np.log(rest)
        )
        mass, first = likelihood @ weights, likelihood @ (weights * sd * nodes)
        seen = mass > 1e-250
        total += (first[seen] ** 2 / mass[seen]).sum()
    return float(total)


def matched_explained(mean: Any, sd: Any, slope: Any, ended: Any, gave_up: Any, n: Any) -> float:
    margin, weights = margin_grid(mean, sd)
    information = margin_information(
        margin[None, :], slope, 0.0, -norm.ppf(ended), 1.0, -norm.ppf(gave_up), 1.0, KNOWN, n
    )
    return float(explained_variance(margin, weights, information)[0])


CASES = [
    (prior, ends, n)
    for prior in ((0, 1.5, 0.6), (-2, 2, 0.6), (3, 2, 0.8), (1, 1, 1.0), (-4, 1.5, 0.8))
    for ends in ((0.999, 0.999), (0.6, 0.3), (0.3, 0.8), (0.9, 0.1))
    for n in (4, 10, 40)
]


def test_matches_the_exact_information_of_the_counts_within_a_few_per_cent() -> None:
    errors = []
    for (mean, sd, slope), (ended, gave_up), n in CASES:
        exact = exact_explained(mean, sd, slope, ended, gave_up, n)
        got = matched_explained(mean, sd, slope, ended, gave_up, n)
        noise = sampling_variance(np.array([exact, got]), sd**2)
        errors.append(noise[0] / noise[1] - 1)
    assert np.abs(errors).mean() < 0.04
    assert np.abs(errors).max() < 0.12


def test_a_sure_reading_of_a_known_scale_explains_what_a_normal_reading_does() -> None:
    # Information that does not depend on the margin is a normal reading exactly.
    margin, weights = margin_grid(0.0, 2.0)
    explained = explained_variance(margin, weights, np.full((1, len(margin)), 0.5))
    assert explained[0] == pytest.approx(4.0**2 / (4.0 + 2.0), rel=1e-3)


def curve(n_draws: Any = 32, spread: Any = 0.5, seed: Any = 0) -> Curve:
    noise = np.random.default_rng(seed).standard_normal((2, n_draws))
    success = 11.0 + spread * noise[0]
    return Curve(
        np.full(n_draws, 0.5), success, np.full(n_draws, 1.3), success + 0.8, np.full(n_draws, 1.0)
    )


def noise(cap: Any, n: Any, spread: Any = 0.5) -> float:
    return matched_noise(
        curve(spread=spread), mean=0.5, variance=4.0, slope=0.6, cap=cap, n_runs=n
    )[0]


def test_noise_never_rises_with_the_cap_or_the_runs() -> None:
    by_cap = [noise(cap, 30.0) for cap in np.geomspace(1e3, 1e8, 25)]
    assert np.diff(by_cap).max() <= 1e-6 * by_cap[-1]
    by_runs = [noise(1e5, n) for n in np.geomspace(1, 400, 25)]
    assert np.diff(by_runs).max() < 0


def test_an_unknown_curve_costs_information_where_the_cap_cuts_but_none_without_a_cap() -> None:
    assert noise(1e5, 30.0, spread=1.5) > 1.2 * noise(1e5, 30.0, spread=0.0)
    assert noise(1e12, 30.0, spread=1.5) == pytest.approx(noise(1e12, 30.0, spread=0.0), rel=1e-2)


def test_runs_that_cannot_tell_leave_a_finite_noise() -> None:
    assert np.isfinite(noise(1.0, 1.0))
    assert noise(1.0, 1.0) > 1e6
