"""Sheets of accounts, Firmness and Back-test: sentences, and a table below the other."""

from __future__ import annotations

from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.contents import Contents
from evalfolio.record.record import Account

FIRST = 3
WIDTHS = [54, 18, 18, 18, 18, 18, 18]


def write_accounts(book: Book, contents: Contents) -> None:
    """Write what `sensitivity` and `backtest` found; no sheet where they were not run."""
    record = contents.record
    if record.firmness is not None:
        _write(
            book,
            record.firmness,
            "Firmness",
            "How firm the mix is",
            "What evalfolio sensitivity found beside the tornado; shares are of the plan's value.",
        )
    if record.backtest is not None:
        _write(
            book,
            record.backtest,
            "Back-test",
            "This way to plan, on runs that were made anyway",
            "What evalfolio backtest found: errors of the horizon in doublings of human time.",
        )


def _write(book: Book, found: Account, name: str, title: str, note: str) -> None:
    sheet = book.sheet(name, title, note, WIDTHS)
    prefix = name.lower().replace("-", "")
    row = FIRST
    for sentence in found.sentences:
        book.put(sheet, row, 0, sentence, book.style("text"))
        row += 1
    for table in found.tables:
        row += 1
        book.put(sheet, row, 0, table.title, book.style("text", bold=True))
        row += 1
        numeric = [
            all(not isinstance(cells[k], str) for cells in table.rows)
            for k in range(len(table.columns))
        ]
        heads = [
            (head, "general" if number else "text")
            for head, number in zip(table.columns, numeric, strict=True)
        ]
        for i, cells in enumerate(table.rows):
            for k, cell in enumerate(cells):
                book.put(sheet, row + 1 + i, k, cell, book.line(heads[k][1]))
        book.table(sheet, f"{prefix}_{table.name}", row, len(table.rows), heads)
        row += len(table.rows) + 1
