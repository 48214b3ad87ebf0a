"""How samples of logs ended: what is no failure of capability, and what a score means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalfolio.readers import ImportResult, read_inspect_logs

WriteLog = Callable[..., Path]
MODEL = "openai/gpt-4o-mini"
ERROR = {"message": "sandbox gone", "traceback": "", "traceback_ansi": ""}


def sample(value: object = "I", out: int = 200, thought: int = 0, **more: Any) -> dict[str, Any]:
    kinds = {"input_tokens": 800, "output_tokens": out, "total_tokens": 800 + out}
    return {
        "scores": {"match": {"value": value}},
        "model_usage": {MODEL: {**kinds, "reasoning_tokens": thought}},
        **more,
    }


def answer(text: str, stop: str, tool: str | None = None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if tool:
        message["tool_calls"] = [{"id": "1", "function": tool, "arguments": {}}]
    choice = {"message": message, "stop_reason": stop}
    return {"output": {"model": MODEL, "choices": [choice]}}


def said(result: ImportResult, words: str) -> str:
    notes = [note for note in result.notes if words in note]
    assert len(notes) == 1, result.notes
    return notes[0]


@pytest.mark.parametrize("ending", ["eval", "json"])
@pytest.mark.parametrize(
    ("given", "config", "outcome", "note"),
    [
        (sample(out=0), {}, "spurious", "no output at all"),
        (sample(out=0, **answer("", "max_tokens")), {}, "stopped_otherwise", "cut off"),
        (sample(out=4096, thought=4096, **answer("", "max_tokens")), {}, "stopped_otherwise",
         "cut off"),
        (sample(out=50, thought=50, **answer("", "stop")), {}, "spurious", "no output at all"),
        (sample(out=4096, **answer("The key is", "max_tokens")), {"max_tokens": 4096},
         "stopped_otherwise", "cut off"),
        (sample(out=0, **answer("", "content_filter")), {}, "spurious", "refusals"),
        (sample(out=0, **answer("7", "stop")), {}, "gave_up", None),  # output not counted
        (sample(out=0, **answer("", "tool_calls", "bash")), {}, "gave_up", None),
        (sample(out=90, thought=90, **answer("7", "stop")), {}, "gave_up", None),
        (sample("C", out=0), {}, "success", None),
    ],
)  # fmt: skip
def test_a_failure_of_set_up_is_no_lack_of_capability(
    write_log: WriteLog,
    ending: str,
    given: dict[str, Any],
    config: dict[str, Any],
    outcome: str,
    note: str | None,
) -> None:
    log = write_log([given], f"log.{ending}", model_generate_config=config)
    result = read_inspect_logs(log)
    assert result.runs["outcome"].tolist() == [outcome]
    if note:
        assert f"first: ctf 1 in log.{ending}" in said(result, note)


@pytest.mark.parametrize("ending", ["eval", "json"])
def test_without_a_usage_the_output_itself_tells(write_log: WriteLog, ending: str) -> None:
    bare = {"scores": {"match": {"value": "I"}}}
    log = write_log([bare, {**bare, **answer("7", "stop")}], f"log.{ending}")
    assert read_inspect_logs(log, cap=100).runs["outcome"].tolist() == ["spurious", "gave_up"]


@pytest.mark.parametrize(
    ("reason", "outcome", "note"),
    [
        ("refusal", "spurious", "refusals by the log's word"),
        ("invalid_response_format", "spurious", "answers in a format nobody reads"),
        ("grader_failed", "excluded", "excluded: grading failed"),
        ("scoring_failed", "excluded", "excluded: grading failed"),
    ],
)
def test_the_reason_the_log_gives_a_score_counts(
    write_log: WriteLog, reason: str, outcome: str, note: str
) -> None:
    scores = {"match": {"value": "I", "reason": reason}}
    result = read_inspect_logs(write_log([{**sample(), "scores": scores}]))
    assert result.runs["outcome"].tolist() == [outcome]
    assert said(result, note)


def test_an_errored_sample_keeps_the_score_the_log_gave_it(write_log: WriteLog) -> None:
    samples = [sample("C", error=ERROR), sample(error=ERROR), {"error": ERROR}]
    result = read_inspect_logs(write_log(samples))
    assert result.runs["outcome"].tolist() == ["success", "stopped_otherwise", "excluded"]
    assert said(result, "were scored all the same").startswith("2 samples")
    assert said(result, "excluded: errored").startswith("1 samples")


def test_unscored_samples_at_a_limit_are_stopped_there(write_log: WriteLog) -> None:
    def at(kind: str) -> dict[str, Any]:
        given = sample(limit={"type": kind, "limit": 1000})
        return {**given, "scores": None}

    log = write_log(
        [at("token"), at("cost"), at("message"), sample()], config={"token_limit": 1000}
    )
    result = read_inspect_logs(log)
    assert result.runs["outcome"].tolist() == [
        "stopped_by_cap", "stopped_otherwise", "stopped_otherwise", "gave_up",
    ]  # fmt: skip
    note = said(result, "unscored samples hit a limit")
    assert note.startswith("3 unscored")
    assert "1 by their cap" in note


def test_scores_that_are_no_number_are_named(write_log: WriteLog) -> None:
    log = write_log([sample("C"), sample("E"), sample(["C", "I"]), sample(float("nan"))])
    result = read_inspect_logs(log)
    assert result.runs["reason"].tolist() == ["", *["score is no number"] * 2, "unscored"]
    note = said(result, "scores that are no number")
    assert note.startswith("2 samples")
    assert "ctf 2 in log.eval, 'E'" in note


def test_one_entry_of_a_list_of_scores_may_be_asked_for(write_log: WriteLog) -> None:
    log = write_log([sample(["C", "I"]), sample(["I", "C"])])
    assert "['C', 'I']" in said(read_inspect_logs(log), "scores that are no number")
    runs = read_inspect_logs(log, scorer="match.1").runs
    assert runs["outcome"].tolist() == ["gave_up", "success"]


def test_words_are_read_where_they_are_meant(write_log: WriteLog) -> None:
    words = ["CORRECT", "incorrect", "pass", "Failed", "85%", "1/2", "a", ""]
    runs = read_inspect_logs(write_log([sample(word) for word in words])).runs
    assert runs["score"].tolist()[:6] == [1, 0, 1, 0, 0.85, 0.5]
    assert runs["score"].isna().tolist()[6:] == [True, True]
