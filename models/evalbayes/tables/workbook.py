"""Sheets of a workbook: one guard for everyone who reads one, and limits on what is unpacked."""

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalbayes.errors import InputError
from evalbayes.names import refuse_control
from evalbayes.tables.odd_files import BEGINNING, told_by_beginning

MOST_UNPACKED = 60_000_000  # bytes of all parts of a workbook: a million filled cells and more
# Of every language: #REF!, #BEZUG!, #¡VALOR!, #NV, #N/D.
_ERROR = re.compile(r"#(?:N/?[ADV]|[¡¿]?(?:[^\W\d_]+|DIV/0)[!?])")
NOTES = "notes"  # sheets whose name begins so are for people
_PIVOT = re.compile(
    r"(?:row|column) labels|grand total|(?:zeilen|spalten)beschriftungen|gesamtergebnis|"
    r"étiquettes de (?:lignes|colonnes)|total général|etiquetas de (?:fila|columna)|"
    r"(?:(?:sum|counta?|average|max|min|product) of|(?:summe|anzahl|mittelwert) von|"
    r"(?:somme|nombre|moyenne) de) .+",
    re.IGNORECASE,
)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_HIDDEN = re.compile(rb'<(?:\w+:)?row r="(\d+)"[^>]*? hidden="(?:1|true)"')
MOST_TOLD = 10  # cells that are told at once
_LOOKED_AT = 5  # rows in which a title or the headings of a pivot table are looked for
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Sheet:
    """The filled rows of a sheet."""

    title: str  # its name
    # rows: number of the row as the spreadsheet counts it, and its cells from column A on: text
    # without blanks around it, numbers, dates, true or false; None where empty
    rows: tuple[tuple[int, tuple[Any, ...]], ...]
    hidden: bool = False  # whether the workbook keeps it out of sight
    # hidden_rows: numbers of the rows that it keeps out of sight, as a filter does
    hidden_rows: frozenset[int] = frozenset()


