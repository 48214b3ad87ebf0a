"""A back-test in the record, the report and the workbook of a plan."""

from __future__ import annotations

import json
import shutil
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from tests.evalfolio.export.made import json_of, telling

from evalfolio.backtests.page import told
from evalfolio.errors import InputError
from evalfolio.export import write_workbook
from evalfolio.export.report import report
from evalfolio.recommendations.recommendation import Recommendation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    findings = [
        {"claim": "the error is small", "holds": True, "figures": "RMSE 0.5"},
        {"claim": "it is tiny", "holds": False, "figures": "RMSE 0.5 > 0.1"},
    ]
    made = tmp_path / "replayed"
    made.mkdir()
    (made / "findings.json").write_text(json.dumps({"earlier": findings}))
    pd.DataFrame(
        {
            "strategy": ["evalfolio", "even", "evalfolio", "even"],
            "budget": [0.01, 0.01, 0.1, 0.1],
            "rmse": [0.9, 0.7, 0.3, 0.8],
            "coverage_90": [0.9, 0.8, 0.88, 1.0],
        }
    ).to_csv(made / "summary-earlier.csv", index=False)
    return made


@pytest.fixture
def replayed(folder: Path, recommendation: Recommendation) -> Recommendation:
    return telling(recommendation, {**json_of(recommendation), "backtest": told(folder)})


def test_tells_what_holds_and_what_fails(folder: Path) -> None:
    found = told(folder)
    assert found.sentences == (
        "Holds: the error is small; RMSE 0.5.",
        "Fails: it is tiny; RMSE 0.5 > 0.1.",
    )
    findings = json.loads((folder / "findings.json").read_text())["earlier"]
    (folder / "findings.json").write_text(json.dumps({"others": findings, "earlier": findings}))
    shutil.copy(folder / "summary-earlier.csv", folder / "summary-others.csv")
    assert told(folder).sentences[2].startswith("Holds (only earlier AI models known): the")
    error = found.tables[0]
    assert error.columns == ("Strategy", "1 %", "10 %")
    assert error.rows == (("evalfolio", 0.9, 0.3), ("even", 0.7, 0.8))  # least on average first


def test_of_the_value_promised_what_came_true_is_said(
    folder: Path, recommendation: Recommendation, tmp_path: Path
) -> None:
    summary = pd.read_csv(folder / "summary-earlier.csv")
    for k, name in enumerate(("promised_of_evpi", "evpi_of_lost", "realised_of_lost", "came_true")):
        own = (0.1 * (k + 1)) * (1 + (summary["budget"] > 0.05))
        value = own.where(summary["strategy"] == "evalfolio")
        summary[name], summary[f"{name}_low"], summary[f"{name}_high"] = (
            value,
            value - 0.1,
            value + 1,
        )
    summary.to_csv(folder / "summary-earlier.csv", index=False)
    account = told(folder)
    assert account.sentences[-1] == (
        "Of the value promised, 0.40 [0.30, 1.40] at 1 % of the bill and 0.80 [0.70, 1.80] at 10 % "
        "of the bill came true in replay."
    )
    assert account.tables[-1].rows[1] == (
        "Perfect information over the loss without runs", "0.20 [0.10, 1.20]", "0.40 [0.30, 1.40]"
    )  # fmt: skip
    plan = telling(recommendation, {**json_of(recommendation), "backtest": account})
    assert account.sentences[-1] in unescape(report(plan))
    book = load_workbook(write_workbook(plan, tmp_path / "plan.xlsx"))
    assert "backtest_value_earlier" in book["Back-test"].tables


def test_report_and_workbook_say_it(
    replayed: Recommendation, recommendation: Recommendation, tmp_path: Path
) -> None:
    account = json_of(replayed)["backtest"]
    page = unescape(report(replayed))
    book = load_workbook(write_workbook(replayed, tmp_path / "plan.xlsx"))
    column = [cell.value for cell in book["Back-test"]["A"]]
    for words in (*account["sentences"], *(table["title"] for table in account["tables"])):
        assert words in page
        assert words in column
    assert set(book["Back-test"].tables) == {
        "backtest_rmse_earlier",
        "backtest_coverage_90_earlier",
    }
    assert 'href="#backtest"' in page
    assert 'href="#backtest"' not in report(recommendation)


@pytest.mark.parametrize("broken", ["nothing", "text", "other json", "no summary"])
def test_refuses_a_folder_that_is_no_backtest(folder: Path, broken: str) -> None:
    if broken == "nothing":
        (folder / "findings.json").unlink()
    elif broken == "no summary":
        (folder / "summary-earlier.csv").unlink()
    else:
        (folder / "findings.json").write_text("[1]" if broken == "other json" else "no")
    with pytest.raises(InputError, match="must be a folder that evalfolio backtest wrote"):
        told(folder)
