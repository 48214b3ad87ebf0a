"""Sheet Mix: the options to run at the budget on the Summary sheet."""

from __future__ import annotations

from itertools import compress
from typing import Any

import pandas as pd

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import MUTED, Book
from evalfolio.export.workbook.columns import head, safe_name, width
from evalfolio.export.workbook.contents import Contents
from evalfolio.export.workbook.layout import MIX_FIRST, Layout
from evalfolio.export.workbook.shared import ceiling, once

WHY = 62  # width of the reasons, in characters
SUMMED = ("tasks", "runs", "usd", "usd_ceiling")
TOTAL_ROW = MIX_FIRST - 3


def write_mix(book: Book, contents: Contents, where: Layout) -> Any:
    """Write the mix as formulas over the menu, with totals above it."""
    columns = where.mix_columns
    sheet = book.sheet(
        "Mix",
        "The mix",
        "What to run at the budget typed on Summary, one row per eval; prices come from Menu.",
        [7, *(width(name) for name in columns), 9, 14, WHY, WHY],
    )
    chosen = contents.plans[contents.own].rows
    picked = contents.options.iloc[[i - 1 for i in chosen]]
    sheet.write_string(TOTAL_ROW, 0, "Total", book.style(bold=True, top=1))
    bought = contents.bought(contents.plans[contents.own])
    if where.n_shared:
        label = "of it shared, see Shared"
        sheet.write_string(TOTAL_ROW + 1, 0, label, book.style("text", font_color=MUTED))
    for offset, name in enumerate(columns):
        summed = name in (*SUMMED, *contents.others)
        kind = head(name)[1] if summed else "text"
        style = book.style(kind, bold=True, top=1)
        if summed:
            total, shared = float(picked[name].sum()), 0.0
            formula = f"=SUM({where.mix(name)})"
            if name in ("usd", "usd_ceiling", *contents.others):
                once_too = once(where, name, at.SHARED_IN_MIX)
                shared = sum(
                    ceiling(each) if name == "usd_ceiling" else each.use.get(name, 0.0)
                    for each in compress(contents.menu.shared, bought)
                )
                if once_too:
                    muted = book.style(kind, font_color=MUTED)
                    here = 1 + offset
                    book.formula(sheet, TOTAL_ROW + 1, here, f"={once_too[1:]}", shared, muted)
                formula += once_too
            book.formula(sheet, TOTAL_ROW, 1 + offset, formula, total + shared, style)
            if name in ("usd", "usd_ceiling", *contents.others):
                book.name(f"mix_{safe_name(name)}", "Mix", TOTAL_ROW, 1 + offset)
        else:
            sheet.write_blank(TOTAL_ROW, 1 + offset, None, style)
    _write_rows(book, sheet, contents, where, picked)
    extra = [("Share of USD", "share"), ("Value if dropped", "value"), ("Why", "wrap")]
    if contents.record.value.noise is not None:
        extra.append(("Under other draws", "wrap"))
    heads = [("Row", "count"), *(head(name) for name in columns), *extra]
    book.table(sheet, "mix", MIX_FIRST - 1, where.n_mix, heads)
    sheet.freeze_panes(MIX_FIRST, 2)
    return sheet


def _write_rows(
    book: Book, sheet: Any, contents: Contents, where: Layout, picked: pd.DataFrame
) -> None:
    columns = where.mix_columns
    after = 1 + len(columns)
    total = contents.spend(contents.plans[contents.own], "usd")
    told = {row.option: row for row in contents.record.choices}
    usd_column = 1 + columns.index("usd")
    told_of = [(1, at.IF_DROPPED, "value"), (2, at.REASON, "sentence")]
    if contents.record.value.noise is not None:
        told_of.append((3, at.STANDS, "sentence"))
    texts = [text for row in told.values() for text in (row.reason, row.stands)]
    longest = max(texts, key=len, default="")
    for k in range(where.n_mix):
        row = MIX_FIRST + k
        book.tall(sheet, row, [(longest, WHY)])  # any of them may stand here at some budget
        here = book.cell("Mix", row, 0).split("!")[1]
        option = picked.iloc[k] if k < len(picked) else None
        number = contents.plans[contents.own].rows[k] if option is not None else 0
        find = f"=IF(plan_row=0,0,INDEX({where.plan_rows()},plan_row,{k + 1}))"
        book.formula(
            sheet, row, 0, find, number, book.line("count", num_format="0;;", font_color="#5b6773")
        )
        for offset, name in enumerate(columns):
            kind = {"text": "words"}.get(head(name)[1], head(name)[1])
            source = f"INDEX({where.menu(name)},{here})"
            # INDEX turns an empty cell into 0, which would read as "costs nothing".
            formula = f'=IF({here}=0,"",IF({source}="","",{source}))'
            value = None if option is None else option[name]
            book.formula(sheet, row, 1 + offset, formula, _plain(value), book.line(kind))
        usd = book.cell("Mix", row, usd_column).split("!")[1]
        share = None if option is None else (option["usd"] / total if total > 0 else 0.0)
        formula = f'=IF({here}=0,"",IF(mix_usd>0,{usd}/mix_usd,0))'
        book.formula(sheet, row, after, formula, _plain(share), book.line("share"))
        own = None if option is None else told.get(str(option.name))
        shown = (own.value_if_dropped, own.reason, own.stands) if own else (None,) * 3
        for offset, column, kind in told_of:
            value = shown[offset - 1]
            source = f"INDEX({where.options(column)},{here})"
            formula = (
                f'=IF(OR({here}=0,plan_row<>{contents.own + 1}),"",IF({source}="","",{source}))'
            )
            book.formula(sheet, row, after + offset, formula, _plain(value), book.line(kind))


def _plain(value: object) -> object:
    """Return a value as Python's own number or text; None where there is none."""
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if hasattr(value, "item") else value
