"""Sheet Menu: everything that could be bought, and a column to type a mix of one's own."""

from __future__ import annotations

from typing import Any

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.belief import mix_belief
from evalfolio.export.workbook.book import INPUT, Book
from evalfolio.export.workbook.columns import (
    head,
    names_width,
    resource_words,
    safe_name,
    width,
)
from evalfolio.export.workbook.contents import Contents
from evalfolio.export.workbook.layout import MENU_FIRST, Layout
from evalfolio.export.workbook.shared import once

COST_ROW = 3
SCORE_ELSEWHERE = "run `evalfolio score` (too large for a sheet)"


def write_menu(book: Book, contents: Contents, where: Layout) -> Any:
    """Write all options, the column to type in, and the cost and value of what is typed."""
    columns = where.menu_columns
    widths = {name: width(name) for name in columns}
    widths["option"] = names_width(map(str, contents.options.index), widths["option"])
    sheet = book.sheet(
        "Menu",
        "The menu, and a mix of your own",
        "Type 1 beside each option you would run, at most one per eval; it starts as the plan. "
        "Prices typed over are counted, but the certified mixes are not chosen anew.",
        [12, *widths.values()],
    )
    chosen = set(contents.plans[contents.own].rows)
    for i, (name, option) in enumerate(contents.options.iterrows()):
        row = MENU_FIRST + i
        typed = book.line(
            "count", bg_color=INPUT, font_color="#1d4ed8", align="center", locked=False
        )
        if i + 1 in chosen:
            sheet.write_number(row, at.MENU_YOURS, 1, typed)
        else:
            sheet.write_blank(row, at.MENU_YOURS, None, typed)
        for offset, column in enumerate(columns):
            value = name if column == "option" else option[column]
            plain = value.item() if hasattr(value, "item") else value
            book.put(sheet, row, 1 + offset, plain, book.line(head(column)[1]))
    last = MENU_FIRST + max(where.n_options, 1) - 1
    sheet.data_validation(
        MENU_FIRST,
        at.MENU_YOURS,
        last,
        at.MENU_YOURS,
        {
            "validate": "integer",
            "criteria": "between",
            "minimum": 0,
            "maximum": 1,
            "input_title": "Your mix",
            "input_message": "1 to run this option, empty or 0 to leave it.",
            "error_title": "0 or 1",
            "error_message": "Type 1 to run this option, or leave the cell empty.",
        },
    )
    heads = [("Your mix", "count"), *(head(name) for name in columns)]
    book.table(sheet, "menu", MENU_FIRST - 1, where.n_options, heads)
    sheet.freeze_panes(MENU_FIRST, 2)
    _write_totals(book, sheet, contents, where)
    return sheet


def _write_totals(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write what the typed mix costs and is worth beside the certified plan."""
    plan = contents.plans[contents.own]
    resources = ("usd", *contents.others)
    book.heads(sheet, COST_ROW, 1, ["", "Evals", *map(resource_words, resources), "Value"])
    sheet.write_string(COST_ROW + 1, 1, "Your mix", book.line("text", bold=True))
    sheet.write_string(COST_ROW + 2, 1, "Certified at the budget", book.line("text", bold=True))
    yours = where.options(at.YOURS)
    member = where.options(at.IN_MIX)
    value_column = 3 + len(resources)
    for row, block, stem, column in (
        (COST_ROW + 1, yours, "your", at.SHARED_YOURS),
        (COST_ROW + 2, member, "certified", at.SHARED_IN_MIX),
    ):
        book.formula(sheet, row, 2, f"=SUM({block})", len(plan.rows), book.line("count"))
        for k, name in enumerate(resources):
            formula = f"=SUMPRODUCT({block},{where.menu(name)}){once(where, name, column)}"
            style = book.line(head(name)[1])
            book.formula(sheet, row, 3 + k, formula, contents.spend(plan, name), style)
            book.name(f"{stem}_{safe_name(name)}", "Menu", row, 3 + k)
    if contents.live:
        formula = "=typed_value"
        value = sum(belief.value for belief in mix_belief(contents, plan.rows))
        book.formula(sheet, COST_ROW + 1, value_column, formula, value, book.line("value"))
    else:
        sheet.write_string(COST_ROW + 1, value_column, SCORE_ELSEWHERE, book.line("text"))
    book.name("your_value", "Menu", COST_ROW + 1, value_column)
    book.formula(sheet, COST_ROW + 2, value_column, "=plan_value", plan.value, book.line("value"))
    formula = (
        f'=IF(SUM({where.options(at.TWICE)})>0,"Two options of one eval: keep one.",'
        f'IF({at.over_budget("your", contents)},"Over a budget: see Summary.",'
        '"Within every budget."))'
    )
    sheet.write_string(COST_ROW + 4, 1, "Check", book.style("text", bold=True))
    book.formula(
        sheet, COST_ROW + 4, 2, formula, "Within every budget.", book.style("words", bold=True)
    )
    book.name("your_check", "Menu", COST_ROW + 4, 2)
