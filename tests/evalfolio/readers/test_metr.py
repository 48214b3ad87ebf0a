from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalbayes.errors import InputError
from evalfolio.readers import read_metr_runs

HOUR = 3_600_000  # METR's times are in milliseconds
START = 1_735_689_600_000  # 2025-01-01


def row(**given: Any) -> dict[str, Any]:
    return {
        "task_id": "hcast/one",
        "task_family": "hcast",
        "run_id": "r",
        "alias": "Model A",
        "score_binarized": 0,
        "score_cont": 0.2,
        "fatal_error_from": None,
        "human_minutes": 30.0,
        "task_source": "HCAST",
        "generation_cost": 1.5,
        "tokens_count": 1000,
        "time_limit": 3600.0,
        "started_at": START,
        "completed_at": START + HOUR // 2,
        **given,
    }


def write(folder: Path, *rows: dict[str, Any] | str) -> Path:
    file = folder / "runs.jsonl"
    lines = [r if isinstance(r, str) else json.dumps(r) for r in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("given", "spend", "outcome"),
    [
        ({"score_binarized": 1}, "hours", "success"),
        ({}, "hours", "gave_up"),
        ({"fatal_error_from": "usageLimits"}, "hours", "stopped_otherwise"),
        ({"fatal_error_from": "usageLimits", "completed_at": START + HOUR}, "hours",
         "stopped_by_cap"),
        ({"fatal_error_from": "usageLimits", "completed_at": START + HOUR}, "usd",
         "stopped_otherwise"),
        ({"fatal_error_from": "usageLimits", "score_binarized": 1}, "hours", "success"),
        ({"fatal_error_from": "agent"}, "hours", "spurious"),
        ({"fatal_error_from": "server"}, "hours", "excluded"),
        ({"fatal_error_from": "serverOrTask"}, "tokens", "excluded"),
        ({"alias": "human"}, "hours", "excluded"),
        ({"score_binarized": None, "score_cont": None}, "hours", "excluded"),
    ],
)  # fmt: skip
def test_how_a_run_ended(tmp_path: Path, given: dict[str, Any], spend: str, outcome: str) -> None:
    result = read_metr_runs(write(tmp_path, row(**given)), spend=spend)
    assert result.runs["outcome"].tolist() == [outcome]


@pytest.mark.parametrize(("spend", "value"), [("hours", 0.5), ("usd", 1.5), ("tokens", 1000.0)])
def test_spend_is_what_was_asked_for(tmp_path: Path, spend: str, value: float) -> None:
    run = read_metr_runs(write(tmp_path, row()), spend=spend).runs.iloc[0]
    assert (run["spend"], run["spend_unit"]) == (value, spend)
    assert run["cap"] == (1.0 if spend == "hours" else value)
    assert (run["eval"], run["task"], run["ai_model"]) == ("hcast", "hcast/one", "Model A")
    assert (run["human_minutes"], run["score"], run["date"]) == (30.0, 0.2, "2025-01-01")


def test_zero_means_not_recorded(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        row(generation_cost=0, tokens_count=0, human_minutes=0),
        row(generation_cost=2.0, started_at=0, completed_at=0),
    )
    usd = read_metr_runs(file, spend="usd")
    assert usd.runs["spend"].isna().tolist() == [True, False]
    assert usd.runs[["tokens", "human_minutes", "hours"]].isna().to_numpy().tolist() == [
        [True, True, False], [False, False, True],
    ]  # fmt: skip
    assert any("1 runs have no recorded usd" in note for note in usd.notes)


def test_waiting_past_the_time_limit_is_no_spend(tmp_path: Path) -> None:
    run = read_metr_runs(write(tmp_path, row(completed_at=START + 40 * HOUR))).runs.iloc[0]
    assert (run["spend"], run["cap"], run["hours"]) == (1.0, 1.0, 40.0)


def test_a_threshold_or_a_rule_may_replace_metrs(tmp_path: Path) -> None:
    file = write(tmp_path, row(), row(score_cont=0.9))
    for rule in (0.5, {"hcast": 0.5}, lambda score: score > 0.5):
        runs = read_metr_runs(file, success=rule).runs
        assert runs["outcome"].tolist() == ["gave_up", "success"]


