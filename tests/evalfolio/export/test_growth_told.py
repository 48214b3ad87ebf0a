"""The sheet Growth lives on its rates, and the outlook has a section in page and workbook."""

from __future__ import annotations

import shutil
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from tests.evalfolio.export.made import json_of, telling
from tests.evalfolio.export.test_recalculation import Recalculate, differences, recalculate

from evalfolio.export import write_workbook
from evalfolio.export.report import report
from evalfolio.outlook.presets import read_presets
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.record.record import Account, AccountTable

__all__ = ["recalculate"]
COSTS = {"long tasks": 100_000.0, "fixed tasks": 2_000.0, "studies": 0.0, "staff": 50_000.0}


@pytest.fixture
def outlook() -> Account:
    presets = read_presets()
    feeds = [" × ".join(presets.tables["cost"][name]) for name in COSTS]
    costs = pd.DataFrame({"cost": [*COSTS], "usd": [*COSTS.values()], "drivers": feeds})
    tables = {
        "sources": presets.sources(),
        "costs": costs,
        "totals": pd.DataFrame({"year": [0, 1, 2]}),
    }
    shown = tuple(AccountTable.of(name, name, frame) for name, frame in tables.items())
    return Account(sentences=("A year costs $152,000 now.",), tables=shown)


def told(recommendation: Recommendation, outlook: Account) -> Recommendation:
    return telling(recommendation, {**json_of(recommendation), "outlook": outlook})


def test_the_section_stands_where_a_forecast_was_made(
    recommendation: Recommendation, outlook: Account, tmp_path: Path
) -> None:
    page = unescape(report(told(recommendation, outlook)))
    assert "A year costs $152,000 now." in page
    assert 'href="#outlook"' in page
    assert 'href="#outlook"' not in report(recommendation)
    book = openpyxl.load_workbook(write_workbook(recommendation, tmp_path / "plain.xlsx"))
    assert not {"Growth", "Outlook"} & set(book.sheetnames)


def rows(sheet: Any) -> dict[str, Any]:
    return {str(row[0].value): [c.value for c in row[1:4]] for row in sheet.iter_rows(min_row=5)}


def test_costs_are_the_products_of_their_medians(
    recommendation: Recommendation, outlook: Account, tmp_path: Path
) -> None:
    path = write_workbook(told(recommendation, outlook), tmp_path / "plan.xlsx")
    found = rows(openpyxl.load_workbook(path, data_only=True)["Growth"])
    sources: Any = outlook["sources"].to_dict("records")
    median = {row["driver"]: (row["low"] * row["high"]) ** 0.5 for row in sources}
    shared = median["attempts"] * median["ai_models"] * median["domains"]
    long = median["task_length"] ** median["exponent"] * median["price_at_capability"] * shared
    fixed = median["frontier_price"] * shared
    assert found["long tasks"] == pytest.approx([1e5, 1e5 * long, 1e5 * long**2])
    assert found["fixed tasks"] == pytest.approx([2e3, 2e3 * fixed, 2e3 * fixed**2])
    total = [sum(found[name][k] for name in COSTS) for k in range(3)]
    assert found["In all"] == pytest.approx(total)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed"
)
def test_libreoffice_follows_a_rate_that_is_typed(
    recommendation: Recommendation, outlook: Account, tmp_path: Path, recalculate: Recalculate
) -> None:
    path = write_workbook(told(recommendation, outlook), tmp_path / "plan.xlsx")
    assert differences(path, recalculate(path, {})) == []
    place = outlook["sources"]["driver"].tolist().index("price_at_capability")
    sheet = recalculate(path, {("Growth", f"B{5 + place}"): 1.0})["Growth"]
    before, after = rows(openpyxl.load_workbook(path, data_only=True)["Growth"]), rows(sheet)
    price = (0.1 * 0.2) ** 0.5
    assert after["long tasks"][2] == pytest.approx(before["long tasks"][2] / price**2)
    assert after["staff"] == pytest.approx(before["staff"])
