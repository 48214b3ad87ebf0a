"""METR's run files (`runs.jsonl`, JSON lines or CSV, plain or gzipped) as observations."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import control_character, plain_name
from evalbayes.tables.delimited import MOST_BYTES, read_delimited
from evalbayes.tables.odd_files import what_it_is
from evalfolio.readers.cells import moments, numbers, text, verdicts
from evalfolio.readers.log_size import one_line
from evalfolio.readers.outcomes import (
    CapRule,
    SuccessRule,
    anchored,
    check_cap,
    is_human,
    numbered_attempts,
    settle_caps,
    succeeded,
)
from evalfolio.readers.remarks import Remarks, notes_on_spellings
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
_REQUIRED = ("task_id", "alias", "score_binarized")
_NAMES = {"task_id": "a task", "alias": "an AI model"}
_TEXT = ("task_family", "alias", "model", "task_id", "run_id", "task_source")
COLUMNS = (
    *("task_id", "task_family", "alias", "model", "agent", "scaffold", "run_id", "task_source"),
    *("score_binarized", "score_cont", "human_minutes", "generation_cost", "tokens_count"),
    *("started_at", "completed_at", "wall_minutes", "time_limit"),
    *("fatal_error_from", "stopped_by_limit"),
)
_UNREADABLE = (OSError, EOFError, zlib.error, UnicodeDecodeError)
_LONGEST_LINE = 4_000_000
_MOST_ROWS = 1_000_000
_MOST_LINES = 2_000_000  # blank ones too
_MOST_ERRORS = 10_000
_MOST_COLUMNS = 100
_ROWS_PER_FRAME = 50_000  # plain records are bulky: they become columns by the batch

Errors = list[dict[str, str]]


def read_rows(path: Path, errors: Errors, *, strict: bool) -> pd.DataFrame:
    """Return the rows of one run file: METR's columns as they stand, `log` and `line` beside.

    A row that is no object, names no task or AI model, or has a name that is no text is added to
    `errors`.
    """
    if not path.exists():
        raise InputError(
            f"{path}: must be a run file that exists, but there is none; check its name"
        )
    packed = path.suffix == ".gz"
    odd = None if packed else what_it_is(path)
    if odd is not None:
        raise InputError(f"{path}: must be a run file, JSON lines or CSV; it is {odd}")
    try:
        records = _of_csv(path) if path.name.endswith((".csv", ".csv.gz")) else _of_json(path)
        seen: dict[str, None] = {}
        frames = list(_frames(path, records, seen, errors, strict=strict))
    except _UNREADABLE as error:
        raise InputError(
            f"{path}: must be JSON lines or CSV that can be read, plain or gzipped, got an error "
            f"({one_line(error)}); write it again"
        ) from error
    for column in _REQUIRED:
        if seen and column not in seen:
            raise InputError(
                f"{path}: must have the column {column} of METR's run files, got "
                f"{', '.join(seen)}; give a runs.jsonl, or import another table by "
                "`evalfolio import table`"
            )
    if not frames and errors and errors[-1]["log"].startswith(f"{path}:"):
        first = next(error for error in errors if error["log"].startswith(f"{path}:"))
        raise InputError(
            f"{first['log']}: at least one line must be a run that can be read, but none is "
            f"({first['message']}); write one JSON object per line"
        )
    if not frames:
        raise InputError(f"{path}: must hold at least one run, got none; check that it is whole")
    return pd.concat(frames, ignore_index=True)


def _frames(
    path: Path,
    records: Iterator[tuple[int, Any]],
    seen: dict[str, None],
    errors: Errors,
    *,
    strict: bool,
) -> Iterator[pd.DataFrame]:
    kept: list[dict[str, Any]] = []
    total = failed = 0
    for number, record in records:
        if isinstance(record, dict) and len(seen) < _MOST_COLUMNS:
            seen.update(dict.fromkeys(map(str, record)))
        fault = record if isinstance(record, str) else _fault(record)
        if fault is None:
            total += 1
            kept.append({**{c: record.get(c) for c in COLUMNS}, "log": str(path), "line": number})
        elif strict:
            raise InputError(
                f"{path}, line {number} cannot be read: {fault}; mend or remove the line."
            )
        else:
            failed += 1
            errors.append({"log": f"{path}:{number}", "error": "ValueError", "message": fault})
        if total > _MOST_ROWS or failed > _MOST_ERRORS:
            what, most = ("runs", _MOST_ROWS) if total > _MOST_ROWS else (
                "lines that cannot be read", _MOST_ERRORS)  # fmt: skip
            raise InputError(
                f"{path}: must hold at most {most:,} {what}, got more; split it, or check that it "
                "is a run file"
            )
        if len(kept) >= _ROWS_PER_FRAME:
            yield pd.DataFrame(kept, dtype=object)
            kept = []
    if kept:
        yield pd.DataFrame(kept, dtype=object)


def _fault(record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the names of a row, or None."""
    for column in _TEXT:
        value = record.get(column)
        if isinstance(value, bool | list | dict):
            return f"{column} must be text, got {value!r:.60}"
        if isinstance(value, str) and (control := control_character(value)) is not None:
            return f"{column} must be text without control characters, got {control!r}"
    for column, what in _NAMES.items():
        value = record.get(column)
        if value is None or value != value or not plain_name(str(value)):
            return f"{column} must name {what}, got {value!r}"
    return None


