"""Runs by people in report and workbook, beside AI models' scores in the same time."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from openpyxl import load_workbook
from tests.evalfolio.export.made import json_of, telling

from evalbayes.horizons.baseline import human_difficulty, runs_by_people, score_at_time
from evalfolio.export import write_workbook
from evalfolio.export.report import report
from evalfolio.recommendations.baselines import baseline_of
from evalfolio.recommendations.recommendation import Recommendation

SHARED = Path(__file__).parents[4] / "shared" / "data"
PEOPLE = """task,minutes,score
kernels/main,200,0.4
kernels/main,480,1
kernels/main,490,0.8
kernels/main,475,0
lookup/one,12,1
lookup/one,9,1
lookup/two,55,0
"""


def hourly(*names: str) -> Any:
    return SimpleNamespace(evals=[SimpleNamespace(name=n, spend_unit="hours") for n in names])


def test_report_and_workbook_tell_people(recommendation: Recommendation, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    scores = {"eval": "kernels", "ai_model": "o1", "cap": [4.0, 8.0], "score": [0.2, 0.3]}
    observed: Any = SimpleNamespace(scores=pd.DataFrame(scores))
    account = baseline_of(tmp_path / "people.csv", observed, hourly("kernels"))
    tables = {table.name: table for table in account.tables}
    people = runs_by_people(pd.read_csv(tmp_path / "people.csv"))
    assert len(tables["difficulty"].rows) == len(human_difficulty(people)) == 5
    first, last, full = map(list, tables["beside"].rows)
    at = score_at_time(people[people["eval"] == "kernels"], [240, 480])["score"]
    assert first[2:5] == pytest.approx([240.0, at[0], 0.2])
    assert last[2:6] == pytest.approx([480.0, at[1], 0.3, 0.3 / at[1]])
    assert full[2:5] == pytest.approx([490.0, 0.55, 0.3])  # with all that people handed in
    assert 240 < float(first[6] or 0) < 480  # 0.1 to 0.2 by people at four hours, 0.35 at eight
    plan = telling(recommendation, {**json_of(recommendation), "humans": account})
    page = unescape(report(plan))
    book = load_workbook(write_workbook(plan, tmp_path / "plan.xlsx"))
    assert account.sentences[0] in page
    assert set(book["People"].tables) == {"people_difficulty", "people_beside"}
    assert 'href="#humans"' in page
    assert 'href="#humans"' not in report(recommendation)


@pytest.mark.skipif(not SHARED.exists(), reason="METR's rows lie beside the repository only")
def test_metrs_people_beside_o1_on_re_bench() -> None:
    limits = pd.read_csv(SHARED / "rebench_by_time_limit.csv")
    scores = pd.DataFrame(
        {
            "eval": limits["environment"],
            "ai_model": limits["ai_model"],
            "cap": limits["time_limit_seconds"] / 3600,
            "score": limits["mean_score"],
        }
    )
    observed: Any = SimpleNamespace(scores=scores)
    names = hourly(*limits["environment"].unique())
    account = baseline_of(SHARED / "metr_human_runs.csv", observed, names)
    tables = {table.name: table for table in account.tables}
    assert sum(row[1] != "" for row in tables["difficulty"].rows) == 83
    assert {row[0] for row in tables["difficulty"].rows} >= set(limits["environment"])
    for row in tables["difficulty"].rows:
        low, middle, high = (float(str(row[k])) for k in (5, 4, 6))
        assert low < middle < high
    beside = [row for row in tables["beside"].rows if row[1] == "o1"]
    assert len(beside) == 21  # seven environments: two limits, and people's last run
    for row in beside:
        assert 120 < float(str(row[6])) < 1_000  # o1 led at its limits, 30 minutes and two hours
