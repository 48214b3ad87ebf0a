"""Importing someone's table of results: columns renamed, outcomes worked out, all rows checked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Flags
from evalbayes.errors import InputError
from evalbayes.names import refuse_other, refuse_unknown
from evalbayes.observations.files import read_rows, rows_of
from evalbayes.observations.observations import Observations
from evalbayes.observations.reading import observations_of
from evalbayes.observations.rows import DROP, NAMES, Rows, is_blank, name_of
from evalbayes.observations.shape import OUTCOMES, SHAPES, shape_of
from evalbayes.tables.numerals import NotANumber, flag_of, numeral
from evalbayes.tables.toml import read_toml

FLAGS = ("success", "stopped_by_cap", "stopped_otherwise", "spurious", "excluded")
TARGETS = tuple(dict.fromkeys([c for shape in SHAPES for c in shape.columns] + list(FLAGS)))
_SCALED = re.compile(r"\s*(.+?)\s*([*/])\s*([0-9][0-9_.,eE+-]*)\s*")


@dataclass(frozen=True)
class TableMapping:
    """How to read someone's table."""

    # known column to theirs, which may be scaled: {"spend": "wall_minutes / 60"}. Besides the
    # columns of observations the flags success, stopped_by_cap, stopped_otherwise, spurious and
    # excluded may be named; they make up `outcome`
    columns: Mapping[str, str] = field(default_factory=dict)
    # known column to the value it has in every row
    constants: Mapping[str, Any] = field(default_factory=dict)
    # their word to ours, e.g. {"passed": "success"}
    outcomes: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()  # their columns to leave out

    def __post_init__(self) -> None:
        refuse_unknown("map", self.columns, TARGETS, what="column")
        refuse_unknown("set", self.constants, TARGETS, what="column")
        refuse_unknown("outcome", self.outcomes.values(), OUTCOMES, what="outcome")
        for column in self.constants:
            if column in self.columns:
                raise InputError(
                    f"{column}: must be mapped or set, got both {column}={self.columns[column]} "
                    f"and {column}={self.constants[column]}; drop one"
                )

    def source(self, target: str, columns: list[str]) -> tuple[str, float]:
        """Return their column for a known one, and the factor to multiply it by.

        >>> mapping = TableMapping({"spend": "wall_minutes / 60", "cap": "limit"})
        >>> mapping.source("spend", ["wall_minutes", "limit"])[0]
        'wall_minutes'
        """
        name, factor = self.columns[target].strip(), 1.0
        scaled = _SCALED.fullmatch(name)
        if name not in columns and scaled:
            name, words = scaled[1], scaled[3]
            try:
                amount = numeral(words)
            except NotANumber as error:
                raise InputError(f"map {target}: the factor {error}") from None
            if amount <= 0:
                raise InputError(
                    f"map {target}: the factor must be a number above 0, got {words!r}; "
                    f"write for example {target}=column*1000"
                )
            factor = amount if scaled[2] == "*" else 1 / amount
        refuse_other(
            name, columns, f"map {target}={self.columns[target]}: must name a column of the table"
        )
        return name, factor


def read_mapping(path: str | Path) -> TableMapping:
    """Read a mapping from TOML with tables [map], [set] and [outcome], and a list `drop`."""
    path = Path(path)
    cure = 'write for example [map] and below it spend = "spend_tokens"'
    data = read_toml(path, "a mapping in TOML that can be read", cure)
    refuse_unknown(str(path), data, ("map", "set", "outcome", "drop"), what="table")
    for name in ("map", "set", "outcome"):
        if not isinstance(data.get(name, {}), dict):
            raise InputError(f"{path}: {name} must be a table, got {data[name]!r}; write [{name}]")
    drop = data.get("drop", [])
    if not isinstance(drop, list):
        raise InputError(f'{path}: drop must be a list of columns, got {drop!r}; write ["one"]')
    columns = {key: str(value) for key, value in data.get("map", {}).items()}
    return TableMapping(columns, data.get("set", {}), data.get("outcome", {}), tuple(drop))


