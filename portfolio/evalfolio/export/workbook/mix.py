"""Sheets Mix, Menu and Shared: what is run, what could be, and what is paid once."""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

import pandas as pd

from evalbayes import SharedPurchase
from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import INPUT, MUTED, Book, head, names_width, safe_name, width
from evalfolio.export.workbook.calculation import mix_belief
from evalfolio.export.workbook.layout import MENU_FIRST, MIX_FIRST, SHARED_FIRST, Contents, Layout
from evalfolio.narrative import listing, resource_words

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
    if not where.contents.menu.shared:
        return ""
    return f"+SUMPRODUCT({where.shared(column)},{where.shared(name)})"


def once_of(
    contents: Contents, where: Layout, domains: Sequence[str], tier: str | None = None
) -> tuple[str, float]:
    """Return the same in usd for purchases that only these domains, at this tier, could need.

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
        "Prices typed over are counted, but the "
        f"{contents.record.value.kind.lower()} mixes are not chosen anew.",
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
    last = MENU_FIRST + max(len(contents.options), 1) - 1
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
    book.table(sheet, "menu", MENU_FIRST - 1, len(contents.options), heads)
    sheet.freeze_panes(MENU_FIRST, 2)
    _write_totals(book, sheet, contents, where)
    return sheet


def _write_totals(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write what the typed mix costs and is worth beside the certified plan."""
    plan = contents.plans[contents.own]
    resources = ("usd", *contents.others)
    book.heads(sheet, COST_ROW, 1, ["", "Evals", *map(resource_words, resources), "Value"])
    sheet.write_string(COST_ROW + 1, 1, "Your mix", book.line("text", bold=True))
    best = f"{contents.record.value.kind} at the budget"
    sheet.write_string(COST_ROW + 2, 1, best, book.line("text", bold=True))
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
    if contents.menu.shared:
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
    book.table(sheet, "mix", MIX_FIRST - 1, contents.most_rows, heads)
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
    for k in range(contents.most_rows):
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
