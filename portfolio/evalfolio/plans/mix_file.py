"""A mix in a file, as a person left it: a table with an option, or an eval and a tier, per row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evalbayes.names import plain_name
from evalbayes.observations.files import read_rows
from evalbayes.tables.numerals import NotANumber, numeral
from evalfolio.errors import InputError
from evalfolio.narrative import SHARED

# The most of each: beyond it a count or a cap is a slip of the pen.
COUNTS = {"tasks": 1e6, "attempts": 1e6, "runs": 1e9}
FIGURES = {**COUNTS, "cap": 1e15, "effort": 1.0}


def read_mix(path: str | Path, *, shared: bool = False) -> pd.DataFrame:
    r"""Return a mix's table, None where a cell is empty; empty rows are passed over.

    Counts, caps and efforts are numbers; all else is text, in which odd spaces count as plain ones.
    The index counts rows as a spreadsheet does, the headings being row 1. Rows of shared
    elicitation, which follow from the options, are left out unless they are asked for. InputError
    if the file is no CSV or .xlsx table, cannot be read, or has no row; if a count is no whole
    number from 1 to a million, a cap is not above 0 or an effort not from 0 to 1.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mix.csv"
    >>> _ = file.write_text("option,usd\n,\na plateau,12\n")
    >>> read_mix(file).loc[3, "option"]
    'a plateau'
    """
    path = Path(path)
    if path.is_file() and not path.name.lower().endswith((".csv", ".xlsx")):
        raise InputError(
            f"{path}: a mix must be a file ending in .csv or .xlsx, got "
            f"{path.suffix or 'no ending'!r}; save it as one of these"
        )
    rows = read_rows(path)[0]
    cells = [[None if c is None else plain_name(str(c)) for c in row] for row in rows.frame.values]
    frame = pd.DataFrame(cells, columns=rows.frame.columns, dtype=object)
    frame.index = pd.Index(rows.row_numbers)
    if "tier" in frame and not shared:
        frame = frame[frame["tier"] != SHARED]
    for column in FIGURES:
        if column in frame:
            frame[column] = [_figure(path, *cell, column) for cell in frame[column].items()]
    return frame


def _figure(path: Path, row: object, text: str | None, column: str) -> float | None:
    if text is None:
        return None
    where, whole, most = f"{path} row {row}: {column}", column in COUNTS, FIGURES[column]
    try:
        value = numeral(text, decimal=True)
    except NotANumber as error:
        raise InputError(f"{where} {error}") from None
    least = 1.0 if whole else 0.0
    fits = least <= value <= most and (not whole or value == int(value))
    if not fits or (column == "cap" and value == 0):
        kind = "a whole number from 1" if whole else "a number above 0" if column == "cap" else "0"
        raise InputError(f"{where} must be {kind} to {most:,.0f}, got {text!r}; mend the cell")
    return value
