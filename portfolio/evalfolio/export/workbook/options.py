"""Hidden sheet Options: numbers that formulas read instead of names.

Names are never used as search criteria: a name such as `>5`, `*` or one of 300 characters would
be read as a condition. Evals, domains and tiers are numbered instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from xlsxwriter.utility import xl_rowcol_to_cell

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.contents import Contents
from evalfolio.export.workbook.layout import OPTIONS_FIRST, Layout

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