def test_a_missing_family_is_read_from_the_task(tmp_path: Path) -> None:
    bare = {k: v for k, v in row().items() if k not in ("task_family", "alias")}
    runs = read_metr_runs(write(tmp_path, {**bare, "model": "m"}), evals={"hcast": "HCAST"}).runs
    assert runs[["eval", "ai_model"]].to_numpy().tolist() == [["HCAST", "m"]]


def test_repeats_of_a_task_are_numbered(tmp_path: Path) -> None:
    file = write(tmp_path, *(row(run_id=n, alias=f"Model {ai}") for n, ai in enumerate("AABA")))
    assert read_metr_runs(file).runs["attempt"].tolist() == [1, 2, 1, 3]


def test_a_broken_line_is_one_row_of_the_error_table(tmp_path: Path) -> None:
    file = write(tmp_path, row(), '{"task_id": ', "", "[1]", row())
    result = read_metr_runs(file)
    assert len(result.runs) == 2
    assert [log.rsplit(":", 1)[1] for log in result.errors["log"]] == ["2", "4"]
    with pytest.raises(InputError, match="line 2 cannot be read"):
        read_metr_runs(file, strict=True)


def test_files_may_be_gzipped_or_csv_and_several(tmp_path: Path) -> None:
    packed = tmp_path / "runs.jsonl.gz"
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.write(json.dumps(row()) + "\n")
    table = tmp_path / "runs.csv"
    pd.DataFrame([row(completed_at="2025-01-01T00:30:00Z", started_at="2025-01-01")]).to_csv(
        table, index=False
    )
    result = read_metr_runs([packed, table])
    assert result.runs["hours"].tolist() == [0.5, 0.5]
    assert result.counts["samples"].tolist() == [1, 1]


@pytest.mark.parametrize("column", ["task_id", "score_binarized"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    bare = {k: v for k, v in row().items() if k != column}
    with pytest.raises(InputError, match=f"must have the column {column}"):
        read_metr_runs(write(tmp_path, bare))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("runs.jsonl", b"\xc3\x28"),
        ("runs.jsonl.gz", b"no gzip"),
    ],
)
def test_a_file_that_is_no_run_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: must be JSON lines or CSV that can be read"):
        read_metr_runs(tmp_path / name)


def test_arguments_out_of_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="spend must be"):
        read_metr_runs(write(tmp_path, row()), spend="days")
    with pytest.raises(InputError, match="must be a run file that exists"):
        read_metr_runs(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="cap must be a number above 0, got 0"):
        read_metr_runs(write(tmp_path, row()), cap=0)
    with pytest.raises(InputError, match="No METR run file"):
        read_metr_runs([])


def test_the_public_runs_are_read_under_their_tidied_names(data: Path, tmp_path: Path) -> None:
    from evalbayes.observations.files import read_rows
    from evalbayes.observations.runs import refuse_shared, runs_of

    source = pd.read_csv(data / "metr_runs.csv.gz")
    result = read_metr_runs(data / "metr_runs.csv.gz")
    outcomes = result.runs["outcome"]
    assert len(result.runs) == len(source) == 5036
    assert outcomes.eq("success").sum() == source["success"].sum()
    stopped = source["stopped_by_limit"] & source["success"].eq(0)
    assert outcomes.isin(["stopped_by_cap", "stopped_otherwise"]).sum() == stopped.sum()
    assert result.runs["eval"].nunique() == 36
    (rows,) = read_rows(result.write(tmp_path / "metr.csv.gz"))
    refuse_shared(runs_of(rows))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n1,2\n1,2,3\n", "row 3: must have no more cells than the first row"),
        (b"", "must have the names of its columns in the first row"),
        (b"a,b\n", "must hold at least one run, got none"),
    ],
)
def test_a_table_that_is_no_run_file_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "runs.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_metr_runs(tmp_path / "runs.csv")
