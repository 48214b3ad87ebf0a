"""Sheet Provenance: what is needed to make the plan again, and how the fit passed its gate."""

from __future__ import annotations

from typing import Any

from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.contents import Contents
from evalfolio.record.plain import flat

FIRST = 4
LABEL, FIGURE = 34, 74  # widths of the columns, in characters


def write_provenance(book: Book, contents: Contents) -> Any:
    """Write inputs with their hashes, seed, versions, and the diagnostics."""
    record = contents.record
    sheet = book.sheet(
        "Provenance",
        "Where the figures come from",
        "The same inputs, seed and versions give the same plan.",
        [LABEL, FIGURE],
    )
    origin = record.provenance
    lines: list[tuple[str, object]] = [
        (f"sha256 of {item.name}", item.sha256) for item in origin.inputs
    ]
    lines += [("seed", origin.seed)]
    lines += [(f"version of {name}", text) for name, text in origin.versions.items()]
    known = ("inputs", "seed", "versions")
    lines += flat({k: v for k, v in origin if k not in known})
    lines += flat(record.diagnostics, "diagnostics: ")
    lines += [("optimiser ended as", record.value.status)]
    for i, (label, value) in enumerate(lines):
        book.put(sheet, FIRST + i, 0, label, book.line("wrap"))
        kind = "wrap" if isinstance(value, str | bool) else "general"
        if isinstance(value, float) and not value.is_integer():
            kind = "digits" if abs(value) < 100 else "count"
        book.put(sheet, FIRST + i, 1, value, book.line(kind, align="left"))
        book.tall(sheet, FIRST + i, [(label, LABEL), (value, FIGURE)])
    heads = [("What", "text"), ("Figure", "text")]
    book.table(sheet, "provenance", FIRST - 1, len(lines), heads)
    sheet.freeze_panes(FIRST, 0)
    return sheet
