"""What a mix leaves of the budget: every single change, told against plain evaluation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from tests.evalfolio.conftest import random_menu

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.narrative import two_digits
from evalfolio.plans.left_out import next_step_in_words

BUDGET = {"usd": 10_000.0, "staff_hours": 90.0}


def test_left_over_is_the_budget_less_the_spend() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET)
    assert plan.left_over == {name: BUDGET[name] - plan.spend[name] for name in BUDGET}


@pytest.mark.parametrize("seed", [0, 2, 3, 4])  # menus that the budget does not exhaust
def test_steps_are_all_single_changes_that_add_value(seed: int) -> None:
    menu = random_menu(seed, n_evals=5, n_domains=2, n_tiers=3)
    budget = {"usd": 0.1 * float(menu.options["usd"].sum())}
    plan = ef.optimise(menu, budget=budget, gap=1e-9)
    by_eval = {str(menu.options.loc[name, "eval"]): name for name in plan.chosen}
    expected = {}
    for name, row in menu.options.to_dict("index").items():
        option = str(name)
        old = by_eval.get(str(row["eval"]))
        if option == old:
            continue
        changed = [other for other in plan.chosen if other != old] + [option]
        added = ef.evaluate(menu, changed).value - plan.value
        more = row["usd"] - (menu.options.loc[old, "usd"] if old else 0.0)
        if added > 1e-3 * plan.value:
            expected[option] = (old, added, max(more - plan.left_over["usd"], 0.0))
    steps = plan.next_steps
    assert expected, "a case where nothing more could be bought shows nothing"
    assert set(steps.index) == set(expected)
    told = steps.to_dict("index")
    for option, (old, added, short) in expected.items():
        assert told[option]["instead_of"] == old, option
        assert told[option]["value_added"] == pytest.approx(added, rel=1e-6)
        assert told[option]["short_usd"] == pytest.approx(short, abs=1e-6)
    # the mix is the best there is: what adds value does not fit
    assert (steps["short_usd"] > 0).all()
    assert steps["short_usd"].is_monotonic_increasing


def test_the_nearest_step_is_said_with_what_it_needs() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET)
    said = next_step_in_words(plan.budget, plan.next_steps, plan.value)
    nearest = plan.next_steps.index[0]
    short = float(plan.next_steps.loc[nearest, "short_usd"])
    assert short > 0
    assert said.startswith(f"The nearest step, {nearest}")
    assert f"needs ${two_digits(short)}" in said
    more = {
        name: BUDGET[name] + float(plan.next_steps.loc[nearest, f"short_{name}"]) for name in BUDGET
    }
    richer = ef.optimise(small_menu(), budget=more)
    assert richer.value > plan.value


def test_with_everything_bought_no_step_is_left() -> None:
    menu = small_menu()
    best = max(
        (
            ef.evaluate(menu, [name for name in names if name])
            for names in product(
                *(
                    [None, *map(str, rows.index)]
                    for _, rows in menu.options.groupby("eval", sort=False)
                )
            )
        ),
        key=lambda found: found.value,
    )
    plan = ef.optimise(menu, budget={"usd": 1e9}, gap=1e-9)
    assert plan.value == pytest.approx(best.value, rel=1e-3)
    said = next_step_in_words(plan.budget, plan.next_steps, plan.value)
    assert "No further step" in said


def test_without_a_budget_nothing_is_said() -> None:
    empty = pd.DataFrame(columns=["eval", "instead_of", "value_added"])
    assert next_step_in_words({}, empty, 1.0) == ""
    assert next_step_in_words({"usd": np.inf}, empty, 1.0) == ""


@pytest.mark.parametrize("nothing", [None, np.nan])
def test_a_step_that_replaces_nothing_names_nothing(nothing: float | None) -> None:
    steps = pd.DataFrame(
        {"eval": ["a"], "instead_of": [nothing], "value_added": [0.1], "short_usd": [5.0]},
        index=["a plateau"],
    )
    said = next_step_in_words({"usd": 1.0}, steps, 1.0)
    assert said == "The nearest step, a plateau, needs $5 more and adds 10 % to the value."
