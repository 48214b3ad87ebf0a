"""`optimise` and the plan it returns, as a user meets them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.limits import Forbidden, Mandatory, MinEvals

BUDGET = {"usd": 10_000.0, "staff_hours": 90.0}


def test_plan_keeps_every_budget_and_says_so() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET, gap=1e-6)
    assert plan.status == "certified"
    assert plan.gap is not None
    assert 0 <= plan.gap <= 1e-6
    assert plan.value <= plan.bound
    assert all(plan.spend[name] <= amount for name, amount in BUDGET.items())
    assert plan.value == pytest.approx(ef.evaluate(small_menu(), plan.chosen).value, rel=1e-12)
    assert plan.gap == pytest.approx((plan.bound - plan.value) / plan.bound, abs=1e-12)
    assert all(price >= 0 for price in plan.shadow_prices.values())


def test_sentence_holds_the_mix_the_value_and_the_certificate() -> None:
    text = str(ef.optimise(small_menu(), budget=BUDGET))
    for part in ("Run 2 evals", "$", "staff hours", "bound", "gap"):
        assert part in text


def test_frames_are_indexed_by_option_and_decision() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET)
    frame = plan.to_frame()
    assert tuple(frame.index) == plan.chosen
    assert frame["share_of_usd"].sum() == pytest.approx(1.0)
    for option in plan.chosen:
        rest = [name for name in plan.chosen if name != option]
        lost = plan.value - ef.evaluate(plan.menu, rest).value
        assert frame.loc[option, "value_if_dropped"] == pytest.approx(lost, rel=1e-9)
    assert list(plan.domains.index) == ["cyber", "autonomy"]
    assert plan.domains["evsi"].sum() == pytest.approx(plan.value, rel=1e-9)
    assert plan.domains["evpi"].sum() == pytest.approx(plan.evpi)
    assert (plan.domains["posterior_sd"] <= plan.domains["prior_sd"]).all()
    assert set(plan.choices["eval"]).isdisjoint(plan.not_chosen.index)
    assert json.loads(plan.to_json())["value"]["evsi"] == plan.value


def test_wrong_calls_become_rarer() -> None:
    domains = ef.optimise(small_menu(), budget={}).domains
    assert (domains["p_wrong_call_expected"] <= domains["p_wrong_call_now"] + 1e-9).all()
    assert domains["p_call_changes"].between(0, 1).all()


def test_no_money_runs_nothing() -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 0, "staff_hours": 0})
    assert plan.chosen == ()
    assert plan.value == 0
    assert plan.gap == 0
    assert plan.status == "certified"
    assert str(plan).startswith("Run nothing")


def test_less_than_the_cheapest_option_names_the_least_useful_budget() -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 100})
    assert plan.chosen == ()
    assert "least useful budget is $500" in plan.note


def test_a_resource_without_a_budget_is_unlimited() -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 1e9}, gap=1e-9)
    assert plan.unlimited == ("staff_hours",)
    assert set(plan.choices["eval"]) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"euro": 5.0}, "euro"),
        ({"usd": -1.0}, "usd must be 0 or more, got -1"),
        ({"usd": math.nan}, "usd must be 0 or more, got nan"),
    ],
)
def test_a_wrong_budget_is_refused(budget: dict[str, float], message: str) -> None:
    with pytest.raises(ef.InputError, match=message):
        ef.optimise(small_menu(), budget=budget)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("method", "magic", "method must be one of certified, greedy, convex, got 'magic'"),
        ("objective", "fame", "objective must be one of .*evsi.*, got 'fame'"),
        ("gap", 0.0, "gap must lie between 0 and 1, got 0"),
        ("gap", math.nan, "gap must lie between 0 and 1"),
        ("time_limit", 0.0, "time_limit must be above 0 seconds, got 0"),
    ],
)
def test_a_wrong_option_is_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ef.InputError, match=message):
        ef.optimise(small_menu(), budget=BUDGET, **{option: value})  # type: ignore[arg-type]  # wrong on purpose


def test_mandatory_evals_over_budget_name_the_shortfall() -> None:
    with pytest.raises(ef.InfeasibleError, match=r"usd|\$"):
        ef.optimise(small_menu(), budget={"usd": 400}, constraints=[Mandatory("a")])


def test_limits_of_a_planner_are_kept() -> None:
    menu = small_menu()
    free = ef.optimise(menu, budget=BUDGET, gap=1e-6)
    bound = ef.optimise(
        menu,
        budget=BUDGET,
        constraints=[Mandatory("c"), Forbidden("a"), MinEvals("cyber", 1)],
        gap=1e-6,
    )
    evals = set(bound.choices["eval"])
    assert "c" in evals
    assert "a" not in evals
    assert "b" in evals
    assert bound.value <= free.value


def test_greedy_is_honest_about_its_bound() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET, method="greedy")
    best = ef.optimise(small_menu(), budget=BUDGET, gap=1e-6)
    assert plan.status == "greedy"
    assert plan.value <= best.value * (1 + 1e-12)
    assert plan.bound >= best.value


def test_evaluate_refuses_what_is_not_on_the_menu() -> None:
    with pytest.raises(ef.InputError, match="did you mean 'a plateau'"):
        ef.evaluate(small_menu(), ["a plateu"])
    with pytest.raises(ef.InputError, match="at most one option per eval"):
        ef.evaluate(small_menu(), ["a plateau", "a max"])


def test_an_empty_menu_runs_nothing() -> None:
    menu = small_menu()
    empty = menu.subset(np.zeros(len(menu), dtype=bool))
    plan = ef.optimise(empty, budget=BUDGET)
    assert plan.chosen == ()
    assert plan.value == 0


def test_options_without_information_are_never_bought() -> None:
    menu = small_menu()
    blind = replace(menu, information=np.zeros_like(menu.information))
    plan = ef.optimise(blind, budget=BUDGET)
    assert plan.value == 0
    assert plan.bound == 0
    assert plan.gap == 0
