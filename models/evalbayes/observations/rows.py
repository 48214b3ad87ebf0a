"""Rows of a table as they were read, and their cells as checked numbers and names."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.arrays import Array, Flags, Index
from evalbayes.errors import InputError
from evalbayes.names import plain_name
from evalbayes.tables.numerals import DIGITS, NotANumber, flag_of, numeral, points_part_decimals
from evalbayes.tables.workbook import is_error

Places = Callable[[int], str | None]  # from a row of several tables put together to its place


BLANKS = ("", "nan", "na", "n/a", "null", "none")  # what programs write for an empty number
NAMES = ("eval", "task", "ai_model")
TOTALS = ("total", "totals", "grand total", "subtotal", "gesamt", "gesamtergebnis", "ergebnis")
SUMS = (*TOTALS, "sum", "summe", "average", "mean", "median", "overall", "all", "count")
MOST_TOLD = 10  # faults of a file that are told at once
MOST_NOTED = 1_000  # faults of a file after which nobody looks on
DROP = "fill it in or drop the row (`evalfolio import table --drop-incomplete` drops all such rows)"
MOST_EXACT = 1e15  # a spreadsheet keeps 15 digits
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+\d+")  # what a spreadsheet makes of an id such as 123E5


class Rule(NamedTuple):
    """What the numbers of a column must be."""

    holds: Callable[[Array], Any]
    words: str


NUMBER = Rule(np.isfinite, "must be a number")
ABOVE_0 = Rule(lambda v: v > 0, "must be above 0")
FROM_0 = Rule(lambda v: v >= 0, "must be 0 or more")
SHARE = Rule(lambda v: (v >= 0) & (v <= 1), "must be from 0 to 1")
A_CAP = Rule(lambda v: v > 0, "must be a number above 0")
WHOLE = Rule(  # beyond 2^53 none is exact
    lambda v: (v >= 0) & (v == np.floor(v)) & (v <= 2.0**53), "must be a whole number, 0 or more"
)


def is_blank(value: object) -> bool:
    """Whether a cell says that there is no value: empty, NaN, n/a, null or none."""
    if value is None or value != value:
        return True
    return isinstance(value, str) and value.strip().lower() in BLANKS


def told_at(places: Places, positions: Iterable[int]) -> str:
    """Return where rows that clash stand, in brackets; nothing where that is not known.

    >>> told_at(lambda row: f"runs.csv row {row + 2}", [0, 7])
    ' (runs.csv row 2 and runs.csv row 9)'
    """
    known = [place for place in map(places, positions) if place]
    return f" ({' and '.join(known)})" if known else ""


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Rows:
    """One table: cells as read (None where empty), and the file it came from."""

    frame: pd.DataFrame  # the cells; the index counts from 0
    source: str  # name of the file (and sheet), for messages
    first: int = 2  # number of the first row in the file: 2 below a header
    # row_numbers: number of every row in the file, where empty rows lie between them
    row_numbers: tuple[int, ...] = ()
    # notes: what a reader should know about how the rows were read
    notes: list[str] = field(default_factory=list)
    # faults: rules that rows were found to break: row, column and sentence; `settle` tells them
    faults: dict[tuple[int, str], str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def where(self, row: int) -> str:
        """Name a row by its number, eval and AI model."""
        names = [
            str(self.frame[column].iloc[row])
            for column in ("eval", "study", "ai_model")
            if column in self.frame and self.frame[column].iloc[row] is not None
        ]
        label = f" ({' by '.join(names)})" if names else ""
        return f"{self.place(row)}{label}"

    def place(self, row: int) -> str:
        """Name a row by its file and number."""
        number = self.row_numbers[row] if self.row_numbers else row + self.first
        return f"{self.source} row {number}"

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return column in self.frame.columns

    def refuse(self, bad: Flags, column: str, rule: str, cure: str) -> None:
        """Note the rows that break a rule, but for those that broke another: one brings the next.

        They are told by `settle`, the rule, what came and the cure of each.
        """
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        faulty = {row for row, _ in self.faults}
        for row in map(int, rows):
            if row not in faulty:
                self.fault(row, column, f"{rule}, got {self._got(row, column)}; {cure}")

    def fault(self, row: int, column: str, said: str) -> None:
        """Note what is wrong with a cell, if nothing is noted of it yet."""
        self.faults.setdefault((row, column), said)
        if len(self.faults) >= MOST_NOTED:
            self.settle(at_least=True)

    def settle(self, *, at_least: bool = False) -> None:
        """Refuse the table if any fault was noted, and tell the first ten of them, one a line.

        The same fault of several rows is told once. InputError if any was.
        """
        alike: dict[str, list[int]] = {}
        for (row, column), said in sorted(self.faults.items(), key=lambda each: each[0][0]):
            alike.setdefault(f"{column} {said}".strip(), []).append(row)
        if not alike:
            return
        told = []
        for said, rows in list(alike.items())[:MOST_TOLD]:
            more = len(rows) - 1
            others = f" and {more:,} more{' row' * (more == 1)}" * (more > 0)
            told.append(f"{self.where(rows[0])}{others}: {said}")
        left = sum(map(len, list(alike.values())[MOST_TOLD:]))
        if left or at_least:
            count = f"{left:,} " * (left > 0)
            told.append(f"... and {count}more{' at least' * at_least} in {self.source}")
        raise InputError("\n".join(told))

    def _got(self, row: int, column: str) -> str:
        value = self.frame[column].iloc[row] if column in self.frame else None
        return "nothing" if value is None else str(value)

    def names(self, column: str) -> NDArray[np.object_]:
        """Return a column of names, none of them empty, each as it looks on a page."""
        given = list(self.frame[column])
        # Thousands of rows share a few names; a number and a text that look alike are kept apart.
        every = {(type(value), value): value for value in given if value is not None}
        names_of = {key: name_of(value) for key, value in every.items()}
        names = ["" if v is None else names_of[type(v), v] for v in given]
        odd = [
            row
            for row, (value, name) in enumerate(zip(given, names, strict=True))
            if value is not name and isinstance(value, str) and value.strip(" ") != name
        ]
        if odd:
            self.notes.append(
                f"{self.source}: {len(odd):,} cells of {column} had invisible or odd spaces and "
                f"are read without them, first {self.place(odd[0])}: {given[odd[0]]!a} as "
                f"{names[odd[0]]!r}"
            )
        if column in NAMES:
            kinds = {key: _made_by_a_spreadsheet(v, names_of[key]) for key, v in every.items()}
            whole = set(names_of.values())
            totals = {key for key, name in names_of.items() if _of_totals(name, whole)}
            if totals or any(kinds.values()):
                for row, (value, name) in enumerate(zip(given, names, strict=True)):
                    key = (type(value), value)
                    said = kinds.get(key) or (key in totals and self._total(row, column, name))
                    if said and not any((row, each) in self.faults for each in NAMES):
                        self.fault(row, column, said)
        for row in (row for row, name in enumerate(names) if not name):
            if not any((row, each) in self.faults for each in NAMES):
                got = self._got(row, column)
                self.fault(row, column, f"must be given in every row, got {got}; {DROP}")
        return np.array(names, object)

    def _total(self, row: int, column: str, name: str) -> str | None:
        """Return what is wrong with a name for a total, if its row is one."""
        others = [each for each in (*NAMES, "outcome") if each != column and self.has(each)]
        lone = any(is_blank(self.frame[each].iloc[row]) for each in others)
        if lone or (name.rstrip(":").casefold() not in SUMS[len(TOTALS) :] and column != "task"):
            return f"must be a name, got {name!r}; delete rows of totals, they count runs twice"
        return None

    def numbers(
        self,
        column: str,
        rule: Rule = NUMBER,
        cure: str = "mend it",
        *,
        required: bool = False,
        default: float = np.nan,
        thousands: bool = True,
    ) -> Array:
        """Return a column as numbers after checking a rule; `default` where empty or at fault.

        Text is read by `evalbayes.tables.numerals.numeral`. Where no cell of the column shows that
        its points part decimals, `100.000` is a fault, unless the rule forbids 100000 or
        `thousands` is False: the figures of this column are never as large.
        """
        if not self.has(column):
            return np.full(len(self), default)
        raw = list(self.frame[column])
        decimal = not thousands or points_part_decimals(v for v in raw if isinstance(v, str))
        values = np.full(len(raw), np.nan)
        blank = np.array([is_blank(value) for value in raw], dtype=bool)
        empty = blank.copy()
        known: dict[Any, float] = {}  # many rows share one cap
        for row in map(int, np.flatnonzero(~blank)):
            try:
                if raw[row] not in known or not isinstance(raw[row], str):
                    known[raw[row]] = _number(raw[row], rule.holds, decimal=decimal)
                values[row] = known[raw[row]]
            except NotANumber as error:
                self.fault(row, column, f"{rule.words}, got {raw[row]}; {error.cure}")
                empty[row] = True
        with np.errstate(invalid="ignore"):
            sound = np.isfinite(values) & rule.holds(values)
        for row in map(int, np.flatnonzero(~sound & ~empty)):
            self.fault(row, column, f"{rule.words}, got {raw[row]}; {cure}")
        for row in map(int, np.flatnonzero(blank & required)):
            self.fault(row, column, f"{rule.words}, got {self._got(row, column)}; {DROP}")
        return np.where(sound & ~empty, values, default)

    def flags(self, column: str) -> Array:
        """Return a column of yes or no as 1 and 0, NaN where it is empty."""
        values = np.full(len(self), np.nan)
        for row, value in enumerate(self.frame[column] if self.has(column) else ()):
            if not is_blank(value):
                said = flag_of(value)
                if said is None:
                    wrong = f"must be 0 or 1, yes or no, got {value}; write one of them"
                    self.fault(row, column, wrong)
                else:
                    values[row] = said
        return values

    def counts(self, column: str, *, required: bool = True) -> Index:
        """Return a column of whole numbers, 0 or more; 0 where it is empty and may be."""
        values = self.numbers(column, WHOLE, "count the runs again", required=required, default=0.0)
        return values.astype(np.int64)

    def caps(self) -> Array:
        """Return the caps, each above 0."""
        cure = "write what one attempt was allowed to spend"
        return self.numbers("cap", A_CAP, cure, required=True)

    def efforts(self) -> Array:
        """Return the elicitation efforts, 0 where not given."""
        cure = "write 0 for the scaffold as it comes, 0.6 for two to three engineer-weeks"
        return self.numbers("effort", SHARE, cure, default=0.0)

    def human_minutes(self) -> Array:
        """Return human task minutes, NaN where not known."""
        return self.numbers("human_minutes", ABOVE_0, "leave it empty where it is not known")

    def run_sets(self) -> "pd.Series[Any]":
        """Return the names of sets of runs that rows share, missing where a row has its own."""
        if not self.has("run_set"):
            return pd.Series([None] * len(self), dtype=object)
        given = self.frame["run_set"]
        return pd.Series([None if is_blank(v) else name_of(v) for v in given], dtype=object)

    def spend_units(self) -> dict[str, str]:
        """Return the unit of spend of every eval that has one in a column `spend_unit`."""
        units: dict[str, str] = {}
        if not self.has("spend_unit"):
            return units
        stated = self.frame[["eval", "spend_unit"]].itertuples(index=False)
        for row, (name, unit) in enumerate(stated):
            if name is None or is_blank(unit):
                continue
            first = units.setdefault(name_of(name), name_of(unit))
            if first != name_of(unit):
                wrong = f"must be the same in all rows of an eval, got {unit} after {first}"
                self.fault(row, "spend_unit", f"{wrong}; import them again in one unit")
        return units

    def extras(self, known: tuple[str, ...]) -> "dict[str, pd.Series[Any]]":
        """Return the columns that are not known, as they were read."""
        return {str(c): self.frame[c] for c in self.frame.columns if c not in known}


def _of_totals(name: str, names: set[str]) -> bool:
    """Whether a name is a word for sums, or such a word beside another of the names."""
    first, _, last = name.partition(" ")[0], "", name.rpartition(" ")[2]
    rests = {name[: -len(last)].strip(): last, name[len(first) :].strip(): first}
    beside = any(r in names and w.rstrip(":").casefold() in SUMS for r, w in rests.items())
    return beside or name.rstrip(":").casefold() in SUMS


def _made_by_a_spreadsheet(value: object, name: str) -> str | None:
    """Return why a cell is no name but something that a spreadsheet made of one."""
    if isinstance(value, bool | np.bool_ | datetime | date | time | timedelta):
        kind = "true or false" if isinstance(value, bool | np.bool_) else "date or time"
        return (
            f"must be a name, got the {kind} {value}; a spreadsheet made it of a name: format the "
            "column as text and type the name again"
        )
    if is_error(name):
        return f"must be a name, got the error {name}; mend the formula or drop the row"
    if isinstance(value, float) and abs(value) >= MOST_EXACT:
        name = f"{value:G}"
    if isinstance(value, float | str) and _ROUNDED.fullmatch(name):
        return (
            f"must be a name, got {name}, which a spreadsheet made of a longer one; format the "
            "column as text and type the name again"
        )
    return None


def name_of(value: object) -> str:
    """Return a cell as a name; a number without decimals as its digits."""
    if isinstance(value, float) and value.is_integer() and abs(value) < MOST_EXACT:
        return str(int(value))
    return plain_name(str(value))


def _number(value: object, holds: Callable[[Array], Any], *, decimal: bool) -> float:
    """Return a cell as a number; text that may mean two is the one that the rule allows."""
    if isinstance(value, str):
        try:
            return numeral(value, decimal=decimal)
        except NotANumber:
            if is_error(value):
                raise NotANumber(value, "mend the formula, or empty the cell") from None
            if not any(map(str.isdigit, value)):
                raise NotANumber(value, f"{DIGITS}, or empty the cell") from None
            large = value.strip().replace(".", "")
            if large.isdecimal() and not np.all(holds(np.array([float(large)]))):
                return numeral(value, decimal=True)
            raise
    if isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_):
        return float(value)
    raise NotANumber(str(value), f"format the column as numbers; {DIGITS}")
