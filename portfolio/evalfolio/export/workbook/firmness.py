"""Sheet Firmness: what the mix withstands, a table below the other."""

from __future__ import annotations

from typing import Any

from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.contents import Contents

FIRST = 3
WIDTHS = [54, 18, 18, 18, 18, 18, 18]


def write_firmness(book: Book, contents: Contents) -> Any:
    """Write the sentences and tables of `firmness`; no sheet where they were not worked out."""
    found = contents.record.get("firmness")
    if found is None:
        return None
    sheet = book.sheet(
        "Firmness",
        "How firm the mix is",
        "What evalfolio sensitivity found beside the tornado; shares are of the plan's value.",
        WIDTHS,
    )
    row = FIRST
    for sentence in found["sentences"]:
        book.put(sheet, row, 0, sentence, book.style("text"))
        row += 1
    for table in found["tables"]:
        row += 1
        book.put(sheet, row, 0, table["title"], book.style("text", bold=True))
        row += 1
        numeric = [
            all(not isinstance(cells[k], str) for cells in table["rows"])
            for k in range(len(table["columns"]))
        ]
        heads = [
            (head, "general" if number else "text")
            for head, number in zip(table["columns"], numeric, strict=True)
        ]
        for i, cells in enumerate(table["rows"]):
            for k, cell in enumerate(cells):
                book.put(sheet, row + 1 + i, k, cell, book.line(heads[k][1]))
        book.table(sheet, f"firmness_{table['name']}", row, len(table["rows"]), heads)
        row += len(table["rows"]) + 1
    return sheet
