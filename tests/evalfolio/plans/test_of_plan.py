"""A plan made from a menu alone is exported too; a menu of many states is sent to the score."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from tests.evalfolio.export.made import made

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.export import write_workbook
from evalfolio.plans.of_plan import record_of


def named(book: Any, name: str) -> Any:
    ((sheet, address),) = book.defined_names[name].destinations
    return book[sheet][address].value


def test_workbook_and_report_of_a_plan_from_a_menu(tmp_path: Path) -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 10_000.0})
    book = openpyxl.load_workbook(plan.to_excel(tmp_path / "p.xlsx"), data_only=True)
    assert named(book, "plan_value") == pytest.approx(plan.value)
    assert named(book, "mix_usd") == pytest.approx(plan.spend["usd"])
    assert named(book, "your_value") == pytest.approx(plan.value, rel=1e-3)
    text = plan.to_html(tmp_path / "p.html").read_text("utf-8")
    assert record_of(plan)["words"]["mix"] in text


def test_a_plan_that_runs_nothing(tmp_path: Path) -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 1.0})
    book = openpyxl.load_workbook(plan.to_excel(tmp_path / "p.xlsx"), data_only=True)
    assert named(book, "plan_value") == 0
    assert "Run nothing" in plan.to_html(tmp_path / "p.html").read_text("utf-8")


def test_a_model_of_more_than_sixteen_states_is_sent_to_the_score(tmp_path: Path) -> None:
    recommendation = made()
    menu = recommendation.menu
    extra = 17 - len(menu.states)
    wide = ((0, extra),)
    larger = dataclasses.replace(
        menu,
        states=(*menu.states, *(f"extra{i}" for i in range(extra))),
        information=np.pad(menu.information, ((0, 0), *wide, *wide)),
        prior_mean=np.pad(menu.prior_mean, wide),
        prior_covariance=np.block(
            [
                [menu.prior_covariance, np.zeros((len(menu.states), extra))],
                [np.zeros((extra, len(menu.states))), np.eye(extra)],
            ]
        ),
        decisions=tuple(
            dataclasses.replace(d, contrast=np.pad(d.contrast, wide)) for d in menu.decisions
        ),
    )
    path = write_workbook(dataclasses.replace(recommendation, menu=larger), tmp_path / "p.xlsx")
    book = openpyxl.load_workbook(path, data_only=True)
    assert named(book, "your_value") == "run `evalfolio score` (more than 16 states)"
    assert "Calculation" not in book.sheetnames
    assert named(book, "your_usd") == pytest.approx(recommendation.record["spend"]["usd"])
