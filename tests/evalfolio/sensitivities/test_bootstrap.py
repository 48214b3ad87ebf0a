"""Results drawn again: the right amounts, the right spread, the same with the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalbayes.catalogue import read_catalogue
from evalbayes.observations import Observations, read_observations
from evalfolio.examples import small_menu
from evalfolio.search.question import Question
from evalfolio.sensitivities.mixes import resampled, stability_over_observations

CATALOGUE = """
[portfolio]
ai_model = "Next"
[budget]
usd = 20_000
staff_hours = 150
[[domain]]
name = "cyber"
threshold_human_time = "8 h"
mitigate_above = 0.1
[[eval]]
name = "ctf"
domain = "cyber"
tasks = 40
human_minutes = 40
spend_unit = "tokens"
usd_per_unit = [4e-6, 9e-6]
max_cap = 10_000_000
"""
CELLS = (
    "eval,ai_model,n_success,n_gave_up,n_stopped_by_cap,mean_ln_spend_success,"
    "sd_ln_spend_success,mean_ln_spend_gave_up,sd_ln_spend_gave_up,cap\n"
    "ctf,A,10,20,10,12.1,1.1,12.9,1.2,2000000\n"
    "ctf,B,18,14,8,11.9,1.0,12.7,1.1,2000000\n"
    "ctf,C,0,1,9,,,12.5,,2000000\n"
)
RUNS = "eval,task,ai_model,outcome,spend,cap\n" + "".join(
    f"ctf,t{task},D,{outcome},{spend},2000000\n"
    for task, outcome, spend in (
        (1, "success", 40_000),
        (1, "success", 50_000),
        (2, "gave_up", 90_000),
        (3, "stopped_by_cap", 2_000_000),
    )
)


@pytest.fixture(name="seen")
def seen_fixture(tmp_path: Path) -> Observations:
    paths = []
    for name, text in (
        ("cells", CELLS),
        ("runs", RUNS),
        ("counts", "eval,ai_model,cap,n_runs,n_success\nctf,E,1e6,100,30\n"),
        ("scores", "eval,ai_model,cap,score,standard_error\nctf,F,1e6,0.5,0.05\n"),
    ):
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text(text)
    return read_observations(paths)


def test_as_many_runs_come_out_as_went_in(seen: Observations) -> None:
    fresh = resampled(seen, 3)
    outcomes = ["n_success", "n_gave_up", "n_stopped"]
    np.testing.assert_array_equal(
        fresh.cells[outcomes].sum(axis=1), seen.cells[outcomes].sum(axis=1)
    )
    assert fresh.counts["n_runs"].tolist() == [100]
    assert set(fresh.runs["task"]) <= {"t1", "t2", "t3"}
    by_task = fresh.runs.groupby("task").size()
    assert by_task.get("t1", 0) % 2 == 0  # tasks are drawn whole
    assert (fresh.cells["mean_ln_spend_success"].isna() == (fresh.cells["n_success"] == 0)).all()
    assert (fresh.cells["sd_ln_spend_success"].isna() == (fresh.cells["n_success"] < 2)).all()


def test_the_spread_is_that_of_the_results(seen: Observations) -> None:
    many = [resampled(seen, seed) for seed in range(400)]
    success = np.array([each.cells["n_success"].iloc[0] for each in many])
    assert success.mean() == pytest.approx(10, abs=0.5)
    assert success.std() == pytest.approx(np.sqrt(40 * 0.25 * 0.75), rel=0.15)
    means = np.array([each.cells["mean_ln_spend_gave_up"].iloc[0] for each in many])
    assert means.std() == pytest.approx(1.2 / np.sqrt(20), rel=0.2)
    counts = np.array([each.counts["n_success"].iloc[0] for each in many])
    assert counts.std() == pytest.approx(np.sqrt(100 * 0.3 * 0.7), rel=0.15)
    scores = np.array([each.scores["score"].iloc[0] for each in many])
    assert scores.std() == pytest.approx(0.05, rel=0.15)


def test_the_same_seed_draws_the_same(seen: Observations) -> None:
    assert resampled(seen, 5).hash == resampled(seen, 5).hash != resampled(seen, 6).hash


def test_nothing_seen_stays_nothing() -> None:
    assert pd.concat([resampled(Observations(), 0).cells]).empty


@pytest.mark.slow
def test_mixes_of_drawn_results_are_gathered(tmp_path: Path) -> None:
    (tmp_path / "catalogue.toml").write_text(CATALOGUE)
    (tmp_path / "cells.csv").write_text(CELLS)
    catalogue = read_catalogue(tmp_path / "catalogue.toml")
    found = stability_over_observations(
        Question(small_menu(), {"usd": 20_000.0, "staff_hours": 150.0}),
        catalogue,
        read_observations([tmp_path / "cells.csv"], catalogue),
        resamples=2,
        draws=200,
        tune=300,
    )
    assert found.n_mixes == 2
    assert found.evals["included"].to_dict() == {"ctf": 1.0}
