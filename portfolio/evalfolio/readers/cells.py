"""Cells and scores of runs as numbers, times and verdicts, with an account of what is none."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

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

    >>> text(pd.Series([1, None, "a"], dtype=object)).tolist()
    ['1', '', 'a']
    """
    given = column.astype(object)
    return given.where(given.notna(), "").astype(str)


def without_control(told: str) -> str:
    r"""Return free text without control characters, which no file of observations may hold.

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

    >>> read = numbers(pd.Series(["600,000", None, "NaN", "x", 10**400, True], dtype=object))
    >>> read.value.tolist(), read.odd.tolist()
    ([600000.0, nan, nan, nan, nan, nan], [False, False, False, True, True, True])
    """
    cells = column.tolist()
    decimal = decimal or points_part_decimals(cell for cell in cells if isinstance(cell, str))
    return _read(column, [_number(cell, decimal=decimal) for cell in cells])


def verdicts(column: pd.Series) -> Read:
    """Return cells as 1 or 0; anything else that is not empty is odd.

    >>> read = verdicts(pd.Series([1, "0", True, None, 0.5, [1], 1e16], dtype=object))
    >>> read.value.tolist(), read.odd.tolist()
    ([1.0, 0.0, 1.0, nan, nan, nan, nan], [False, False, False, False, True, True, True])
    """
    return _read(column, [_verdict(cell) for cell in column.tolist()])


def moments(column: pd.Series) -> Read:
    """Return cells as times: dates, or numbers in the unit that puts them between 2015 and 2100.

    Zero is empty; any other number or date is odd.

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


_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_LONGEST = 40  # characters of a score that is no number, as a note names it

Scored = float | str | None


def score_number(value: object) -> float | None:
    """Return a score as a number, or None where the sample counts as unscored.

    C, P, I and N (correct, partial, incorrect, no answer) are 1, 0.5, 0 and 0; booleans, words
    such as yes, true, correct and passed, and their opposites are 1 and 0; `85%` and `1/2` are
    shares; numbers stay, also below 0 and above 1. NaN, the mark Inspect writes for "not scored",
    other text and lists are None.

    >>> [score_number(v) for v in ("C", "N", True, "Correct", "0.25", "85%", -1, "A", [1, 0])]
    [1.0, 0.0, 1.0, 1.0, 0.25, 0.85, -1.0, None, None]
    """
    if isinstance(value, str):
        number = _said(value.strip())
    elif isinstance(value, bool | int | float):
        number = float(value)
    else:
        return None
    return number if number is not None and isfinite(number) else None


def _said(text: str) -> float | None:
    if text in _LETTERS:
        return _LETTERS[text]
    said = flag_of(text) if len(text) > 1 else None  # one letter is an answer, not a verdict
    if said is not None or text.lower() == "partial":
        return 0.5 if said is None else float(said)
    share, per_cent, part = text.removesuffix("%"), text.endswith("%"), text.split("/")
    try:
        if len(part) == 2 and float(part[1]) > 0:
            return float(part[0]) / float(part[1])
        return float(share) / 100 if per_cent else float(text)
    except ValueError:
        return None


def score_numbers(scores: Mapping[str, Any] | None) -> dict[str, Scored]:
    """Return every score of a sample: a number, None for "not scored", text that is no number.

    A dict or a list of scores gives `scorer.key` or `scorer.0` each; a list as a whole is no
    number, as nothing tells which of its entries counts.

    >>> from types import SimpleNamespace as Score
    >>> score_numbers({"match": Score(value="C"), "judge": Score(value={"a": 1, "b": "I"})})
    {'match': 1.0, 'judge.a': 1.0, 'judge.b': 0.0}
    >>> score_numbers({"match": Score(value=["C", "I"]), "choice": Score(value="E")})
    {'match': "['C', 'I']", 'match.0': 1.0, 'match.1': 0.0, 'choice': 'E'}
    """
    numbers: dict[str, Scored] = {}
    for name, score in (scores or {}).items():
        value = score.value
        if isinstance(value, Mapping):
            numbers |= {f"{name}.{key}": _number_or_text(v) for key, v in value.items()}
            continue
        numbers[name] = _number_or_text(value)
        if isinstance(value, Sequence) and not isinstance(value, str):
            numbers |= {f"{name}.{n}": _number_or_text(v) for n, v in enumerate(value)}
    return numbers


def score_reasons(scores: Mapping[str, Any] | None) -> dict[str, str]:
    """Return why a score is out of the ordinary, by scorer, where the log says so."""
    given = {name: getattr(score, "reason", None) for name, score in (scores or {}).items()}
    return {name: str(reason) for name, reason in given.items() if reason}


def _number_or_text(value: object) -> Scored:
    number = score_number(value)
    if number is not None or value is None or isinstance(value, bool | int | float):
        return number
    text = without_control(str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def chosen_scorer(names: Sequence[str], headline: str | None, asked: str | None) -> str | None:
    """Return the score that counts: the asked one, the log's headline, or the first.

    `asked` may be the whole name (`judge.b`), the scorer (`judge`) or the key (`b`). None comes
    back if there is no score, or if the asked one is not among them.
    """
    wanted = headline if asked is None else asked
    for name in names:
        if wanted is not None and wanted in (name, *name.split(".", 1)):
            return name
    return names[0] if names and asked is None else None
