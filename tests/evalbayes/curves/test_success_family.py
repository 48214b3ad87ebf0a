"""Curves whose successes spend as a Hill or a Weibull says, against the code that compares them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior, small_catalogue

from evalbayes.curves import Curve
from evalbayes.curves.families.family import FAMILIES
from evalbayes.curves.families.family_curve import FamilyCurve
from evalbayes.curves.law import STACKED, WIDTHS
from evalbayes.errors import InputError
from evalbayes.menus.costs import spend_moments
from evalbayes.posterior.same_spread import OFFERED, with_success_family


def curve(
    plateau: Any, location: Any, scale: Any, later: Any, gave_up_scale: Any, family: str
) -> Curve:
    """Curve of one family, its scale the family's own."""
    weights = np.broadcast_to(np.eye(len(STACKED))[STACKED.index(family)], (*plateau.shape, 4))
    width = scale / WIDTHS[family]
    return Curve(plateau, location, width, later, gave_up_scale, np.ones(plateau.shape), weights)


CASES = ((0.3, 11.0, 0.6, 12.5, 1.0), (0.8, 12.0, 0.9, 12.0, 0.7), (0.05, 10.0, 0.4, 13.0, 1.4))


@pytest.mark.parametrize("family", OFFERED)
def test_a_curve_says_what_the_familys_own_says(family: str) -> None:
    columns = np.array(CASES).T
    many = curve(columns[0], columns[1], columns[2], columns[3], columns[4], family)
    cap = np.log(5e5)
    for k, (plateau, *success, location, scale) in enumerate(CASES):
        other = FamilyCurve(FAMILIES[family], plateau, tuple(success), (location, scale))
        assert many.success_within(cap)[k] == pytest.approx(float(other.success_within(cap)))
        assert many.expected_spend(cap)[k] == pytest.approx(float(other.expected_spend(cap)))
        assert many.stopped(cap)[k] == pytest.approx(float(other.stopped(cap)))
        assert many.elasticity(cap)[k] == pytest.approx(float(other.elasticity(np.array(cap))))
        assert many.saturation()[k] == pytest.approx(other.saturation(), rel=1e-6)
        assert many.saturation_share()[k] == pytest.approx(other.saturation_share())
        assert many.sweet_spot(15.0)[k] == pytest.approx(other.sweet_spot(15.0), abs=1e-6)


def test_success_per_unit_that_falls_all_the_way_has_no_sweet_spot() -> None:
    assert np.isnan(curve(np.array([0.5]), 11.0, 1.6, 12.0, 1.0, "hill").sweet_spot(16.0)).all()


@pytest.mark.parametrize("family", ["hill", "weibull"])
def test_the_second_moment_is_that_of_simulated_spends(family: str) -> None:
    rng = np.random.default_rng(4)
    many = curve(np.array(0.6), 11.0, 0.7, 12.0, 0.8, family)
    n, cap = 200_000, 3e5
    success = FAMILIES[family].quantile(rng.random(n), 11.0, 0.7)
    spend = np.exp(np.where(rng.random(n) < 0.6, success, rng.normal(12.0, 0.8, n)))
    limited = np.minimum(spend, cap)
    for got, seen in zip(spend_moments(many, cap), (limited, limited**2), strict=True):
        assert got == pytest.approx(seen.mean(), abs=4 * seen.std() / np.sqrt(n))


def test_another_family_keeps_median_and_spread() -> None:
    posterior = prior_posterior(small_catalogue())
    rng = np.random.default_rng(0)
    for family in ("hill", "weibull"):
        other = with_success_family(posterior, family)
        scale = float(other.draws["spend_width"][0, 0, 0]) * WIDTHS[family]
        ln_spend = FAMILIES[family].quantile(rng.random(400_000), 0.0, scale)
        assert np.median(ln_spend) == pytest.approx(0.0, abs=0.02)
        assert ln_spend.std() == pytest.approx(posterior.draws["spend_width"][0, 0, 0], rel=0.01)
        back = with_success_family(other, "lognormal")
        for key, values in posterior.draws.items():
            np.testing.assert_array_equal(back.draws[key], values)


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(InputError, match="curve family must be one of lognormal, hill, weibull"):
        with_success_family(prior_posterior(small_catalogue()), "gamma")
