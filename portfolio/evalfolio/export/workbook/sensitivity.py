"""Sheets Frontier and Sensitivity: the best mix at other budgets, and with other inputs."""

from collections.abc import Iterable

from evalfolio.export.workbook.book import DEPTH, GRID, HEAD, INPUT, MUTED, SWEET, Book, head
from evalfolio.export.workbook.layout import Contents
from evalfolio.limits.amount import tier_share

FIRST = 4
CHANGES = 56  # width of what enters and leaves, in characters


def write_frontier(book: Book) -> None:
    """Write one row per budget; the row that Summary shows is lit up."""
    contents = book.contents
    value, n = contents.record.value, len(contents.plans)
    columns = [
        ("Budget, USD", "usd", 14),
        ("Value", "value", 13),
        ("Share of perfect information", "share", 13),
        ("No mix is worth more than", "value", 14),
        ("Gap", "gap", 9),
        *((*head(name), 13) for name in contents.resources),
        ("Evals", "count", 8),
        ("On maximum elicitation", "share", 13),
        ("Enters", "wrap", CHANGES),
        ("Leaves", "wrap", CHANGES),
    ]
    heads = [(name, kind) for name, kind, _ in columns]
    sheet = book.sheet(
        "Frontier",
        "What other budgets would buy",
        f"The {value.kind.lower()} mix of each budget in USD, the other budgets held."
        if n > 1
        else "Only the plan's own budget was looked at.",
        [width for *_, width in columns],
    )
    before: set[int] = set()
    for i, (plan, rows) in enumerate(zip(contents.plans, contents.rows, strict=True)):
        enters = _names(contents, set(rows) - before)
        leaves = _names(contents, before - set(rows))
        before = set(rows)
        names = [contents.options.index[i - 1] for i in rows]
        cells = [
            plan.usd,
            plan.value,
            value.share(plan.value),
            plan.bound,
            plan.gap,
            *(contents.spend(rows, name) for name in contents.resources),
            len(rows),
            tier_share(contents.menu, names, "max-elicitation"),
            enters,
            leaves,
        ]
        sheet.row(FIRST + i, cells, [kind for _, kind in heads])
        sheet.tall(FIRST + i, [(enters, CHANGES), (leaves, CHANGES)])
    last = FIRST + n - 1
    lit = book.file.add_format({"bg_color": INPUT, "bold": True})
    rule = {"type": "formula", "criteria": f"=ROW()-{FIRST}=plan_row", "format": lit}
    sheet.file.conditional_format(FIRST, 0, last, len(columns) - 1, rule)
    sheet.table("frontier", FIRST - 1, n, heads, frozen=1, height=48)
    if n < 2:
        return
    line = {"color": HEAD, "width": 2, "dash_type": "solid"}
    dashed = {"color": MUTED, "width": 1, "dash_type": "dash"}
    look = {"size": 5, "fill": {"color": DEPTH}, "border": {"color": DEPTH}}
    block = ("Frontier", FIRST, last)
    circles, none = {"type": "circle", **look}, {"type": "none", **look}
    chart = sheet.chart(
        {"type": "scatter", "subtype": "straight_with_markers"},
        "Value of the best mix",
        [
            sheet.series("Value", block, 0, 1, line=line, marker=circles),
            sheet.series("No mix is worth more", block, 0, 3, line=dashed, marker=none),
        ],
    )
    chart.set_x_axis({"name": "Budget, USD", "num_format": "$#,##0", "min": 0})
    chart.set_y_axis({"min": 0, "major_gridlines": GRID})
    sheet.place(chart, last + 3, 0, (760, 340), "Value of the best mix by budget")


def _names(contents: Contents, rows: Iterable[int]) -> str:
    options = contents.options.iloc[[i - 1 for i in sorted(rows)]]
    return "; ".join(f"{e} ({t})" for e, t in zip(options["eval"], options["tier"], strict=True))


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


def write_sensitivity(book: Book) -> None:
    """Write the inputs, largest swing first, with a tornado of the changes."""
    base = book.contents.plans[book.contents.own].value
    rows = sorted(book.contents.record.sensitivity, key=lambda row: -row.swing(base))
    sheet = book.sheet(
        "Sensitivity",
        "What the value hangs on",
        "One input at a time, the others held and the mix chosen anew, at the plan's own budget."
        if rows
        else "Not worked out for this plan: `evalfolio recommend --sensitivity` does it, and "
        "`evalfolio sensitivity --plan` on the folder of one.",
        [width for *_, width in COLUMNS],
    )
    if not rows:
        return
    sheet.put(2, 0, "Value as planned", book.style("text", indent=1))
    sheet.put(2, 3, base, book.style("value", bold=True))
    sheet.named("sensitivity_base", 2, 3)
    for r, row in enumerate(rows, start=FIRST):
        low, high = row.value_low, row.value_high
        for column, value in enumerate((row.name, row.low, row.high, low, high)):
            kind = COLUMNS[column][1]
            if kind == "end" and isinstance(value, int | float) and value < 0:
                kind = "unit"
            sheet.put(r, column, value, kind)
        sheet.formula(r, 5, f"=D{r + 1}-sensitivity_base", low - base, "change")
        sheet.formula(r, 6, f"=E{r + 1}-sensitivity_base", high - base, "change")
        ends = f"D{r + 1},E{r + 1},sensitivity_base"
        sheet.formula(r, 7, f"=MAX({ends})-MIN({ends})", row.swing(base), "value")
        sheet.put(r, 8, row.deep_low, "share")
        sheet.put(r, 9, row.deep_high, "share")
    heads = [(name, kind) for name, kind, _ in COLUMNS]
    sheet.table("sensitivity", FIRST - 1, len(rows), heads, frozen=1, height=48)
    if len(rows) > 12:  # the tornado goes whole onto a page of its own
        sheet.file.set_h_pagebreaks([FIRST + len(rows) + 1])
    n_bars = min(len(rows), 20)
    block = ("Sensitivity", FIRST, FIRST + n_bars - 1)
    chart = sheet.chart(
        {"type": "bar"},
        "Change of value",
        [  # overlap 0: both ends may lie on one side of the plan's value
            sheet.series(name, block, 0, column, fill={"color": colour}, overlap=0, gap=35)
            for column, name, colour in (
                (5, "at the low end", SWEET),
                (6, "at the high end", DEPTH),
            )
        ],
    )
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    chart.set_x_axis({"major_gridlines": GRID})
    size = 760, 150 + 30 * n_bars
    sheet.place(chart, FIRST + len(rows) + 2, 0, size, "Change of value, input by input")
