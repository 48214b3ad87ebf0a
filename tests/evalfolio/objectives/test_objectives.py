"""Objectives: each against its definition and enumeration, alone and added."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.objectives import (
    Objective,
    as_objective,
    evsi,
    log_determinant,
    variance,
    wrong_calls,
)
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.optimiser import optimise
from evalfolio.search.certified import Certified, certify
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.worth import FewerWrongCalls

OBJECTIVES = (
    evsi(),
    variance(),
    wrong_calls(),
    log_determinant(),
    variance({"cyber": 3.0}),
    evsi() + 2 * wrong_calls(),
    0.5 * log_determinant() + variance(),
)


def _posterior(menu: Menu, x: NDArray[np.float64]) -> NDArray[np.float64]:
    precision = np.linalg.inv(menu.prior_covariance) + np.tensordot(x, menu.information, 1)
    return np.asarray(np.linalg.inv(precision))


def test_variance_and_log_determinant_are_what_they_say(make_menu: Callable[..., Menu]) -> None:
    menu = make_menu(1)
    x = np.zeros(len(menu))
    x[[0, 3]] = 1.0
    after = _posterior(menu, x)
    fall = sum(d.contrast @ (menu.prior_covariance - after) @ d.contrast for d in menu.decisions)
    assert Problem(Question(menu, objective=variance())).value(x) == pytest.approx(fall, rel=1e-9)
    ratio = np.linalg.slogdet(menu.prior_covariance)[1] - np.linalg.slogdet(after)[1]
    assert Problem(Question(menu, objective=log_determinant())).value(x) == pytest.approx(
        ratio, rel=1e-9
    )


@pytest.mark.parametrize("distance", [0.0, 0.05, -0.7, 2.0])
def test_fall_of_wrong_calls_agrees_with_simulation_and_its_slope(distance: float) -> None:
    worth = FewerWrongCalls(distance, 1.5, 1.0)
    rng = np.random.default_rng(2)
    z = rng.standard_normal((300_000, 2))
    for v in (0.2, 0.9, 1.4):
        mean = distance + np.sqrt(v) * z[:, 0]
        y = mean + np.sqrt(1.5 - v) * z[:, 1]
        now, after = ((y > 0) != (distance > 0)).mean(), ((y > 0) != (mean > 0)).mean()
        if distance != 0:
            assert float(worth.gain(v)) == pytest.approx(now - after, abs=0.005)
        rise = quad(lambda u: float(worth.slope(u)), 0.1, v)[0]
        assert float(worth.gain(v) - worth.gain(0.1)) == pytest.approx(rise, rel=1e-7)
    grid = 1.5 * np.linspace(0.001, 0.999, 20_001)
    bend = np.sign(np.diff(worth.slope(grid)))
    turns = grid[1:-1][bend[1:] * bend[:-1] < 0]
    inside = [v for v in worth.inflections if v > grid[1]]
    np.testing.assert_allclose(turns, inside, atol=3e-4)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_tangents_of_the_quantities_lie_above(
    make_menu: Callable[..., Menu], objective: Objective
) -> None:
    problem = Problem(Question(make_menu(3, 6, 2, 2), objective=objective))
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, other = rng.uniform(size=(2, problem.n_options))
        v, gradient = problem.explained.tangent(x)
        np.testing.assert_allclose(v, problem.explained.at(x), rtol=1e-10)
        assert (v + gradient @ (other - x) >= problem.explained.at(other) - 1e-10).all()
    x = np.zeros(problem.n_options)
    x[[0, 4]] = 1.0
    after = problem.explained.exchanged(x, np.array([0, -1, 4]), np.array([1, 6, -1]))
    for row, (old, new) in enumerate(((0, 1), (None, 6), (4, None))):
        y = x.copy()
        if old is not None:
            y[old] = 0.0
        if new is not None:
            y[new] = 1.0
        np.testing.assert_allclose(after[row], problem.explained.at(y), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
@pytest.mark.parametrize("seed", range(4))
def test_certified_plans_are_the_best_of_all(
    make_menu: Callable[..., Menu], objective: Objective, seed: int
) -> None:
    menu = make_menu(seed, 5, 2, 2)
    shares = np.random.default_rng(seed).uniform(0.2, 0.6, 2)
    budget = {
        name: float(share * menu.options[name].sum())
        for name, share in zip(menu.resources, shares, strict=True)
    }
    problem = Problem(Question(menu, budget, objective=objective))
    own = [np.flatnonzero(problem.eval_codes == code) for code in range(len(problem.evals))]
    best = 0.0
    for picks in product(*[(-1, *options) for options in own]):
        x = np.zeros(problem.n_options)
        x[[pick for pick in picks if pick >= 0]] = 1.0
        if problem.met(x):
            best = max(best, problem.value(x))
    found = certify(problem, Certified(gap=1e-6))
    assert found.status == "certified"
    assert found.value == pytest.approx(best, rel=2e-6)
    assert found.bound >= best * (1 - 1e-12)


@pytest.mark.parametrize("objective", [*OBJECTIVES[1:], "wrong-calls"], ids=repr)
def test_plans_for_other_objectives_explain_the_same_decisions(
    make_menu: Callable[..., Menu], objective: Objective | str
) -> None:
    menu = make_menu(5, 5, 2, 2)
    plan = optimise(
        menu, budget={"usd": 0.3 * float(menu.options["usd"].sum())}, objective=objective
    )
    assert plan.status == "certified"
    assert plan.gap is not None
    assert plan.gap <= 1e-3
    assert plan.objective in str(plan)
    assert list(plan.domains.index) == ["cyber", "bio"]
    by_decision = evaluate(menu, plan.chosen).by_decision
    np.testing.assert_allclose(plan.domains["evsi"], list(by_decision.values()), rtol=1e-9)


def test_wrong_objectives_are_refused(make_menu: Callable[..., Menu]) -> None:
    with pytest.raises(InputError, match="weight must be above 0 and finite, got -1"):
        -1 * evsi()
    with pytest.raises(InputError, match=r"objective must be one of evsi, .*got 'fame'"):
        as_objective("fame")
    with pytest.raises(InputError, match="a weight must be of one of cyber, bio, got 'arms'"):
        Problem(Question(make_menu(0), objective=variance({"arms": 1.0})))
    with pytest.raises(InputError, match="must weight decisions alike"):
        evsi({"cyber": 1.0}) + variance({"cyber": 2.0})
    assert as_objective("variance") == variance()
    assert as_objective(evsi()) == evsi()
