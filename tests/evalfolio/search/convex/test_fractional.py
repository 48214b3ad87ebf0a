"""The best split in part: its bound against brute force and two solvers, its prices, its mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from numpy.typing import NDArray
from openpyxl import load_workbook
from tests.evalfolio.search.test_brute_force import OBJECTIVES, limit_pool, random_case
from tests.evalfolio.value.skew.menus import skewed_menu

import evalfolio as ef
from evalbayes import Menu
from evalfolio.limits.limit import CurvedLimit
from evalfolio.search.certified import Certified
from evalfolio.search.convex.fractional import Convex
from evalfolio.search.convex.solvers import convex_solvers
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]


def budget_of(menu: Menu, share: float) -> dict[str, float]:
    each = menu.options.groupby("eval")
    return {name: share * float(each[name].max().sum()) for name in menu.resources}


def check(seed: int, make_menu: MakeMenu, every_choice: Choices) -> bool:
    """Hold one random question against enumeration; return whether anything was feasible."""
    menu = random_case(seed, make_menu)
    rng = np.random.default_rng([seed, 3])
    pool = limit_pool(seed, menu, Problem(Question(menu)))
    limits = [pool[k][0] for k in rng.choice(len(pool), size=rng.integers(0, 4), replace=False)]
    objective = OBJECTIVES[seed % len(OBJECTIVES)]
    question = Question(menu, budget_of(menu, float(rng.uniform(0.1, 0.7))), limits, objective)
    problem = Problem(question)
    values = [problem.value(x) for x in every_choice(menu) if problem.completed(x) is not None]
    if not values:
        with pytest.raises(ef.InfeasibleError, match="No choice meets"):
            Convex().find(question)
        return False
    found = Convex().find(question)
    note = f"seed {seed}, {objective}: {limits}"
    best, slack = max(values), 1e-9 * problem.scale
    certified = Certified(gap=1e-4, time_limit=30.0).find(question)
    assert found.bound >= max(best, certified.value) - slack, note
    assert problem.completed(found.x) is not None, note
    assert found.value == problem.value(found.x) <= best + slack, note
    shares = found.shares
    assert shares is not None
    assert shares.min() >= 0
    assert (shares <= problem.allowed + 1e-6).all()
    hard = ~problem.soft
    used = problem.matrix[hard][:, : problem.n_choice] @ menu.with_shared(shares)
    assert (used <= problem.upper[hard] + 1e-6).all(), note
    assert (used >= problem.lower[hard] - 1e-6).all(), note
    for limit in question.limits:
        rows = limit.cuts(menu, shares) if isinstance(limit, CurvedLimit) else None
        if rows is not None and not rows.n_extra:
            gap = rows.matrix @ menu.with_shared(shares)
            size = (
                np.abs(rows.matrix.toarray()).max()
                + np.abs(rows.lower[np.isfinite(rows.lower)]).sum()
            )
            assert (gap >= rows.lower - 1e-4 * size).all(), note
    return True


def test_no_mix_passes_its_bound_and_both_split_and_mix_keep_the_limits(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    assert sum(check(seed, make_menu, every_choice) for seed in range(24)) > 8


@pytest.mark.slow
def test_two_hundred_more(make_menu: MakeMenu, every_choice: Choices) -> None:
    assert sum(check(seed, make_menu, every_choice) for seed in range(100, 300)) > 60


@pytest.mark.parametrize("seed", range(4))
def test_prices_are_slopes_of_the_bound(make_menu: MakeMenu, seed: int) -> None:
    menu = make_menu(seed, 8, 3, 3)
    budget = budget_of(menu, 0.2)
    method = Convex(error=1e-7)
    question = Question(menu, budget)
    found = method.find(question)
    for name, price in found.prices.items():
        step = 0.01 * budget[name]
        up, down = (
            method.find(question.within(**{name: budget[name] + sign * step})).bound
            for sign in (1.0, -1.0)
        )
        right, left = (up - found.bound) / step, (found.bound - down) / step
        slack = 0.01 * left + 1e-4 * found.bound / budget[name]
        assert right - slack <= price <= left + slack


def test_by_every_solver_the_split_is_worth_the_same(make_menu: MakeMenu) -> None:
    menu = make_menu(2, 6, 2, 3)
    question = Question(menu, budget_of(menu, 0.3))
    bounds = [Convex(solver=name).find(question).bound for name in convex_solvers()]
    assert len(bounds) >= 2
    assert bounds == pytest.approx([bounds[0]] * len(bounds), rel=2e-3)
    certified = Certified(gap=1e-6).find(question)
    assert min(bounds) >= certified.value
    with pytest.raises(ef.InputError, match=r"installed .*got 'GUROBI9'"):
        Convex(solver="GUROBI9").find(question)
    with pytest.raises(ef.InputError, match="error must lie between 0 and 1, got 0;"):
        Convex(error=0)


def test_prices_are_those_of_the_search_by_linear_programmes(make_menu: MakeMenu) -> None:
    menu = make_menu(5, 8, 3, 3)
    question = Question(menu, budget_of(menu, 0.25))
    ours, theirs = Convex().find(question), Certified(gap=1e-6).find(question)
    for name, price in theirs.prices.items():
        share = question.budget[name] / ours.bound
        assert ours.prices[name] * share == pytest.approx(price * share, abs=5e-3)


@pytest.mark.parametrize("seed", range(3))
def test_a_skewed_gap_is_no_exception(every_choice: Choices, seed: int) -> None:
    menu = skewed_menu(seed, 4)
    question = Question(menu, {"usd": 0.4 * float(menu.options["usd"].sum())})
    problem = Problem(question)
    best = max(problem.value(x) for x in every_choice(menu) if problem.met(x))
    found = Convex().find(question)
    assert found.value <= best * (1 + 1e-9)
    assert best * (1 - 1e-9) <= found.bound <= 1.3 * best


@pytest.mark.parametrize("budget", [{}, {"usd": 0.0}, {"usd": np.inf, "staff_hours": 20.0}])
def test_budgets_of_nothing_and_of_everything(make_menu: MakeMenu, budget: Any) -> None:
    menu = make_menu(1)
    plan = ef.optimise(menu, budget=budget, method="convex")
    certified = ef.optimise(menu, budget=budget, gap=1e-6)
    assert plan.bound >= certified.value * (1 - 1e-9)
    assert set(plan.shadow_prices) == set(budget)
    if budget.get("usd") == 0.0:
        assert plan.chosen == ()


def test_a_plan_of_it_says_so(make_menu: MakeMenu, tmp_path: Any) -> None:
    menu = make_menu(3, 8, 3, 3)
    plan = ef.optimise(menu, budget=budget_of(menu, 0.2), method="convex")
    assert plan.status == "convex"
    assert plan.gap == pytest.approx((plan.bound - plan.value) / plan.bound)
    assert plan.split is not None
    assert plan.split.between(1e-4, 1.0).all()
    assert "convex: a mix near the best split with options bought in part" in str(plan)
    plan.menu.save(tmp_path / "menu")
    plan.record.write(tmp_path / "plan.json")
    again = ef.Plan.load(tmp_path)
    assert again.split is not None
    assert (again.split == plan.split).all()
    assert again.to_json() == plan.to_json()
    assert "not certified to be the best, but within" in plan.to_html(
        tmp_path / "report.html"
    ).read_text(encoding="utf-8")
    words = {
        str(cell.value)
        for sheet in load_workbook(plan.to_excel(tmp_path / "plan.xlsx"))
        for row in sheet.iter_rows()
        for cell in row
    }
    assert "Near-best distance to that bound" in words
    assert not any("certified plan" in word.lower() for word in words)
    greedy = ef.optimise(menu, budget=budget_of(menu, 0.2), method="greedy")
    assert greedy.record.value.kind == "Greedy"


@pytest.mark.parametrize("seed", range(6))
def test_a_convex_limit_of_the_user_is_kept_by_both(
    make_menu: MakeMenu, every_choice: Choices, seed: int
) -> None:
    menu = make_menu(seed, 4, 2, 2)
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(3, len(menu)))
    x = cp.Variable(len(menu))
    most = float(rng.uniform(0.8, 2.5))
    limits = [cp.norm(matrix @ x) <= most, cp.sqrt(0.1 + cp.sum(x)) >= 0.9]
    question = Question(menu, budget_of(menu, 0.8), limits)
    problem = Problem(question)
    inside = [
        problem.value(c)
        for c in every_choice(menu)
        if np.linalg.norm(matrix @ c) <= most
        and c.sum() >= 0.71
        and Problem(question.on(menu)).met(c)
    ]
    if not inside:
        with pytest.raises(ef.InfeasibleError):
            Certified().find(question)
        return
    certified, convex = Certified(gap=1e-6).find(question), Convex().find(question)
    assert certified.value == pytest.approx(max(inside), rel=1e-6)
    assert convex.bound >= certified.value * (1 - 1e-9)
    shares = convex.shares
    assert shares is not None
    assert np.linalg.norm(matrix @ shares) <= most * (1 + 1e-6)
    assert np.linalg.norm(matrix @ convex.x) <= most * (1 + 1e-9)


def test_what_is_not_convex_is_refused(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    x = cp.Variable(len(menu))
    with pytest.raises(ef.InputError, match=r"must be convex in the choice .* write convex <="):
        Question(menu, {}, [cp.norm(x) >= 1])
    with pytest.raises(ef.InputError, match="must have a slope at every choice from 0 to 1"):
        Certified().find(Question(menu, {"usd": 1e6}, [cp.sum(cp.sqrt(x)) >= 1.0]))
