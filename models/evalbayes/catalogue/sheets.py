"""Writing a catalogue back out: as nested tables, as TOML and as a workbook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from io import BytesIO
from typing import Any

from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.interval import Interval
from evalbayes.catalogue.spec import Spec
from evalbayes.catalogue.tables import TASKS

UNREAD = {"mitigate_above": ("loss_missed", "loss_false_alarm")}  # worked out from the key


def tables(catalogue: Catalogue) -> dict[str, Any]:
    """Return the catalogue as nested tables that read back as it, defaults written out."""
    return {
        "portfolio": _entries(catalogue.portfolio),
        "budget": _entries(catalogue.budget),
        "domain": [_entries(spec) for spec in catalogue.domains],
        "eval": [_entries(spec) for spec in catalogue.evals],
        **(
            {"ai_model": [_entries(spec) for spec in catalogue.ai_models]}
            if catalogue.ai_models
            else {}
        ),
    }


def catalogue_to_toml(catalogue: Catalogue) -> str:
    """Return the catalogue as TOML, every default written out."""
    parts = []
    for name, given in tables(catalogue).items():
        for row in given if isinstance(given, list) else [given]:
            head = f"[[{name}]]" if isinstance(given, list) else f"[{name}]"
            parts.append("\n".join([head, *(f"{k} = {_toml(v)}" for k, v in row.items())]))
    return "\n\n".join(parts) + "\n"


def catalogue_to_workbook(catalogue: Catalogue) -> bytes:
    """Return the catalogue as a workbook, every default written out."""
    return workbook_of(tables(catalogue), {})


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
            _write_rows(sheet, [_flat(row) for row in given], explanations, bold)
        else:
            _write_keys(sheet, _flat(given), explanations, bold)
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
    """Write one row per domain or eval, explanations as comments on the header."""
    for j, column in enumerate(dict.fromkeys(c for row in rows for c in row)):
        sheet.write(0, j, column, bold)
        if _stem(column) in explanations:
            sheet.write_comment(0, j, explanations[_stem(column)])
        for i, row in enumerate(rows, start=1):
            if column in row:
                sheet.write(i, j, row[column])


def _write_keys(
    sheet: Any, entries: dict[str, Any], explanations: Mapping[str, str], bold: Any
) -> None:
    """Write keys, values and what they mean."""
    for j, head in enumerate(("key", "value", "meaning")):
        sheet.write(0, j, head, bold)
    for i, (key, value) in enumerate(entries.items(), start=1):
        sheet.write_row(i, 0, [key, value, explanations.get(_stem(key), "")])


def _entries(spec: Spec) -> dict[str, Any]:
    """Return what was given or filled in, without empty entries and what is worked out."""
    values = {key: getattr(spec, key) for key in type(spec).model_fields}
    hidden = [k for key, keys in UNREAD.items() if values.get(key) is not None for k in keys]
    return {k: v for k, v in values.items() if v is not None and v != "" and k not in hidden}


def _flat(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Spread intervals and tables over columns; names of tasks have a sheet of their own."""
    flat: dict[str, Any] = {}
    for key, value in entries.items():
        if key == TASKS:
            continue
        if isinstance(value, Interval | list):
            interval = Interval.of(value)
            if interval.exact:
                flat[key] = interval.low
            else:
                flat |= {f"{key}_low": interval.low, f"{key}_high": interval.high}
        elif isinstance(value, date):
            flat[key] = value.isoformat()
        elif isinstance(value, dict):
            flat |= {f"{key}.{part}": each for part, each in value.items()}
        else:
            flat[key] = value
    return flat


def _stem(column: str) -> str:
    return column.partition(".")[0].removesuffix("_low").removesuffix("_high")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Interval):
        return _toml(value.low) if value.exact else f"[{value.low!r}, {value.high!r}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
