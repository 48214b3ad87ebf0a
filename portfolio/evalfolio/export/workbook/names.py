"""Sheet Names: every named cell with its meaning, to link to from other workbooks."""

from __future__ import annotations

from typing import Any

from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.columns import resource_words, safe_name
from evalfolio.export.workbook.contents import Contents

FIRST = 4
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
    rows = sorted(book.names.items())
    for i, (name, place) in enumerate(rows):
        book.put(sheet, FIRST + i, 0, name, book.line("text"))
        book.put(sheet, FIRST + i, 1, meaning(name, contents), book.line("wrap"))
        book.put(sheet, FIRST + i, 2, place.replace("$", ""), book.line("text"))
    heads = [("Name", "text"), ("Meaning", "text"), ("Where", "text")]
    book.table(sheet, "names", FIRST - 1, len(rows), heads)
    sheet.freeze_panes(FIRST, 1)
    return sheet
