"""`evalfolio forecast` and `schedule` as a person runs them, and when levels are crossed."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from .conftest import Run

FORECAST = {"totals", "drivers", "scenarios", "composition", "binding", "by_eval"}
FORECAST |= {"fleet", "sources"}


def test_forecast_says_prints_and_writes(plan_folder: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "outlook"
    done = run("forecast", plan_folder, "--years", 2, "--draws", 500, "--out", out)
    assert done.code == 0, done.err
    first = done.out.splitlines()[0]
    assert first.startswith("A year of this plan's evaluations costs $")
    assert "an assumption" in first  # what an hour costs
    assert "×2.7–9.5 a year" in done.out
    assert "×13–59 a year" in done.out
    assert "How length, tokens and price compose" in done.out
    files = {path.stem for path in out.glob("*.csv")}
    assert files >= FORECAST
    totals = pd.read_csv(out / "totals.csv")
    assert totals["year"].tolist() == [0, 1, 2]
    shares = totals[["share_agents", "share_studies", "share_staff"]].sum(axis=1)
    assert shares.tolist() == pytest.approx([1.0, 1.0, 1.0])
    sources = pd.read_csv(out / "sources.csv")
    assert sources["source"].str.len().min() >= len("assumption")
    assert "What evaluations will cost in years" in (out / "report.html").read_text()
    assert "Outlook" in openpyxl.load_workbook(out / "plan.xlsx").sheetnames
    again = run(
        "forecast", plan_folder, "--presets", out / "presets.toml", "--draws", 500, "--json"
    )
    assert json.loads(again.out)["tables"][0]["name"] == "totals"


@pytest.mark.parametrize("command", ["forecast"])
def test_what_is_no_plan_or_scenario_is_refused(command: str, run: Run, plan_folder: Path) -> None:
    done = run(command, "nowhere")
    assert (done.code, done.out) == (2, "")
    assert "must be a folder that `evalfolio recommend` wrote" in done.err
    done = run(command, plan_folder, "--scenario", "RL stall")
    assert done.code == 2
    assert "RL stalls" in done.err


def test_years_have_an_end(run: Run, plan_folder: Path) -> None:
    done = run("forecast", plan_folder, "--years", 50)
    assert done.code == 2
    assert "--years must be from 1 to 20, got 50; take 3" in done.err
