"""What the mix withstands, in the record, the report and the workbook, as the analysis found it."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from tests.evalfolio.export.made import json_of, telling

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.export import write_workbook
from evalfolio.export.report import report
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.search.certified import Certified
from evalfolio.sensitivities.analysis import Sensitivity, firmness
from evalfolio.sensitivities.assumed import Assumed


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    plan = ef.optimise(small_menu(), budget={"usd": 9_500.0, "staff_hours": 90.0})
    figures = [
        Assumed("threshold", "cyber", 8.0, 9.0, 10.0, True),
        Assumed("gap_sd", "cyber", 0.05, 1.0, 2.0, False),
    ]
    return ef.sensitivity(
        plan,
        assumptions=figures,
        points=3,
        samples=2,
        sobol=2,
        pilots=0,
        vary=["usd"],
        method=Certified(gap=0.01),
    )


@pytest.fixture(scope="module")
def firm(found: Sensitivity, recommendation: Recommendation) -> Recommendation:
    return telling(recommendation, {**json_of(recommendation), "firmness": firmness(found)})


def firmness_of(firm: Recommendation) -> Any:
    return json_of(firm)["firmness"]


def test_the_record_keeps_what_was_found(found: Sensitivity, firm: Recommendation) -> None:
    kept = firmness_of(firm)
    assert kept["sentences"] == found.sentences()
    tables = {table["name"]: table for table in kept["tables"]}
    assert {"evals", "entries_usd", "regret", "robust", "knowing", "sobol"} == set(tables)
    assert all(len(r) == len(t["columns"]) for t in kept["tables"] for r in t["rows"])
    included = {str(row[0]): row[1] for row in tables["evals"]["rows"]}
    assert included == found.over_assumptions.evals["included"].to_dict()
    worst = {str(row[0]): (row[2], row[3]) for row in tables["regret"]["rows"]}
    for mix, (share, where) in worst.items():
        own = found.regret.loc[mix].to_dict()
        assert share == pytest.approx(own["largest"] / found.tornado.value)
        assert own[str(where)] == own["largest"]
    score, bound = tables["robust"]["rows"][0][1:3]
    assert score == pytest.approx(found.least_regret.score / found.tornado.value)
    assert bound == pytest.approx(found.least_regret.bound / found.tornado.value)


def test_the_report_says_it(firm: Recommendation, recommendation: Recommendation) -> None:
    page = unescape(report(firm))
    assert "How firm the mix is" in page
    for table in firmness_of(firm)["tables"]:
        assert table["title"] in page
        for row in table["rows"]:
            assert str(row[0]) in page
    for sentence in firmness_of(firm)["sentences"]:
        assert sentence in page
    assert "How firm the mix is" not in report(recommendation)


def test_the_workbook_holds_it(firm: Recommendation, tmp_path: Path) -> None:
    book = load_workbook(write_workbook(firm, tmp_path / "plan.xlsx"))
    sheet = book["Firmness"]
    column = [cell.value for cell in sheet["A"]]
    for sentence in firmness_of(firm)["sentences"]:
        assert sentence in column
    for table in firmness_of(firm)["tables"]:
        assert f"firmness_{table['name']}" in sheet.tables
        first = column.index(table["title"]) + 3
        for k, row in enumerate(table["rows"]):
            held = [cell.value for cell in sheet[first + k][: len(row)]]
            assert held == [pytest.approx(v) if isinstance(v, float) else v for v in row]
