"""The mean value of the worst draws: against enumeration, the plain sum and held-out draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import evalfolio as ef
from evalbayes import Decision, Menu
from evalfolio.objectives import Objective, evsi, tail_value, variance
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.risk import tail_mean
from evalfolio.search.certified import Certified, certify
from evalfolio.search.convex.expression import expression
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]
Array = NDArray[np.float64]


def with_draws(menu: Menu, n_draws: int, seed: int = 0, spread: float = 0.5) -> Menu:
    """Draws of the information around the menu's own, option by option."""
    rng = np.random.default_rng(seed)
    factor = rng.lognormal(-0.5 * spread**2, spread, (n_draws, len(menu), 1, 1))
    return replace(menu, information_draws=menu.information * factor)


def value_by_draw(menu: Menu, x: Array) -> Array:
    """Return the value of a choice under every draw, by `evaluate` on menus of one draw."""
    assert menu.information_draws is not None
    options = tuple(menu.options.index[x > 0.5])
    lean = replace(menu, information_draws=None)
    draws = (replace(lean, information=draw) for draw in menu.information_draws)
    return np.array([ef.evaluate(each, options).value for each in draws])


def test_it_is_the_mean_of_the_worst_draws(make_menu: MakeMenu) -> None:
    menu = with_draws(make_menu(0), 9)
    x = choice_vector(menu, ["a plateau", "b plateau", "c sweet-spot"])
    each = value_by_draw(menu, x)
    for share in (0.05, 1 / 3, 0.5, 1.0):
        expected = -tail_mean(-each, share)
        assert Problem(Question(menu, objective=tail_value(share))).value(x) == pytest.approx(
            expected
        )
        risk = ef.value_risk(menu, ["a plateau", "b plateau", "c sweet-spot"], share=share)
        assert risk.tail_mean == pytest.approx(expected)
        assert risk.mean == pytest.approx(each.mean())
    weighted = Problem(Question(menu, objective=2 * tail_value(1.0) + evsi())).value(x)
    assert weighted == pytest.approx(2 * each.mean() + Problem(Question(menu)).value(x))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "objective",
    [tail_value(0.2), evsi() + 2 * tail_value(0.3), variance() + tail_value(0.25, n_draws=10)],
    ids=repr,
)
def test_certified_plans_are_the_best_of_all(
    seed: int, objective: Objective, make_menu: MakeMenu, every_choice: Choices
) -> None:
    menu = with_draws(make_menu(seed, 4, 2, 2), 20, seed)
    budget = {"usd": 0.35 * float(menu.options["usd"].sum())}
    problem = Problem(Question(menu, budget, objective=objective))
    best = max(problem.value(x) for x in every_choice(menu) if problem.met(x))
    found = certify(problem, Certified(gap=1e-6))
    assert found.status == "certified"
    assert found.value == pytest.approx(best, rel=2e-6)
    assert found.bound >= best * (1 - 1e-12)
    relaxed = ef.Relaxation(Question(menu, budget, objective=objective), n_lines=60).solve(budget)
    assert relaxed.bound >= best * (1 - 1e-6)


def test_one_draw_is_the_plain_value(make_menu: MakeMenu) -> None:
    menu = make_menu(1)
    alone = replace(menu, information_draws=menu.information[None])
    budget = {"usd": 0.3 * float(menu.options["usd"].sum())}
    tail = ef.optimise(alone, budget=budget, objective="tail", gap=1e-6)
    plain = ef.optimise(menu, budget=budget, gap=1e-6)
    assert tail.value == pytest.approx(plain.value, rel=2e-6)
    assert set(tail.chosen) == set(plain.chosen)


def test_the_program_of_rockafellar_and_uryasev_stands_alone(make_menu: MakeMenu) -> None:
    menu = with_draws(make_menu(2, 3, 2, 2), 6)
    x = cp.Variable(len(menu), nonneg=True)
    objective = tail_value(0.4)
    worth, rows = expression(objective, menu, x)
    chosen = choice_vector(menu, ["a plateau", "b plateau"])
    programme = cp.Problem(cp.Maximize(worth), [*rows, x == chosen])
    assert programme.is_dcp(dpp=True)
    programme.solve(solver="CLARABEL")
    value = Problem(Question(menu, objective=objective)).value(chosen)
    assert programme.value >= value * (1 - 1e-6)


