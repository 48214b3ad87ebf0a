"""From the facts of logs to runs and counts: prices, spends, outcomes, copies."""

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from evalfolio.readers.cells import chosen_scorer
from evalfolio.readers.log_header import COLUMNS
from evalfolio.readers.log_notes import notes_on_logs
from evalfolio.readers.outcomes import (
    CapRule,
    EditsOf,
    SuccessRule,
    anchored,
    find_copies,
    numbered_attempts,
    outcomes,
    settle_caps,
    succeeded,
)
from evalfolio.readers.prices import Price, Prices
from evalfolio.readers.result import counts_of_logs, number_or_nan
from evalfolio.readers.settings import check_by, effort_of, named_by, unmet_efforts
from evalfolio.readers.spent import spent, used

Facts = tuple[str, dict[str, Any], pa.Table]
RUN_COLUMNS = (
    *("eval", "task", "ai_model", "outcome", "spend", "spend_unit", "cap", "human_minutes"),
    # so far the columns of an observations file, with these
    *("effort", "attempt", "reviewed", "score", "date"),
    *("cap_from", "spend_from", "epoch", "reason", "error", "limit"),
    *("tokens", *COLUMNS.values(), "grader_tokens", "usd", "usd_reported"),
    *("working_hours", "total_hours", "retries", "scorer", "solver", "reasoning_effort"),
    *("task_args", "tier", "option", "log"),
)
_WORKING_TEXT = ("log_status", "uuid", "sample_key", "meter", "unread", "score_reason", "stop")
_WORKING_NUMBERS = ("usd_table", "human_hours", "edits", "planned", "content")
_CONTENT = ("scores", "usage", "error", "limit", "invalidated")  # what tells copies apart
_FLAGS = ("invalidated", "human", "silent", "other_models", "lone")
_TEXT_COLUMNS = (
    *("eval", "task", "ai_model", "outcome", "spend_unit", "date", "cap_from", "spend_from"),
    *("reason", "error", "limit", "scorer", "solver", "reasoning_effort", "task_args"),
    *("tier", "option", "log", "written", "task_id", *_WORKING_TEXT),
)
_NO_MODEL = ("none", "none/none", "")  # what Inspect writes where a solver needs no AI model
# What runs have as it stands in their log's header, and in their sample.
_OF_HEADER = ("effort", "solver", "reasoning_effort", "human", "written", "planned", "task_id")
_OF_ROW = (
    *("human_minutes", "epoch", "limit", "retries", "error", "invalidated", "silent", "stop"),
    *("edits", "sample_key"),
)
_ROWS_PER_FRAME = 20_000  # plain records are bulky: they become columns by the batch


@dataclass(frozen=True)
class Reading:
    """How facts are to be read; the arguments of `read_inspect_logs`, checked."""

    prices: Prices
    spend: str
    success: SuccessRule
    scorer: str | None
    evals: Mapping[str, str]
    ai_models: Mapping[str, str]
    effort: float | Mapping[str, float] | None
    cap: CapRule
    by: tuple[str, ...]
    keep_duplicates: bool
    edits_of: EditsOf


