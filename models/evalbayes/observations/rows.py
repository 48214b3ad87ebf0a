"""Rows of a table as they were read, and their cells as checked numbers and names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.errors import InputError

Places = Callable[[int], str | None]  # from a row of several tables put together to its place
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


NUMERAL = "write it in digits, with a point before decimals and neither separators nor units"
BLANKS = ("", "nan", "na", "n/a", "null", "none")  # what programs write for an empty number


def _is_blank(value: object) -> bool:
    return (isinstance(value, str) and value.lower() in BLANKS) or value != value


def told_at(places: Places, positions: Iterable[int]) -> str:
    """Return where rows that clash stand, in brackets; nothing where that is not known.

    Examples
    --------
    >>> told_at(lambda row: f"runs.csv row {row + 2}", [0, 7])
    ' (runs.csv row 2 and runs.csv row 9)'
    """
    known = [place for place in map(places, positions) if place]
    return f" ({' and '.join(known)})" if known else ""


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Rows:
    """One table: cells as read (None where empty), and the file it came from.

    Parameters
    ----------
    frame
        The cells; the index is 0, 1, 2, ...
    source
        Name of the file (and sheet), for messages.
    first
        Number of the first row in the file: 2 below a header.
    row_numbers
        Number of every row in the file, where empty rows lie between them.
    """

    frame: pd.DataFrame
    source: str
    first: int = 2
    row_numbers: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def where(self, row: int) -> str:
        """Name a row by its number, eval and AI model."""
        names = [
            str(self.frame[column].iloc[row])
            for column in ("eval", "ai_model")
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
        """Refuse the first bad row, saying the rule, what came and the cure.

        Raises
        ------
        InputError
            If any row is bad.
        """
        rows = np.flatnonzero(bad)
        if len(rows):
            raise InputError(
                f"{self.where(rows[0])}: {column} {rule}, got {self._got(rows[0], column)}; {cure}"
            )

    def _got(self, row: int, column: str) -> str:
        value = self.frame[column].iloc[row] if column in self.frame else None
        return "nothing" if value is None else str(value)

    def names(self, column: str) -> NDArray[np.object_]:
        """Return a column of names, none of them empty."""
        values = np.array(
            [None if v is None else str(v).strip() for v in self.frame[column]], object
        )
        empty = np.array([value is None or value == "" for value in values], dtype=bool)
        self.refuse(empty, column, "must be given in every row", "fill it in or drop the row")
        return values

    def numbers(
        self,
        column: str,
        *,
        required: bool,
        holds: Callable[[Floats], Any] = np.isfinite,
        rule: str = "must be a number",
        cure: str = "mend it",
        default: float = np.nan,
    ) -> Floats:
        """Return a column as numbers, `default` where empty, after checking a rule.

        Raises
        ------
        InputError
            If a cell is no number, empty where required, or breaks the rule.
        """
        if not self.has(column):
            return np.full(len(self), default)
        raw = self.frame[column]
        empty = np.array([v is None or (not required and _is_blank(v)) for v in raw], dtype=bool)
        values = np.array(
            pd.to_numeric(raw.where(~empty, other=np.nan), errors="coerce"), dtype=np.float64
        )
        if required:
            self.refuse(empty, column, rule, "fill it in or drop the row")
        worded = np.array([not _is_blank(v) for v in raw], dtype=bool) & ~empty & np.isnan(values)
        self.refuse(worded, column, rule, NUMERAL)
        with np.errstate(invalid="ignore"):
            bad = ~empty & ~(np.isfinite(values) & holds(values))
        self.refuse(bad, column, rule, cure)
        return np.where(empty, default, values)

    def counts(self, column: str, *, required: bool = True) -> NDArray[np.int64]:
        """Return a column of whole numbers, 0 or more; 0 where it is empty and may be."""
        values = self.numbers(
            column,
            required=required,
            holds=lambda v: (v >= 0) & (v == np.floor(v)),
            rule="must be a whole number, 0 or more",
            cure="count the runs again",
            default=0.0,
        )
        return values.astype(np.int64)

    def caps(self) -> Floats:
        """Return the caps, each above 0."""
        return self.numbers(
            "cap",
            required=True,
            holds=lambda v: v > 0,
            rule="must be a number above 0",
            cure="write what one attempt was allowed to spend",
        )

    def efforts(self) -> Floats:
        """Return the elicitation efforts, 0 where not given."""
        return self.numbers(
            "effort",
            required=False,
            holds=lambda v: (v >= 0) & (v <= 1),
            rule="must be from 0 to 1",
            cure="write 0 for the scaffold as it comes, 0.8 for two to three engineer-weeks",
            default=0.0,
        )

    def human_minutes(self) -> Floats:
        """Return human task minutes, NaN where not known."""
        return self.numbers(
            "human_minutes",
            required=False,
            holds=lambda v: v > 0,
            rule="must be above 0",
            cure="leave it empty where it is not known",
        )

    def run_sets(self) -> pd.Series[Any]:
        """Return the names of sets of runs that rows share, missing where a row has its own."""
        if not self.has("run_set"):
            return pd.Series([None] * len(self), dtype=object)
        given = self.frame["run_set"]
        return pd.Series(
            [None if v is None or _is_blank(v) else str(v) for v in given], dtype=object
        )

    def extras(self, known: tuple[str, ...]) -> dict[str, pd.Series[Any]]:
        """Return the columns that are not known, as they were read."""
        return {str(c): self.frame[c] for c in self.frame.columns if c not in known}
