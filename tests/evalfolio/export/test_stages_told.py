"""A programme in stages in report and workbook, as the record has it."""

from __future__ import annotations

from html import unescape
from pathlib import Path

from openpyxl import load_workbook
from tests.evalfolio.export.made import json_of, telling

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.export import write_workbook
from evalfolio.export.report import report
from evalfolio.programmes.told import told
from evalfolio.recommendations.recommendation import Recommendation


def test_report_and_workbook_say_it(recommendation: Recommendation, tmp_path: Path) -> None:
    question = ef.Question(small_menu(), {"usd": 10_000.0, "staff_hours": 90.0}, contingency=0.1)
    account = told(ef.stages(question))
    plan = telling(recommendation, {**json_of(recommendation), "stages": account})
    page = unescape(report(plan))
    book = load_workbook(write_workbook(plan, tmp_path / "plan.xlsx"))
    column = [cell.value for cell in book["Stages"]["A"]]
    for sentence in account.sentences:
        assert sentence in page
        assert sentence in column
    assert set(book["Stages"].tables) == {
        f"stages_{name}" for name in ("now", "releases", "value", "spend")
    }
    assert 'href="#stages"' in page
    assert 'href="#stages"' not in report(recommendation)