def _of_csv(path: Path) -> Iterator[tuple[int, Any]]:
    frame = read_delimited(path)
    names = [str(column) for column in frame]
    for number, cells in enumerate(frame.itertuples(index=False, name=None), start=2):
        filled = [c if isinstance(c, str) and c.strip() else None for c in cells]
        if any(cell is not None for cell in filled):
            yield number, _renamed(dict(zip(names, filled, strict=True)))


def _of_json(path: Path) -> Iterator[tuple[int, Any]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in _lines(path, file):
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if not text.strip():
                continue
            if number == 1 and text.lstrip().startswith("["):
                raise InputError(
                    f"{path}: must hold one JSON object per line, it is one JSON array; write it "
                    f"so by: jq -c '.[]' {path.name} > runs.jsonl"
                )
            try:
                record = json.loads(text, object_pairs_hook=_told_once)
            except RecursionError:
                record = "its JSON is nested too deep"
            except InputError as error:
                record = str(error)
            except ValueError as error:
                record = f"it is no JSON ({one_line(error, 100)})"
            if not isinstance(record, str | dict):
                record = "a line must hold one JSON object"
            yield number, _renamed(record) if isinstance(record, dict) else record


def _told_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice} must be told once, got it twice")
    return record


def _lines(path: Path, file: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[int, bytes]]:
    """Return the lines of a file with their numbers, none longer than a run can be."""
    total, number = 0, 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        total += len(line)
        if len(line) > _LONGEST_LINE:
            raise InputError(
                f"{path}, line {number}: must hold at most {_LONGEST_LINE / 1e6:.0f} MB, got more; "
                "write one run per line"
            )
        if total > MOST_BYTES or number > _MOST_LINES:
            most = f"{MOST_BYTES / 1e6:.0f} MB unpacked and {_MOST_LINES:,} lines"
            raise InputError(f"{path}: must hold at most {most}, got more; split it")
        yield number, line


def _renamed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row under METR's names; without an alias the name of the AI model stands for it."""
    row = {k if (n := _ALIASES.get(k)) is None or n in record else n: v for k, v in record.items()}
    if "alias" not in row and "model" in row:
        row["alias"] = row["model"]
    return row


