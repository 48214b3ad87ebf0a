"""METR's run files (`runs.jsonl`) as observations."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.outcome import OVERSHOOT
from evalfolio.readers.broken_log import one_line
from evalfolio.readers.caps import CapRule, check_cap, numbered_attempts, settle_caps
from evalfolio.readers.outcomes import SuccessRule, succeeded
from evalfolio.readers.result import ImportResult

# Other names the same columns go by, once tidied.
_ALIASES = {
    "eval": "task_family",
    "task": "task_id",
    "ai_model": "alias",
    "success": "score_binarized",
    "score": "score_cont",
    "time_limit_seconds": "time_limit",
    "run": "run_id",
    "source": "task_source",
}
_UNREADABLE = (
    *(OSError, EOFError, zlib.error, UnicodeDecodeError),
    *(pd.errors.ParserError, pd.errors.EmptyDataError),
)
_NUMBERS = ("score_binarized", "score_cont", "human_minutes", "generation_cost", "tokens_count")
_SPENDS = ("hours", "usd", "tokens")
_AT_CAP = 0.98  # a stop by a limit at less than this share of the time limit was another limit
# Whose fault ended a run early, as METR notes it; whatever is not listed is excluded.
_STOPPED, _AGENT = "usageLimits", "agent"


def read_metr_runs(
    paths: str | Path | Sequence[str | Path],
    *,
    spend: str = "hours",
    success: SuccessRule | None = None,
    evals: Mapping[str, str] | None = None,
    ai_models: Mapping[str, str] | None = None,
    cap: CapRule = None,
    strict: bool = False,
) -> ImportResult:
    """Read run files with METR's columns, JSON lines or CSV, plain or gzipped.

    Columns used: task_id, alias (or model), score_binarized; where present task_family (the
    eval; else task_id up to the slash), score_cont, human_minutes, started_at and completed_at
    (milliseconds since 1970, or dates) or wall_minutes, time_limit (seconds), generation_cost,
    tokens_count, fatal_error_from or stopped_by_limit, run_id, task_source.

    A cost, token count, time or human time of zero means not recorded. Hours past a time limit
    are waiting, as the limit is on time used: spend ends at the cap (the column `hours` does
    not). Runs by humans are excluded. A run ended by its usage limits is `stopped_by_cap` if
    spend is in hours and reached the time limit, else `stopped_otherwise`; one ended by a fault
    of the agent's own scaffold is `spurious`, by a fault of server or task `excluded`.

    Parameters
    ----------
    paths
        One file or several.
    spend
        Unit of `spend`: "hours" (end minus start, waiting included), "usd" or "tokens".
    success
        Threshold or rule on score_cont; None: METR's own score_binarized.
    evals, ai_models
        New names of task families and models.
    cap
        Cap of the runs without one, or by eval; None: the largest spend of the eval.
    strict
        Whether a line that cannot be read raises; else it is a row of `errors`.

    Raises
    ------
    InputError
        If a file or a needed column is missing, or (strict) a line cannot be read.
    """
    if spend not in _SPENDS:
        raise InputError(f'spend must be "hours", "usd" or "tokens", got {spend!r}.')
    check_cap(cap)
    errors: list[dict[str, str]] = []
    frames = [
        _read(Path(path), errors, strict)
        for path in ([paths] if isinstance(paths, str | Path) else paths)
    ]
    if not frames:
        raise InputError("No METR run file was given.")
    raw = pd.concat(frames, ignore_index=True)
    runs = _runs(raw, spend, success, dict(evals or {}), dict(ai_models or {}))
    runs[["outcome", "reason", "cap", "cap_from"]] = settle_caps(runs, cap)
    runs["attempt"] = numbered_attempts(runs)
    return ImportResult(
        runs,
        pd.DataFrame(errors, columns=["log", "error", "message"]),
        _counts(runs),
        spend,
        _notes(runs, spend),
    )


def _read(path: Path, errors: list[dict[str, str]], strict: bool) -> pd.DataFrame:
    if not path.exists():
        raise InputError(
            f"{path}: must be a run file that exists, but there is none; check its name"
        )
    try:
        if path.name.endswith((".csv", ".csv.gz")):
            frame = pd.read_csv(path)
        else:
            frame = pd.DataFrame(_lines(path, errors, strict))
    except _UNREADABLE as error:
        raise InputError(
            f"{path}: must be JSON lines or CSV that can be read, plain or gzipped, got an error "
            f"({one_line(error)}); write it again"
        ) from error
    renames = {a: b for a, b in _ALIASES.items() if a in frame and b not in frame}
    frame = frame.rename(columns=renames)
    if "alias" not in frame and "model" in frame:
        frame["alias"] = frame["model"]
    for column in ("task_id", "alias", "score_binarized"):
        if column not in frame:
            raise InputError(
                f"{path}: must have the column {column} of METR's run files, got "
                f"{', '.join(map(str, frame.columns)) or 'none'}; give a runs.jsonl, or import "
                "another table by `evalfolio import table`"
            )
    return frame.assign(log=str(path))


def _lines(path: Path, errors: list[dict[str, str]], strict: bool) -> list[dict[str, Any]]:
    records = []
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as file
    ):
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("a line must hold one JSON object")
            except ValueError as error:
                message = f"{path}, line {number} cannot be read: {error}"
                if strict:
                    raise InputError(f"{message}; mend or remove the line.") from error
                where = f"{path}:{number}"
                errors.append({"log": where, "error": type(error).__name__, "message": str(error)})
                continue
            records.append(record)
    return records


def _runs(
    raw: pd.DataFrame,
    spend: str,
    success: SuccessRule | None,
    evals: Mapping[str, str],
    ai_models: Mapping[str, str],
) -> pd.DataFrame:
    numbers = {c: _number(raw, c) for c in _NUMBERS}
    family = _text(raw, "task_family")
    family = family.where(family.ne(""), raw["task_id"].astype(str).str.split("/").str[0])
    score = numbers["score_cont"].fillna(numbers["score_binarized"])
    name = family.map(lambda f: evals.get(f, f))
    won = numbers["score_binarized"].eq(1) if success is None else succeeded(name, score, success)
    # Zero means not recorded, in every column of what was used.
    used = {
        "hours": _hours(raw),
        "usd": numbers["generation_cost"],
        "tokens": numbers["tokens_count"],
    }
    used = {unit: column.where(column > 0) for unit, column in used.items()}
    limit = _number(raw, "time_limit")
    cap = (limit / 3600).where(limit > 0) if spend == "hours" else pd.Series(np.nan, raw.index)
    outcome, reason = _outcomes(raw, won, score, used[spend], cap)
    ai_model = raw["alias"].astype(str)
    minutes = numbers["human_minutes"]
    return pd.DataFrame(
        {
            "eval": name,
            "task": raw["task_id"].astype(str),
            "ai_model": ai_model.map(lambda m: ai_models.get(m, m)),
            "outcome": outcome,
            "spend": used[spend].clip(upper=cap.fillna(np.inf)),
            "spend_unit": spend,
            "cap": cap,
            "human_minutes": minutes.where(minutes > 0),
            "effort": np.nan,
            "attempt": 0,
            "reviewed": np.nan,
            "score": score,
            "date": _date(raw),
            "cap_from": "",
            "reason": reason,
            "hours": used["hours"],
            "usd": used["usd"],
            "tokens": used["tokens"],
            "run_id": _text(raw, "run_id"),
            "task_source": _text(raw, "task_source"),
            "log": raw["log"],
        }
    )


def _outcomes(
    raw: pd.DataFrame, won: pd.Series, score: pd.Series, used: pd.Series, cap: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    fault = _text(raw, "fatal_error_from")
    stopped = fault.eq(_STOPPED)
    if "stopped_by_limit" in raw:
        stopped |= raw["stopped_by_limit"].astype(str).str.lower().isin(("true", "1", "1.0"))
    reasons = {
        "human": raw["alias"].astype(str).str.lower().eq("human"),
        "errored": ~fault.isin(("", _STOPPED, _AGENT)),
        "unscored": score.isna(),
    }
    reason = np.select([r.to_numpy() for r in reasons.values()], list(reasons), default="")
    kinds = {
        "excluded": pd.Series(reason != "", raw.index),
        "success": won,
        "stopped_by_cap": stopped & (used >= _AT_CAP * cap),
        "stopped_otherwise": stopped,
        "spurious": fault.eq(_AGENT),
    }
    outcome = np.select([k.to_numpy() for k in kinds.values()], list(kinds), default="gave_up")
    return outcome, reason


def _hours(raw: pd.DataFrame) -> pd.Series:
    if "wall_minutes" in raw:
        return _number(raw, "wall_minutes") / 60
    if not {"started_at", "completed_at"} <= set(raw):
        return pd.Series(np.nan, raw.index)
    taken = _moment(raw["completed_at"]) - _moment(raw["started_at"])
    return taken.dt.total_seconds() / 3600


def _moment(column: pd.Series) -> pd.Series:
    """Return times; numbers are milliseconds since 1970, and 0 means not recorded."""
    numbers = pd.to_numeric(column, errors="coerce")
    text = column.astype(object).where(numbers.isna())
    dates = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
    times: pd.Series = dates.fillna(pd.to_datetime(numbers.where(numbers > 0), unit="ms", utc=True))
    return times


def _date(raw: pd.DataFrame) -> pd.Series:
    if "started_at" not in raw:
        return pd.Series("", raw.index)
    days: pd.Series = _moment(raw["started_at"]).dt.strftime("%Y-%m-%d").fillna("")
    return days


def _number(raw: pd.DataFrame, column: str) -> pd.Series:
    if column not in raw:
        return pd.Series(np.nan, raw.index)
    return pd.to_numeric(raw[column], errors="coerce").astype(float)


def _text(raw: pd.DataFrame, column: str) -> pd.Series:
    if column not in raw:
        return pd.Series("", raw.index)
    return raw[column].astype(object).where(raw[column].notna(), "").astype(str)


def _counts(runs: pd.DataFrame) -> pd.DataFrame:
    kinds = (
        *("success", "gave_up", "stopped_by_cap", "stopped_otherwise", "spurious", "excluded"),
    )
    flags = pd.DataFrame(
        {
            "samples": 1,
            **{kind: runs["outcome"].eq(kind).astype(int) for kind in kinds},
            **{r: runs["reason"].eq(r).astype(int) for r in ("human", "errored", "unscored")},
            "no_spend": (runs["spend"].isna() & runs["outcome"].ne("excluded")).astype(int),
        }
    )
    counts = flags.groupby(runs["log"]).sum().reset_index()
    return counts.rename(columns={"success": "successes"})


def _notes(runs: pd.DataFrame, spend: str) -> tuple[str, ...]:
    notes = []
    for reason, told in (
        ("human", "runs by humans"),
        ("errored", "runs ended by a fault of server or task"),
        ("unscored", "runs without a score"),
        ("neither spend nor cap", "runs with neither spend nor cap"),
    ):
        if n := int(runs["reason"].eq(reason).sum()):
            notes.append(f"{n:,} {told} are excluded.")
    if n := int((runs["spend"].isna() & runs["outcome"].ne("excluded")).sum()):
        notes.append(f"{n:,} runs have no recorded {spend} (zero means that): spend is empty.")
    if spend == "hours":
        notes.append("Hours run from start to end, queueing and pauses included.")
        if n := int((runs["hours"] > OVERSHOOT * runs["cap"]).sum()):
            notes.append(f"{n:,} runs took longer than their time limit: spend ends at the limit.")
    return tuple(notes)
