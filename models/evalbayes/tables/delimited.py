"""Delimited text: a CSV file as cells of text, its faults told by row as a spreadsheet counts."""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import islice
from pathlib import Path

import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import control_character
from evalbayes.tables.odd_files import told_by_beginning
from evalbayes.tables.workbook import refuse_title

MOST_BYTES = 128_000_000  # of text
MOST_CELLS = 10_000_000  # of a table: more than a million runs, which take a gigabyte of memory
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_delimited(path: Path) -> pd.DataFrame:
    r"""Read a CSV file, plain or gzipped: every cell as text, a blank line as a row of nothing.

    Row i of the frame is row i + 2 of the file, as a spreadsheet shows it. Nothing is read as a
    number: a task may be called "001" or "NA". InputError if the file cannot be opened, is no text
    in UTF-8 or holds control characters, is larger than 128 MB or ten million cells when unpacked,
    has its cells parted otherwise than by commas, a title above the header or a column named twice,
    or a row with more cells than the header.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "results.csv"
    >>> _ = file.write_text("eval;score\nctf;0,5\n")
    >>> read_delimited(file)
    Traceback (most recent call last):
      ...
    evalbayes.errors.InputError: ...results.csv: cells must be parted by commas, got semicolons...
    """
    content = _content(path)
    odd = told_by_beginning(content)
    if odd is not None:
        raise InputError(f"{path}: must be a table, as CSV or .xlsx; it is {odd}")
    text = _decoded(path, content)
    _refuse_control(path, text)
    top = _top(path, text)
    heading = top[0][1] if top else None
    cells = max(text.count("\n"), text.count("\r")) * len(heading or ())
    if cells > MOST_CELLS:
        raise InputError(
            f"{path}: must have at most {MOST_CELLS:,} cells, got {cells:,}; leave out columns, or "
            "split its rows over several files"
        )
    if heading is None or not any(name.strip() for name in heading):
        got = "an empty file" if not text.strip() else "an empty first row"
        raise InputError(
            f"{path}: must have the names of its columns in the first row, got {got}; "
            "write them there"
        )
    if len(heading) == 1:
        for separator, words in OTHER_SEPARATORS.items():
            if separator in heading[0]:
                raise InputError(
                    f"{path}: cells must be parted by commas, got {words}; save it as CSV with "
                    "commas between cells and points in numbers, or as .xlsx"
                )
    refuse_twice(path, heading)
    refuse_title(
        path.name, [(number, tuple(v.strip() or None for v in row)) for number, row in top]
    )
    try:
        frame = pd.read_csv(
            StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False
        )
        ragged = not isinstance(frame.index, pd.RangeIndex)
    except pd.errors.ParserError:
        ragged = True
    if ragged:
        raise InputError(f"{path}{_fault(text, len(heading))}")
    nameless = [j for j, name in enumerate(heading) if not name.strip()]
    bare = [j for j in nameless if not frame.iloc[:, j].str.strip().any()]
    return frame.drop(columns=frame.columns[bare]) if bare else frame  # commas at the end of rows


def refuse_twice(where: str | Path, heading: Sequence[object]) -> None:
    """Refuse a heading that names a column twice: which of the two is meant, nobody could tell."""
    names = Counter(str(name).strip() for name in heading if name is not None)
    for name, times in names.items():
        if name and times > 1:
            raise InputError(
                f"{where}: every column must have a name of its own, got {name!r} {times} times; "
                "rename or drop one"
            )


def _top(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return the first rows, numbered from 1; whichever of the line ends they have."""
    try:
        with _cells_of_any_length():
            rows = csv.reader(StringIO(text, newline=None))
            return list(enumerate(islice(rows, 5), start=1))
    except csv.Error as error:
        raise InputError(
            f"{path}: the first rows must be cells parted by commas, got an error ({error}); close "
            "every quotation mark"
        ) from None


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """Let a cell be longer than the 131,072 characters at which `csv` gives up: a transcript is."""
    before = csv.field_size_limit(MOST_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _refuse_control(path: Path, text: str) -> None:
    found = control_character(text)
    if found is not None:
        line = text[: text.index(found)].count("\n") + 1
        raise InputError(
            f"{path} line {line}: text must hold no control characters, got {found!r}; delete it"
        )


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"{path}: must be a file, got a folder; name a file in it")
    try:
        zipped = path.name.lower().endswith(".gz")
        with gzip.open(path) if zipped else path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(
            f"{path}: must be a file that exists, but there is none; check its name"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(
            f"{path}: must be a file that can be read, got an error ({words}); write it again"
        ) from error
    if len(content) > MOST_BYTES:
        raise InputError(
            f"{path}: must hold at most {MOST_BYTES / 1e6:,.0f} MB of text{' unpacked' * zipped}, "
            "got more; leave out columns, or split its rows over several files"
        )
    return content


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        zipped = content.startswith(b"PK\x03\x04")
        line = f"other bytes in line {content[: error.start].count(10) + 1}"
        got = "a workbook or an archive" if zipped else line
        raise InputError(
            f"{path}: must be text in UTF-8, got {got}; save it as CSV in UTF-8, or as .xlsx"
        ) from None


def _fault(text: str, width: int) -> str:
    """Return which row does not fit the header, and how to mend it."""
    number = 0
    try:
        with _cells_of_any_length():
            rows = csv.reader(StringIO(text, newline=None), strict=True)
            for number, row in enumerate(rows, start=1):
                if len(row) > width:
                    return (
                        f" row {number}: must have no more cells than the first row, {width}, got "
                        f"{len(row)}; mend it, and delete what stands above the names of the "
                        "columns"
                    )
    except csv.Error:
        pass
    return (
        f" row {number + 1}: every quotation mark must be closed, got one that is not; close it, "
        "and double a mark inside a cell"
    )
