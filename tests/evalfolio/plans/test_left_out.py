"""Evals left out and rows dropped: their figures, told against plain evaluation of menus."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evalfolio.conftest import random_menu

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.limits import Mandatory
from evalfolio.narrative import two_digits
from evalfolio.plans.judge import explain_eval


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_an_eval_left_out_is_told_by_the_option_that_pays_best(seed: int) -> None:
    menu = random_menu(seed, n_evals=5, n_domains=2, n_tiers=3)
    plan = ef.optimise(menu, budget={"usd": 0.02 * float(menu.options["usd"].sum())}, gap=1e-9)
    price = plan.shadow_prices["usd"]
    assert price > 0
    assert len(plan.not_chosen), "a plan that runs every eval shows nothing"
    assert set(plan.not_chosen.index) == set(menu.options["eval"]) - set(plan.choices["eval"])
    for name, row in plan.not_chosen.iterrows():
        added = {
            option: ef.evaluate(menu, [*plan.chosen, option]).value - plan.value
            for option in menu.options.index[menu.options["eval"] == name]
        }
        pays = {o: a - price * float(menu.options.loc[o, "usd"]) for o, a in added.items()}
        best = max(pays, key=lambda option: pays[option])
        assert row["option"] == best
        assert row["value_added"] == pytest.approx(added[best], rel=1e-6)
        # dearer than this it costs more than it adds, at the price of money
        assert row["cost_to_enter"] == pytest.approx(added[best] / price, rel=1e-6)


def test_without_a_price_of_money_no_price_to_enter_is_told() -> None:
    plan = ef.optimise(small_menu(), budget={"staff_hours": 90.0})
    assert len(plan.not_chosen)
    assert plan.not_chosen["cost_to_enter"].isna().all()
    for name, row in plan.not_chosen.iterrows():  # what keeps it out is named, with its amount
        used = float(plan.menu.options.loc[row["option"], "staff_hours"])
        if row["value_added"] > 0 and used < 90:
            assert f"; its {two_digits(used)} staff hours buy more elsewhere" in row["reason"], name


def test_dropping_what_tells_nothing_loses_nothing() -> None:
    menu = small_menu()
    information = menu.information.copy()
    information[list(menu.options.index).index("c plateau")] = 0.0
    blind = replace(menu, information=information)
    plan = ef.optimise(blind, budget={"usd": 10_000.0}, constraints=[Mandatory("c")])
    assert plan.choices.loc["c plateau", "value_if_dropped"] == 0.0
    assert np.all(plan.choices.drop("c plateau")["value_if_dropped"] > 0)


def test_what_a_budget_is_too_small_for_is_explained_in_one_sentence() -> None:
    record = ef.optimise(small_menu(), budget={"usd": 250.0}).record
    row = next(row for row in record.not_chosen if "exceeds the budget" in row.reason)
    told = explain_eval(row.eval, record)["text"]
    assert told.startswith(f"{row.eval} does not run: its best option alone exceeds the budget of ")


def test_an_eval_of_a_domain_without_an_anchor_would_turn_no_call() -> None:
    menu = small_menu()
    name = menu.decisions[0].name
    menu = replace(menu, decisions=menu.decisions[1:], no_anchor={name: f"no anchor: {name}"})
    record = ef.optimise(menu, budget={"usd": 10_000.0}).record
    own = set(menu.options.loc[menu.options["domain"] == name, "eval"])
    left = {row.eval: row.reason for row in record.not_chosen if row.eval in own}
    assert set(left.values()) <= {f"would turn no call, as {name} has no anchor"}
    assert set(left) | {row.eval for row in record.choices} >= own
    assert [row.name for row in record.no_anchor] == [name]
    assert f"no anchor: {name}" in str(menu)
