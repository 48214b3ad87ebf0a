"""Whatever a log's samples hold, each is read, excluded or refused, and what moved is said."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalbayes.errors import InputError
from evalfolio.readers import ImportResult, read_inspect_logs

CAP = 5_000
SCORES: list[Any] = [
    1, 0, 1.0, 0.5, -1, 2, 1e300, float("nan"), float("inf"), "C", "I", "P", "N", "CORRECT", "pass",
    "19,682", "1,5", "", True, False, ["C"], {"a": 1}, None,
]  # fmt: skip
USES: list[dict[str, int] | None] = [
    {"input_tokens": 800, "output_tokens": 200, "total_tokens": 1000},
    {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
    {"input_tokens": 800, "output_tokens": 0, "total_tokens": 800},
    {"input_tokens": -5, "output_tokens": 10, "total_tokens": 5},
    {"input_tokens": 10**15, "output_tokens": 1, "total_tokens": 10**15 + 1},
    None,
]
MUTATIONS = st.fixed_dictionaries(
    {"score": st.sampled_from(SCORES), "usage": st.sampled_from(USES)},
    optional={
        "id": st.sampled_from([91, "92", "a", "a\u200b", " a ", "x" * 300]),
        "epoch": st.sampled_from([1, 2, 7]),
        "limit": st.sampled_from(["token", "cost", "time", "message", "custom"]),
        "error": st.just("RuntimeError: sandbox gone"),
        "working_time": st.sampled_from([-1.0, 0.0, 60.0, float("nan")]),
        "total_time": st.sampled_from([0.0, 90.0, -3.0]),
        "stop_reason": st.sampled_from(["stop", "max_tokens", "content_filter"]),
    },
)


SAMPLES = st.lists(MUTATIONS, min_size=1, max_size=6)
Made = list[dict[str, Any]]


def write_whole(write_log: Callable[..., Path], made: Made) -> tuple[Path, Made]:
    """Write samples, twins of one id and epoch too, which Inspect's own writer drops.

    Returns the log and the samples in the order they are read: twins last.
    """
    base: dict[tuple[str, int], dict[str, Any]] = {}
    twins: Made = []
    for n, each in enumerate(made, start=1):
        named = {"id": n, **each}
        key = (str(named["id"]), named.get("epoch", 1))
        if key in base:
            twins.append(named)
        else:
            base[key] = named
    config = {"token_limit": CAP}
    log = write_log([sample(each) for each in base.values()], config=config)
    whole = log.with_name("whole.eval")
    with zipfile.ZipFile(whole, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names met twice
        for each in reversed(twins):
            copy_members(write_log([sample(each)], "twin.eval"), archive, "samples/")
        copy_members(log, archive, "")
    return whole, [*base.values(), *twins]


def copy_members(log: Path, archive: zipfile.ZipFile, start: str) -> None:
    with zipfile.ZipFile(log) as given:
        for name in given.namelist():
            if name.startswith(start):
                archive.writestr(name, given.read(name))


def sample(made: dict[str, Any]) -> dict[str, Any]:
    from inspect_ai.log import EvalError, EvalSampleLimit
    from inspect_ai.model import ModelOutput, ModelUsage
    from inspect_ai.scorer import Score

    given = dict(made)
    score, usage, reason = given.pop("score"), given.pop("usage"), given.pop("stop_reason", None)
    if score is not None:
        given["scores"] = {"match": Score(value=score)}
    if usage is not None:
        given["model_usage"] = {"openai/gpt-4o-mini": ModelUsage(**usage)}
    if "limit" in given:
        given["limit"] = EvalSampleLimit(type=given["limit"], limit=CAP)
    if "error" in given:
        given["error"] = EvalError(message=given["error"], traceback="", traceback_ansi="")
    if reason is not None:
        given["output"] = ModelOutput.from_content("openai/gpt-4o-mini", "x", stop_reason=reason)
    return given


def as_plain(made: dict[str, Any], spend: str) -> tuple[str | None, float | None]:
    """Return outcome and spend as anyone would read them; None where more than one reading is."""
    usage, hours = made["usage"], made.get("working_time")
    own = isinstance(made["id"], int) and made["id"] < 90  # another id may be that of a twin
    plain = own and not {"limit", "error", "stop_reason", "epoch"} & set(made)
    outcome = {1: "success", 0: "gave_up"}.get(made["score"]) if plain and number(made) else None
    if spend == "tokens":
        spent = None if usage is None else float(usage["total_tokens"])
    else:
        spent = None if hours is None else hours / 3600
    return outcome, spent


def number(made: dict[str, Any]) -> bool:
    return isinstance(made["score"], int | float) and not isinstance(made["score"], bool)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=SAMPLES, spend=st.sampled_from(["tokens", "hours"]))
def test_every_sample_is_read_excluded_or_refused_and_what_moved_is_said(
    write_log: Callable[..., Path], made: list[dict[str, Any]], spend: str
) -> None:
    file, made = write_whole(write_log, made)
    try:
        result = read_inspect_logs([file], spend=spend)
    except InputError as error:  # the whole log is refused, in one sentence that names it
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert file.name in refusal
        return
    runs = result.runs
    assert len(runs) == len(made)
    assert result.counts["samples"].sum() == len(made)
    excluded = runs["outcome"].eq("excluded")
    assert runs.loc[excluded, "reason"].ne("").all()
    assert not (runs["spend"] <= 0).any()
    moved = [
        (outcome, spent)
        for each, got in zip(made, runs.itertuples(), strict=True)
        for outcome, spent in [as_plain(each, spend)]
        if outcome not in (None, got.outcome)
        or (spent is not None and spent != pytest.approx(got.spend, nan_ok=True))
    ]
    if moved or excluded.any():
        assert told(result) >= max(len(moved), int(excluded.sum())), (moved, result.notes)


def told(result: ImportResult) -> int:
    """Return how many rows the notes speak of; every one must say how many and what first."""
    counted = [re.match(r"(\d[\d,]*)%? ", note) for note in result.notes if "first" in note]
    assert all(counted), result.notes
    return sum(int(found[1].replace(",", "")) for found in counted if found)
