"""METR's run files as rows: JSON lines or CSV, plain or gzipped, read by parts."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import control_character, plain_name
from evalbayes.tables.delimited import MOST_BYTES, read_delimited
from evalbayes.tables.odd_files import what_it_is
from evalfolio.readers.log_size import one_line

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
    `errors`. InputError if the file is none, lacks a column, is larger than 128 MB unpacked or a
    million rows, or (strict) a row cannot be read.
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
