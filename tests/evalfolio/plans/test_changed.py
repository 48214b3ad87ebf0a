"""Why a mix changed: each cause is made, and named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evalfolio.conftest import random_menu

import evalfolio as ef
from evalbayes import Menu
from evalfolio.plans.changed import why_changed
from evalfolio.plans.plan import Plan
from evalfolio.plans.recording import record_of


def stored(plan: Plan, folder: Path, *, catalogue: object = None) -> Path:
    folder.mkdir()
    plan.record.write(folder / "plan.json")
    plan.menu.save(folder / "menu")
    if catalogue is not None:
        (folder / "catalogue.json").write_text(json.dumps(catalogue))
    return folder


@pytest.fixture
def menu() -> Menu:
    return random_menu(3, n_evals=6, n_tiers=3)


def test_the_same_plan_has_not_changed(menu: Menu, tmp_path: Path) -> None:
    plan = ef.optimise(menu, budget={"usd": 60.0})
    found = why_changed(stored(plan, tmp_path / "a"), stored(plan, tmp_path / "b"))
    assert found.cause == "nothing"
    assert found.same_menu
    assert not found.inputs
    assert "same evals" in str(found)


def test_a_wider_budget_is_named_and_what_it_alone_moves(menu: Menu, tmp_path: Path) -> None:
    plans = [ef.optimise(menu, budget={"usd": usd}) for usd in (30.0, 300.0)]
    found = why_changed(*(stored(p, tmp_path / f"{k}") for k, p in enumerate(plans)))
    assert found.cause == "inputs"
    assert found.inputs == ("USD 30 then, 300 now",)
    # One menu, so all that comes and goes does so by the budget.
    assert set(found.by_limits) == {*found.leave, *found.enter}
    assert found.carried == pytest.approx(found.before)


def test_another_belief_of_the_same_inputs_is_the_model(menu: Menu, tmp_path: Path) -> None:
    before = ef.optimise(menu, budget={"usd": 25.0})
    keen = ~menu.options["eval"].isin(before.choices["eval"])
    other = replace(
        menu, information=menu.information * (1 + 30.0 * keen.to_numpy())[:, None, None]
    )
    plans = [before, ef.optimise(other, budget={"usd": 25.0})]
    assert set(plans[0].choices["eval"]) != set(plans[1].choices["eval"])
    found = why_changed(*(stored(p, tmp_path / f"{k}") for k, p in enumerate(plans)))
    assert found.cause == "model"
    assert not found.same_menu
    assert found.carried == pytest.approx(ef.evaluate(other, plans[0].chosen).value)
    assert not found.as_good


def test_another_mix_of_one_menu_is_the_search(menu: Menu, tmp_path: Path) -> None:
    best = ef.optimise(menu, budget={"usd": 60.0})
    first = ef.optimise(
        menu, budget={"usd": 60.0}, constraints=[ef.Forbidden(best.choices["eval"].iloc[0])]
    )
    as_if = replace(first, question=best.question, told=None)
    as_if = replace(as_if, told=record_of(as_if))
    found = why_changed(stored(as_if, tmp_path / "a"), stored(best, tmp_path / "b"))
    assert found.cause == "search"
    assert found.same_menu
    assert found.now > found.before


def test_figures_of_the_catalogue_are_named(menu: Menu, tmp_path: Path) -> None:
    plan = ef.optimise(menu, budget={"usd": 60.0})
    tables = [
        {"evals": [{"name": "a", "tasks": n}], "portfolio": {"ai_model": "X"}} for n in (4, 5)
    ]
    folders = [stored(plan, tmp_path / f"{n}", catalogue=t) for n, t in enumerate(tables)]
    assert why_changed(*folders).inputs == ("evals a: tasks 4 then, 5 now",)
    (folders[0] / "catalogue.json").write_text("[1]")  # no figures of it can be told
    assert not why_changed(*folders).inputs


def test_an_eval_that_is_gone_has_no_value_to_carry(menu: Menu, tmp_path: Path) -> None:
    plan = ef.optimise(menu, budget={"usd": 60.0})
    gone = plan.choices["eval"].iloc[0]
    fewer = menu.subset((menu.options["eval"] != gone).to_numpy())
    other = ef.optimise(fewer, budget={"usd": 60.0})
    found = why_changed(stored(plan, tmp_path / "a"), stored(other, tmp_path / "b"))
    assert found.carried is None
    assert "not on today's menu" in str(found)
