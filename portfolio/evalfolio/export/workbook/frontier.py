"""Sheet Frontier: the certified mix of every budget tried, and what changes between them."""

from __future__ import annotations

from typing import Any

from evalfolio.export.workbook.book import DEPTH, HEAD, INPUT, MUTED, Book
from evalfolio.export.workbook.columns import head
from evalfolio.export.workbook.contents import CertifiedPlan, Contents
from evalfolio.limits.amount import tier_share

FIRST = 4
CHANGES = 56  # width of what enters and leaves, in characters


def write_frontier(book: Book, contents: Contents) -> Any:
    """Write one row per budget; the row that Summary shows is lit up."""
    columns = [
        ("Budget, USD", "usd", 14),
        ("Value", "value", 13),
        ("Share of perfect information", "share", 13),
        ("No mix is worth more than", "value", 14),
        ("Gap", "gap", 9),
        *((*head(name), 13) for name in ("usd", *contents.others)),
        ("Evals", "count", 8),
        ("On maximum elicitation", "share", 13),
        ("Enters", "wrap", CHANGES),
        ("Leaves", "wrap", CHANGES),
    ]
    sheet = book.sheet(
        "Frontier",
        "What other budgets would buy",
        "The certified mix of each budget in USD, the other budgets held."
        if len(contents.plans) > 1
        else "Only the plan's own budget was looked at.",
        [width for *_, width in columns],
    )
    for i, plan in enumerate(contents.plans):
        before = contents.plans[i - 1] if i else None
        enters, leaves = _changes(contents, before, plan)
        names = [contents.options.index[i - 1] for i in plan.rows]
        cells = [
            plan.budget,
            plan.value,
            contents.record.value.share(plan.value),
            plan.bound,
            plan.gap,
            *(contents.spend(plan, name) for name in ("usd", *contents.others)),
            len(plan.rows),
            tier_share(contents.menu, names, "max-elicitation"),
            enters,
            leaves,
        ]
        for column, (value, (_, kind, _)) in enumerate(zip(cells, columns, strict=True)):
            book.put(sheet, FIRST + i, column, value, book.line(kind))
        book.tall(sheet, FIRST + i, [(enters, CHANGES), (leaves, CHANGES)])
    last = FIRST + len(contents.plans) - 1
    sheet.conditional_format(
        FIRST,
        0,
        last,
        len(columns) - 1,
        {
            "type": "formula",
            "criteria": f"=ROW()-{FIRST}=plan_row",
            "format": book.file.add_format({"bg_color": INPUT, "bold": True}),
        },
    )
    heads = [(name, kind) for name, kind, _ in columns]
    book.table(sheet, "frontier", FIRST - 1, len(contents.plans), heads)
    sheet.set_row(FIRST - 1, 48)
    sheet.freeze_panes(FIRST, 1)
    if len(contents.plans) > 1:
        _write_chart(book, sheet, last)
    return sheet


def _changes(
    contents: Contents, before: CertifiedPlan | None, plan: CertifiedPlan
) -> tuple[str, str]:
    """Return what enters and what leaves when the budget rises to a plan's, in words."""
    old, new = (set() if before is None else set(before.rows)), set(plan.rows)
    return _names(contents, new - old), _names(contents, old - new)


def _names(contents: Contents, rows: set[int]) -> str:
    options = contents.options.iloc[[i - 1 for i in sorted(rows)]]
    return "; ".join(f"{e} ({t})" for e, t in zip(options["eval"], options["tier"], strict=True))


def _write_chart(book: Book, sheet: Any, last: int) -> None:
    chart = book.file.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    for column, name, colour in ((1, "Value", HEAD), (3, "No mix is worth more", MUTED)):
        chart.add_series(
            {
                "name": name,
                "categories": ["Frontier", FIRST, 0, last, 0],
                "values": ["Frontier", FIRST, column, last, column],
                "line": {
                    "color": colour,
                    "width": 2 if column == 1 else 1,
                    "dash_type": "solid" if column == 1 else "dash",
                },
                "marker": {
                    "type": "circle" if column == 1 else "none",
                    "size": 5,
                    "fill": {"color": DEPTH},
                    "border": {"color": DEPTH},
                },
            }
        )
    chart.set_title({"name": "Value of the best mix", "name_font": {"size": 13}})
    chart.set_x_axis({"name": "Budget, USD", "num_format": "$#,##0", "min": 0})
    chart.set_y_axis({"min": 0, "major_gridlines": {"visible": True, "line": {"color": "#e3e7eb"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 760, "height": 340})
    sheet.insert_chart(last + 3, 0, chart, {"description": "Value of the best mix by budget"})
