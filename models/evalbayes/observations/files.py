"""Files of observations: CSV (also gzipped), Parquet and workbooks, read into rows and written."""

import gzip
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import plain_name, refuse_control
from evalbayes.observations.rows import Rows
from evalbayes.tables.delimited import MOST_CELLS, read_delimited, refuse_twice
from evalbayes.tables.odd_files import BEGINNING, told_by_beginning
from evalbayes.tables.workbook import Sheet, read_sheets
from evalbayes.whole import write_whole

KINDS = {".csv": "CSV", ".gz": "CSV", ".parquet": "Parquet", ".xlsx": "a workbook"}


def read_rows(path: str | Path) -> tuple[Rows, ...]:
    """Read one file into rows of text and numbers, empty cells as None, empty rows passed over.

    A workbook gives one table per sheet; sheets whose name begins with "notes" are passed over.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: must be a file, got a folder; name a file in it")
    reader = next((READERS[end] for end in READERS if path.name.lower().endswith(end)), None)
    if reader is None:
        raise InputError(
            f"{path}: observations must be a file ending in {', '.join(READERS)}, got "
            f"{path.suffix or 'no ending'!r}; save it as one, or read logs by `evalfolio import`"
        )
    if not path.exists():
        raise InputError(f"{path}: must be a file that exists, but there is none; check its name")
    try:
        tables = reader(path)
    except InputError:
        raise
    except Exception as error:  # readers of three formats fail in dozens of ways, all of them here
        words = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path}: must be {KINDS[path.suffix.lower()]} that can be read, got an error "
            f"({words}); write it again"
        ) from error
    rows = tuple(_tidied(frame, name) for name, frame in tables if len(frame.columns))
    if not rows or all(len(each) == 0 for each in rows):
        raise InputError(
            f"{path}: must hold at least one row, got an empty table; "
            "give rows or leave the file out"
        )
    return tuple(each for each in rows if len(each))


def rows_of(frame: pd.DataFrame, source: str = "") -> Rows:
    """Return a data frame as rows; they are numbered as in a file with one heading."""
    source = source or str(frame.attrs.get("source", "table"))
    rows = _tidied(frame.reset_index(drop=True), source)
    if not len(rows):
        raise InputError(f"{source}: must hold at least one row, got an empty table; give rows")
    return rows


def _tidied(frame: pd.DataFrame, source: str) -> Rows:
    """Return cells as plain objects, None where empty; rows keep the numbers they have there."""
    frame = frame.rename(columns=lambda name: plain_name(str(name)))
    numbers = frame.index.to_numpy() + Rows.first
    cells = frame.astype(object).to_numpy()
    tidy = np.empty(cells.shape, dtype=object)
    for place, value in np.ndenumerate(cells):
        try:
            tidy[place] = _cell(value)
        except InputError as error:
            row, column = place
            raise InputError(
                f"{source} row {numbers[row]}: {frame.columns[column]}{error}"
            ) from None
    filled = np.array([any(v is not None for v in row) for row in tidy], dtype=bool)
    notes = []
    if frame.attrs.get("hidden"):
        notes.append(f"{source} is hidden in the workbook; its rows are read like those of others")
    if unseen := [n for n in numbers[filled] if n in frame.attrs.get("hidden_rows", ())]:
        notes.append(
            f"{source}: {len(unseen):,} rows are hidden in the workbook (first: row {unseen[0]}), "
            "as by a filter; they are read like the others"
        )
    return Rows(
        pd.DataFrame(tidy[filled], columns=frame.columns, dtype=object),
        source,
        row_numbers=tuple(int(number) for number in numbers[filled]),
        notes=notes,
    )


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        refuse_control("", value)
        return value.strip(" \t\r\n") if value.strip() else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.ndarray | list | tuple | dict | set):
        raise InputError(f" must hold one value in a cell, got {str(value)[:80]}; take it apart")
    if isinstance(value, bytes):
        raise InputError(f" must hold text or numbers, got bytes {value[:20]!r}; decode them")
    return None if isinstance(value, float) and np.isnan(value) else value


def _read_csv(path: Path) -> Iterable[tuple[str, pd.DataFrame]]:
    return [(path.name, read_delimited(path))]


def _read_parquet(path: Path) -> Iterable[tuple[str, pd.DataFrame]]:
    import pyarrow as pa
    import pyarrow.parquet as pq  # slow to import, and only wanted here

    with path.open("rb") as stream:
        start = stream.read(BEGINNING)
    odd = None if start.startswith(b"PAR1") else told_by_beginning(start)
    if odd is not None:
        raise InputError(f"{path}: must be a Parquet table; it is {odd}")
    with pq.ParquetFile(path) as file:
        cells = file.metadata.num_rows * len(file.schema_arrow)
        texts = [
            field.name
            for field in file.schema_arrow
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
    if cells > MOST_CELLS:
        raise InputError(
            f"{path}: must have at most {MOST_CELLS:,} cells, got {cells:,}; leave out columns, or "
            "write it in several files"
        )
    # As a dictionary a text that stands in every row is held once, however long it is.
    frame = pd.read_parquet(path, read_dictionary=texts)
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    return [(path.name, frame)]


def _read_workbook(path: Path) -> Iterable[tuple[str, pd.DataFrame]]:
    named = ((f"{path.name} sheet {sheet.title!r}", sheet) for sheet in read_sheets(path))
    return [(where, _headed(sheet, where)) for where, sheet in named]


def _headed(sheet: Sheet, where: str) -> pd.DataFrame:
    """Return a sheet with its first filled row as the names of the columns."""
    from openpyxl.utils import get_column_letter

    if not sheet.rows:
        return pd.DataFrame()
    (_, names), below = sheet.rows[0], sheet.rows[1:]
    refuse_twice(where, names)
    width = max(len(cells) for _, cells in sheet.rows)
    columns = {}
    for j in range(width):
        name = names[j] if j < len(names) else None
        cells = [row[j] if j < len(row) else None for _, row in below]
        filled = [i for i, value in enumerate(cells) if value is not None]
        if name is None and filled and 2 * len(filled) < len(cells):
            raise InputError(
                f"{where} cell {get_column_letter(j + 1)}{below[filled[0]][0]}: every filled cell "
                f"must have a column name above it, got {cells[filled[0]]!r} without one; name the "
                "column or empty the cell"
            )
        if name is not None or filled:
            columns[f"Unnamed: {j}" if name is None else str(name)] = cells
    # The first row below headings in row 1 is row 0 of its frame.
    frame = pd.DataFrame(columns, index=[number - 2 for number, _ in below], dtype=object)
    frame.attrs |= {"hidden": sheet.hidden, "hidden_rows": sheet.hidden_rows}
    return frame


READERS: dict[str, Callable[[Path], Iterable[tuple[str, pd.DataFrame]]]] = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".parquet": _read_parquet,
    ".xlsx": _read_workbook,
}


def write_observations(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table of observations as CSV (also gzipped), Parquet or workbook; return its path.

    The file is written whole or not at all. InputError if the ending is not known or the file
    cannot be written.
    """
    path = Path(path)
    ending = next((end for end in READERS if path.name.lower().endswith(end)), None)
    if ending is None:
        raise InputError(
            f"{path}: observations must be written to a file ending in {', '.join(READERS)}, got "
            f"{path.suffix or 'no ending'!r}; name it so"
        )
    stream = BytesIO()
    if ending == ".parquet":
        frame.to_parquet(stream, index=False)
    elif ending == ".xlsx":
        frame.to_excel(stream, index=False, engine="xlsxwriter", sheet_name="observations")
    else:
        text = frame.to_csv(index=False).encode("utf-8")
        # mtime 0: the same rows give the same file
        stream.write(gzip.compress(text, mtime=0) if ending == ".csv.gz" else text)
    return write_whole(path, stream.getvalue())
