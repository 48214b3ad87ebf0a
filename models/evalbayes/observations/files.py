"""Files of observations: CSV (also gzipped), Parquet and workbooks, read into rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.delimited import read_delimited, refuse_twice
from evalbayes.observations.rows import Rows

KINDS = {".csv": "CSV", ".gz": "CSV", ".parquet": "Parquet", ".xlsx": "a workbook"}


def read_rows(path: str | Path) -> tuple[Rows, ...]:
    """Read one file into rows of text and numbers, empty cells as None, empty rows passed over.

    A workbook gives one table per sheet; sheets whose name begins with "notes" are passed over.

    Raises
    ------
    InputError
        If the file cannot be read, is of an unknown kind, or holds no row.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: must be a file, got a folder; name a file in it")
    reader = next((READERS[end] for end in READERS if path.name.lower().endswith(end)), None)
    if reader is None:
        raise InputError(
            f"{path}: observations must be a file ending in {', '.join(READERS)}, got "
            f"{path.suffix or 'no ending'!r}; save it as one of these"
        )
    if not path.exists():
        raise InputError(f"{path}: must be a file that exists, but there is none; check its name")
    try:
        tables = reader(path)
    except InputError:
        raise
    except Exception as error:  # readers of three formats fail in dozens of ways, all of them here
        raise InputError(
            f"{path}: must be {KINDS[path.suffix.lower()]} that can be read, got an error "
            f"({_short(error)}); write it again"
        ) from error
    rows = tuple(_tidied(frame, name) for name, frame in tables if len(frame.columns))
    if not rows or all(len(each) == 0 for each in rows):
        raise InputError(
            f"{path}: must hold at least one row, got an empty table; "
            "give rows or leave the file out"
        )
    return tuple(each for each in rows if len(each))


def _tidied(frame: pd.DataFrame, source: str) -> Rows:
    """Return cells as plain objects, None where empty; rows keep the numbers they have there."""
    frame = frame.rename(columns=lambda name: str(name).strip())
    cells = frame.astype(object).to_numpy()
    tidy = np.empty(cells.shape, dtype=object)
    for place, value in np.ndenumerate(cells):
        tidy[place] = _cell(value)
    filled = np.array([any(v is not None for v in row) for row in tidy], dtype=bool)
    numbers = frame.index.to_numpy() + Rows.first
    return Rows(
        pd.DataFrame(tidy[filled], columns=frame.columns, dtype=object),
        source,
        row_numbers=tuple(int(number) for number in numbers[filled]),
    )


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return None if isinstance(value, float) and np.isnan(value) else value


def _read_csv(path: Path) -> Iterable[tuple[str, pd.DataFrame]]:
    return [(path.name, read_delimited(path))]


def _read_parquet(path: Path) -> Iterable[tuple[str, pd.DataFrame]]:
    frame = pd.read_parquet(path)
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    return [(path.name, frame)]


def _read_workbook(path: Path) -> Iterable[tuple[str, pd.DataFrame]]:
    sheets = pd.read_excel(
        path, sheet_name=None, header=None, dtype=object, keep_default_na=False, engine="openpyxl"
    )
    return [
        (f"{path.name} sheet {name!r}", _headed(cells, f"{path.name} sheet {name!r}"))
        for name, cells in sheets.items()
        if not str(name).lower().startswith("notes")
    ]


def _headed(cells: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return a sheet with its first filled row as the names of the columns."""
    filled = cells.map(_cell).notna()
    if not filled.any(axis=None):
        return pd.DataFrame()
    top = int(filled.any(axis=1).to_numpy().argmax())
    names = [_cell(name) for name in cells.iloc[top]]
    refuse_twice(where, names)
    kept = [
        i for i, name in enumerate(names) if name is not None or filled.iloc[top + 1 :, i].any()
    ]
    below = cells.iloc[top + 1 :, kept]
    below.columns = pd.Index([f"Unnamed: {i}" if names[i] is None else names[i] for i in kept])
    below.index = below.index - 1  # the first row below a header in row 1 is row 0 of its frame
    return below


def _short(error: Exception) -> str:
    words = str(error).splitlines()
    return words[0] if words else type(error).__name__


READERS: dict[str, Callable[[Path], Iterable[tuple[str, pd.DataFrame]]]] = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".parquet": _read_parquet,
    ".xlsx": _read_workbook,
}