def read_sheets(path: str | Path, only: str | None = None) -> tuple[Sheet, ...]:
    """Read the sheets of a workbook, but for those whose name begins with "notes".

    InputError if the file is no workbook, or unpacked is larger than 60 MB; if it has no sheet of
    cells, or not the one that is wanted; if a cell that is read holds an error or a formula that
    was never calculated, is merged with others, or belongs to a pivot table or to a title above the
    headings. The sheet and cell are named. With `only` one sheet is read and the others may hold
    what they like.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles, validations and dates out of range
            return tuple(_sheets(path, only))
    except InputError:
        raise
    except OSError as error:
        raise InputError(
            f"{path}: must be a workbook that can be read, got an error "
            f"({error.strerror or error}); check its name"
        ) from error
    except Exception as error:  # zip, XML and openpyxl fail in dozens of ways, all of them here
        words = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path}: must be a workbook that can be read, got an error ({words}); open it in a "
            "spreadsheet program and save it again as .xlsx"
        ) from error


@contextmanager
def _opened(path: Path, **options: Any) -> Iterator[Any]:
    """Open a workbook; its file is closed however that ends: openpyxl leaves it open on failure."""
    from openpyxl import load_workbook  # slow to import, and only wanted here

    with path.open("rb") as stream:
        book = load_workbook(stream, read_only=True, **options)
        try:
            yield book
        finally:
            book.close()


def _sheets(path: Path, only: str | None) -> Iterator[Sheet]:
    with path.open("rb") as stream:  # what is missing or locked is told before it is damaged
        odd = told_by_beginning(stream.read(BEGINNING))
    if odd is not None:
        raise InputError(f"{path}: must be a workbook; it is {odd}")
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > MOST_UNPACKED:
        raise InputError(
            f"{path}: a workbook must unpack to at most {MOST_UNPACKED / 1e6:,.0f} MB, got "
            f"{unpacked / 1e6:,.0f} MB; delete what it need not hold, or save the sheet as CSV"
        )
    from openpyxl.utils import column_index_from_string

    with _opened(path, data_only=True) as values:
        sheets = [each for each in values.worksheets if hasattr(each, "iter_rows")]
        wanted = [each for each in sheets if only is None or each.title == only]
        if not wanted:
            titles = ", ".join(repr(each.title) for each in sheets) or "charts alone"
            sheet = "a sheet of cells" if only is None else f"a sheet {only!r}"
            raise InputError(f"{path}: must have {sheet}, got {titles}; add or rename one")
        for sheet in wanted:
            if only is None and sheet.title.strip().lower().startswith(NOTES):
                continue
            where = f"{path.name}: sheet {sheet.title!r}"
            formulas, merged, unseen = _scanned(path, sheet)
            rows = _filled(where, sheet)
            if formulas:
                _refuse_uncalculated(where, path, sheet.title, dict(rows), values)
            _refuse_heading(where, rows)
            for left, top, right, bottom in merged:
                row, column = dict(rows).get(top, ()), column_index_from_string(left) - 1
                if column < len(row) and row[column] is not None and (left, top) != (right, bottom):
                    raise InputError(
                        f"{where}: cells must not be merged, got {row[column]!r} in {left}{top} to "
                        f"{right}{bottom}; unmerge them and fill in every row"
                    )
            yield Sheet(sheet.title, tuple(rows), sheet.sheet_state != "visible", frozenset(unseen))


def is_error(text: str) -> bool:
    """Whether a cell holds an error in place of a value.

    >>> is_error("#REF!"), is_error("#NV"), is_error("#1")
    (True, True, False)
    """
    return _ERROR.fullmatch(text) is not None


def _scanned(path: Path, sheet: Any) -> tuple[bool, list[tuple[str, int, str, int]], set[int]]:
    """Return whether a sheet has formulas, its merged cells and hidden rows, read by parts."""
    formulas, merged, unseen, rest = False, [], set[int](), b""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as part:
        while chunk := part.read(_CHUNK):
            text = rest + chunk
            formulas = formulas or _FORMULA.search(text) is not None
            unseen |= {int(row) for row in _HIDDEN.findall(text)}
            end = 0
            for found in _MERGED.finditer(text):
                left, top, right, bottom = (each.decode() for each in found.groups())
                merged.append((left, int(top), right, int(bottom)))
                end = found.end()
            rest = text[max(end, len(text) - 300) :]
    return formulas, merged, unseen


def _filled(where: str, sheet: Any) -> list[tuple[int, tuple[Any, ...]]]:
    """Return the rows that hold anything; empty cells at their end are cut off."""
    sheet.reset_dimensions()  # what the file says of its size may be wrong, or one stray cell
    rows: list[tuple[int, tuple[Any, ...]]] = []
    errors: list[str] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        row = [_value(where, cell, errors) for cell in cells]
        while row and row[-1] is None:
            row.pop()
        if row:
            rows.append((number, tuple(row)))
    if errors:
        raise InputError(
            f"{_named(where, errors)}: must hold a value, got an error; mend the formula or empty "
            "the cell"
        )
    return rows


def _value(where: str, cell: Any, errors: list[str]) -> Any:
    value = cell.value
    if isinstance(value, str):
        refuse_control(f"{where} cell {cell.coordinate}", value)
        value = value.strip(" \t\r\n") if value.strip() else None
    if cell.data_type == "e" or (isinstance(value, str) and is_error(value)):
        errors.append(f"{cell.coordinate} {value}")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _refuse_uncalculated(
    where: str, path: Path, title: str, rows: dict[int, tuple[Any, ...]], values: Any
) -> None:
    """Refuse a formula without a value: a program wrote it, and no spreadsheet has calculated it.

    Some programs write a 0 in place of a value, and ask for a calculation at the next opening.
    """
    with _opened(path) as book:
        asked = bool(getattr(values.calculation, "fullCalcOnLoad", False))
        sheet = book[title]
        sheet.reset_dimensions()
        blanks = _blank_texts(values[title])
        missing, zeros = [], []
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            row = rows.get(number, ())
            for j, cell in enumerate(cells):
                if cell.data_type != "f":
                    continue
                value = row[j] if j < len(row) else None
                if value is None and (number, j) not in blanks:
                    missing.append(cell.coordinate)
                zeros.append(cell.coordinate if value == 0 else None)
        if missing:
            raise InputError(_uncalculated(where, missing, "none"))
        if asked and zeros and all(zeros):
            raise InputError(_uncalculated(where, zeros, "a 0 that stands in for it"))


def _blank_texts(sheet: Any) -> set[tuple[int, int]]:
    """Return the cells whose formula was calculated, to a text of no letters."""
    sheet.reset_dimensions()
    return {
        (number, j)
        for number, cells in enumerate(sheet.iter_rows(), start=1)
        for j, cell in enumerate(cells)
        if cell.value is None and cell.data_type == "str"
    }


def _uncalculated(where: str, cells: list[Any], got: str) -> str:
    return (
        f"{_named(where, cells)}: a formula must have a computed value, got {got}; open the "
        "workbook in a spreadsheet program and save it"
    )


def _named(where: str, cells: list[Any]) -> str:
    """Name the first of some cells at fault, and how many and which others there are."""
    more = f" (and {len(cells) - 1:,} more: {', '.join(cells[1:MOST_TOLD])})" if cells[1:] else ""
    return f"{where} cell {cells[0]}{more}"


def _refuse_heading(where: str, rows: list[tuple[int, tuple[Any, ...]]]) -> None:
    """Refuse a pivot table, and a title above the headings."""
    for number, cells in rows[:_LOOKED_AT]:
        for value in cells:
            if isinstance(value, str) and _PIVOT.fullmatch(value):
                raise InputError(
                    f"{where} row {number}: must be a plain table, got a pivot table ({value!r}); "
                    f"give the rows it was made from, or name the sheet {NOTES} and it is passed "
                    "over"
                )
    refuse_title(where, rows[:_LOOKED_AT])


def refuse_title(where: str, rows: list[tuple[int, tuple[Any, ...]]]) -> None:
    """Refuse a first row of one cell above rows of three or more: a title, and no headings."""
    widths = [sum(value is not None for value in cells) for _, cells in rows]
    if widths and widths[0] == 1 and max(widths) >= 3:
        title = next(value for value in rows[0][1] if value is not None)
        first = next(number for (number, _), width in zip(rows, widths, strict=True) if width >= 3)
        raise InputError(
            f"{where}: the first filled row must hold the names of the columns, got {title!r} "
            f"alone in row {rows[0][0]}; delete what stands above row {first}"
        )