def test_chosen_on_some_draws_judged_on_the_others(make_menu: MakeMenu) -> None:
    flattered = []
    for seed in range(4):
        menu = with_draws(make_menu(seed, 5, 2, 2), 400, seed, spread=1.0)
        budget = {"usd": 0.3 * float(menu.options["usd"].sum())}
        plan = ef.optimise(menu, budget=budget, objective=tail_value(0.2, n_draws=8))
        others = ef.value_risk(menu, plan.chosen, share=0.2, without=8)
        assert others.n_draws == 392
        flattered.append(plan.value / others.tail_mean)
    assert np.mean(flattered) > 1.0  # in-sample CVaR flatters


def test_out_of_time_the_bound_is_honest(make_menu: MakeMenu, every_choice: Choices) -> None:
    menu = with_draws(make_menu(3, 4, 2, 2), 20)
    budget = {"usd": 0.35 * float(menu.options["usd"].sum())}
    problem = Problem(Question(menu, budget, objective=tail_value(0.2)))
    best = max(problem.value(x) for x in every_choice(menu) if problem.met(x))
    found = certify(problem, Certified(gap=1e-9, time_limit=1e-9))
    assert found.status == "time limit"
    assert found.value <= best * (1 + 1e-12) <= found.bound * (1 + 2e-12)


def test_refusals(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    with pytest.raises(ef.InputError, match="needs a menu with information_draws"):
        ef.optimise(menu, budget={}, objective="tail")
    with pytest.raises(ef.InputError, match="share must be above 0 and at most 1, got 0"):
        tail_value(0)
    with pytest.raises(ef.InputError, match="n_draws must lie between 1 and the menu's 3, got 4"):
        Problem(Question(with_draws(menu, 3), objective=tail_value(0.5, 4)))
    with pytest.raises(ef.InputError, match="without=3 leaves no draw"):
        ef.value_risk(with_draws(menu, 3), ["a plateau"], without=3)


def _one_state(scale: float, draws: list[float]) -> Menu:
    """Return a menu whose second option alone tells, a little, and by draws; misses cost little."""
    options = pd.DataFrame(
        [("e0", "e0", "d0", "plateau", 0.0, 1.0), ("e1", "e1", "d1", "plateau", 0.0, 1.0)],
        columns=["option", "eval", "domain", "tier", "usd", "staff_hours"],
    ).set_index("option")
    told = np.array([[[0.0]], [[scale]]])
    return Menu(
        options=options,
        resources=("usd", "staff_hours"),
        information=told * np.mean(draws),
        states=("s",),
        prior_mean=np.zeros(1),
        prior_covariance=np.array([[1.41]]),
        decisions=(
            Decision("d0", np.array([0.105]), 0.0, 1.0, 1e6),
            Decision("d1", np.array([-0.536]), 0.0, 1.0, 1e6),
        ),
        information_draws=np.array([told * each for each in draws]),
    )


@pytest.mark.parametrize("draws", [[30.0, 1.0, 1.0], [30.0, 0.0, 0.5], [0.0, 0.0, 1.0]])
@pytest.mark.parametrize("scale", [0.0175, 0.3, 1e-4])
def test_a_tail_worth_next_to_nothing_is_certified_at_that(
    scale: float, draws: list[float]
) -> None:
    menu = _one_state(scale, draws)
    plan = ef.optimise(menu, budget={"usd": 0.0, "staff_hours": 1.4}, objective="tail", gap=1e-4)
    assert plan.status == "certified"
    assert plan.gap is not None
    assert plan.gap <= 1e-4
    problem = Problem(plan.question)
    best = max(problem.value(x) for x in np.eye(2))
    assert plan.value == pytest.approx(best, rel=1e-4, abs=0.0)


def test_greedy_promises_nothing_where_nothing_tells() -> None:
    menu, budget = _one_state(0.0, [1.0, 2.0]), {"usd": 0.0, "staff_hours": 2.0}
    for objective in ("evsi", "tail"):
        plan = ef.optimise(menu, budget=budget, objective=objective, method="greedy")
        assert plan.value == plan.bound == 0.0
