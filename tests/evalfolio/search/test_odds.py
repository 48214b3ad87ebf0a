"""Odds of what is explained: concave in the choice, and worths of them with the right curvature."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from evalbayes import Menu
from evalfolio.objectives import Objective, evsi, log_determinant, variance, wrong_calls
from evalfolio.search.certified import Certified, certify
from evalfolio.search.menu_relaxation import MenuRelaxation
from evalfolio.search.odds import Measure, Measured, Scales
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.sloped import Sloped
from evalfolio.value.worth import FewerWrongCalls, Worth

WORTHS: list[Worth] = [
    *(DecisionValue(d, 2.0, m, 1.0) for d in (-3.0, -0.6, 0.0, 1.5) for m in (0.1, 1.0, 12.0)),
    *(FewerWrongCalls(d, 2.0, 1.0) for d in (0.0, 0.2, 1.0, 4.0)),
    Sloped((0.0, 0.4, 0.9, 1.0), (0.0, 0.2, 3.0, 1.0), 2.0),
    Sloped((0.0, 0.5, 1.0), (2.0, 1.0, 0.0), 2.0),
]


@pytest.mark.parametrize("top", [0.3, 0.8, 0.99, 1.0])
def test_odds_turn_back_and_their_slopes_are_finite_differences(top: float) -> None:
    measure = Measure(top, 1.001)
    v = np.linspace(0.0, top, 50)
    s = measure.of(v)
    assert float(measure.of(top)) == pytest.approx(1.0)
    np.testing.assert_allclose(measure.back(s), v, atol=1e-12)
    inner = v[1:-1]
    finite = (measure.of(inner + 1e-6) - measure.of(inner - 1e-6)) / 2e-6
    np.testing.assert_allclose(measure.fall(measure.of(inner)), 1 / finite, rtol=1e-4)


@pytest.mark.parametrize("worth", WORTHS)
@pytest.mark.parametrize("ceiling", [1.0, 1.4])
def test_bends_are_where_second_differences_change_sign(worth: Worth, ceiling: float) -> None:
    """Between neighbouring inflections the worth bends one way, and `convex` says which."""
    whole = 1.0 if isinstance(worth, Sloped) else 2.0
    measured = Measured(worth, Measure(0.93 * whole, whole * ceiling * 1.001))
    ends = np.array([0.0, *measured.inflections, 1.0])
    assert (np.diff(ends) > 0).all()
    for low, high in itertools.pairwise(ends):
        gains = measured.gain(np.linspace(low, high, 41))
        second = np.diff(gains, 2) * (1.0 if measured.convex(low, high) else -1.0)
        assert (second >= -1e-10 * measured.evpi).all()


@pytest.mark.parametrize("objective", [evsi(), variance(), wrong_calls(), log_determinant()])
@pytest.mark.parametrize("seed", range(3))
def test_tangents_of_odds_stay_above_and_below_those_of_shares(
    make_menu: Callable[..., Menu], seed: int, objective: Objective
) -> None:
    problem = Problem(Question(make_menu(seed, 8, 3, 3), {"usd": 500.0}, objective=objective))
    odds, shares = Scales(problem), Scales(problem, by_odds=False)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        x, y = rng.random((2, problem.n_options)) ** rng.choice([0.3, 1.0, 3.0], (2, 1))
        (s, rise), (v, gradient) = odds.tangent(x), shares.tangent(x)
        by_odds, by_share = s + rise @ (y - x), v + gradient @ (y - x)
        assert (by_odds >= odds.at(y) * (1 - 1e-9)).all()
        back = [
            float(worth.measure.back(each)) / worth.measure.top
            for worth, each in zip(odds.worths, np.clip(by_odds, 0.0, 1.0), strict=True)
        ]
        assert (np.array(back) <= np.clip(by_share, 0.0, 1.0) + 1e-9).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_relaxation_by_odds_is_the_tighter_one(
    make_menu: Callable[..., Menu], seed: int
) -> None:
    problem = Problem(Question(make_menu(seed, 8, 3, 3), {"usd": 150.0, "staff_hours": 25.0}))
    odds, shares = (
        MenuRelaxation(problem, gap=1e-5, by_odds=by_odds).at_budget(0, 1.0, 1e-6)
        for by_odds in (True, False)
    )
    assert odds is not None
    assert shares is not None
    assert odds.bound <= shares.bound * (1 + 1e-6)
    assert odds.bound * problem.scale >= certify(problem, Certified(gap=1e-4)).value
