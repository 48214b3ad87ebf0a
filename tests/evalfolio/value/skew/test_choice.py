"""Choosing under skewed gaps: certified equals enumeration, and the order is that of simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.evalfolio.value.skew.menus import skewed_menu

import evalfolio as ef
from evalbayes import Menu
from evalfolio.objectives import evsi, tail_value, variance, wrong_calls
from evalfolio.objectives.objective import Objective
from evalfolio.plans.revalue import skewed_value
from evalfolio.search.convex.expression import expression
from evalfolio.search.convex.relaxation import Relaxation
from evalfolio.search.convex.solvers import solve_convex
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

Choices = Callable[[Menu], NDArray[np.float64]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "objective", [evsi(), evsi({"bio": 3.0}) + 0.5 * variance(), tail_value(0.5) + wrong_calls()]
)
def test_certified_equals_enumeration(
    seed: int, objective: Objective, every_choice: Choices
) -> None:
    menu = skewed_menu(seed, n_evals=4, n_draws=4)
    budget = {"usd": 0.5 * float(menu.options["usd"].sum())}
    problem = Problem(Question(menu, budget, objective=objective))
    best = max(problem.value(x) for x in every_choice(menu) if problem.met(x))
    for gap in (1e-3, 1e-5):
        plan = ef.optimise(menu, budget=budget, objective=objective, gap=gap)
        assert plan.status == "certified"
        assert plan.searched >= best * (1 - gap) - 1e-12
        assert plan.bound - plan.value + plan.searched >= best * (1 - 1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_the_relaxation_is_a_bound_also_at_other_losses(seed: int) -> None:
    menu = skewed_menu(seed)
    budget = {"usd": 0.4 * float(menu.options["usd"].sum())}
    relaxation = Relaxation(Question(menu, budget))
    losses = {"cyber": (30.0, 2.0)}
    decisions = (replace(menu.decisions[0], loss_missed=30.0, loss_false_alarm=2.0),)
    other = replace(menu, decisions=decisions + menu.decisions[1:])
    for changed, on in ((None, menu), (losses, other)):
        bound = relaxation.solve(budget, losses=changed).bound
        assert bound >= ef.optimise(on, budget=budget).value * (1 - 1e-6)
        assert bound == pytest.approx(
            Relaxation(Question(on, budget)).solve(budget).bound, rel=1e-4
        )


def test_the_expression_is_above_the_value_everywhere() -> None:
    menu = skewed_menu(2)
    x = cp.Variable(len(menu), nonneg=True)
    worth, limits = expression(evsi(), menu, x)
    at = cp.Parameter(len(menu), nonneg=True)
    problem = cp.Problem(cp.Maximize(worth), [*limits, x == at])
    for choice in np.random.default_rng(0).integers(0, 2, (4, len(menu))).astype(float):
        at.value = choice
        solve_convex(problem, None)
        value = Problem(Question(menu)).value(choice)
        assert problem.value >= value * (1 - 1e-4)


@pytest.mark.parametrize("seed", range(2))
def test_plans_stand_in_the_order_of_simulation(seed: int) -> None:
    menu = skewed_menu(seed, n_evals=6)
    budget = {"usd": 0.4 * float(menu.options["usd"].sum())}
    plans = {"this": ef.optimise(menu, budget=budget).chosen}
    for tier in ("plateau", "max-elicitation"):
        part = menu.subset((menu.options["tier"] == tier).to_numpy())
        plans[tier] = ef.optimise(part, budget=budget).chosen
    simulated = {name: skewed_value(menu, mix, n_draws=3000) for name, mix in plans.items()}
    for name, mix in plans.items():
        value, found = ef.evaluate(menu, mix).value, simulated[name]
        assert value == pytest.approx(found.value, rel=0.1, abs=4 * found.standard_error)
        slack = 4 * np.hypot(found.standard_error, simulated["this"].standard_error)
        assert simulated["this"].value >= 0.95 * found.value - slack


def test_the_outlook_says_calls_by_the_skewed_belief() -> None:
    menu = skewed_menu(3)
    domains = ef.optimise(menu, budget={"usd": 1e9}).domains
    rng = np.random.default_rng(0)
    for d, decision in enumerate(menu.decisions):
        mean, sd = menu.prior_mean[2 * d + 1], np.sqrt(menu.prior_covariance[2 * d + 1, 2 * d + 1])
        spread = np.sqrt(np.log1p((sd / mean) ** 2))
        y = mean * np.exp(spread * rng.standard_normal(200_000) - spread**2 / 2)
        shown = np.sqrt(menu.prior_covariance[2 * d, 2 * d] + decision.later_gain_sd**2)
        y = y + menu.prior_mean[2 * d] + decision.later_gain_mean
        y = y + shown * rng.standard_normal(len(y)) - decision.threshold
        row = domains.loc[decision.name]
        assert row["p_exceeds"] == pytest.approx(float((y > 0).mean()), abs=0.005)
        assert float((y > row["upper95_now"] - decision.threshold).mean()) == pytest.approx(
            0.05, abs=0.003
        )
        missed = decision.loss_missed * np.maximum(y, 0).mean()
        mitigate = decision.loss_false_alarm * np.maximum(-y, 0).mean() < missed
        assert (row["call_now"] == "mitigate") == mitigate
        assert row["p_wrong_call_expected"] < row["p_wrong_call_now"] or row["evsi"] > 0
