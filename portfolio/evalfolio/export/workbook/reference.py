"""Sheets to look things up in: assumptions, provenance, names of cells, and accounts."""

from evalfolio.export.workbook.book import Book, Sheet
from evalfolio.export.workbook.layout import Contents, safe_name
from evalfolio.narrative import resource_words
from evalfolio.record.plain import flat
from evalfolio.record.record import Account

FIRST = 4
REASON = 80  # width of the reasons, in characters


def write_assumptions(book: Book) -> None:
    """Write assumptions as a table, then warnings, what is not covered and what was left out."""
    record = book.contents.record
    sheet = book.sheet(
        "Assumptions",
        "Assumptions, warnings, and what is left out",
        "Figures the catalogue did not give, with the value taken and why. Put better ones there.",
        [26, 26, 22, REASON],
    )
    heads = [("Where", "text"), ("Key", "text"), ("Value", "text"), ("Why this value", "wrap")]
    for row, taken in enumerate(record.assumptions, start=FIRST):
        sheet.row(row, (taken.where, taken.key), ("text", "text"))
        sheet.put(row, 2, _shown(taken.value), book.line("general", align="left"))
        sheet.put(row, 3, taken.reason, "wrap")
        sheet.tall(row, [(taken.reason, REASON)])
    sheet.table("assumptions", FIRST - 1, len(record.assumptions), heads, frozen=0)
    row = FIRST + max(len(record.assumptions), 1) + 2
    for title, lines in (
        ("Warnings", [("", text) for text in record.warnings]),
        ("Limits kept", [(limit.by, limit.text) for limit in record.limits]),
        ("Not covered", [(part.name, part.reason) for part in record.not_covered]),
    ):
        sheet.put(row, 0, title, book.style("text", bold=True, font_size=13))
        wrap = book.line("wrap")
        for name, text in lines or [("", "none")]:
            row += 1
            sheet.file.write_string(row, 0, name, book.line("text"))
            sheet.file.merge_range(row, 1, row, 3, "", wrap)
            sheet.file.write_string(row, 1, text, wrap)
            sheet.tall(row, [(text, 26 + 22 + REASON)])
        row += 2
    sheet.put(row, 0, "Evals left out", book.style("text", bold=True, font_size=13))
    for column, head in enumerate(("Eval", "Would enter at, USD", "", "Why not")):
        sheet.file.write_string(row + 1, column, head, book.head(right=column == 1))
    for r, out in enumerate(record.not_chosen, start=row + 2):
        cells = (out.eval, out.cost_to_enter, None, out.reason)
        sheet.row(r, cells, ("text", "usd", "text", "wrap"))
        if out.cost_to_enter is None:
            sheet.put(r, 1, "at no price", book.line("text", align="right"))
        sheet.tall(r, [(out.reason, REASON)])


def _shown(value: object) -> object:
    """Return a number as it is and anything else as text; an interval as `low to high`."""
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, list) and len(value) == 2:
        return f"{value[0]} to {value[1]}"
    return str(value)


LABEL, FIGURE = 34, 74  # widths of the columns, in characters


def write_provenance(book: Book) -> None:
    """Write inputs with their hashes, seed, versions, and the diagnostics."""
    record = book.contents.record
    sheet = book.sheet(
        "Provenance",
        "Where the figures come from",
        "The same inputs, seed and versions give the same plan.",
        [LABEL, FIGURE],
    )
    origin = record.provenance
    lines: list[tuple[str, object]] = [
        *((f"sha256 of {item.name}", item.sha256) for item in origin.inputs),
        ("seed", origin.seed),
        *((f"version of {name}", text) for name, text in origin.versions.items()),
        *flat({k: v for k, v in origin if k not in ("inputs", "seed", "versions")}),
        *flat(record.diagnostics, "diagnostics: "),
        ("optimiser ended as", record.value.status),
    ]
    for row, (label, value) in enumerate(lines, start=FIRST):
        sheet.put(row, 0, label, "wrap")
        kind = "wrap" if isinstance(value, str | bool) else "general"
        if isinstance(value, float) and not value.is_integer():
            kind = "digits" if abs(value) < 100 else "count"
        sheet.put(row, 1, value, book.line(kind, align="left"))
        sheet.tall(row, [(label, LABEL), (value, FIGURE)])
    heads = [("What", "text"), ("Figure", "text")]
    sheet.table("provenance", FIRST - 1, len(lines), heads, frozen=0)


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
    for resource in contents.resources:
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


def write_names(book: Book) -> None:
    """Write one row per name: its meaning, its place, and its value, which follows it."""
    sheet = book.sheet(
        "Names",
        "Names to link to",
        "In another workbook: ='plan.xlsx'!budget_usd. A name stays where its cell moves.",
        [30, 62, 20, 20],
    )
    rows, kind = sorted(book.names.items()), book.contents.record.value.kind.lower()
    for row, (name, place) in enumerate(rows, start=FIRST):
        words = meaning(name, book.contents).replace("certified", kind)
        sheet.row(row, (name, words, place.replace("$", "")), ("text", "wrap", "text"))
    heads = [("Name", "text"), ("Meaning", "text"), ("Where", "text")]
    sheet.table("names", FIRST - 1, len(rows), heads, frozen=1)


SENTENCES = 3
WIDTHS = [54, *[18] * 6]
ACCOUNTS = {  # by field of the record: sheet and title
    "programme": ("Programme", "Where the programme stands"),
    "stages": ("Stages", "In stages: what first, and what then"),
    "firmness": ("Firmness", "How firm the mix is"),
    "outlook": ("Outlook", "What evaluations will cost in years"),
    "schedule": ("Schedule", "How often to look, and when levels are crossed"),
    "humans": ("People", "People beside AI models"),
    "backtest": ("Back-test", "This way to plan, on runs that were made anyway"),
}
LEADS = {
    "programme": "What results have changed, what they cost, and what becomes of every eval.",
    "stages": "What results release, what the programme is worth, and what it uses.",
    "firmness": "What evalfolio sensitivity found beside the tornado; "
    "shares are of the plan's value.",
    "outlook": "What evalfolio forecast found; the sheet Growth lives on the rates.",
    "schedule": "What evalfolio schedule found; losses are a year's, in the unit of value.",
    "humans": "Minutes have 90 % intervals; scores are of what was handed in by then.",
    "backtest": "What evalfolio backtest found: errors of the horizon in doublings of human time.",
}


def write_accounts(book: Book) -> None:
    """Write what `sensitivity` and `backtest` found; no sheet where they were not run."""
    for field, words in ACCOUNTS.items():
        if (found := getattr(book.contents.record, field)) is not None:
            _write_account(book.sheet(*words, LEADS[field], WIDTHS), found)


def _write_account(sheet: Sheet, found: Account) -> None:
    prefix, row = sheet.name.lower().replace("-", ""), SENTENCES + len(found.sentences)
    for k, sentence in enumerate(found.sentences, start=SENTENCES):
        sheet.put(k, 0, sentence, sheet.book.style("text"))
    for table in found.tables:
        sheet.put(row + 1, 0, table.title, sheet.book.style("text", bold=True))
        row += 2
        cells = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
        words = [any(isinstance(each, str) for each in column) for column in cells]
        kinds = ["text" if each else "general" for each in words]
        for i, line in enumerate(table.rows, start=1):
            sheet.row(row + i, line, kinds)
        heads = list(zip(table.columns, kinds, strict=True))
        sheet.table(f"{prefix}_{table.name}", row, len(table.rows), heads)
        row += len(table.rows) + 1
