"""Sheet Shared: what several options need and is paid once, in the mix shown and in a typed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from evalbayes import SharedPurchase
from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.columns import head, names_width
from evalfolio.export.workbook.contents import Contents
from evalfolio.export.workbook.layout import SHARED_FIRST, Layout
from evalfolio.narrative import listing

FOR = 48  # width of the evals, in characters


def write_shared(book: Book, contents: Contents, where: Layout) -> Any:
    """Write one row per shared purchase: who needs it, whether it is bought, and its price.

    Whether it is bought follows the mix shown and the mix typed on Menu; its price is typed over as
    those of options are.
    """
    menu = contents.menu
    resources = ("usd", *contents.others)
    heads = [("Shared purchase", "text"), ("Serves", "wrap"), ("In the mix", "count")]
    heads += [("In your mix", "count"), ("Days", "count"), *map(head, resources)]
    heads.append(head("usd_ceiling"))
    width = names_width([each.name for each in menu.shared], least=26)
    sheet = book.sheet(
        "Shared",
        "What is shared",
        "Bought once, where any of the options that need it is run (1) and not otherwise (0); what "
        "Menu says of these options is what is left for each.",
        [width, FOR, *(13 for _ in heads[2:])],
    )
    plan = contents.plans[contents.own]
    for k, each in enumerate(menu.shared):
        row = SHARED_FIRST + k
        own = menu.options.loc[list(each.needed_by), "eval"].astype(str).unique()
        member = int(contents.bought(plan)[k])
        book.put(sheet, row, 0, each.name, book.line("text"))
        book.put(sheet, row, 1, listing(own.tolist()), book.line("wrap"))
        for column, block in ((at.SHARED_IN_MIX, at.IN_MIX), (at.SHARED_YOURS, at.YOURS)):
            formula = f"=IF(SUMPRODUCT({where.options(block)},{where.needs(k)})>0,1,0)"
            book.formula(sheet, row, column, formula, member, book.line("count"))
        figures = [each.days, *(each.use.get(name, 0.0) for name in resources), ceiling(each)]
        for offset, (value, (_, kind)) in enumerate(zip(figures, heads[4:], strict=True)):
            book.put(sheet, row, 4 + offset, float(value), book.line(kind))
        book.tall(sheet, row, [(listing(own.tolist()), FOR)])
    book.table(sheet, "shared", SHARED_FIRST - 1, len(menu.shared), heads)
    sheet.freeze_panes(SHARED_FIRST, 1)
    return sheet


def ceiling(purchase: SharedPurchase) -> float:
    """Return the most that a purchase may cost in usd: of its draws, or as it is expected."""
    if purchase.draws is None:
        return purchase.use.get("usd", 0.0)
    return float(purchase.draws[:, 0].max())


def once(where: Layout, name: str, column: int) -> str:
    """Return what formulas of a total add for shared purchases; nothing where there are none."""
    if not where.n_shared:
        return ""
    return f"+SUMPRODUCT({where.shared(column)},{where.shared(name)})"


def once_of(
    contents: Contents, where: Layout, domains: Sequence[str], tier: str | None = None
) -> tuple[str, float]:
    """Return the same in usd for purchases that only these domains, at this tier, could need.

    Returns
    -------
    tuple of (str, float)
        What a formula adds for the mix shown, and its value now.
    """
    return _priced(
        contents,
        where,
        lambda needing: (
            set(needing["domain"]) <= set(domains)
            and (tier is None or set(needing["tier"]) == {tier})
        ),
    )


def once_more_widely(contents: Contents, where: Layout) -> tuple[str, float]:
    """Return the same for purchases that no one domain, at one tier, has to itself."""
    return _priced(contents, where, lambda n: len(n[["domain", "tier"]].drop_duplicates()) > 1)


def _priced(
    contents: Contents, where: Layout, told: Callable[[pd.DataFrame], bool]
) -> tuple[str, float]:
    bought = contents.bought(contents.plans[contents.own])
    parts, value = [], 0.0
    for k, each in enumerate(contents.menu.shared):
        needing = contents.menu.options.loc[list(each.needed_by)]
        if len(needing) and told(needing):
            row = SHARED_FIRST + k
            parts.append(
                f"+{book_cell(row, at.SHARED_IN_MIX)}*{book_cell(row, where.shared_column('usd'))}"
            )
            value += float(bought[k]) * each.use.get("usd", 0.0)
    return "".join(parts), value


def book_cell(row: int, column: int) -> str:
    """Return the address of a cell of this sheet."""
    return Book.cell("Shared", row, column)
