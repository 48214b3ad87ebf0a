"""Stacked families of spend: against their members, quadrature and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from evalbayes.curves import Curve
from evalbayes.curves.families import FAMILIES
from evalbayes.curves.law import STACKED, WIDTHS, Law

MIXTURES = [(0.3, 0.2, 0.1, 0.4), (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 0.0), (0.6, 0.4, 0.0, 0.0)]
SHAPES = [(1.3, 1.0), (0.3, 4.0), (2.0, 0.3)]


def law(weights: tuple[float, ...], scale: float, tail: float) -> Law:
    return Law(np.array(11.0), np.array(scale), np.array(tail), np.array(weights))


def test_without_weights_and_with_all_on_the_lognormal_are_the_same() -> None:
    plain, whole = Law(11.0, np.array(1.3)), law((1.0, 0.0, 0.0, 0.0), 1.3, 2.0)
    x = np.array([7.0, 10.0, 11.0, 13.0, 20.0])
    for function in ("log_density", "log_cdf", "log_survival", "cdf", "limited_mean"):
        assert getattr(whole, function)(x) == pytest.approx(getattr(plain, function)(x), rel=1e-10)
    assert whole.quantile(0.9) == pytest.approx(plain.quantile(0.9), abs=1e-10)
    caps = np.array([9.0, 11.0, 14.0, 40.0])
    for cap in caps:
        assert whole.location_information(cap) == pytest.approx(
            plain.location_information(cap), rel=2e-3
        )


@pytest.mark.parametrize("weights", MIXTURES)
@pytest.mark.parametrize(("scale", "tail"), SHAPES)
def test_a_stacked_law_is_the_weighted_sum_of_its_members(
    weights: tuple[float, ...], scale: float, tail: float
) -> None:
    own = law(weights, scale, tail)
    x = 11.0 + scale * np.linspace(-4.0, 4.0, 9)
    total = np.zeros(len(x))
    for name, weight in zip(STACKED, weights, strict=True):
        further = (tail,) if name == "burr" else ()
        parameters = (11.0, scale * WIDTHS[name], *further)
        total += weight * np.exp(FAMILIES[name].log_cdf(x, *parameters))
    assert own.cdf(x) == pytest.approx(total, rel=1e-9)
    assert own.cdf(own.quantile(np.array([0.02, 0.5, 0.98]))) == pytest.approx([0.02, 0.5, 0.98])
    step = 1e-5
    slope = (own.cdf(x + step) - own.cdf(x - step)) / (2 * step)
    assert np.exp(own.log_density(x)) == pytest.approx(slope, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("weights", MIXTURES)
@pytest.mark.parametrize(("scale", "tail"), SHAPES)
def test_mean_spend_under_a_cap_is_the_integral_of_the_survival(
    weights: tuple[float, ...], scale: float, tail: float
) -> None:
    own = law(weights, scale, tail)
    for ln_cap in (8.0, 11.0, 13.0, 16.0):

        def survival(x: float) -> float:
            return float(np.exp(x + own.log_survival(x)))

        whole = integrate.quad(survival, -30.0, ln_cap, limit=400, points=[min(11.0, ln_cap)])[0]
        assert float(own.limited_mean(ln_cap)) == pytest.approx(whole, rel=1e-3)
    squares = np.exp(2.0 * np.minimum(own.sampled(np.random.default_rng(1), (400_000,)), 11.5))
    second = float(own.squared().limited_mean(23.0))
    assert second == pytest.approx(squares.mean(), rel=5 * squares.std() / squares.mean() / 632)


@pytest.mark.parametrize("weights", MIXTURES)
def test_samples_have_the_law_below_a_cap(weights: tuple[float, ...]) -> None:
    own = law(weights, 1.3, 2.0)
    drawn = own.sampled_below(12.0, np.random.default_rng(2), (20_000,))
    below = float(own.cdf(12.0))
    assert drawn.max() <= 12.0 + 1e-9
    # Through F the samples are uniform below F(cap).
    assert stats.kstest(own.cdf(drawn) / below, "uniform").pvalue > 1e-3


def test_information_about_the_location_is_the_mean_square_score() -> None:
    own = law((0.3, 0.2, 0.1, 0.4), 1.1, 2.0)
    drawn = own.sampled(np.random.default_rng(3), (200_000,))
    step = 1e-4
    score = (own.log_density(drawn - step) - own.log_density(drawn + step)) / (2 * step)
    for ln_cap in (10.0, 12.0, 30.0):
        seen = np.where(drawn <= ln_cap, score**2, 0.0)
        error = seen.std() / np.sqrt(len(seen))
        assert float(own.location_information(ln_cap)) == pytest.approx(
            seen.mean(), abs=5 * error + 1e-3
        )


def test_curves_of_a_heavier_tail_saturate_later_and_cost_more() -> None:
    def curve(weights: tuple[float, ...]) -> Curve:
        one = np.ones((3, 2))
        return Curve(
            0.6 * one, 11.0 * one, 1.2 * one, 12.0 * one, one, 3.0 * one, np.tile(weights, (2, 1))
        )

    light, heavy = curve((1.0, 0.0, 0.0, 0.0)), curve((0.2, 0.0, 0.0, 0.8))
    assert (heavy.saturation_share() > light.saturation_share()).all()
    assert (heavy.expected_spend(15.0) > light.expected_spend(15.0)).all()
    spot = heavy.sweet_spot(16.0)
    assert heavy.elasticity(spot) == pytest.approx(np.ones((3, 2)), rel=1e-5)
    point = heavy.saturation()
    assert heavy.cap_elasticity(point) == pytest.approx(np.full((3, 2), 0.1), rel=1e-6)
    assert light.saturation() == pytest.approx(curve_without(light).saturation(), abs=1e-6)
    far = 1e-12  # beyond all but a billionth of the successes, where a narrower search would end
    assert light.saturation(fraction=far) == pytest.approx(
        curve_without(light).saturation(fraction=far), abs=1e-6
    )
    one_eval = heavy.at((slice(None), [1]))
    assert one_eval.plateau.shape == (3, 1)


def curve_without(curve: Curve) -> Curve:
    fields = {key: value for key, value in vars(curve).items() if key != "weights"}
    return Curve(**fields)