_NUMBERS = (
    *("score_cont", "human_minutes", "generation_cost", "tokens_count", "wall_minutes"),
    "time_limit",
)
_SPENDS = ("hours", "usd", "tokens")
_AT_CAP = 0.98  # a stop by a limit at less than this share of the time limit was another limit
_ENOUGH, _PAST_LIMIT = 5, 10.0  # runs, and times their limit, from which its unit is in doubt
_YEAR = 8766.0  # hours
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

    A cost, token count, time or human time of zero means not recorded. Times are read in the unit
    (s, ms, µs, ns) that puts them after 2015; others are left empty. Hours past a time limit
    are waiting, as the limit is on time used: spend ends at the cap (the column `hours` does
    not). Runs by humans are excluded, and their median times on a task become its human_minutes
    where it has none; so are runs whose outcome cannot be read, and the first of runs that stand
    in two files. Whatever moved a number stands in `notes`, with how many runs and the first.
    A failure without a token or a cent is `spurious` where all other runs of its AI model have
    some. A run ended by its usage limits is `stopped_by_cap` if
    spend is in hours and reached the time limit, else `stopped_otherwise`; one ended by a fault
    of the agent's own scaffold is `spurious`, by a fault of server or task `excluded`.

    InputError if a file or a needed column is missing, or (strict) a line cannot be read.

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
    """
    if spend not in _SPENDS:
        raise InputError(f'spend must be "hours", "usd" or "tokens", got {spend!r}.')
    check_cap(cap)
    errors: list[dict[str, str]] = []
    files = [paths] if isinstance(paths, str | Path) else paths
    frames = [read_rows(Path(path), errors, strict=strict) for path in files]
    if not frames:
        raise InputError("No METR run file was given.")
    raw = pd.concat(frames, ignore_index=True)
    facts = _Facts(raw)
    runs = _runs(raw, facts, spend, success, dict(evals or {}), dict(ai_models or {}))
    counting = runs["outcome"].copy()
    runs[["outcome", "reason", "cap", "cap_from"]] = settle_caps(runs, cap)
    numbered = numbered_attempts(runs[~facts.copied])
    runs["attempt"] = numbered.reindex(runs.index, fill_value=0)
    notes = _notes(runs.assign(line=raw["line"]), raw, facts, spend, counting)
    return ImportResult(
        runs, pd.DataFrame(errors, columns=["log", "error", "message"]), _counts(runs), spend, notes
    )


class _Facts:
    """What the rows say, cell by cell: numbers, times and what of both could not be read."""

    def __init__(self, raw: pd.DataFrame) -> None:
        self.numbers = {c: numbers(raw[c], decimal=c == "score_cont") for c in _NUMBERS}
        self.times = {column: moments(raw[column]) for column in ("started_at", "completed_at")}
        self.won = verdicts(raw["score_binarized"])
        taken = self.times["completed_at"].value - self.times["started_at"].value
        walled = self.numbers["wall_minutes"].value / 60
        self.hours = walled.where(walled.notna(), taken.dt.total_seconds() / 3600)
        self.human = pd.Series(data=False, index=raw.index)
        for column in ("alias", "model", "agent", "scaffold"):
            self.human |= text(raw[column]).map(is_human).astype(bool)
        # Within a file a run's id may stand for a batch; the same run in two files is a copy.
        keys = [text(raw[c]) for c in ("run_id", "task_id", "alias", "started_at")]
        last = raw["log"].groupby(keys).transform("last")
        self.copied = keys[0].ne("") & raw["log"].ne(last)
        again = keys[0].ne("") & keys[3].ne("") & raw.groupby(keys).cumcount(ascending=False).gt(0)
        self.differs = self.twins = self.again = self.copied & again
        if self.copied.any() or again.any():
            told = raw.drop(columns=["log", "line"]).apply(text).agg("|".join, axis=1)
            self.differs = self.copied & (told.groupby(keys).transform("nunique") > 1)
            # A row that stands in a file twice, alike in every column, is one run.
            alike = told.groupby([raw["log"], told]).cumcount(ascending=False).gt(0)
            self.again = again & alike & ~self.copied
            self.twins = again & ~alike & ~self.copied
            self.copied = self.copied | self.again
        self.silent = self._silent(keys[2])

    def _silent(self, alias: pd.Series) -> pd.Series:
        """Return failures without a token or a cent, of AI models whose tokens are recorded.

        Where a success has none either, a zero means not recorded.
        """
        tokens, cost = (self.numbers[c].value for c in ("tokens_count", "generation_cost"))
        none = tokens.eq(0) & ~(cost > 0)
        trusted = tokens.gt(0).groupby(alias).transform("any")
        trusted &= ~(none & self.won.value.eq(1)).groupby(alias).transform("any")
        return none & trusted & ~self.won.value.eq(1)


def _runs(
    raw: pd.DataFrame,
    facts: _Facts,
    spend: str,
    success: SuccessRule | None,
    evals: Mapping[str, str],
    ai_models: Mapping[str, str],
) -> pd.DataFrame:
    values = {column: read.value for column, read in facts.numbers.items()}
    task = text(raw["task_id"]).map(plain_name)
    family = text(raw["task_family"]).map(plain_name)
    family = family.where(family.ne(""), task.str.split("/").str[0])
    score = values["score_cont"].fillna(facts.won.value)
    name = family.map(lambda f: evals.get(f, f))
    won = facts.won.value.eq(1) if success is None else succeeded(name, score, success)
    # Zero means not recorded, in every column of what was used; less than that cannot be.
    used = {
        "hours": facts.hours,
        "usd": values["generation_cost"],
        "tokens": values["tokens_count"],
    }
    used = {unit: column.where(column > 0) for unit, column in used.items()}
    limit = values["time_limit"]
    cap = (limit / 3600).where(limit > 0) if spend == "hours" else pd.Series(np.nan, raw.index)
    if spend == "hours":
        _refuse_unit(raw, used["hours"], cap)
    outcome, reason = _outcomes(raw, facts, won, score, used[spend], cap, ruled=success is not None)
    ai_model = text(raw["alias"]).map(plain_name)
    minutes = values["human_minutes"]
    runs = pd.DataFrame(
        {
            "eval": name,
            "task": task,
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
            "date": facts.times["started_at"].value.dt.strftime("%Y-%m-%d").fillna(""),
            "cap_from": "",
            "reason": reason,
            "hours": used["hours"],
            "usd": used["usd"],
            "tokens": used["tokens"],
            "run_id": text(raw["run_id"]),
            "task_source": text(raw["task_source"]),
            "log": raw["log"],
        }
    )
    people = facts.human & won & ~facts.copied
    runs["human_minutes"] = anchored(runs, people, used["hours"] * 60)
    return runs


def _refuse_unit(raw: pd.DataFrame, hours: pd.Series, cap: pd.Series) -> None:
    """Refuse time limits that cannot be in seconds: most runs took many times theirs."""
    ratio = (hours / cap).dropna()
    if len(ratio) >= _ENOUGH and ratio.median() > _PAST_LIMIT:
        raise InputError(
            f"{raw['log'].iloc[0]}: time_limit must be in seconds, but half of the runs took more "
            f"than {ratio.median():,.0f} times theirs (first limit: {raw['time_limit'].iloc[0]}); "
            "multiply minutes by 60 and hours by 3600"
        )


def _outcomes(
    raw: pd.DataFrame,
    facts: _Facts,
    won: pd.Series,
    score: pd.Series,
    used: pd.Series,
    cap: pd.Series,
    *,
    ruled: bool,
) -> tuple[np.ndarray, np.ndarray]:
    fault = text(raw["fatal_error_from"])
    stopped = fault.eq(_STOPPED)
    flagged = text(raw["stopped_by_limit"]).str.lower()
    stopped |= flagged.isin(("true", "1", "1.0", "yes"))
    counted = facts.numbers["score_cont"] if ruled else facts.won
    reasons = {
        "copy": facts.copied,
        "human": facts.human,
        "errored": ~fault.isin(("", _STOPPED, _AGENT)),
        "outcome cannot be read": counted.odd & (facts.won.odd | counted.value.isna()),
        "no binary score": facts.won.value.isna() & score.notna() & (not ruled),
        "unscored": score.isna(),
    }
    reason = np.select([r.to_numpy() for r in reasons.values()], list(reasons), default="")
    kinds = {
        "excluded": pd.Series(reason != "", raw.index),
        "success": won,
        "stopped_by_cap": stopped & (used >= _AT_CAP * cap),
        "stopped_otherwise": stopped,
        "spurious": fault.eq(_AGENT) | facts.silent,
    }
    outcome = np.select([k.to_numpy() for k in kinds.values()], list(kinds), default="gave_up")
    silent = facts.silent.to_numpy() & (outcome == "spurious")
    return outcome, np.where((reason == "") & silent, "no output", reason)


def _counts(runs: pd.DataFrame) -> pd.DataFrame:
    kinds = ("success", "gave_up", "stopped_by_cap", "stopped_otherwise", "spurious", "excluded")
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


def _notes(
    runs: pd.DataFrame, raw: pd.DataFrame, facts: _Facts, spend: str, counting: pd.Series
) -> tuple[str, ...]:
    remark = Remarks(runs, "metr")
    reason, used = runs["reason"], runs["outcome"].ne("excluded")
    filled = facts.numbers["human_minutes"].value.isna() & runs["human_minutes"].notna()
    tasks = len(runs.loc[filled, ["eval", "task"]].drop_duplicates())
    anchor = f"; their median times are human_minutes of {tasks:,} tasks" if tasks else ""
    remark("people", reason.eq("human"), anchor=anchor)
    remark("errored", reason.eq("errored"))
    odd = reason.eq("outcome cannot be read")
    which = "score_binarized" if facts.won.odd[odd].any() else "score_cont"
    remark("unread", odd, _shown(raw, which, odd))
    remark("no_verdict", reason.eq("no binary score"))
    remark("unscored", reason.eq("unscored"))
    remark("copied", facts.copied & ~facts.again)
    remark("again", facts.again)
    remark("twins", facts.twins)
    remark("silent", used & reason.eq("no output"))
    remark("differs", facts.differs)
    score = facts.numbers["score_cont"].value
    outside = (score < 0) | (score > 1)
    remark("outside", outside, _shown(raw, "score_cont", outside))
    for column, read in facts.numbers.items():
        if column not in ("score_cont", "score_binarized"):
            for kind, bad in (("no_number", read.odd), ("below", read.value < 0)):
                remark(kind, bad, _shown(raw, column, bad), column=column)
    for column, read in facts.times.items():
        for kind, bad in (("no_time", read.odd), ("other_unit", read.other)):
            remark(kind, bad, _shown(raw, column, bad), column=column)
    remark("backwards", facts.hours < 0)
    nothing = reason.eq("neither spend nor cap")
    remark("unspent", runs["spend"].isna() & (used | nothing), spend=spend)
    remark("nothing", nothing)
    remark("no_cap", runs["cap_from"].eq("largest spend"), spend=spend)
    settled = counting.eq("stopped_by_cap") & runs["outcome"].eq("stopped_otherwise")
    remark("settled", settled)
    if spend == "hours":
        remark.notes.append("Hours run from start to end, queueing and pauses included.")
        remark("past_limit", runs["hours"] > runs["cap"])
        remark("years", used & (runs["cap"] > _YEAR))
    remark.notes += notes_on_spellings(runs.loc[~facts.human, "ai_model"].unique())
    for column, what in (("alias", "AI models"), ("task_id", "tasks"), ("task_family", "evals")):
        tidied = text(raw[column]).ne(text(raw[column]).map(plain_name))
        remark("tidied", tidied, _shown(raw, column, tidied), what=what)
    return tuple(remark.notes)


def _shown(raw: pd.DataFrame, column: str, which: pd.Series) -> str:
    return f"{raw.loc[which, column].iloc[0]!r:.60}" if which.any() else ""
