"""The convex relaxation: its bound, its prices, its one compilation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.certified import Certified, certify
from evalfolio.search.convex.relaxation import Relaxation
from evalfolio.search.menu_relaxation import MenuRelaxation
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

BUDGET = {"usd": 200.0, "staff_hours": 30.0}


def test_programme_is_compiled_once_for_all_budgets() -> None:
    relaxation = Relaxation(Question(small_menu(), {"usd": 10_000, "staff_hours": 90}))
    assert relaxation.programme.is_dcp(dpp=True)
    bounds = [
        relaxation.solve({"usd": usd, "staff_hours": 90}).bound for usd in (0, 500, 2_000, 10_000)
    ]
    assert (np.diff(bounds) >= -1e-7).all()
    for usd, bound in zip((500, 2_000), bounds[1:3], strict=True):
        fresh = Relaxation(Question(small_menu(), {"usd": 10_000, "staff_hours": 90}))
        again = fresh.solve({"usd": usd, "staff_hours": 90}).bound
        assert bound == pytest.approx(again, rel=1e-6)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))]
)
def test_shadow_prices_are_the_slope_of_the_bound(
    make_menu: Callable[..., Menu], seed: int
) -> None:
    menu = make_menu(seed, 8, 3, 3)
    budget = {name: 0.2 * float(menu.options.groupby("eval")[name].max().sum()) for name in BUDGET}
    relaxation = Relaxation(Question(menu, budget), n_lines=600)
    solved = relaxation.solve(budget)
    use = dict(zip(menu.resources, solved.x @ menu.costs, strict=True))  # by shares of options
    assert max(use[name] / budget[name] for name in budget) == pytest.approx(1.0, rel=1e-4)
    for name, price in solved.shadow_prices.items():
        assert price >= 0
        step = 0.01 * budget[name]
        up, down = (
            relaxation.solve({**budget, name: budget[name] + sign * step}).bound
            for sign in (1.0, -1.0)
        )
        slope = (up - down) / (2 * step)
        # The bound is concave in the budget, so the price lies between the two one-sided slopes.
        left, right = (solved.bound - down) / step, (up - solved.bound) / step
        slack = 0.01 * max(slope, 0.0) + 1e-6 * solved.bound / budget[name]
        assert min(left, right) - slack <= price <= max(left, right) + slack


@pytest.mark.parametrize("seed", [3, 5])
def test_prices_of_the_certified_method_are_slopes_of_its_relaxation(
    make_menu: Callable[..., Menu], seed: int
) -> None:
    menu = make_menu(seed, 8, 3, 3)
    budget = {name: 0.25 * float(menu.options.groupby("eval")[name].max().sum()) for name in BUDGET}
    problem = Problem(Question(menu, {name: 1.02 * amount for name, amount in budget.items()}))
    relaxation = MenuRelaxation(problem, gap=1e-6)
    small = Problem(Question(menu, budget))
    prices = np.array(list(certify(small, Certified(gap=1e-6)).prices.values()))
    prices *= problem.price_units / problem.scale  # in the units of the larger budget
    for row, price in enumerate(prices):
        bounds = []
        for step in (-0.01, 0.0, 0.01):
            relaxation.at_budget(1 - row, 1 / 1.02, 1e-6)
            found = relaxation.at_budget(row, (1 + step) / 1.02, 1e-6)
            assert found is not None
            bounds.append(found.bound)
        right, left = np.diff(bounds)[::-1] / (0.01 / 1.02)
        slack = 0.01 * left + 1e-3 * bounds[1]
        assert right - slack <= price <= left + slack


def test_by_shares_the_relaxation_is_that_of_the_cone_programme(
    make_menu: Callable[..., Menu],
) -> None:
    menu = make_menu(3, 8, 3, 3)
    budget = {name: 0.25 * float(menu.options.groupby("eval")[name].max().sum()) for name in BUDGET}
    problem = Problem(Question(menu, budget))
    by_shares = MenuRelaxation(problem, gap=1e-6, by_odds=False)
    prices = by_shares.price() * problem.scale / problem.price_units
    expected = Relaxation(Question(menu, budget), n_lines=600).solve(budget)
    for name, price in zip(problem.resource_names, prices, strict=True):
        share = expected.shadow_prices[name] * budget[name] / expected.bound
        assert price * budget[name] / expected.bound == pytest.approx(share, abs=5e-3)
    by_odds = MenuRelaxation(problem, gap=1e-6).at_budget(0, 1.0, 1e-6)
    assert by_odds is not None
    assert certify(problem).value <= by_odds.bound * problem.scale <= expected.bound * (1 + 1e-6)


def test_unknown_resource_is_refused() -> None:
    relaxation = Relaxation(Question(small_menu(), {"usd": 10_000}))
    with pytest.raises(InputError, match="staff_hours"):
        relaxation.solve({"staff_hours": 5})
