"""Every objective alone: (expression, constraints), comparison, weights, and the solvers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from numpy.typing import NDArray

import evalfolio as ef
from evalbayes import Decision, Menu
from evalfolio.objectives import (
    Objective,
    evsi,
    log_determinant,
    tail_value,
    variance,
    wrong_calls,
)
from evalfolio.search.convex import solvers
from evalfolio.search.convex.expression import expression
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]

ALONE = (evsi(), variance(), wrong_calls(), log_determinant(), tail_value(0.4))
AT_MEAN = ALONE[:4]
EXACT = (variance(), log_determinant(), variance({"cyber": 2.0}) + 0.5 * log_determinant())


def drawn(menu: Menu, n_draws: int = 5) -> Menu:
    factor = np.random.default_rng(0).lognormal(0, 0.4, (n_draws, len(menu), 1, 1))
    return replace(menu, information_draws=menu.information * factor)


@pytest.mark.parametrize("objective", ALONE, ids=repr)
def test_each_stands_alone_as_expression_and_constraints(
    objective: Objective, make_menu: MakeMenu
) -> None:
    menu = drawn(make_menu(4, 3, 2, 2))
    x = cp.Variable(len(menu), nonneg=True)
    worth, rows = expression(objective, menu, x)
    shares = cp.Parameter(len(menu), nonneg=True)
    programme = cp.Problem(cp.Maximize(worth), [*rows, x == shares])
    assert programme.is_dcp(dpp=True)
    problem = Problem(Question(menu, objective=objective))
    rng = np.random.default_rng(1)
    for point in (np.zeros(len(menu)), np.ones(len(menu)), *rng.uniform(size=(3, len(menu)))):
        shares.value = point
        programme.solve(solver="CLARABEL")
        value = problem.value(point)
        assert programme.value >= value - 1e-5 * problem.scale  # an over-estimate everywhere
        if objective in EXACT:
            assert programme.value == pytest.approx(value, abs=1e-4 * problem.scale)


def test_expressions_add_and_scale(make_menu: MakeMenu) -> None:
    menu = make_menu(5, 3, 2, 2)
    x = cp.Variable(len(menu), nonneg=True)
    point = np.full(len(menu), 0.4)

    def at(objective: Objective) -> float:
        worth, rows = expression(objective, menu, x)
        programme = cp.Problem(cp.Maximize(worth), [*rows, x == point])
        programme.solve(solver="CLARABEL")
        return float(programme.value)

    both = at(variance() + 2 * log_determinant())
    assert both == pytest.approx(at(variance()) + 2 * at(log_determinant()), rel=1e-4)


@pytest.mark.parametrize(
    "objective", [evsi(), variance(), wrong_calls(), log_determinant()], ids=repr
)
def test_a_floor_under_an_objective_is_the_enumerated_one(
    objective: Objective, make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(2):
        menu = make_menu(seed, 4, 2, 2)
        problem = Problem(Question(menu, objective=objective))
        choices = every_choice(menu)
        worth = np.array([problem.value(x) for x in choices])
        cost = choices @ menu.options["usd"].to_numpy()
        least = float(np.quantile(worth, 0.7))
        found = ef.require(menu, wrong_call=0.999, constraints=[objective >= least])
        assert found.need == pytest.approx(cost[worth >= least * (1 - 1e-9)].min(), rel=2e-3)
        other = evsi() if objective != evsi() else variance()
        plan = ef.optimise(
            menu,
            budget={"staff_hours": 0.5 * float(menu.options["staff_hours"].sum())},
            objective=other,
            constraints=[objective >= least],
            gap=1e-5,
        )
        hours = choices @ menu.options["staff_hours"].to_numpy()
        fits = (hours <= 0.5 * menu.options["staff_hours"].sum()) & (worth >= least * (1 - 1e-9))
        value = Problem(Question(menu, objective=other))
        best = max(value.value(x) for x in choices[fits])
        assert plan.value == pytest.approx(best, rel=2e-5)


def test_what_cannot_be_compared_is_refused(make_menu: MakeMenu) -> None:
    with pytest.raises(ef.InputError, match="at least an amount, not at most"):
        _ = evsi() <= 3
    with pytest.raises(ef.InputError, match="must be a finite number, 0 or more, got -1"):
        _ = evsi() >= -1
    with pytest.raises(ef.InputError, match="the weight of 'cyber' must be 0 or more"):
        Problem(Question(make_menu(0), objective=evsi({"cyber": -1.0})))
    most = Problem(Question(make_menu(0), {})).scale
    with pytest.raises(ef.InfeasibleError, match="evsi is at least"):
        ef.optimise(make_menu(0), budget={}, constraints=[evsi() >= 2 * most])


def test_a_decision_of_weight_0_does_not_count(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    plan = ef.optimise(menu, budget={}, objective=evsi({"bio": 0.0}), gap=1e-6)
    assert set(plan.choices["domain"]) == {"cyber"}


def test_losses_are_parameters_of_the_compiled_programme(make_menu: MakeMenu) -> None:
    menu = make_menu(1, 4, 2, 2)
    budget = {"usd": 0.3 * float(menu.options["usd"].sum())}
    relaxation = ef.Relaxation(Question(menu, budget))
    assert relaxation.programme.is_dcp(dpp=True)
    before = relaxation.solve(budget).bound
    losses = {"cyber": (2.0, 7.0), "bio": (1.0, 1.0)}
    changed = relaxation.solve(budget, losses=losses).bound
    decisions = tuple(
        Decision(d.name, d.contrast, d.threshold, *losses[d.name]) for d in menu.decisions
    )
    fresh = ef.Relaxation(Question(replace(menu, decisions=decisions), budget)).solve(budget).bound
    assert changed == pytest.approx(fresh, rel=1e-5)
    assert abs(changed - before) > 1e-3 * before
    assert relaxation.solve(budget).bound == pytest.approx(before, rel=1e-6)
    with pytest.raises(ef.InputError, match="got 'arms'"):
        relaxation.solve(budget, losses={"arms": (1.0, 1.0)})
    with pytest.raises(ef.InputError, match="losses of bio must be above 0"):
        relaxation.solve(budget, losses={"bio": (0.0, 1.0)})


def test_every_usable_solver_gives_the_same_bound(make_menu: MakeMenu) -> None:
    menu = make_menu(2, 4, 2, 2)
    budget = {"usd": 0.3 * float(menu.options["usd"].sum())}
    relaxation = ef.Relaxation(Question(menu, budget))
    bounds = {name: relaxation.solve(budget, name).bound for name in solvers.convex_solvers()}
    assert len(bounds) >= 2
    first = next(iter(bounds.values()))
    for name, bound in bounds.items():
        assert bound == pytest.approx(first, rel=5e-3 if name == "SCS" else 1e-5), name
    with pytest.raises(ef.InputError, match=r"installed \(CLARABEL.*got 'GUROBI9'"):
        relaxation.solve(budget, "GUROBI9")


class Scripted:
    """A programme whose solvers end as they are told to."""

    def __init__(self, **ends: str) -> None:
        self.ends, self.status, self.tried = ends, "", list[str]()

    def solve(self, solver: str, **settings: float) -> None:
        if self.tried[-1:] != [solver]:
            self.tried.append(solver)
        self.status = self.ends[solver]
        if "max_step_fraction" in settings:
            self.status = self.ends.get("shorter_steps", self.status)
        if self.status == "raise":
            raise cp.error.SolverError("no")


@pytest.mark.parametrize(
    ("first", "second", "result", "tried"),
    [
        ("optimal", "optimal", "optimal", ["CLARABEL"]),
        ("infeasible", "optimal", "infeasible", ["CLARABEL"]),
        ("raise", "optimal", "optimal", ["CLARABEL", "SCS"]),
        ("user_limit", "infeasible", "infeasible", ["CLARABEL", "SCS"]),
        ("optimal_inaccurate", "optimal", "optimal", ["CLARABEL", "SCS"]),
        ("optimal_inaccurate", "raise", "optimal", ["CLARABEL", "SCS", "CLARABEL"]),
        ("infeasible_inaccurate", "raise", "infeasible", ["CLARABEL", "SCS", "CLARABEL"]),
    ],
)
def test_the_next_solver_takes_over(
    monkeypatch: Any, first: str, second: str, result: str, tried: list[str]
) -> None:
    monkeypatch.setattr(solvers, "convex_solvers", lambda: ("CLARABEL", "SCS"))
    programme = Scripted(CLARABEL=first, SCS=second)
    assert solvers.solve_convex(programme) == result
    assert programme.tried == tried


def test_other_settings_come_before_another_solver(monkeypatch: Any) -> None:
    monkeypatch.setattr(solvers, "convex_solvers", lambda: ("CLARABEL", "SCS"))
    programme = Scripted(CLARABEL="optimal_inaccurate", shorter_steps="optimal", SCS="raise")
    assert solvers.solve_convex(programme) == "optimal"
    assert programme.tried == ["CLARABEL"]


@pytest.mark.parametrize("status", [*solvers.CURES, "raise", "never heard of"])
def test_every_other_end_is_an_error_with_its_cure(monkeypatch: Any, status: str) -> None:
    monkeypatch.setattr(solvers, "convex_solvers", lambda: ("CLARABEL", "SCS"))
    cure = solvers.CURES.get(status.replace("raise", "solver_error"), "try another solver")
    with pytest.raises(ef.SolverError, match=f"CLARABEL ended with .*{cure[:20]}"):
        solvers.solve_convex(Scripted(CLARABEL=status, SCS=status))
    with pytest.raises(ef.SolverError, match="also usable here: SCS"):
        solvers.solve_convex(Scripted(CLARABEL=status, SCS=status), "CLARABEL")
