"""`evalfolio forecast` and `schedule` as a person runs them, and when levels are crossed."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from .conftest import Run

FORECAST = {"totals", "mixes", "drivers", "scenarios", "composition", "binding", "by_eval"}
FORECAST |= {"fleet", "sources"}
SCHEDULE = {"best", "rules", "looks", "crossings", "buffers"}


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
    mixes = pd.read_csv(out / "mixes.csv")
    mix = pd.read_csv(plan_folder / "mix.csv")
    assert mixes["evals"][0] == len(mix)
    assert mixes["usd"][0] == pytest.approx(mix["usd"].sum(), rel=0.05)
    sources = pd.read_csv(out / "sources.csv")
    assert sources["source"].str.len().min() >= len("assumption")
    assert "What evaluations will cost in years" in (out / "report.html").read_text()
    assert "Outlook" in openpyxl.load_workbook(out / "plan.xlsx").sheetnames
    again = run(
        "forecast", plan_folder, "--presets", out / "presets.toml", "--draws", 500, "--json"
    )
    assert json.loads(again.out)["tables"][0]["name"] == "totals"


def test_schedule_says_prints_and_joins_what_the_folder_holds(
    plan_folder: Path, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "outlook"
    assert run("forecast", plan_folder, "--draws", 100, "--years", 1, "--out", out).code == 0
    done = run("schedule", plan_folder, "--out", out)
    assert done.code == 0, done.err
    assert done.out.startswith("cyber: look ")
    assert '"every six months" (every 6 [6, 6] months) loses ' in done.out
    assert "cyber is crossed by " in done.out
    assert {path.stem for path in out.glob("*.csv")} >= FORECAST | SCHEDULE
    best, looks = pd.read_csv(out / "best.csv"), pd.read_csv(out / "looks.csv")
    assert best["lost"].item() == looks["lost"].min() <= best["once"].item()
    assert best["lost"].item() < best["never"].item()
    rules = pd.read_csv(out / "rules.csv")
    assert (rules["lost"] >= rules["lost"].iloc[0]).all()
    page = (out / "report.html").read_text()
    assert "What evaluations will cost in years" in page
    assert "How often to look, and when levels are crossed" in page
    buffers = pd.read_csv(out / "buffers.csv").iloc[0]
    spans = ["now", "6 months", "1 year", "2 years", "5 years", "no end date"]
    assert buffers[spans].is_monotonic_increasing
    # front-loaded: the first half-year brings more than the next
    assert buffers["6 months"] - buffers["now"] > buffers["1 year"] - buffers["6 months"]


def test_capability_says_when_levels_are_crossed_and_what_may_come(
    posterior_file: Path, run: Run
) -> None:
    catalogue = posterior_file.with_name("catalogue.toml")
    done = run(
        "capability", catalogue, "--posterior", posterior_file, "--json", "--allow-failed-fit"
    )
    assert done.code == 0, done.err
    said = json.loads(done.out)
    (crossed,) = said["crossings"]
    assert crossed["decision"] == "cyber"
    assert crossed["date_low"] <= crossed["date"]
    assert crossed["by_0"] <= crossed["by_1"] <= crossed["by_2"] <= crossed["by_5"]
    (buffers,) = said["buffers"]
    spans = ["now", "6 months", "1 year", "2 years", "5 years", "no end date"]
    assert [buffers[each] for each in spans] == sorted(buffers[each] for each in spans)
    # front-loaded: the first half-year brings more than the next
    assert buffers["6 months"] - buffers["now"] > buffers["1 year"] - buffers["6 months"]


@pytest.mark.parametrize("command", ["forecast", "schedule"])
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


@pytest.mark.parametrize("command", ["forecast", "schedule"])
def test_the_presets_beside_the_tables_are_those_they_were_made_with(
    command: str, run: Run, plan_folder: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[driver.wages]\nfactor = [1.0, 1.1]\nsource = "assumption"\n')
    done = run(command, plan_folder, "--presets", own, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert (tmp_path / "out" / "presets.toml").read_text() == own.read_text()
