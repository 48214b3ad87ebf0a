"""A plan made from a menu alone has a whole record too, and is exported from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

import evalfolio as ef
from evalfolio.examples import small_menu


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
    assert plan.record.words.mix in text


def test_a_menu_without_replicates_is_told_nothing_of_noise() -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 10_000.0})
    record = plan.record
    assert (record.value.noise, record.value.gap_with_noise, record.words.firm) == (None, None, "")
    assert [(row.firm, row.instead, row.stands) for row in record.choices] == [
        (None, (), "") for _ in plan.chosen
    ]
    assert "noise" not in str(plan)
    assert "±" not in str(plan)


def test_a_plan_that_runs_nothing(tmp_path: Path) -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 1.0})
    book = openpyxl.load_workbook(plan.to_excel(tmp_path / "p.xlsx"), data_only=True)
    assert named(book, "plan_value") == 0
    assert "Run nothing" in plan.to_html(tmp_path / "p.html").read_text("utf-8")