def runs_of_logs(
    facts: Iterable[Facts], reading: Reading
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Return runs (one row per sample), counts (one row per log) and notes."""
    headers: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    price_of = _PriceOf(reading.prices)
    for log, header, table in facts:
        records += _records(log, header, table, reading, price_of)
        headers.append({**header, "log": log, "samples": table.num_rows})
        if len(records) >= _ROWS_PER_FRAME:
            frames.append(_frame(records))
            records.clear()
    frames += [_frame(records)] if records or not frames else []
    samples = pd.concat(frames, ignore_index=True)
    if not headers:
        return samples[list(RUN_COLUMNS)], pd.DataFrame(columns=["log", "samples"]), ()
    check_by(reading.by, headers)
    success = succeeded(samples["eval"], samples["score"], reading.success)
    samples["again"] = _run_again(samples)
    samples[["outcome", "reason"]] = outcomes(samples, success)
    samples["task"] = _apart(samples)
    before = samples["outcome"].copy()
    copies = find_copies(samples, reading.edits_of)
    if not reading.keep_duplicates and copies.copy.any():
        samples.loc[copies.copy, "reason"] = "duplicate of a sample in " + copies.counted
        samples.loc[copies.copy, "outcome"] = "excluded"
    counting = samples["outcome"].copy()
    samples[["outcome", "reason", "cap", "cap_from"]] = settle_caps(samples, reading.cap)
    people = samples["human"] & success & ~copies.copy
    anchors = anchored(samples, people, samples["human_hours"] * 60)
    anchor = samples["human_minutes"].isna() & anchors.notna()
    samples["human_minutes"] = anchors
    samples["attempt"] = numbered_attempts(samples[~copies.copy]).reindex(
        samples.index, fill_value=0
    )
    counts = counts_of_logs(samples, before, copies.copy, headers)
    notes = notes_on_logs(
        samples.assign(
            success=success, copied=copies.copy, differs=copies.differs, anchored=anchor,
            settled=counting.ne(samples["outcome"]) & samples["outcome"].eq("stopped_otherwise"),
        ),
        counts,
        headers,
        price_of.unknown,
        spend=reading.spend,
        kept=reading.keep_duplicates,
        scorer=reading.scorer,
        default_threshold=reading.success == 1.0,
    )  # fmt: skip
    return samples[list(RUN_COLUMNS)], counts, notes + _unused(reading, headers)


def _unused(reading: Reading, headers: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return what was given for evals, AI models and settings that no log has."""
    evals = {name for header in headers for name in (header["task"], _bare(header["task"]))}
    models = {header["ai_model"] for header in headers}
    given = {
        "log is of": ([name for name in reading.evals if name not in evals], "new names"),
        "log has the AI model": ([n for n in reading.ai_models if n not in models], "new names"),
        "log is of or set to": (
            unmet_efforts(reading.effort, headers) if isinstance(reading.effort, Mapping) else [],
            "efforts",
        ),
    }
    return tuple(
        f"No {what} {', '.join(unmet)}: the {which} given for them are not used."
        for what, (unmet, which) in given.items()
        if unmet
    )


class _PriceOf:
    """Prices by model and day, looked up once each; models without a price are remembered."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._known: dict[tuple[str, str], Price | None] = {}
        self.unknown: set[str] = set()

    def __call__(self, model: str, day: str) -> Price | None:
        key = (model, day)
        if key not in self._known:
            self._known[key] = self._prices.find(model, datetime.date.fromisoformat(day))
        if self._known[key] is None:
            self.unknown.add(model)
        return self._known[key]


def _frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    kinds: dict[str, type] = dict.fromkeys((*RUN_COLUMNS, *_WORKING_NUMBERS), float)
    kinds |= dict.fromkeys(_TEXT_COLUMNS, object) | dict.fromkeys(_FLAGS, bool) | {"epoch": int}
    return pd.DataFrame(records, columns=list(kinds)).astype(kinds)


def _records(
    log: str, header: dict[str, Any], table: pa.Table, reading: Reading, price_of: _PriceOf
) -> list[dict[str, Any]]:
    rows = table.to_pylist()
    scores = [json.loads(row["scores"]) for row in rows]
    names = header["scorers"] = list(dict.fromkeys(name for given in scores for name in given))
    scorer = header["scorer"] = chosen_scorer(names, header["headline"], reading.scorer)
    ours = header["evalfolio"]
    eval_name = _eval_name(header["task"], ours, reading.evals)
    header["eval"] = eval_name + named_by(header, reading.by, "task")
    model = header["ai_model"]
    unnamed = "human" if header["human"] else "" if model in _NO_MODEL else model
    name = reading.ai_models.get(model, unnamed)
    header["named"] = name and name + named_by(header, reading.by, "agent")
    header["effort"] = _effort(eval_name, header, reading.effort)
    lone = len(rows) == 1 and header["planned_alone"] and not rows[0]["retries"]
    of_all = {
        "eval": header["eval"],
        "ai_model": header["named"],
        "spend_unit": reading.spend,
        "scorer": scorer,
        **{key: header[key] for key in _OF_HEADER},
        "task_args": ", ".join(f"{k}={v}" for k, v in header["settings"]["task"].items()) or None,
        "tier": ours.get("tier"),
        "option": ours.get("option"),
        "log": log,
        "log_status": header["status"],
    }
    records = []
    for row, given in zip(rows, scores, strict=True):
        own = json.loads(row["usage"])
        # A sample alone used all there is; what is left of a longer run used no more than a part.
        usage = own or (header["usage"] if lone else {})
        day = (row["started"] or header["created"])[:10]
        taken = used(row, usage, header, day, price_of)
        cost = spent(taken, row, header, reading.spend)
        score = given.get(scorer)
        why = json.loads(row["score_reasons"])
        records.append(
            {
                **of_all,
                **{key: row[key] for key in _OF_ROW},
                "task": row["sample"],
                "spend": cost.spend if cost.spend > 0 else np.nan,
                "cap": cost.cap,
                "meter": cost.meter,
                "spend_from": cost.source or None,
                "score": np.nan if isinstance(score, str) else score,
                "unread": score if isinstance(score, str) else None,
                "score_reason": why.get((scorer or "").split(".", 1)[0]),
                "date": day,
                **taken,
                "working_hours": number_or_nan(row["working_seconds"]) / 3600,
                "total_hours": number_or_nan(row["total_seconds"]) / 3600,
                "human_hours": spent(taken, row, header, "hours").spend,
                "other_models": bool({*usage} - {model, *header["grading_models"]}),
                "lone": bool(not own and header["usage"] and not lone),
                "uuid": row["uuid"] or f"{header['eval_id']}/{row['sample_key']}/{row['epoch']}",
                "content": hash(tuple(row[key] for key in _CONTENT)) % 2**52,
            }
        )  # fmt: skip
    return records


def _effort(
    eval_name: str, header: dict[str, Any], given: float | Mapping[str, float] | None
) -> Any:
    """Return the effort of a log: as given, or as the run settings we exported say."""
    if isinstance(given, Mapping):
        found = effort_of({**header, "eval": eval_name}, given)
        given = found if found is not None else header["evalfolio"].get("effort")
    elif given is None:
        given = header["evalfolio"].get("effort")
    sound = isinstance(given, int | float) and 0 <= given <= 1  # metadata may hold anything
    return given if sound else np.nan


def _bare(task: str) -> str:
    """Return a task's name without its package: inspect_evals/cybench is cybench."""
    return task.rsplit("/", 1)[-1]


def _eval_name(task: str, ours: Mapping[str, Any], evals: Mapping[str, str]) -> str:
    """Return the eval's name: renamed by the caller, as exported by us, or the task's own."""
    bare = _bare(task)
    return str(evals.get(task) or evals.get(bare) or ours.get("eval") or bare)


def _run_again(samples: pd.DataFrame) -> pd.Series:
    """Return which samples were scored after an error, and run again in another log of the task."""
    scored = samples["error"].fillna("").ne("") & samples["score"].notna()
    if not scored.any():
        return scored
    key = pd.MultiIndex.from_frame(
        samples[["task_id", "eval", "ai_model", "sample_key", "epoch"]].astype(str)
    )
    return scored & key.isin(key[samples["error"].fillna("").eq("")])


def _apart(samples: pd.DataFrame) -> pd.Series:
    """Return tasks, a text id in quotes where a log has a number that looks the same."""
    text = samples["sample_key"].str.startswith('"')
    kinds = text.groupby([samples["log"], samples["task"]]).transform("nunique")
    both = pd.MultiIndex.from_frame(samples.loc[kinds > 1, ["eval", "task"]])
    twin = pd.MultiIndex.from_frame(samples[["eval", "task"]]).isin(both) & text
    return samples["task"].where(~twin, samples["sample_key"])
