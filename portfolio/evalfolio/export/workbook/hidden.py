"""Hidden sheets Plans and Options: certified mixes by budget, and numbers that formulas read.

Names are never used as search criteria: a name such as `>5`, `*` or one of 300 characters would
be read as a condition. Evals, domains and tiers are numbered instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from xlsxwriter.utility import xl_rowcol_to_cell

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.layout import OPTIONS_FIRST, PLAN_ROWS, PLANS_FIRST, Contents, Layout
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, percent, two_digits

PLAN_HEADS = ("budget in usd", "value", "bound", "gap", "evals", "mix", "hangs on", "menu rows ...")


def write_plans(book: Book, sheet: Any, contents: Contents) -> None:
    """Write one row per plan, by rising budget; unused places hold 0."""
    sheet.write_string(0, 0, "Certified plans by budget; the workbook looks the mix up here.")
    book.heads(sheet, PLANS_FIRST - 1, 0, PLAN_HEADS)
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


HEADS = (
    "in the mix",
    "in your mix",
    "eval",
    "domain",
    "tier",
    "value if dropped",
    "reason",
    "under other draws",
    "evals chosen twice",
    "who needs what is shared ...",
)


def state_scale(contents: Contents) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the prior sd of every state, the unit in which the hidden sheets count it."""
    return np.asarray(np.sqrt(np.diag(contents.menu.prior_covariance)))


def write_options(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write codes and membership of every option, and what shared purchases it needs."""
    options, record = contents.options, contents.record
    sheet.write_string(0, 0, "Numbers the formulas read.")
    book.heads(sheet, OPTIONS_FIRST - 1, 0, HEADS)
    evals = {name: i + 1 for i, name in enumerate(options["eval"].unique())}
    domains = {name: i + 1 for i, name in enumerate(contents.domains)}
    tiers = {name: i + 1 for i, name in enumerate(contents.tiers)}
    rows = {row.option: row for row in record.choices}
    chosen = set(contents.plans[contents.own].rows)
    plain = book.style()
    for i, (name, option) in enumerate(options.iterrows()):
        row = OPTIONS_FIRST + i
        member = int(i + 1 in chosen)
        # The mix sheet holds numbers of options, so membership follows the budget cell.
        formula = f"=COUNTIF({where.mix('row')},{i + 1})"
        book.formula(sheet, row, at.IN_MIX, formula, member, plain)
        typed = f"=N(Menu!{xl_rowcol_to_cell(at.MENU_FIRST + i, at.MENU_YOURS)})"
        book.formula(sheet, row, at.YOURS, typed, member, plain)
        sheet.write_number(row, at.EVAL_CODE, evals[option["eval"]])
        sheet.write_number(row, at.DOMAIN_CODE, domains[option["domain"]])
        sheet.write_number(row, at.TIER_CODE, tiers[option["tier"]])
        told = rows.get(str(name))
        if told is not None:
            book.put(sheet, row, at.IF_DROPPED, told.value_if_dropped, plain)
            book.put(sheet, row, at.REASON, told.reason, plain)
            book.put(sheet, row, at.STANDS, told.stands or None, plain)
        twice = (
            f"=IF(SUMIFS({where.options(at.YOURS)},{where.options(at.EVAL_CODE)},"
            f"{xl_rowcol_to_cell(row, at.EVAL_CODE)})>1,1,0)"
        )
        book.formula(sheet, row, at.TWICE, twice, 0, plain)
        for k, needs in enumerate(contents.menu.needs[i].tolist()):
            sheet.write_number(row, at.FIRST_NEED + k, needs)
