"""All public logs, against whole reads by inspect_ai itself."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalfolio.readers import ImportResult, read_inspect_logs


@pytest.fixture(scope="module")
def result(public_logs: list[Path]) -> ImportResult:
    return read_inspect_logs(public_logs[0].parent, workers=1)


@pytest.fixture(scope="module")
def whole_logs(public_logs: list[Path]) -> dict[str, Any]:
    from inspect_ai.log import read_eval_log

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # inspect_ai warns of fields long renamed in old logs
        return {str(path): read_eval_log(str(path)) for path in public_logs}


def test_every_log_is_read(result: ImportResult, public_logs: list[Path]) -> None:
    assert len(public_logs) == 15
    assert result.errors.empty
    assert result.counts["log"].tolist() == [str(p) for p in public_logs]
    assert len(result.runs) == 154


def test_counts_are_those_of_whole_reads(result: ImportResult, whole_logs: dict[str, Any]) -> None:
    from inspect_ai.scorer import value_to_float

    to_float = value_to_float()
    for row in result.counts.to_dict("records"):
        log = whole_logs[row["log"]]
        scores = [to_float(s.scores[row["scorer"]].value) for s in log.samples]
        usage = log.stats.model_usage.values()
        assert row["samples"] == len(log.samples) == log.results.completed_samples
        assert row["successes"] == sum(score == 1 for score in scores)
        assert row["limits"] == sum(s.limit is not None for s in log.samples)
        assert row["errored"] == sum(s.error is not None for s in log.samples)
        assert row["status"] == log.status
        told = [row["tokens"], row["input_tokens"], row["output_tokens"]]
        told = [0 if pd.isna(t) else t for t in told]
        assert told == [
            sum(u.total_tokens for u in usage),
            sum(u.input_tokens for u in usage),
            sum(u.output_tokens for u in usage),
        ]
        assert (
            row["successes"]
            + row["gave_up"]
            + row["stopped_by_cap"]
            + row["stopped_otherwise"]
            + row["excluded"]
            == row["samples"]
        )


def test_tokens_of_samples_are_those_of_whole_reads(
    result: ImportResult, whole_logs: dict[str, Any]
) -> None:
    runs = result.runs.set_index(["log", "task", "epoch"])["tokens"]
    compared = 0
    for name, log in whole_logs.items():
        for sample in log.samples:
            tokens = sum(u.total_tokens for u in sample.model_usage.values())
            if tokens:
                assert runs[name, str(sample.id), sample.epoch] == tokens
                compared += 1
    assert compared == 151  # log_formats (two files) and the hard-coded model have none


def test_inspects_own_accuracy_comes_out(result: ImportResult, whole_logs: dict[str, Any]) -> None:
    checked = 0
    for log, metrics in zip(result.counts["log"], result.counts["metrics"], strict=True):
        accuracy = json.loads(metrics).get("accuracy")
        runs = result.runs[result.runs["log"] == log]
        if accuracy is not None and whole_logs[log].eval.config.epochs in (None, 1):
            assert runs["score"].mean() == pytest.approx(accuracy)
            checked += 1
    assert checked >= 11


def test_usage_kept_only_in_the_header_is_the_lone_samples(result: ImportResult) -> None:
    runs = result.runs[result.runs["log"].str.contains("log_formats")]
    assert runs["tokens"].tolist() == [68.0, 68.0]


def test_one_run_in_two_formats_counts_once(result: ImportResult) -> None:
    runs = result.runs[result.runs["log"].str.contains("log_formats")]
    assert runs["outcome"].tolist() == ["gave_up", "excluded"]
    assert runs["reason"].iloc[1].startswith("duplicate of a sample in")
    assert result.counts["duplicates"].sum() == 1


def test_the_cost_of_a_cached_run_is_priced_by_kind(result: ImportResult) -> None:
    runs = result.runs[result.runs["eval"] == "oxdna_simple"]
    # Claude Opus 4.1: 15 in, 75 out, 1.5 read, 18.75 written, in USD per million tokens.
    usd = (609 * 15 + 10_660 * 75 + 239_400 * 1.5 + 27_692 * 18.75) / 1e6
    assert runs["usd"].sum() == pytest.approx(usd, rel=1e-12)
    assert runs["spend"].sum() == 278_361
    assert runs["cap"].tolist() == [8_000_000.0] * 6
    assert sorted(runs["attempt"]) == [1, 2, 3, 4, 5, 6]


def test_cached_tokens_inside_old_openai_input_are_not_paid_twice(result: ImportResult) -> None:
    run = result.runs[result.runs["eval"] == "browser"].iloc[0]
    usd = ((15_235 - 9_088) * 0.15 + 9_088 * 0.075 + 281 * 0.60) / 1e6
    assert run["usd"] == pytest.approx(usd, rel=1e-12)


def test_what_a_reader_must_know_is_told(result: ImportResult) -> None:
    told = str(result)
    for words in (
        "154 runs of 9 evals from 15 files",
        "ollama/gemma3",
        "have no recorded tokens",
        "had no cap on tokens",
        "spend includes the grading",
        "occur more than once, in another log",
    ):
        assert words in told


def test_the_runs_are_observations(result: ImportResult, tmp_path: Path) -> None:
    from evalbayes.observations.files import read_rows
    from evalbayes.observations.runs import refuse_shared, runs_of

    for name in ("obs.csv", "obs.csv.gz", "obs.parquet"):
        (rows,) = read_rows(result.write(tmp_path / name))
        runs = runs_of(rows)
        refuse_shared(runs)
        assert (runs["outcome"] == "success").sum() == 125
        assert runs["spend"].sum() == result.runs["spend"].sum()


def test_spend_may_be_usd_or_hours(public_logs: list[Path]) -> None:
    log = next(p for p in public_logs if p.name == "metr_hawk__small.eval")
    usd = read_inspect_logs(log, spend="usd")
    hours = read_inspect_logs(log, spend="hours")
    assert usd.runs["spend"].equals(usd.runs["usd"])
    assert set(usd.runs["spend_unit"]) == {"usd"}
    assert set(hours.runs["spend_unit"]) == {"hours"}
    assert hours.runs["spend"].sum() == pytest.approx(hours.runs["working_hours"].sum())
    assert set(usd.runs["cap_from"]) == {"largest spend"}
