"""Sheets Frontier and Sensitivity: the best mix at other budgets, and with other inputs."""

from typing import Any

from evalfolio.export.workbook.book import DEPTH, HEAD, INPUT, MUTED, SWEET, Book, head
from evalfolio.export.workbook.layout import Contents
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
    kind = contents.record.value.kind.lower()
    sheet = book.sheet(
        "Frontier",
        "What other budgets would buy",
        f"The {kind} mix of each budget in USD, the other budgets held."
        if len(contents.plans) > 1
        else "Only the plan's own budget was looked at.",
        [width for *_, width in columns],
    )
    for i, plan in enumerate(contents.plans):
        old, new = set(contents.plans[i - 1].rows if i else ()), set(plan.rows)
        enters, leaves = _names(contents, new - old), _names(contents, old - new)
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
        book.row(sheet, FIRST + i, cells, [kind for _, kind, _ in columns])
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


COLUMNS = (
    ("Input", "text", 50),
    ("Low end", "end", 11),
    ("High end", "end", 11),
    ("Value at the low end", "value", 14),
    ("Value at the high end", "value", 14),
    ("Change at the low end", "change", 14),
    ("Change at the high end", "change", 14),
    ("Swing", "value", 14),
    ("Max elicitation at the low end", "share", 18),
    ("Max elicitation at the high end", "share", 18),
)


def write_sensitivity(book: Book, contents: Contents) -> Any:
    """Write the inputs, largest swing first, with a tornado of the changes."""
    base = contents.plans[contents.own].value
    rows = sorted(contents.record.sensitivity, key=lambda row: -row.swing(base))
    sheet = book.sheet(
        "Sensitivity",
        "What the value hangs on",
        "One input at a time, the others held and the mix chosen anew, at the plan's own budget."
        if rows
        else "Not worked out for this plan: `evalfolio recommend` does it unless told otherwise.",
        [width for *_, width in COLUMNS],
    )
    if not rows:
        return sheet
    sheet.write_string(2, 0, "Value as planned", book.style("text", indent=1))
    book.put(sheet, 2, 3, base, book.style("value", bold=True))
    book.name("sensitivity_base", "Sensitivity", 2, 3)
    for i, row in enumerate(rows):
        r = FIRST + i
        low, high = row.value_low, row.value_high
        for column, value in enumerate((row.name, row.low, row.high, low, high)):
            kind = COLUMNS[column][1]
            if kind == "end" and isinstance(value, int | float) and value < 0:
                kind = "unit"
            book.put(sheet, r, column, value, book.line(kind))
        style = book.line("change")
        book.formula(sheet, r, 5, f"=D{r + 1}-sensitivity_base", low - base, style)
        book.formula(sheet, r, 6, f"=E{r + 1}-sensitivity_base", high - base, style)
        ends = f"D{r + 1},E{r + 1},sensitivity_base"
        formula = f"=MAX({ends})-MIN({ends})"
        book.formula(sheet, r, 7, formula, row.swing(base), book.line("value"))
        for column, deep in ((8, row.deep_low), (9, row.deep_high)):
            book.put(sheet, r, column, deep, book.line("share"))
    heads = [(name, kind) for name, kind, _ in COLUMNS]
    book.table(sheet, "sensitivity", FIRST - 1, len(rows), heads)
    sheet.set_row(FIRST - 1, 48)
    sheet.freeze_panes(FIRST, 1)
    if len(rows) > 12:  # the tornado goes whole onto a page of its own
        sheet.set_h_pagebreaks([FIRST + len(rows) + 1])
    _write_tornado(book, sheet, FIRST + len(rows) - 1, min(len(rows), 20))
    return sheet


def _write_tornado(book: Book, sheet: Any, last: int, n_bars: int) -> None:
    chart = book.file.add_chart({"type": "bar"})
    end = FIRST + n_bars - 1
    for column, name, colour in ((5, "at the low end", SWEET), (6, "at the high end", DEPTH)):
        chart.add_series(
            {
                "name": name,
                "categories": ["Sensitivity", FIRST, 0, end, 0],
                "values": ["Sensitivity", FIRST, column, end, column],
                "fill": {"color": colour},
                "overlap": 0,  # both ends may lie on one side of the plan's value
                "gap": 35,
            }
        )
    chart.set_title({"name": "Change of value", "name_font": {"size": 13}})
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    chart.set_x_axis({"major_gridlines": {"visible": True, "line": {"color": "#e3e7eb"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 760, "height": 150 + 30 * n_bars})
    sheet.insert_chart(last + 3, 0, chart, {"description": "Change of value, input by input"})
