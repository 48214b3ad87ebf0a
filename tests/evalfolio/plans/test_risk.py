"""Limits on uncertain costs: against enumeration over draws, closed forms and simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import evalfolio as ef
from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits import ChanceLimit, Limit, Mandatory, TailLimit
from evalfolio.limits.infeasible import check_feasible, explain_infeasible
from evalfolio.limits.uncertain import spread, use_draws
from evalfolio.plans.risk import spend_risk, tail_mean
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]
Array = NDArray[np.float64]


def with_draws(menu: Menu, n_draws: int, seed: int = 0) -> Menu:
    """Costs lognormal around their mean: a shared price factor and a private one."""
    rng = np.random.default_rng(seed)
    shared = rng.lognormal(-0.045, 0.3, (n_draws, 1, 1))
    private = rng.lognormal(-0.08, 0.4, (n_draws, len(menu), 1))
    return replace(menu, resource_draws=menu.costs * shared * private)


def best_value(menu: Menu, choices: Array, allowed: NDArray[np.bool_]) -> float:
    problem = Problem(Question(menu))
    return max(problem.value(x) for x in choices[allowed])


def totals(menu: Menu, choices: Array) -> Array:
    assert menu.resource_draws is not None
    return np.asarray(choices @ menu.resource_draws[:, :, 0].T)  # (n_choices, n_draws)


@pytest.mark.parametrize("probability", [0.05, 0.2])
def test_chance_by_draws_allows_exactly_the_choices_enumeration_allows(
    probability: float, make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(3):
        menu = with_draws(make_menu(seed, n_evals=3), 40, seed)
        choices = every_choice(menu)
        amount = float(np.quantile(totals(menu, choices), 0.6))
        limits = ChanceLimit(amount, probability).rows(menu)
        assert limits.n_extra <= 40
        exceeded = totals(menu, choices) > amount
        for x, over in zip(choices, exceeded, strict=True):
            fixed: list[Limit] = [ef.Forbidden(tuple(menu.options.index[x < 0.5]))]
            if x.any():
                fixed.append(Mandatory(tuple(menu.options.index[x > 0.5])))
            found = Question(menu, {}, [ChanceLimit(amount, probability), *fixed]).stack
            point = found.point()
            assert (point is not None) == (over.mean() <= probability), (seed, over.mean())


@pytest.mark.parametrize("make", [ChanceLimit, TailLimit])
def test_the_best_plan_under_a_risk_limit_is_the_enumerated_one(
    make: Any, make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(3):
        menu = with_draws(make_menu(seed, n_evals=4), 40, seed)
        choices = every_choice(menu)
        spent = totals(menu, choices)
        amount = float(np.quantile(spent, 0.5))
        if make is ChanceLimit:
            limit: Any = ChanceLimit(amount, 0.1)
            allowed = (spent > amount).mean(axis=1) <= 0.1
        else:
            limit = TailLimit(amount * 0.2, share=0.15, above=amount)
            excess = np.maximum(spent - amount, 0)
            tails = np.array([tail_mean(row, 0.15) for row in excess])
            allowed = tails <= amount * 0.2
        plan = ef.optimise(menu, budget={}, constraints=[limit], gap=1e-5)
        assert plan.value == pytest.approx(best_value(menu, choices, allowed), rel=2e-5)
        assert plan.bound >= plan.value


def test_the_normal_limit_is_reached_through_cuts(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(3):
        menu = with_draws(make_menu(seed, n_evals=4), 300, seed)
        choices = every_choice(menu)
        spent = totals(menu, choices)
        amount = float(np.quantile(spent, 0.5))
        limit = ChanceLimit(amount, 0.1, by="normal")
        quantile = spent.mean(axis=1) + special.ndtri(0.9) * spent.std(axis=1, ddof=1)
        allowed = quantile <= amount * (1 + 1e-9)

        plan = ef.optimise(menu, budget={}, constraints=[limit], gap=1e-5)
        assert plan.value == pytest.approx(best_value(menu, choices, allowed), rel=2e-5)
        x = menu.options.index.isin(plan.chosen).astype(float)
        assert limit.cuts(menu, x) is None
        # every tangent holds for every choice within the limit
        for x in choices[~allowed]:
            rows = limit.cuts(menu, x)
            assert rows is not None
            assert rows.matrix @ x > rows.upper
            assert (choices[allowed] @ rows.matrix.T <= rows.upper * (1 + 1e-9)).all()
        first = limit.rows(menu)
        assert (choices[allowed] @ first.matrix.T <= first.upper * (1 + 1e-9)).all()


def test_the_cone_in_cvxpy_is_the_same_limit(make_menu: MakeMenu) -> None:
    menu = with_draws(make_menu(1), 200, 1)
    rng = np.random.default_rng(0)
    limit = ChanceLimit(60.0, 0.05, by="normal")
    x = cp.Variable(len(menu))
    mean, factor = spread(use_draws(menu, "usd"))
    cone = mean @ x + special.ndtri(0.95) * cp.norm(factor @ x) <= 60.0
    assert cone.is_dcp()
    for _ in range(20):
        x.value = rng.uniform(size=len(menu))
        broken = limit.cuts(menu, x.value)
        assert (broken is None) == (float(cone.args[0].value) <= 60.0 * (1 + 1e-9))
        spent = totals(menu, x.value[None, :])[0]
        quantile = spent.mean() + special.ndtri(0.95) * spent.std(ddof=1)
        assert float(cone.args[0].value) == pytest.approx(quantile, abs=1e-8)


def test_the_normal_approximation_is_right_for_normal_costs(make_menu: MakeMenu) -> None:
    menu = make_menu(2)
    rng = np.random.default_rng(5)
    draws = menu.costs * (1 + 0.1 * rng.normal(size=(20_000, len(menu), 1)))
    menu = replace(menu, resource_draws=draws)
    chosen = ("a plateau", "b plateau", "c sweet-spot")
    x = menu.options.index.isin(chosen).astype(float)
    usd = menu.options.loc[list(chosen), "usd"].to_numpy()
    exact = usd.sum() + special.ndtri(0.9) * 0.1 * np.sqrt((usd**2).sum())
    assert ChanceLimit(exact * 1.01, 0.1, by="normal").cuts(menu, x) is None
    assert ChanceLimit(exact * 0.99, 0.1, by="normal").cuts(menu, x) is not None
    risk = spend_risk(menu, chosen, exact)
    assert risk.probability_above == pytest.approx(0.1, abs=0.01)
    assert risk.sd == pytest.approx(0.1 * np.sqrt((usd**2).sum()), rel=0.03)
    # CVaR of a normal: mean + sd·φ(z)/share
    wanted = usd.sum() + risk.sd * np.exp(-(special.ndtri(0.9) ** 2) / 2) / np.sqrt(2 * np.pi) / 0.1
    assert risk.tail_mean == pytest.approx(wanted, rel=5e-3)


def test_a_plan_chosen_on_some_draws_is_judged_on_the_others(make_menu: MakeMenu) -> None:
    inside, outside = [], []
    for seed in range(6):
        menu = with_draws(make_menu(seed), 2_000, seed)
        amount = float(menu.options.groupby("eval")["usd"].max().sum() * 0.5)
        limit = TailLimit(amount, share=0.1, n_draws=20)
        plan = ef.optimise(menu, budget={}, constraints=[limit])
        few = replace(menu, resource_draws=menu.resource_draws[::100])  # type: ignore[index]  # draws are there
        inside.append(spend_risk(few, plan.chosen, amount).tail_mean / amount)
        held = spend_risk(menu, plan.chosen, amount, without=20)
        assert held.n_draws == 1_980
        outside.append(held.tail_mean / amount)
    assert max(inside) <= 1 + 1e-6
    assert np.mean(outside) > np.mean(inside)  # in-sample CVaR flatters


def test_an_impossible_tail_is_explained_and_mended(make_menu: MakeMenu) -> None:
    menu = with_draws(make_menu(0), 50)
    constraints: list[Limit] = [Mandatory(("a", "b")), TailLimit(5.0, share=0.2)]
    with pytest.raises(InfeasibleError, match="mean of the worst 20 % of usd is at most 5 usd"):
        check_feasible(Question(menu, {}, constraints).stack)
    clash = explain_infeasible(Question(menu, {}, constraints).stack)
    change = next(m[0] for m in clash.mends if m[0].unit == "usd")
    assert menu.resource_draws is not None
    cheap = [
        tail_mean(menu.resource_draws[:, [a, b], 0].sum(axis=1), 0.2)
        for a in (0, 1)
        for b in (2, 3)
    ]
    assert change.after == pytest.approx(min(cheap), rel=1e-5)
    chance = ChanceLimit(5.0, 0.1)
    clash = explain_infeasible(Question(menu, {}, [Mandatory(("a", "b")), chance]).stack)
    assert str(chance) in clash.limits


def test_refusals(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    with pytest.raises(InputError, match="needs a menu with resource_draws"):
        TailLimit(5.0).rows(menu)
    drawn = with_draws(menu, 8)
    with pytest.raises(InputError, match=r"one of the menu's, got 'staff'; did you mean"):
        ChanceLimit(5.0, resource="staff").rows(drawn)
    with pytest.raises(InputError, match="n_draws must lie between 1 and the menu's 8, got 9"):
        TailLimit(5.0, n_draws=9).rows(drawn)
    with pytest.raises(InputError, match=r"probability must lie between 0 and 0\.5, got 0\.7"):
        ChanceLimit(5.0, 0.7)
    with pytest.raises(InputError, match="by must be 'draws' or 'normal', got 'cone'"):
        ChanceLimit(5.0, by="cone")  # type: ignore[arg-type]  # the wrong value is the test
    with pytest.raises(InputError, match="share must lie between 0 and 1, got 0"):
        TailLimit(5.0, share=0)
    with pytest.raises(InputError, match="options must be ids of the menu, got 'zz'"):
        spend_risk(drawn, ["zz"], 5.0)
    with pytest.raises(InputError, match="without=8 leaves no draw"):
        spend_risk(drawn, ["a plateau"], 5.0, without=8)
    limit = ChanceLimit(1.0, by="normal")
    assert eval(repr(limit), {"ChanceLimit": ChanceLimit}) == limit
    tail = TailLimit(2.0, 0.2, 30.0)
    assert eval(repr(tail), {"TailLimit": TailLimit}) == tail
