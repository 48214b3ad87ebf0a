"""Sheet Assumptions: every figure nobody gave, and what the reader should be warned of."""

from __future__ import annotations

from typing import Any

from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.contents import Contents

FIRST = 4
REASON = 80  # width of the reasons, in characters


def write_assumptions(book: Book, contents: Contents) -> Any:
    """Write assumptions as a table, then warnings, what is not covered and what was left out."""
    record = contents.record
    sheet = book.sheet(
        "Assumptions",
        "Assumptions, warnings, and what is left out",
        "Figures the catalogue did not give, with the value taken and why. Put better ones there.",
        [26, 26, 22, REASON],
    )
    heads = [("Where", "text"), ("Key", "text"), ("Value", "text"), ("Why this value", "wrap")]
    for i, taken in enumerate(record.assumptions):
        book.put(sheet, FIRST + i, 0, taken.where, book.line("text"))
        book.put(sheet, FIRST + i, 1, taken.key, book.line("text"))
        book.put(sheet, FIRST + i, 2, _shown(taken.value), book.line("general", align="left"))
        book.put(sheet, FIRST + i, 3, taken.reason, book.line("wrap"))
        book.tall(sheet, FIRST + i, [(taken.reason, REASON)])
    book.table(sheet, "assumptions", FIRST - 1, len(record.assumptions), heads)
    sheet.freeze_panes(FIRST, 0)
    row = FIRST + max(len(record.assumptions), 1) + 2
    row = _write_list(book, sheet, row, "Warnings", [("", text) for text in record.warnings])
    limits = [(limit.by, limit.text) for limit in record.limits]
    row = _write_list(book, sheet, row, "Limits kept", limits)
    uncovered = [(part.name, part.reason) for part in record.not_covered]
    row = _write_list(book, sheet, row, "Not covered", uncovered)
    _write_not_chosen(book, sheet, row, contents)
    return sheet


def _write_list(book: Book, sheet: Any, row: int, title: str, lines: list[tuple[str, str]]) -> int:
    sheet.write_string(row, 0, title, book.style("text", bold=True, font_size=13))
    for name, text in lines or [("", "none")]:
        row += 1
        sheet.write_string(row, 0, name, book.line("text"))
        sheet.merge_range(row, 1, row, 3, "", book.line("wrap"))
        sheet.write_string(row, 1, text, book.line("wrap"))
        book.tall(sheet, row, [(text, 26 + 22 + REASON)])
    return row + 2


def _write_not_chosen(book: Book, sheet: Any, row: int, contents: Contents) -> None:
    sheet.write_string(row, 0, "Evals left out", book.style("text", bold=True, font_size=13))
    heads = [("Eval", "text"), ("Would enter at, USD", "usd"), ("", "text"), ("Why not", "wrap")]
    for column, (head, kind) in enumerate(heads):
        sheet.write_string(row + 1, column, head, book.head(right=kind == "usd"))
    for i, out in enumerate(contents.record.not_chosen):
        book.put(sheet, row + 2 + i, 0, out.eval, book.line("text"))
        if out.cost_to_enter is None:
            book.put(sheet, row + 2 + i, 1, "at no price", book.line("text", align="right"))
        else:
            book.put(sheet, row + 2 + i, 1, out.cost_to_enter, book.line("usd"))
        book.put(sheet, row + 2 + i, 2, None, book.line("text"))
        book.put(sheet, row + 2 + i, 3, out.reason, book.line("wrap"))
        book.tall(sheet, row + 2 + i, [(out.reason, REASON)])


def _shown(value: object) -> object:
    """Return a number as it is and anything else as text; an interval as `low to high`."""
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, list) and len(value) == 2:
        return f"{value[0]} to {value[1]}"
    return str(value)
