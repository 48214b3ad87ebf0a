"""METR rows as people really have them: units, nulls, people, copies, and what cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalbayes.errors import InputError
from evalfolio.readers import ImportResult, metr, read_metr_runs

HOUR = 3_600_000
START = 1_756_000_000_000  # 2025-08-24, in milliseconds


def row(**cells: Any) -> dict[str, Any]:
    return {
        "task_id": "fam/1", "task_family": "fam", "run_id": 1, "alias": "Opus", "model": "opus-4",
        "score_binarized": 0, "score_cont": 0.0, "human_minutes": 30.0, "started_at": START,
        "completed_at": START + HOUR, "generation_cost": 1.5, "tokens_count": 1000,
        "time_limit": 28800, "fatal_error_from": None, "task_source": "HCAST", **cells,
    }  # fmt: skip


def write(folder: Path, *rows: dict[str, Any] | str, name: str = "runs.jsonl") -> Path:
    file = folder / name
    file.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n")
    return file


def said(result: ImportResult, words: str) -> str:
    notes = [note for note in result.notes if words in note]
    assert len(notes) == 1, result.notes
    return notes[0]


@pytest.mark.parametrize("unit", [1e-3, 1, 1e3, 1e6])
def test_the_unit_of_times_is_the_one_that_makes_sense(tmp_path: Path, unit: float) -> None:
    times = {"started_at": int(START * unit), "completed_at": int((START + HOUR) * unit)}
    result = read_metr_runs(write(tmp_path, row(), row(**times)))
    assert result.runs["spend"].tolist() == [1.0, 1.0]
    assert set(result.runs["date"]) == {"2025-08-24"}
    notes = [note for note in result.notes if "not in milliseconds" in note]
    assert len(notes) == (0 if unit == 1 else 2)
    for note in notes:
        assert note.startswith("1 values")
        assert "runs.jsonl, line 2" in note


@pytest.mark.parametrize("end", [1e30, -5, 28800, "1969-12-31", "yesterday", [1], True, 10**400])
def test_a_time_that_cannot_be_is_left_empty_and_said(tmp_path: Path, end: object) -> None:
    result = read_metr_runs(write(tmp_path, row(completed_at=end), row()))
    assert result.runs["spend"].isna().tolist() == [True, False]
    assert said(result, "completed_at are no time since 2015").startswith("1 values")


def test_a_run_that_ends_before_it_starts_has_no_hours(tmp_path: Path) -> None:
    result = read_metr_runs(write(tmp_path, row(completed_at=START - 5), row()))
    assert result.runs["spend"].isna().tolist() == [True, False]
    assert "line 1" in said(result, "end before they start")


@pytest.mark.parametrize("limit", [8, 480 / 60])
def test_time_limits_in_hours_are_refused(tmp_path: Path, limit: float) -> None:
    with pytest.raises(InputError, match="time_limit must be in seconds, but half of the runs"):
        read_metr_runs(write(tmp_path, *[row(time_limit=limit)] * 5))


def test_time_limits_in_milliseconds_are_pointed_out(tmp_path: Path) -> None:
    assert said(read_metr_runs(write(tmp_path, row(time_limit=28_800_000 * 2))), "than a year")


@pytest.mark.parametrize("outcome", ["x", [1, 2, 3], 1e16, 0.5, -1, 2, {"a": 1}])
def test_an_outcome_that_cannot_be_read_is_excluded(tmp_path: Path, outcome: object) -> None:
    result = read_metr_runs(write(tmp_path, row(), row(score_binarized=outcome)))
    assert result.runs["outcome"].tolist() == ["gave_up", "excluded"]
    note = said(result, "whose outcome cannot be read")
    assert "runs.jsonl, line 2" in note
    assert repr(outcome)[:20] in note


@pytest.mark.parametrize("won", [1, 1.0, True, "1", "true", "Yes"])
def test_a_success_may_be_written_in_many_ways(tmp_path: Path, won: object) -> None:
    result = read_metr_runs(write(tmp_path, row(score_binarized=won)))
    assert result.runs["outcome"].tolist() == ["success"]


def test_a_continuous_score_alone_is_no_failure(tmp_path: Path) -> None:
    file = write(tmp_path, row(score_binarized=None, score_cont=0.9), row())
    result = read_metr_runs(file)
    assert result.runs["outcome"].tolist() == ["excluded", "gave_up"]
    assert "--success" in said(result, "a continuous score and no binary one")
    assert read_metr_runs(file, success=0.5).runs["outcome"].tolist() == ["success", "gave_up"]


@pytest.mark.parametrize(
    ("cell", "tokens", "words"),
    [
        ("600,000", 600_000, None),
        (None, None, "have no recorded tokens"),
        (float("nan"), None, "have no recorded tokens"),
        ("null", None, "have no recorded tokens"),
        (0, None, "have no recorded tokens"),
        ("1,5", None, "tokens_count are no number"),
        ("600.000", None, "tokens_count are no number"),
        ("many", None, "tokens_count are no number"),
        ([3], None, "tokens_count are no number"),
        (float("inf"), None, "tokens_count are no number"),
        (10**400, None, "tokens_count are no number"),
        (-7, None, "tokens_count are below 0"),
    ],
)
def test_no_number_is_emptied_in_silence(
    tmp_path: Path, cell: object, tokens: float | None, words: str | None
) -> None:
    result = read_metr_runs(write(tmp_path, row(), row(tokens_count=cell)), spend="tokens")
    spend = result.runs["spend"].iloc[1]
    assert spend == tokens or (tokens is None and spend != spend)
    if words:
        assert "runs.jsonl, line 2" in said(result, words)


@pytest.mark.parametrize(
    "who",
    [
        {"alias": "Human Expert"}, {"alias": "human_novice"}, {"alias": "a1", "model": "human"},
        {"alias": "HUMAN"}, {"alias": "Baseliner 3"}, {"alias": "x", "agent": "human"},
    ],
)  # fmt: skip
def test_people_are_no_ai_model(tmp_path: Path, who: dict[str, str]) -> None:
    person = row(**who, score_binarized=1, human_minutes=None, completed_at=START + 2 * HOUR)
    result = read_metr_runs(write(tmp_path, person, row(human_minutes=None), row()))
    assert result.runs["reason"].tolist() == ["human", "", ""]
    assert result.runs["human_minutes"].tolist() == [120, 120, 30]
    assert "human_minutes of 1 tasks" in said(result, "runs by humans are excluded")


def test_runs_in_two_files_count_once(tmp_path: Path) -> None:
    first = write(tmp_path, row(run_id="a"), row(run_id="b"), row(run_id=None), name="1.jsonl")
    last = write(
        tmp_path, row(run_id="a", score_binarized=1), row(run_id="b"), row(run_id=None),
        name="2.jsonl",
    )  # fmt: skip
    result = read_metr_runs([first, last])
    assert result.runs["reason"].tolist() == ["copy", "copy", "", "", "", ""]
    assert result.runs["attempt"].tolist() == [0, 0, 1, 2, 3, 4]
    assert said(result, "stand in a later file too").startswith("2 runs")
    assert said(result, "differ from the copy that counts").startswith("1 of them")


def test_a_row_that_stands_twice_in_a_file_is_one_run(tmp_path: Path) -> None:
    other = row(score_binarized=1)
    result = read_metr_runs(write(tmp_path, row(), row(), other, row(run_id=2), row(run_id=2)))
    assert result.runs["reason"].tolist() == ["copy", "", "", "copy", ""]
    assert said(result, "alike in every column").startswith("2 runs")
    assert said(result, "with a later row that differs").startswith("1 runs")


def test_a_failure_without_a_token_is_one_of_set_up(tmp_path: Path) -> None:
    none = {"tokens_count": 0, "generation_cost": 0}
    rows = [row(), row(run_id=2, **none), row(run_id=3, **{**none, "generation_cost": None})]
    rows.append(row(run_id=4, alias="Old", **none))
    result = read_metr_runs(write(tmp_path, *rows))
    assert result.runs["outcome"].tolist() == ["gave_up", "spurious", "spurious", "gave_up"]
    assert result.runs["reason"].tolist() == ["", "no output", "no output", ""]
    assert said(result, "used no token").startswith("2 failures")
    rows.append(row(run_id=5, score_binarized=1, **none))  # so a zero means not recorded
    assert set(read_metr_runs(write(tmp_path, *rows)).runs["reason"]) == {""}


def test_scores_beyond_their_scale_are_pointed_out(tmp_path: Path) -> None:
    file = write(tmp_path, row(), row(run_id=2, score_binarized=None, score_cont=85))
    assert said(read_metr_runs(file, success=0.5), "lie outside 0..1").startswith("1 continuous")


def test_a_name_twice_in_one_line_is_told(tmp_path: Path) -> None:
    line = json.dumps(row())[:-1] + ', "score_binarized": 1}'
    result = read_metr_runs(write(tmp_path, row(), line))
    assert result.errors["message"].tolist() == ["score_binarized must be told once, got it twice"]


def test_spellings_and_odd_spaces_of_ai_models_are_said(tmp_path: Path) -> None:
    file = write(tmp_path, *(row(alias=a) for a in ("Opus 4", "Opus\u00a04", "opus-4")))
    result = read_metr_runs(file)
    assert result.runs["ai_model"].tolist() == ["Opus 4", "Opus 4", "opus-4"]
    assert "line 2" in said(result, "odd or invisible spaces")
    assert said(result, "Opus 4 and opus-4 look like one AI model")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"task_id": ' + "[" * 20_000 + "]" * 20_000 + "}", "nested too deep"),
        (json.dumps(row(alias="a\ud800")), "control characters, got '\\\\ud800'"),
        (json.dumps(row(task_id="a\u0000")), "task_id must be text without control characters"),
        (json.dumps(row(alias="")), "alias must name an AI model, got ''"),
        (json.dumps(row(alias=None)), "alias must name an AI model, got None"),
        (json.dumps(row(task_id=" ")), "task_id must name a task"),
        (json.dumps(row(task_id=["a"])), "task_id must be text, got \\['a'\\]"),
        ("[1]", "a line must hold one JSON object"),
        ("{", "it is no JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_number(tmp_path: Path, line: str, says: str) -> None:
    file = write(tmp_path, row(), line)
    result = read_metr_runs(file)
    assert len(result.runs) == 1
    assert result.errors["log"].tolist() == [f"{file}:2"]
    with pytest.raises(InputError, match=f"line 2 cannot be read: .*{says}"):
        read_metr_runs(file, strict=True)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("runs.jsonl", b"version https://git-lfs.github.com/spec/v1\noid sha256:b\nsize 5\n",
         "it is a Git LFS pointer"),
        ("runs.json", b'[\n {"task_id": "a"}\n]\n', "it is one JSON array; write it so by: jq"),
        ("runs.json", b'{\n "task_id": "a"\n}\n', "at least one line must be a run"),
        ("runs.jsonl", b"<!DOCTYPE html><html></html>", "it is a web page"),
        ("runs.jsonl", b"", "must hold at least one run, got none"),
        ("runs.jsonl", b'{"a": "' + b"x" * 5_000_000 + b'"}', "line 1: must hold at most 4 MB"),
        ("runs.jsonl.gz", gzip.compress((b" " * 99_999 + b"\n") * 1500, mtime=0),
         "at most 128 MB unpacked"),
        ("runs.jsonl.gz", gzip.compress(b"\n" * 3_000_000, mtime=0), "and 2,000,000 lines"),
        ("runs.jsonl", b"{\n" * 11_000, "at most 10,000 lines that cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_told(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says) as told:
        read_metr_runs(tmp_path / name)
    assert name in str(told.value)


def test_more_runs_than_can_be_held_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metr, "_MOST_ROWS", 3)
    with pytest.raises(InputError, match="must hold at most 3 runs, got more"):
        read_metr_runs(write(tmp_path, *[row()] * 4))


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.just("600,000"), st.just(START),
)  # fmt: skip
MUTATIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(row())), CELLS).map(
            lambda one: json.dumps(row(**dict([one])))
        ),
        st.sampled_from(["{", "[1]", "null", '"a"']),
    ),
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(lines=MUTATIONS, spend=st.sampled_from(["hours", "usd", "tokens"]))
def test_every_row_is_read_excluded_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], spend: str
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    file = write(folder, row(), *lines)
    result = read_metr_runs(file, spend=spend)
    assert len(result.runs) + len(result.errors) == 1 + len(lines)
    excluded = result.runs["outcome"].eq("excluded")
    assert result.runs.loc[excluded, "reason"].ne("").all()
    assert result.runs.loc[~excluded, "cap"].gt(0).all()
    assert not (result.runs["spend"] <= 0).any()
    result.write(folder / "runs.csv")
