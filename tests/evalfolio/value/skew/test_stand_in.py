"""The stand-in keeps close to the exact value, and has the shape that the search relies on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.evalfolio.value.skew.menus import skewed_menu

from evalfolio.objectives.valuation import Valuation, perfect_value
from evalfolio.search.overestimate import Overestimate
from evalfolio.value.knowledge import Knowledge
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew import Index, OneGap, Sloped, fitted, outcome_of
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.index import BEGIN, Shapes
from evalfolio.value.skew.stand_in import mixes, stand_in_of


def random_gap(rng: np.random.Generator) -> OneGap:
    """Return a decision within a few sds of its threshold, with losses from 1:3 to 30:1."""
    sd = rng.uniform(0.4, 1.3)
    shown, ratio = sd * np.exp(rng.uniform(-0.5, 1.0)), 3.0 ** rng.uniform(-1, 3)
    later = rng.uniform(0, 0.4) * shown
    spread = np.sqrt(sd**2 + shown**2 + later**2)
    distance = rng.uniform(-2.0, 1.0) * spread - 1.0
    return OneGap(0.0, shown**2, 1.0, sd**2, 0.0, 1.0, distance, later, ratio, 1.0)


def test_it_is_within_a_few_per_cent_where_the_normal_model_is_not() -> None:
    rng = np.random.default_rng(4)
    errors: list[float] = []
    normal_errors: list[float] = []
    for _ in range(8):
        gap = random_gap(rng)
        left = np.array(
            [
                gap.left_by(a / (1 - a) / gap.rest, beta, known / (1 - known) / gap.gap_variance)
                for a, beta, known in zip(
                    rng.uniform(0.05, 0.8, 20),
                    rng.choice([0.0, 0.2, 0.5], 20),
                    rng.choice([0.0, 0.05, 0.3], 20),
                    strict=True,
                )
            ]
        )
        exact = np.array([outcome_of(gap, each).value for each in left])
        c = np.ones(2)
        normal = DecisionValue(
            gap.distance + 1.0, float(c @ gap.prior @ c) + gap.later_sd**2, gap.loss_missed, 1.0
        )
        v = np.einsum("i,nij,j->n", c, gap.prior - left, c)
        for values, into in (
            (fitted(gap, left[:10]).value(gap.prior, left), errors),
            (normal.gain(v), normal_errors),
        ):
            into.append(float(np.abs(values - exact).max() / gap.evpi))
    assert np.mean(errors) < 0.05
    assert max(errors) < 0.15
    assert np.mean(normal_errors) > 3 * np.mean(errors)


@pytest.mark.parametrize("seed", range(4))
def test_mixes_it_was_not_fitted_to_are_within_a_few_per_cent(seed: int) -> None:
    """Of one gap and of two: the value shown is the exact one, the search goes by this."""
    menu = skewed_menu(seed, n_evals=6)
    both = np.array([0.6, 0.6, 0.4, 0.4, 0.0])
    joint = replace(menu.decisions[0], name="both", contrast=both, loss_missed=5.0)
    menu = replace(menu, decisions=(*menu.decisions, joint))
    for decision in menu.decisions:
        stand_in, calls = stand_in_of(menu, decision), calls_of(menu, decision)
        assert stand_in is not None
        assert calls is not None
        information = np.einsum("no,oij->nij", mixes(menu, 40, seed=7)[14:], menu.information)
        left = np.linalg.inv(np.linalg.inv(menu.prior_covariance) + information)
        own = calls.contrasts @ left @ calls.contrasts.T
        exact = np.array([calls.value(each) for each in own])
        error = np.abs(stand_in.value(calls.prior, own) - exact) / calls.evpi
        assert error.mean() < 0.01
        assert error.max() < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_knowledge_is_concave_nondecreasing_and_exchanges_agree(seed: int) -> None:
    menu = skewed_menu(seed)
    knowledge, rng = Knowledge(menu), np.random.default_rng(seed)
    for _ in range(20):
        x, other = rng.uniform(0, 1, (2, len(menu)))
        u, gradient = knowledge.tangent(x)
        np.testing.assert_allclose(u, knowledge.at(x), rtol=1e-12)
        assert (gradient >= 0).all()
        assert (u + gradient @ (other - x) >= knowledge.at(other) - 1e-12).all()
        step = 1e-6 * rng.uniform(0, 1, len(menu))
        slope = (knowledge.at(x + step) - knowledge.at(x - step)) / 2
        np.testing.assert_allclose(slope, gradient @ step, rtol=1e-4, atol=1e-12)
    x = np.zeros(len(menu))
    x[[1, 2]] = 1.0
    after = knowledge.exchanged(x, np.array([1, -1]), np.array([0, 4]))
    for row, (out, into) in zip(after, ((1, 0), (None, 4)), strict=True):
        y = x.copy()
        y[into] = 1.0
        if out is not None:
            y[out] = 0.0
        np.testing.assert_allclose(row, knowledge.at(y), rtol=1e-9)


def test_draws_are_the_same_quantities_draw_by_draw() -> None:
    menu = skewed_menu(1, n_draws=3)
    assert menu.information_draws is not None
    drawn = Knowledge(menu, menu.information_draws)
    x = np.random.default_rng(0).uniform(0, 1, len(menu))
    each = [Knowledge(menu, k) for k in menu.information_draws]
    np.testing.assert_allclose(drawn.at(x), np.concatenate([k.at(x) for k in each]))
    u, gradient = drawn.tangent(x)
    np.testing.assert_allclose(u, drawn.at(x))
    np.testing.assert_allclose(gradient, np.concatenate([k.tangent(x)[1] for k in each]))
    exchange = (np.round(x), np.full(2, -1), np.array([0, 3]))
    np.testing.assert_allclose(
        drawn.exchanged(*exchange), np.concatenate([k.exchanged(*exchange) for k in each], 1)
    )
    gains = Valuation(menu, menu.information_draws).gains(x)
    for row, information in zip(gains, menu.information_draws, strict=True):
        np.testing.assert_allclose(row, Valuation(menu, information).gains(x))


def test_nothing_known_is_worth_nothing_and_all_never_above_perfect_information() -> None:
    for seed in range(3):
        menu = skewed_menu(seed)
        values = Valuation(menu)
        assert values.gains(np.zeros(len(menu))) == pytest.approx(0.0, abs=1e-12)
        assert values.gains(np.full(len(menu), 1e9)).sum() <= perfect_value(menu) * (1 + 1e-12)


@pytest.mark.parametrize("n_gaps", [1, 2, 3])
def test_an_index_moves_with_its_shape_as_finite_differences_say(n_gaps: int) -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(1 + n_gaps, 1 + n_gaps))
    prior = np.asarray(root @ root.T + np.eye(1 + n_gaps), dtype=np.float64)
    seen = rng.normal(size=(12, 2, 1 + n_gaps))
    known = np.linalg.inv(prior) + seen.transpose(0, 2, 1) @ seen
    left = np.asarray(np.linalg.inv(known), dtype=np.float64)
    shapes = Shapes(rng.uniform(0.2, 1.0, n_gaps), prior, left)
    begin = shapes.start(BEGIN)
    for x in begin + rng.normal(0, 0.5, (5, len(begin))):
        u, rise = shapes.of(x)
        index = shapes.index(x)
        np.testing.assert_allclose(u, index.of(index.explained(prior, left)), rtol=1e-12)
        for k, step in enumerate(1e-6 * np.eye(len(x))):
            finite = (shapes.of(x + step)[0] - shapes.of(x - step)[0]) / 2e-6
            np.testing.assert_allclose(rise[:, k], finite, rtol=1e-5, atol=1e-8)


def test_a_sloped_worth_is_the_integral_of_its_slopes() -> None:
    rng = np.random.default_rng(0)
    knots = np.concatenate([[0.0], np.sort(rng.uniform(0, 1, 5)), [1.0]])
    slopes = np.concatenate([np.sort(rng.uniform(0, 2, 4)), -np.sort(-rng.uniform(0, 2, 3))])
    g = Sloped(tuple(knots), tuple(slopes), 9.0)
    grid = np.linspace(0, 1, 20_001)
    area = np.concatenate([[0.0], np.cumsum((g.slope(grid)[1:] + g.slope(grid)[:-1]) / 2)])
    np.testing.assert_allclose(g.gain(grid), area * (grid[1] - grid[0]), atol=1e-7)
    ends = [0.0, *g.inflections, 1.0]
    for low, high in pairwise(ends):
        second = np.diff(g.gain(np.linspace(low, high, 101)), 2)
        assert (second >= -1e-12).all() if g.convex(low, high) else (second <= 1e-12).all()
    above = Overestimate(g, 0.8, float(g.gain(0.8)), 1e-5)
    v = np.linspace(0, 1, 500)
    assert (np.array([above.at(float(part)) for part in v]) >= above.gain(v) - 1e-12).all()


def test_an_index_rises_from_nothing_to_all() -> None:
    index = Index(((0.9,), (4.0,)), (0.5, 0.4, 0.1), (0.1, 0.02, 0.5))
    assert index.of(np.zeros(3)) == pytest.approx(0.0)
    assert index.of(np.ones(3)) == pytest.approx(1.0)
    prior = np.array([[1.4, 0.2], [0.2, 0.9]])
    shares = index.explained(prior, np.array([prior, 0 * prior]))
    np.testing.assert_allclose(shares, [[0, 0, 0], [1, 1, 1]])
