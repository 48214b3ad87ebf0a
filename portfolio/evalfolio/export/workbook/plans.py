"""Hidden sheet Plans: which options every certified plan on the frontier chooses."""

from __future__ import annotations

from typing import Any

import numpy as np

from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.contents import Contents
from evalfolio.export.workbook.layout import PLAN_ROWS, PLANS_FIRST
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, percent, two_digits

HEADS = ("budget in usd", "value", "bound", "gap", "evals", "mix", "hangs on", "menu rows ...")


def write_plans(book: Book, sheet: Any, contents: Contents) -> None:
    """Write one row per plan, by rising budget; unused places hold 0."""
    sheet.write_string(0, 0, "Certified plans by budget; the workbook looks the mix up here.")
    book.heads(sheet, PLANS_FIRST - 1, 0, HEADS)
    plain = book.style()
    last = PLANS_FIRST + len(contents.plans) - 1
    first = PLAN_ROWS + contents.most_rows
    for i in range(-1, len(contents.plans)):
        outcomes = np.ravel(contents.outcomes(i)).tolist()
        for column, figure in enumerate(outcomes):  # a row before the first: with nothing run
            sheet.write_number(PLANS_FIRST + i, first + column, figure, plain)
        if i == contents.own:
            for column, figure in enumerate(outcomes):
                span = book.span("Plans", PLANS_FIRST - 1, first + column, last, first + column)
                here = f"=INDEX({span},plan_row+1)"
                book.formula(sheet, last + 1, first + column, here, figure, plain)
                stem = ("value", "missed", "needless", "sd")[column % 4]
                book.name(f"shown_{stem}_{column // 4 + 1}", "Plans", last + 1, first + column)
    for i, plan in enumerate(contents.plans):
        row = PLANS_FIRST + i
        figures = (plan.budget or 0.0, plan.value, plan.bound, plan.gap, len(plan.rows))
        head = (*figures, *headline(contents, i))
        for column, value in enumerate(head):
            book.put(sheet, row, column, value, plain)
        for k in range(contents.most_rows):
            option = plan.rows[k] if k < len(plan.rows) else 0
            sheet.write_number(row, PLAN_ROWS + k, option, plain)


def headline(contents: Contents, position: int) -> tuple[str, str]:
    """Return the two sentences at the head of Summary for one of the plans."""
    record, plan = contents.record, contents.plans[position]
    if position == contents.own:
        return record.words.mix, record.words.hangs_on
    names = [str(contents.options.index[i - 1]) for i in plan.rows]
    deep = tier_share(contents.menu, names, DEPTH)
    evals = "eval" if len(names) == 1 else "evals"
    mix = (
        f"Run {len(names)} {evals} on {record.portfolio.ai_model} for an expected "
        f"${two_digits(contents.spend(plan, 'usd'))}, {percent(deep)} of it on maximum "
        "elicitation; which, the sheet Mix says."
    )
    share = record.value.share(plan.value)
    told = (
        "" if share is None else f"It buys {percent(share)} of what perfect information is worth."
    )
    return mix, told
