"""Cells of run files as numbers, times and verdicts, with an account of those that are none."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from math import isfinite, nan

import pandas as pd

from evalbayes.names import control_character
from evalbayes.tables.numerals import NotANumber, flag_of, numeral, points_part_decimals

_EMPTY = ("", "nan", "null", "none", "na", "n/a")
# Seconds since 1970 of plausible runs: from 2015 to 2100. Units are powers of 1000 apart, so a
# number can be a time in one of them only.
_FIRST = datetime.datetime(2015, 1, 1, tzinfo=datetime.UTC).timestamp()
_LAST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC).timestamp()
_UNITS = (1.0, 1e3, 1e6, 1e9)


@dataclass(frozen=True, eq=False)  # eq=False: series have no single truth value
class Read:
    """A column read: `odd` are cells that hold something else, `other` times not in ms."""

    value: pd.Series
    odd: pd.Series
    other: pd.Series


def text(column: pd.Series) -> pd.Series:
    """Return cells as text, nothing as "".

    Examples
    --------
    >>> text(pd.Series([1, None, "a"], dtype=object)).tolist()
    ['1', '', 'a']
    """
    given = column.astype(object)
    return given.where(given.notna(), "").astype(str)


def without_control(told: str) -> str:
    r"""Return free text without control characters, which no file of observations may hold.

    Examples
    --------
    >>> without_control("\x1b[31mgone\x00")
    '[31mgone'
    """
    while (control := control_character(told)) is not None:
        told = told.replace(control, "")
    return told


def numbers(column: pd.Series, *, decimal: bool = False) -> Read:
    """Return cells as numbers; empty ones, `null` and NaN are empty, others that are none odd.

    So is text such as `600.000` that may mean two, unless another cell shows that points part
    decimals or `decimal` says so.

    Examples
    --------
    >>> read = numbers(pd.Series(["600,000", None, "NaN", "x", 10**400, True], dtype=object))
    >>> read.value.tolist(), read.odd.tolist()
    ([600000.0, nan, nan, nan, nan, nan], [False, False, False, True, True, True])
    """
    cells = column.tolist()
    decimal = decimal or points_part_decimals(cell for cell in cells if isinstance(cell, str))
    return _read(column, [_number(cell, decimal=decimal) for cell in cells])


def verdicts(column: pd.Series) -> Read:
    """Return cells as 1 or 0; anything else that is not empty is odd.

    Examples
    --------
    >>> read = verdicts(pd.Series([1, "0", True, None, 0.5, [1], 1e16], dtype=object))
    >>> read.value.tolist(), read.odd.tolist()
    ([1.0, 0.0, 1.0, nan, nan, nan, nan], [False, False, False, False, True, True, True])
    """
    return _read(column, [_verdict(cell) for cell in column.tolist()])


def moments(column: pd.Series) -> Read:
    """Return cells as times: dates, or numbers in the unit that puts them between 2015 and 2100.

    Zero is empty; any other number or date is odd.

    Examples
    --------
    >>> column = pd.Series([1756000000000, 1756000000, "2025-08-24T01:46:40Z", 1e30, 0, 28800])
    >>> read = moments(column)
    >>> set(read.value[:3].astype(str)), read.odd.tolist()
    ({'2025-08-24 01:46:40+00:00'}, [False, False, False, True, False, True])
    >>> read.other.tolist()
    [False, True, False, False, False, False]
    """
    read = [_moment(cell) for cell in column.tolist()]
    seconds = pd.Series([s for s, _ in read], column.index, dtype=float)
    times = pd.to_datetime((seconds * 1e6).round(), unit="us", utc=True)
    other = pd.Series([unit not in (None, 1e3) for _, unit in read], column.index)
    return Read(times, pd.Series([s is None for s, _ in read], column.index), other)


def _read(column: pd.Series, read: list[float | None]) -> Read:
    odd = pd.Series([number is None for number in read], column.index, dtype=bool)
    value = pd.Series([nan if n is None else n for n in read], column.index, dtype=float)
    return Read(value, odd, pd.Series(data=False, index=column.index))


def _number(cell: object, *, decimal: bool = True) -> float | None:
    """Return a number, NaN where there is nothing, None where there is something else."""
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in _EMPTY):
        return nan
    try:
        if isinstance(cell, str):
            return numeral(cell, decimal=decimal)
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            return None
        number = float(cell)
    except (NotANumber, OverflowError):
        return None
    return number if isfinite(number) or number != number else None


def _verdict(cell: object) -> float | None:
    said = flag_of(cell) if isinstance(cell, str | bool) else None
    if said is not None:
        return float(said)
    number = _number(cell)
    return number if number is None or number != number or number in (0, 1) else None


def _moment(cell: object) -> tuple[float | None, float | None]:
    """Return seconds since 1970 and the unit they were in: None for a date."""
    number = _number(cell)
    if number is None and isinstance(cell, str):
        number, unit = _dated(cell), None
        return (number if number is not None and _FIRST <= number < _LAST else None), unit
    if number is None:
        return None, None
    if number == 0 or number != number:
        return nan, None
    for unit in _UNITS:
        if _FIRST <= number / unit < _LAST:
            return number / unit, unit
    return None, None


def _dated(cell: str) -> float | None:
    try:
        day = datetime.datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    return day.replace(tzinfo=day.tzinfo or datetime.UTC).timestamp()
