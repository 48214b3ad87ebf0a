"""Spends and caps of logs: one meter for both, and a line for whatever moved one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalfolio.readers import ImportResult, read_inspect_logs

WriteLog = Callable[..., Path]
MODEL, JUDGE = "openai/gpt-4o-mini", "lab/judge"


def used(total: int, model: str = MODEL, **more: Any) -> dict[str, Any]:
    kinds = {"input_tokens": total - total // 5, "output_tokens": total // 5}
    return {model: {**kinds, "total_tokens": total, **more}}


def sample(value: object = "C", total: int = 1000, **more: Any) -> dict[str, Any]:
    return {"scores": {"match": {"value": value}}, "model_usage": used(total), **more}


def said(result: ImportResult, words: str) -> str:
    """The one note with these words."""
    notes = [note for note in result.notes if words in note]
    assert len(notes) == 1, result.notes
    return notes[0]


@pytest.mark.parametrize(
    ("given", "tokens"),
    [
        ({"planned": 1}, 7_300_000),
        ({"planned": 79}, None),
        ({"planned": 79, "config": {"limit": 1}}, 7_300_000),
        ({"planned": 79, "config": {"limit": 2}}, None),
        ({"planned": 79, "config": {"sample_id": "a"}}, 7_300_000),
        ({"planned": 79, "config": {"sample_id": ["a", "b"]}}, None),
        ({"planned": 1, "config": {"epochs": 4}}, None),
    ],
)
def test_only_a_sample_planned_alone_takes_the_logs_total(
    write_log: WriteLog, given: dict[str, Any], tokens: float | None
) -> None:
    lone = {"scores": {"match": {"value": "C"}}}
    log = write_log([lone], usage=used(7_300_000), **given)
    result = read_inspect_logs(log, cap=1e7)
    spend = result.runs["spend"].iloc[0]
    if tokens:
        assert spend == tokens
    else:
        assert spend != spend
        note = said(result, "have no usage of their own")
        assert "1 runs" in note
        assert "ctf 1 in log.eval" in note
        assert "the log's total is not given to them" in note


def test_a_retried_sample_does_not_take_what_its_failed_attempts_used(write_log: WriteLog) -> None:
    retry = {"message": "gone", "traceback": "", "traceback_ansi": ""}
    lone = {"scores": {"match": {"value": "C"}}, "error_retries": [retry]}
    result = read_inspect_logs(write_log([lone], usage=used(9000)), cap=1e7)
    assert result.runs["spend"].isna().all()


def judged(role: str | None, **more: Any) -> dict[str, Any]:
    usage = used(1000, total_cost=0.01) | used(9000, JUDGE, total_cost=0.4)
    roles = {role: usage[JUDGE]} if role else {}
    return sample(model_usage=usage, role_usage=roles, **more)


@pytest.mark.parametrize("role", ["grader", "judge", None])
def test_spend_is_what_the_token_limit_metered(write_log: WriteLog, role: str | None) -> None:
    meter = {"token_limit": 3000, "token_limit_type": "all", "token_limit_usage": 1000}
    result = read_inspect_logs(write_log([judged(role, **meter)], config={"token_limit": 3000}))
    run = result.runs.iloc[0]
    assert (run["spend"], run["cap"], run["tokens"]) == (1000, 3000, 10_000)
    if role is None:
        assert "1,000 of 10,000 tokens" in said(result, "spent what their token limit metered")
    else:
        assert said(result, "were scored by AI models: what that used is paid and not spent")


def test_without_a_meter_the_ai_model_under_test_alone_cannot_have_passed_its_cap(
    write_log: WriteLog,
) -> None:
    log = write_log([judged(None)], config={"token_limit": 3000})  # as logs of 2025 keep it
    result = read_inspect_logs(log)
    assert result.runs[["spend", "cap"]].to_numpy().tolist() == [[1000, 3000]]
    assert "first: ctf 1 in log.eval" in said(result, "the usage of the AI model under test alone")


def test_a_scorer_may_name_its_role_or_model(write_log: WriteLog) -> None:
    scorers = [{"name": "rubric", "options": {"model_role": "critic"}}]
    log = write_log([judged("critic")], scorers=scorers)
    assert read_inspect_logs(log).runs["spend"].tolist() == [1000]
    scorers = [{"name": "rubric", "options": {"model": JUDGE}}]
    log = write_log([judged(None)], "named.eval", scorers=scorers)
    run = read_inspect_logs(log).runs.iloc[0]
    assert (run["spend"], run["grader_tokens"]) == (1000, 9000)


def test_further_models_in_no_role_are_named(write_log: WriteLog) -> None:
    result = read_inspect_logs(write_log([judged("helper")]))
    assert result.runs["spend"].tolist() == [10_000]
    assert said(result, "used further AI models in no role of scoring")


def test_a_cost_limit_of_the_log_is_held_against_the_logs_own_meter(write_log: WriteLog) -> None:
    limit = {"type": "cost", "limit": 2.0}
    log = write_log(
        [
            sample(model_usage=used(300_000, total_cost=1.1)),
            sample("I", model_usage=used(300_000, total_cost=2.01), limit=limit),
        ],
        config={"cost_limit": 2.0},
    )
    result = read_inspect_logs(log, spend="usd")
    assert result.runs["outcome"].tolist() == ["success", "stopped_by_cap"]
    assert result.runs["spend"].tolist() == [1.1, 2.01]
    assert result.runs["cap"].tolist() == [2.0, 2.0]
    note = said(result, "more than 10% above or below the price table")
    assert "first: ctf 1 in log.eval, 1.1 against" in note
    assert "counts for 2 of them" in note


def test_without_a_cost_limit_the_price_table_counts_and_differences_are_said(
    write_log: WriteLog,
) -> None:
    near, far = 1_000_000 * (0.8 * 0.15 + 0.2 * 0.6) / 1e6 * 1.05, 3.0
    log = write_log([sample(model_usage=used(1_000_000, total_cost=c)) for c in (near, far)])
    result = read_inspect_logs(log, spend="usd")
    assert result.runs["spend"].tolist() == pytest.approx([0.24, 0.24])
    note = said(result, "more than 10%")
    assert note.startswith("1 runs cost by the log")
    assert "3 against 0.24 usd" in note


def test_a_cost_limit_whose_meter_is_not_kept(write_log: WriteLog) -> None:
    limit = {"type": "cost", "limit": 1.0}
    log = write_log(
        [sample("I", limit=limit), sample("I", total=9_000_000), sample("I")],
        config={"cost_limit": 1.0},
    )
    result = read_inspect_logs(log, spend="usd")
    assert result.runs["outcome"].tolist() == ["stopped_by_cap", "gave_up", "gave_up"]
    assert result.runs["spend"].tolist() == pytest.approx([1.0, 1.0, 0.00024])
    assert set(result.runs["cap"]) == {1.0}
    assert said(result, "have their cost limit for spend").startswith("2 runs")


def test_a_helper_that_costs_nothing_costs_nothing(write_log: WriteLog) -> None:
    usage = used(100, "acme/big", total_cost=0.5) | used(50, "ollama/helper", total_cost=0.0)
    usage |= used(1_000_000)
    log = write_log([sample(model_usage=usage)], model="acme/big")
    run = read_inspect_logs(log, spend="usd").runs.iloc[0]
    assert run["spend"] == pytest.approx(0.5 + 0.24)


@pytest.mark.parametrize(
    ("config", "working", "total", "spend", "cap"),
    [
        ({}, -5.0, 120.0, 120, None),
        ({}, 0.0, 120.0, 120, None),
        ({}, None, 120.0, 120, None),
        ({}, 600.0, 120.0, 120, None),
        ({"working_limit": 1800}, -5.0, 120.0, 120, 1800),
        ({"working_limit": 1800}, 60.0, 120.0, 60, 1800),
        ({"time_limit": 1800}, 60.0, 120.0, 120, 1800),
        ({"time_limit": 1800, "working_limit": 600}, 60.0, 120.0, 60, 600),
        ({"time_limit": 600, "working_limit": 1800}, 60.0, 120.0, 120, 600),
    ],
)
def test_hours_are_those_the_limit_is_on(
    write_log: WriteLog,
    config: dict[str, Any],
    working: float | None,
    total: float,
    spend: float,
    cap: float | None,
) -> None:
    log = write_log([sample(working_time=working, total_time=total)], config=config)
    result = read_inspect_logs(log, spend="hours")
    run = result.runs.iloc[0]
    assert run["spend"] == pytest.approx(spend / 3600)
    if cap:
        assert run["cap"] == pytest.approx(cap / 3600)
    if spend == total:
        limited = "time_limit" in config
        words = "spend is total time" if limited else "no working time that can be"
        assert "first: ctf 1 in log.eval" in said(result, words)


def test_a_stop_far_below_the_cap_is_said(write_log: WriteLog) -> None:
    log = write_log(
        [sample("I", limit={"type": "token", "limit": 1000})], config={"token_limit": 9000}
    )
    result = read_inspect_logs(log)
    assert result.runs["outcome"].tolist() == ["stopped_otherwise"]
    assert "first: ctf 1 in log.eval" in said(result, "at less than half of their cap")


def test_what_was_paid_beyond_the_runs_is_said_with_both_figures(write_log: WriteLog) -> None:
    retry = {"message": "gone", "traceback": "", "traceback_ansi": ""}
    log = write_log(
        [sample(total=200), sample(total=4000, error_retries=[retry, retry])],
        usage=used(12_200),
    )
    note = said(read_inspect_logs(log), "paid for 12,200 tokens and their runs explain 4,200")
    assert "2 retries" in note
    assert "multiply usd_per_unit by 2.9" in note
    gone: dict[str, Any] = {
        "error": {"message": "gone", "traceback": "", "traceback_ansi": ""},
        "scores": {},
    }
    failed = write_log([sample(total=200), sample(**gone)], "failed.eval", usage=used(1200))
    said(read_inspect_logs(failed), "paid for 1,200 tokens and their runs explain 200")
    unknown = [sample(total=200), {"scores": {"match": {"value": "C"}}}]
    part = read_inspect_logs(write_log(unknown, "part.eval", usage=used(9000)))
    assert not any("multiply" in note for note in part.notes)  # of one run nobody knows
    whole = write_log([sample(total=200)], "whole.eval", usage=used(200))
    assert not any("paid for" in note for note in read_inspect_logs(whole).notes)


def test_tokens_below_zero_are_not_recorded(write_log: WriteLog) -> None:
    odd = sample(model_usage={MODEL: {"input_tokens": -5, "output_tokens": 10, "total_tokens": 5}})
    result = read_inspect_logs(write_log([sample(), odd]))
    assert result.runs["spend"].isna().tolist() == [False, True]
    assert "first: ctf 2" in said(result, "no recorded tokens")


def test_a_log_without_samples_and_a_clock_that_is_wrong_are_said(write_log: WriteLog) -> None:
    result = read_inspect_logs(write_log([]))
    assert "1 logs hold no samples (first: log.eval)" in said(result, "hold no samples")
    log = write_log([sample(working_time=1e9, total_time=1e9)], "long.eval")
    assert said(read_inspect_logs(log, spend="hours"), "more than a year").startswith("1 runs")


def test_answers_from_a_cache_are_pointed_out(write_log: WriteLog) -> None:
    epochs = [sample(id="t", epoch=1), sample(id="t", epoch=2, total=20), sample(id="u")]
    note = said(read_inspect_logs(write_log(epochs)), "are no independent attempts")
    assert note.startswith("1 runs used less than 5%")
    failed = [sample(id="t", epoch=1), sample("I", id="t", epoch=2, total=20)]
    log = write_log(failed, "failed.eval")
    assert not any("independent" in note for note in read_inspect_logs(log).notes)
