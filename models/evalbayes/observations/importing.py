"""Importing someone's table of results: columns renamed, outcomes worked out, all rows checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.files import read_rows
from evalbayes.observations.mapping import FLAGS, TableMapping
from evalbayes.observations.reading import observations_of
from evalbayes.observations.rows import Flags, Rows
from evalbayes.observations.shape import shape_of

TRUE = ("1", "true", "yes", "y", "pass", "passed")
FALSE = ("0", "false", "no", "n", "fail", "failed")
NEARLY = 0.98  # a failure that spent this share of its cap was stopped by it
TEXT = ("eval", "task", "ai_model", "outcome", "attempt", "date")


def import_table(
    paths: Iterable[str | Path] | str | Path,
    mapping: Mapping[str, str] | TableMapping | None = None,
    constants: Mapping[str, Any] | None = None,
    *,
    outcomes: Mapping[str, str] | None = None,
    drop: Iterable[str] = (),
) -> pd.DataFrame:
    """Read tables with other column names into one table that `read_observations` reads.

    Where no column is `outcome`, it is worked out from flags (0/1, true/false): excluded, success,
    spurious, stopped_by_cap, stopped_otherwise, the first of these that is true; else gave_up.
    Without a flag stopped_by_cap, a failure that spent 98 % of its cap counts as stopped by it.

    Parameters
    ----------
    paths
        Files ending in .csv, .csv.gz, .parquet or .xlsx.
    mapping
        Known column to theirs, e.g. {"spend": "spend_tokens", "cap": "limit_seconds / 3600"}; or
        a whole `TableMapping`, as `read_mapping` gives it.
    constants
        Known column to one value for all rows, e.g. {"cap": 2_000_000}.
    outcomes
        Their word for an outcome to ours.
    drop
        Their columns to leave out.

    Returns
    -------
    DataFrame
        Known columns first, then theirs that were not mapped; numbers where they are numbers.

    Raises
    ------
    InputError
        If a column is missing or not known, a flag is neither true nor false, or the table breaks
        a rule of `read_observations`.
    """
    given = mapping if isinstance(mapping, TableMapping) else TableMapping(mapping or {})
    plan = TableMapping(
        given.columns,
        {**given.constants, **(constants or {})},
        {**given.outcomes, **(outcomes or {})},
        (*given.drop, *drop),
    )
    if isinstance(paths, str | Path):
        paths = [paths]
    tables = [_mapped(rows, plan) for path in paths for rows in read_rows(path)]
    observations_of(tables)
    whole = pd.concat([rows.frame for rows in tables], ignore_index=True)
    columns = [str(column) for column in whole.columns]
    known = [c for c in shape_of(columns, "import").columns if c in columns]
    ordered = dict.fromkeys([*known, *columns])
    return pd.DataFrame({column: _typed(whole[column], column) for column in ordered})


def _mapped(rows: Rows, plan: TableMapping) -> Rows:
    """Return a table with known columns in place of theirs."""
    theirs = [str(column) for column in rows.frame.columns]
    for column in plan.drop:
        if column not in theirs:
            raise InputError(
                f"{rows.source}: a column to drop must be there, got {column!r}; "
                f"the columns are {', '.join(theirs)}"
            )
    sources = {target: plan.source(target, theirs) for target in plan.columns}
    used = {name for name, _ in sources.values()} | set(plan.drop)
    frame = pd.DataFrame({c: rows.frame[c] for c in theirs if c not in used}, dtype=object)
    for target, (name, factor) in sources.items():
        values = rows.frame[name]
        if factor != 1:
            scaled = factor * rows.numbers(name, required=False)
            values = pd.Series(scaled, dtype=object)
            values = values.where(values.notna(), other=None)
        frame[target] = values
    for target, value in plan.constants.items():
        frame[target] = pd.Series([value] * len(rows), dtype=object)
    mapped = replace(rows, frame=frame)
    if mapped.has("outcome"):
        words = [plan.outcomes.get(str(word), word) for word in frame["outcome"]]
        return replace(rows, frame=frame.assign(outcome=words))
    if mapped.has("success"):
        outcome = _outcome(mapped)
        bare = frame.drop(columns=[flag for flag in FLAGS if mapped.has(flag)])
        return replace(rows, frame=bare.assign(outcome=outcome))
    return mapped


def _outcome(rows: Rows) -> pd.Series[str]:
    """Work out how each run ended from its flags."""
    flags = {flag: _flags(rows, flag) for flag in FLAGS if rows.has(flag)}
    if "stopped_by_cap" not in flags and rows.has("spend") and rows.has("cap"):
        spend = rows.numbers("spend", required=False)
        flags["stopped_by_cap"] = spend >= NEARLY * rows.numbers("cap", required=False)
    order = ("excluded", "success", "spurious", "stopped_by_cap", "stopped_otherwise")
    first = [name for name in order if name in flags]
    picked = np.select([flags[name] for name in first], first, default="gave_up")
    return pd.Series(picked, dtype=object)


def _flags(rows: Rows, column: str) -> Flags:
    words = [_word(value) for value in rows.frame[column]]
    known = np.array([word in TRUE + FALSE for word in words], dtype=bool)
    rows.refuse(~known, column, "must be 0 or 1, true or false", "mend it or map another column")
    return np.array([word in TRUE for word in words], dtype=bool)


def _word(value: Any) -> str:
    text = str(value).strip().lower()
    return text[:-2] if text in ("0.0", "1.0") else text


def _typed(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Return numbers where all cells are numbers, else text; empty cells stay empty."""
    if name not in TEXT:
        numbers = pd.to_numeric(column, errors="coerce")
        if bool((numbers.notna() == column.notna()).all()):
            return numbers
    return column.map(lambda value: None if value is None else str(value)).astype(object)
