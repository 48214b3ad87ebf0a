"""What the verifier encloses: normal functions, the worth of results, its largest less a price."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, owens_t

from evalfolio.certificates.verifier import DIGITS, Decision, Normal, Sloped, cdf, density, owen
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.sloped import Sloped as Curve

STEP = Decimal("1e-25")
W = 3.3  # cᵀΣc of the prior below


def rise(function: Any, at: Decimal) -> Decimal:
    """Return a derivative, right to some 45 digits."""
    return Decimal((function(at + STEP) - function(at - STEP)) / (2 * STEP))


def decision(**stated: Any) -> Decision:
    prior = [[Decimal(x) for x in row] for row in ((2.0, 0.3), (0.3, 0.7))]
    whole = {
        "margin": 1e-3 * W,
        "contrast": [1.0, 1.0],
        "mean": [0.0, 0.0],
        "weight": 1.0,
        "loss_missed": 1.0,
        "loss_false_alarm": 1.0,
        "later_gain_mean": 0.0,
        "later_gain_sd": 0.0,
        "threshold": 0.0,
    }
    return Decision(prior, [], {**whole, **stated})


def random_decision(rng: np.random.Generator) -> tuple[Decision, DecisionValue]:
    away = float(rng.choice([0.0, rng.uniform(-6, 6), rng.uniform(-1, 1)]))
    later, missed = float(rng.choice([0.0, 0.3, 2.0])), float(rng.choice([1.0, 9.0, 30.0, 0.01]))
    made = decision(threshold=-away, later_gain_sd=later, loss_missed=missed)
    return made, DecisionValue(away, W + later**2, missed, 1.0)


def test_normal_functions_are_those_of_scipy_and_each_others_slopes_to_forty_digits() -> None:
    with localcontext(prec=DIGITS):
        for z in map(Decimal, (-20.0, -7.5, -1.0, -0.2, 0.0, 0.3, 1.7, 6.0, 11.0, 22.0)):
            assert float(cdf(z)) == pytest.approx(ndtr(float(z)), abs=1e-15)
            assert abs(rise(cdf, z) - density(z)) < Decimal("1e-45")
        for h, q in ((0.3, 0.2), (1.5, -4.0), (-2.0, 0.7), (-0.6, -3.0), (4.0, 4.0), (0.0, 2.0)):
            at, slope = Decimal(h), Decimal(q)
            told = owens_t(h, q / h) if h else 0.25
            assert float(owen(at, slope)) == pytest.approx(told, abs=1e-15)
            if h:
                # dT(h, q/h)/dq = exp(-(h² + q²)/2)/(2π h(1 + q²/h²))
                exact = density(at) * density(slope) / (at * (1 + (slope / at) ** 2))
                assert abs(rise(lambda x, h=at: owen(h, x), slope) - exact) < Decimal("1e-45")


@pytest.mark.parametrize("seed", range(12))
def test_worths_are_those_of_the_search_and_rise_by_their_slope(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with localcontext(prec=DIGITS):
        made, value = random_decision(rng)
        curve = made.curve
        assert isinstance(curve, Normal)
        assert float(curve.k) == pytest.approx(value.k, abs=1e-13)
        for v in (*rng.uniform(0.01, 3.2, 4), 1e-5, 3.0):
            at, size = Decimal(float(v)), value.loss_missed + 1.0
            assert float(curve.gain(at)) == pytest.approx(float(value.gain(v)), abs=2e-13 * size)
            assert abs(rise(curve.gain, at) - curve.slope(at)) < Decimal("1e-35") * Decimal(size)


@pytest.mark.parametrize("seed", range(12))
def test_the_most_less_a_price_is_above_every_point_and_met_by_one(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    with localcontext(prec=DIGITS):
        made, value = random_decision(rng)
        for _ in range(3):
            low, high = sorted(rng.uniform(0, W, 2).tolist())
            price = float(10 ** rng.uniform(-5, 0.5)) * value.loss_missed
            most = float(made.most(Decimal(price), Decimal(low), Decimal(high)))
            points = grid(made, value, low, high) - price * odds(made, low, high)
            size = value.loss_missed + 1.0 + price * float(made.odds(Decimal(high)))
            assert most >= points.max() - 1e-13 * size
            assert most == pytest.approx(points.max(), abs=1e-6 * size)


def grid(made: Decision, value: Any, low: float, high: float) -> NDArray[np.float64]:
    return np.asarray(value.gain(np.linspace(low, high, 20_001)))


def odds(made: Decision, low: float, high: float) -> NDArray[np.float64]:
    ceiling = float(made.ceiling)
    return np.asarray(ceiling / (ceiling - np.linspace(low, high, 20_001)))


@pytest.mark.parametrize("seed", range(8))
def test_the_same_of_a_stand_ins_curve(seed: int) -> None:
    rng = np.random.default_rng([seed, 2])
    knots = np.array([0.0, 0.1, 0.3, 0.55, 0.8, 1.0])
    slopes = rng.uniform(0, 2, 6) * (rng.random(6) > 0.3)
    curve = Curve(tuple(knots.tolist()), tuple(slopes.tolist()), 5.0)
    with localcontext(prec=DIGITS):
        made = decision(
            margin=1e-3,
            contrasts=[[1.0, 1.4], [0.0, 1.0]],
            shares=[0.6, 0.4],
            bends=[0.3, 0.05],
            knots=knots.tolist(),
            slopes=slopes.tolist(),
        )
        assert isinstance(made.curve, Sloped)
        for _ in range(3):
            low, high = sorted(rng.uniform(0, 1, 2).tolist())
            price = float(10 ** rng.uniform(-4, 0))
            most = float(made.most(Decimal(price), Decimal(low), Decimal(high)))
            points = grid(made, curve, low, high) - price * odds(made, low, high)
            assert most >= points.max() - 1e-13
            assert most == pytest.approx(points.max(), abs=1e-6)
