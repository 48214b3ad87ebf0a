"""A catalogue as a workbook: the tables of TOML as sheets, intervals as columns x_low and x_high.

Sheets `portfolio`, `budget`, `domain_defaults` and `eval_defaults` have a column of keys and one of
values, or one row under a header; `domain`, `eval`, `elicitation` and the like have one row each.
Tables inside a row are columns with a dot, such as `loadings.cyber` or `staff_hours.bio`, and evals
that are named together have semicolons between them. Names of tasks stand on a sheet `task_names`
with columns eval and task. Sheets whose name begins with "notes", and sheets and columns like no
known one, are their owner's own and passed over.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from evalbayes.catalogue.interval import Interval
from evalbayes.catalogue.tables import MANY, SINGLE, TASKS, Table, Tables, called, notes_on, plain
from evalbayes.errors import InputError
from evalbayes.names import nearest, plain_name, plural, refuse_unknown
from evalbayes.tables.workbook import read_sheets

_OF_ADVERSARY = ("adversary_verifier", "baseline_tools")
YES_NO = ("mandatory", "forbidden", "verifier", "resettable", *_OF_ADVERSARY)
CHOICES: dict[str, Any] = {
    **{key: ["yes", "no"] for key in YES_NO},
    "domain": "=domain!$A$2:$A$200",
    "eval": "=eval!$A$2:$A$1000",
    "spend_unit": ["tokens", "usd", "hours"],
    "adversary_spend_unit": ["tokens", "usd", "hours"],
}  # of a column that is chosen from a list
LIKE = 0.8  # how like a known sheet's name one is that is a slip and not its owner's own
CHOSEN_ROWS = 1000  # below a head with a list
Cells = list[tuple[int, tuple[Any, ...]]]  # filled rows: their numbers and cells
Row = tuple[int, dict[str, Any]]  # number of the row in its sheet, and its cells by column


def read_workbook(path: str | Path) -> Tables:
    """Read the tables of a workbook."""
    path = Path(path)
    untidy: list[str] = []
    sheets, known = _sheets(path, untidy), (*SINGLE, *MANY, TASKS)
    own = [name for name in sheets if name not in known and nearest(name, known, LIKE) is None]
    refuse_unknown(path.name, [name for name in sheets if name not in own], known, what="sheet")
    passed = (f"{path.name}: passed over: sheets of your own: {', '.join(own)}",) if own else ()
    found: dict[str, Any] = {}
    for name in SINGLE:
        where = f"{path.name}: sheet {name!r}"
        found[name] = Table(f"[{name}]", where, _single(where, sheets.get(name, [])))
    for name in MANY:
        found[plural(name)] = tuple(_rows(path.name, name, sheets.get(name, [])))
    found["evals"] = _with_task_names(path.name, sheets.get(TASKS, []), found["evals"])
    return Tables(path.name, notes=(*notes_on(untidy, path.name), *passed), **found)


def _sheets(path: Path, untidy: list[str]) -> dict[str, Cells]:
    """Return the filled rows of every sheet, by its table's name or, its owner's own, as titled."""
    return {
        table if table in (*SINGLE, *MANY, TASKS) else sheet.title: [
            (number, tuple(plain(cell, where, untidy) for cell in cells))
            for number, cells in sheet.rows
        ]
        for sheet in read_sheets(path)
        for where in (f"{path.name}: sheet {sheet.title!r}",)
        for table in (plain_name(sheet.title).lower().replace(" ", "_"),)
    }


def _header(cells: Cells) -> list[str]:
    return [str(name) if name is not None else "" for name in cells[0][1]] if cells else []


def _table(where: str, cells: Cells) -> list[Row]:
    """Return the rows under a header, without empty rows and cells."""
    header = _header(cells)
    named = [name for name in header if name]
    for name in named:
        if named.count(name) > 1:
            raise InputError(
                f"{where}: columns must have different names, got {name!r} twice; rename one"
            )
    rows = []
    for number, row in cells[1:]:
        filled = {
            header[j] if j < len(header) else "": value
            for j, value in enumerate(row)
            if value is not None
        }
        if "" in filled:
            raise InputError(
                f"{where} row {number}: every filled cell must have a column name above it, got "
                f"{filled['']!r} without one; name the column or empty the cell"
            )
        if filled:
            rows.append((number, filled))
    return rows


def _single(where: str, cells: Cells) -> dict[str, Any]:
    """Return a sheet of keys and values, or of one row."""
    rows = _table(where, cells) if _header(cells)[:2] != ["key", "value"] else None
    if rows is None:
        entries = {}
        for number, row in cells[1:]:
            key, value = (*row, None)[:2]
            if key is None and value is None:
                continue
            if not isinstance(key, str):
                raise InputError(
                    f"{where} row {number}: key must be a name, got {key!r}; fill it in"
                )
            if key in entries:
                raise InputError(f"{where} row {number}: {key} must be given once; drop one row")
            if value is not None:
                entries[key] = value
        return _nested(where, entries)
    if len(rows) > 1:
        raise InputError(
            f"{where}: must have one row under its header, or columns key and value, got "
            f"{len(rows)} rows; keep one"
        )
    return _nested(where, rows[0][1]) if rows else {}


def _rows(source: str, kind: str, cells: Cells) -> Iterable[Table]:
    """Return the rows of a sheet, each named by its number and name."""
    for number, flat in _table(f"{source}: sheet {kind!r}", cells):
        place = f"{source}: sheet {kind!r} row {number}"
        name = called(kind, flat)
        where = f"{place} ({kind} {name!r})" if name is not None else place
        label = f"{kind} {name!r}" if name is not None else f"{kind} number {number - 1}"
        yield Table(label, where, _nested(where, flat))


def _nested(where: str, flat: Mapping[str, Any]) -> dict[str, Any]:
    """Put x_low and x_high together to x = [low, high], and x.a, x.b to x = {a, b}."""
    nested: dict[str, Any] = {}
    for column, value in flat.items():
        stem, dot, part = column.partition(".")
        ends = [end for end in ("low", "high") if column.endswith(f"_{end}")]
        if dot:
            if not isinstance(nested.setdefault(stem, {}), dict):
                raise InputError(_twice(where, stem, column))
            nested[stem][part] = value
        elif ends:
            stem = column[: -len(ends[0]) - 1]
            other = f"{stem}_{'high' if ends[0] == 'low' else 'low'}"
            if other not in flat:
                raise InputError(
                    f"{where}: an interval must have both ends, got {column} without {other}; "
                    f"fill in {other}, or use one column {stem} for an exact number"
                )
            if stem in flat:
                raise InputError(_twice(where, stem, column))
            nested[stem] = [flat[f"{stem}_low"], flat[f"{stem}_high"]]
        elif column in nested:
            raise InputError(_twice(where, column, f"{column}. ..."))
        else:
            nested[column] = value
    return nested


def _twice(where: str, key: str, column: str) -> str:
    return f"{where}: {key} must be given in one way, got {key} and {column}; empty one of them"


def _with_task_names(source: str, cells: Cells, evals: Sequence[Table]) -> tuple[Table, ...]:
    """Return evals with the names of their tasks, from a sheet of their own."""
    where = f"{source}: sheet {TASKS!r}"
    names: dict[str, list[str]] = {}
    for number, row in _table(where, cells):
        for column in ("eval", "task"):
            if column not in row:
                raise InputError(
                    f"{where} row {number}: columns eval and task must be filled in, got "
                    f"{', '.join(row)}; fill in {column}"
                )
        names.setdefault(str(row["eval"]), []).append(str(row["task"]))
    known = [str(table.entries.get("name")) for table in evals]
    refuse_unknown(where, names, known, what="eval")
    return tuple(
        replace(table, entries={**table.entries, "task_names": names[name]})
        if name in names
        else table
        for table, name in zip(evals, known, strict=True)
    )


def workbook_of(data: Mapping[str, Any], explanations: Mapping[str, str]) -> bytes:
    """Return nested tables as a workbook, with explanations of keys beside or above them."""
    import xlsxwriter  # slow to import, and only wanted here

    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    bold = book.add_format({"bold": True})
    for name, given in data.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        if isinstance(given, list):
            _write_rows(sheet, [flat(row) for row in given], explanations, bold)
        else:
            _write_keys(sheet, flat(given), explanations, bold)
        sheet.autofit()
    named = [(row["name"], task) for row in data["eval"] for task in row.get(TASKS, ())]
    if named:
        sheet = book.add_worksheet(TASKS)
        for i, pair in enumerate([("eval", "task"), *named]):
            sheet.write_row(i, 0, pair)
    book.close()
    return stream.getvalue()


def _write_rows(
    sheet: Any, rows: list[dict[str, Any]], explanations: Mapping[str, str], bold: Any
) -> None:
    """Write one row per domain or eval, explanations as comments on the header, lists to choose."""
    for j, column in enumerate(dict.fromkeys(c for row in rows for c in row)):
        sheet.write(0, j, column, bold)
        if comment := in_cells(column, explanations.get(_stem(column), "")):
            sheet.write_comment(0, j, comment)
        if column in CHOICES:
            source, others = CHOICES[column], column not in YES_NO
            sheet.data_validation(
                *(1, j, CHOSEN_ROWS, j),
                {
                    "validate": "list",
                    "source": source,
                    "error_type": "warning" if others else "stop",
                    "error_title": column,
                    "error_message": "Not on the list." if others else "yes or no",
                },
            )
        for i, row in enumerate(rows, start=1):
            if column in row:
                value = row[column]
                sheet.write(i, j, ("no", "yes")[value] if isinstance(value, bool) else value)


def in_cells(column: str, text: str) -> str:
    """Return what a key of the commented catalogue means, in words of a spreadsheet.

    >>> print(in_cells("gap_low", "how much more; omitted: learned")[:64])
    how much more; left empty: learned. The lower end of a 90 % rang
    >>> in_cells("domain", "required, this or loadings = {cyber = 0.8, autonomy = 0.2}")
    'required, this or columns loadings.cyber, loadings.autonomy'
    """

    def columns(found: re.Match[str]) -> str:
        parts = re.findall(r"(\w+) = ", found[2])
        stem = (found[1] or f"{_stem(column)} = ").split()[0]
        return f"columns {', '.join(f'{stem}.{part}' for part in parts)}"

    said = re.sub(r"(\w+ = )?\{(.*?)\}", columns, text)
    said = re.sub(r"(\w+) = \[.*?\]", r"columns \1_low, \1_high", said)
    said = re.sub(r"([\w.]+) = ([\w.]+|\".*?\")", r"a column \1", said)
    said = said.replace("omitted:", "left empty:").replace("or true", "or yes").replace('"', "")
    stem = _stem(column)
    for end, other, word in (("low", "high", "lower"), ("high", "low", "upper")):
        if column == f"{stem}_{end}" and said:
            said += (
                f". The {word} end of a 90 % range, with {stem}_{other}; or one column {stem} for "
                "an exact number."
            )
    return said


def _write_keys(
    sheet: Any, entries: dict[str, Any], explanations: Mapping[str, str], bold: Any
) -> None:
    """Write keys, values and what they mean."""
    for j, head in enumerate(("key", "value", "meaning")):
        sheet.write(0, j, head, bold)
    for i, (key, value) in enumerate(entries.items(), start=1):
        sheet.write_row(i, 0, [key, value, explanations.get(_stem(key), "")])


def flat(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Spread intervals and tables over columns; names of tasks have a sheet of their own."""
    found: dict[str, Any] = {}
    for key, value in entries.items():
        if key == TASKS:
            continue
        if key == "evals" and isinstance(value, list | tuple):
            found[key] = "; ".join(value)
        elif isinstance(value, Interval | list):
            interval = Interval.of(value)
            if interval.exact:
                found[key] = interval.low
            else:
                found |= {f"{key}_low": interval.low, f"{key}_high": interval.high}
        elif isinstance(value, date):
            found[key] = value.isoformat()
        elif isinstance(value, dict):
            found |= {f"{key}.{part}": each for part, each in value.items()}
        else:
            found[key] = value
    return found


def _stem(column: str) -> str:
    return column.partition(".")[0].removesuffix("_low").removesuffix("_high")