LARGE = ("spend", "cap", "human_minutes", *(name for name in TARGETS if name.startswith("n_")))
COUNTED = ("n_success", "n_gave_up", "n_stopped_by_cap", "standard_error")
NEARLY = 0.98  # a failure that spent this share of its cap was stopped by it
TEXT = (*NAMES, "outcome", "attempt", "date", "run_set", "spend_unit")


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Imported:
    """A table of observations made of someone's tables."""

    # known columns first, then theirs that were not mapped; numbers where they are numbers
    frame: pd.DataFrame
    observations: Observations  # the same, checked and typed
    n_dropped: int  # rows that were left out as incomplete
    notes: tuple[str, ...]  # what a reader should know about how the tables were read


def imported(
    paths: Iterable[str | Path | pd.DataFrame] | str | Path,
    mapping: Mapping[str, str] | TableMapping | None = None,
    constants: Mapping[str, Any] | None = None,
    *,
    outcomes: Mapping[str, str] | None = None,
    drop: Iterable[str] = (),
    drop_incomplete: bool = False,
) -> Imported:
    """Read tables with other column names into one table that `read_observations` reads.

    Where no column is `outcome`, it is worked out from flags (0/1, true/false): excluded, success,
    spurious, stopped_by_cap, stopped_otherwise, the first of these that is true; else gave_up.
    Without a flag stopped_by_cap, a failure that spent 98 % of its cap counts as stopped by it.

    Files end in .csv, .csv.gz, .parquet or .xlsx; a frame is read alike. The mapping is from known
    columns to theirs, e.g. {"spend": "spend_tokens", "cap": "limit_seconds / 3600"}, or a whole
    `TableMapping`; constants have one value for all rows; outcomes are their words to ours, `drop`
    their columns to leave out; `drop_incomplete` leaves out rows that lack what every row must
    have. InputError if a column is missing or not known, a flag is neither true nor false, or the
    table breaks a rule of `read_observations`.
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
    given_rows = [
        rows
        for path in paths
        for rows in ([rows_of(path)] if isinstance(path, pd.DataFrame) else read_rows(path))
    ]
    tables = [_mapped(rows, plan, drop_incomplete=drop_incomplete) for rows in given_rows]
    if not any(map(len, tables)):
        raise InputError(
            f"{', '.join(rows.source for rows in tables)}: at least one row must be complete, "
            "got none; fill in what is missing, or map the columns that hold it"
        )
    observations = observations_of([rows for rows in tables if len(rows)])
    whole = pd.concat([_typed(rows) for rows in tables], ignore_index=True)
    columns = [str(column) for column in whole.columns]
    known = [c for c in shape_of(columns, "import").columns if c in columns]
    return Imported(
        whole[list(dict.fromkeys([*known, *columns]))],
        observations,
        sum(map(len, given_rows)) - sum(map(len, tables)),
        observations.notes,
    )


def _mapped(rows: Rows, plan: TableMapping, *, drop_incomplete: bool) -> Rows:
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
            values = pd.Series(factor * rows.numbers(name), dtype=object)
            values = values.where(values.notna(), other=None)
        frame[target] = values
    for target, value in plan.constants.items():
        frame[target] = pd.Series([value] * len(rows), dtype=object)
    mapped = replace(rows, frame=frame)
    if drop_incomplete:
        mapped = _complete(mapped)
    if mapped.has("outcome"):
        given = mapped.frame["outcome"]
        words = pd.Series([plan.outcomes.get(str(word), word) for word in given], dtype=object)
        return replace(mapped, frame=mapped.frame.assign(outcome=words))
    if mapped.has("success"):
        outcome = _outcome(mapped)
        mapped.settle()
        bare = mapped.frame.drop(columns=[flag for flag in FLAGS if mapped.has(flag)])
        return replace(mapped, frame=bare.assign(outcome=outcome))
    return mapped


def _complete(rows: Rows) -> Rows:
    """Leave out the rows that lack what every row must have, and note which and what they said."""
    needed = [c for c in (*NAMES, "outcome", "success", "cap", *COUNTED) if rows.has(c)]
    blank = pd.DataFrame({c: rows.frame[c].map(is_blank).astype(bool) for c in needed})
    if "cap" in blank and "outcome" in blank:  # of a run that is not used nobody asks the cap
        blank["cap"] &= rows.frame["outcome"] != "excluded"
    lost = blank.any(axis=1).to_numpy(dtype=bool)
    if not lost.any():
        return rows
    first = int(np.flatnonzero(lost)[0])
    lacks = ", ".join(f"{column} ({n:,})" for column, n in blank.sum().items() if n)
    note = (
        f"{rows.source}: {int(lost.sum()):,} of {len(rows):,} rows lack what every row must have "
        f"and are dropped: {lacks}; first {rows.place(first)}"
    )
    ended = next((c for c in ("outcome", "success") if rows.has(c)), None)
    if ended:
        words = rows.frame[ended].map(lambda value: "empty" if is_blank(value) else str(value))
        all_words, lost_words = words.value_counts(), words[lost].value_counts()
        told = ", ".join(
            f"{lost_words.get(word, 0):,} of {n:,} {word}" for word, n in all_words.items()
        )
        won = words.map(lambda word: flag_of(word) is True)
        rates = " and ".join(f"{share.mean():.1%}" for share in (won, won[~lost]) if len(share))
        note += f"; dropped by {ended}: {told}; successes before and after: {rates}"
    kept = np.flatnonzero(~lost)
    numbers = rows.row_numbers or range(rows.first, rows.first + len(rows))
    return replace(
        rows,
        frame=rows.frame.iloc[kept].reset_index(drop=True),
        row_numbers=tuple(numbers[row] for row in kept),
        notes=[*rows.notes, note],
    )


def _outcome(rows: Rows) -> "pd.Series[str]":
    """Work out how each run ended from its flags."""
    flags = {flag: _flags(rows, flag) for flag in FLAGS if rows.has(flag)}
    if "stopped_by_cap" not in flags and rows.has("spend") and rows.has("cap"):
        spend = rows.numbers("spend")
        flags["stopped_by_cap"] = spend >= NEARLY * rows.numbers("cap")
    order = ("excluded", "success", "spurious", "stopped_by_cap", "stopped_otherwise")
    first = [name for name in order if name in flags]
    picked = np.select([flags[name] for name in first], first, default="gave_up")
    return pd.Series(picked, dtype=object)


def _flags(rows: Rows, column: str) -> Flags:
    """Return a column of flags, a fault noted where a cell is neither yes nor no."""
    flags = rows.flags(column)
    blank = np.array([is_blank(value) for value in rows.frame[column]], dtype=bool)
    rows.refuse(blank, column, "must be 0 or 1, yes or no", DROP)
    return np.asarray(flags == 1, dtype=bool)


def _typed(rows: Rows) -> pd.DataFrame:
    """Return checked rows with names as they look, and numbers as numbers; empty stays empty."""
    frame = {}
    for column in map(str, rows.frame.columns):
        given = rows.frame[column]
        if column == "reviewed":
            values = pd.Series(rows.flags(column))
        elif column not in TEXT and column in TARGETS:
            values = pd.Series(rows.numbers(column, thousands=column in LARGE))
        elif column not in TEXT and not any(isinstance(v, str | date | bool) for v in given):
            values = pd.to_numeric(given)
        else:
            plain = name_of if column not in ("attempt", "date") and column in TEXT else str
            frame[column] = pd.Series(
                [None if value is None else plain(value) for value in given], dtype=object
            )
            continue
        whole = bool((values.notna() & (values == np.floor(values)) & (abs(values) < 2**53)).all())
        frame[column] = values.astype("int64") if whole and len(values) else values
    rows.settle()
    return pd.DataFrame(frame)
