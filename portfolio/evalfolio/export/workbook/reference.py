"""Sheets to look things up in: assumptions, provenance, names of cells, and accounts."""

from typing import Any

from evalfolio.export.workbook.book import Book, safe_name
from evalfolio.export.workbook.layout import Contents
from evalfolio.narrative import resource_words
from evalfolio.record.plain import flat
from evalfolio.record.record import Account

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
        book.row(sheet, FIRST + i, (taken.where, taken.key), ("text", "text"))
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


MEANINGS = {
    "budget_usd": "the budget typed on Summary",
    "plan_row": "number of the certified plan shown; 0 where the budget is too small for any",
    "contingency": "share of the money kept back",
    "plan_value": "value of the certified plan shown",
    "plan_bound": "no mix of the menu at that budget is worth more",
    "plan_evpi": "what perfect information would be worth",
    "plan_share": "the plan's value as a share of it",
    "plan_gap": "certified distance of the value to the bound",
    "sensitivity_base": "value of the plan, from which the tornado's bars start",
    "your_value": "value of the mix typed on Menu",
    "your_check": "whether the mix typed on Menu can be run and fits the budgets",
    "typed_value": "value of the mix typed, by the workbook's own formulas",
}
OF_RESOURCE = {
    "limit": "budget of",
    "kept": "kept back of the budget of",
    "mix": "use by the mix shown of",
    "your": "use by the mix typed on Menu of",
    "certified": "use by the certified plan of",
}
OF_DECISION = {
    "value": "value for",
    "missed": "chance of danger missed in",
    "needless": "chance of needless mitigation in",
    "sd": "sd after the results in",
}


def meaning(name: str, contents: Contents) -> str:
    """Return what a name stands for, in words."""
    if name in MEANINGS:
        return MEANINGS[name]
    mix, _, rest = name.partition("_")
    for resource in ("usd", *contents.others):
        if rest == safe_name(resource) and mix in OF_RESOURCE:
            return f"{OF_RESOURCE[mix]} {resource_words(resource)}"
    if rest == "usd_ceiling":
        return "USD if all runs of the mix shown hit the cap"
    if (stem := rest.partition("_")[0]) not in OF_DECISION:
        return rest.replace("_", " ")
    number = rest.partition("_")[2]
    decision = contents.menu.decisions[int(number) - 1].name
    of = "the mix shown" if mix == "shown" else "the mix typed on Menu"
    return f"{OF_DECISION[stem]} {decision}, after {of}"


def write_names(book: Book, contents: Contents) -> Any:
    """Write one row per name: its meaning, its place, and its value, which follows it."""
    sheet = book.sheet(
        "Names",
        "Names to link to",
        "In another workbook: ='plan.xlsx'!budget_usd. A name stays where its cell moves.",
        [30, 62, 20, 20],
    )
    rows, kind = sorted(book.names.items()), contents.record.value.kind.lower()
    for i, (name, place) in enumerate(rows):
        words = meaning(name, contents).replace("certified", kind)
        cells = (name, words, place.replace("$", ""))
        book.row(sheet, FIRST + i, cells, ("text", "wrap", "text"))
    heads = [("Name", "text"), ("Meaning", "text"), ("Where", "text")]
    book.table(sheet, "names", FIRST - 1, len(rows), heads)
    sheet.freeze_panes(FIRST, 1)
    return sheet


SENTENCES = 3
WIDTHS = [54, 18, 18, 18, 18, 18, 18]


ACCOUNTS = {  # by field of the record: sheet, title and lead
    "programme": (
        "Programme",
        "Where the programme stands",
        "What results have changed, what they cost, and what becomes of every eval.",
    ),
    "stages": (
        "Stages",
        "In stages: what first, and what then",
        "What results release, what the programme is worth, and what it uses.",
    ),
    "firmness": (
        "Firmness",
        "How firm the mix is",
        "What evalfolio sensitivity found beside the tornado; shares are of the plan's value.",
    ),
    "backtest": (
        "Back-test",
        "This way to plan, on runs that were made anyway",
        "What evalfolio backtest found: errors of the horizon in doublings of human time.",
    ),
}


def write_accounts(book: Book, contents: Contents) -> None:
    """Write what `sensitivity` and `backtest` found; no sheet where they were not run."""
    for field, words in ACCOUNTS.items():
        if (found := getattr(contents.record, field)) is not None:
            _write_account(book, found, *words)


def _write_account(book: Book, found: Account, name: str, title: str, note: str) -> None:
    sheet = book.sheet(name, title, note, WIDTHS)
    prefix = name.lower().replace("-", "")
    row = SENTENCES
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
            book.row(sheet, row + 1 + i, cells, [kind for _, kind in heads])
        book.table(sheet, f"{prefix}_{table.name}", row, len(table.rows), heads)
        row += len(table.rows) + 1
