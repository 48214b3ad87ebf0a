"""Sheets Mix, Menu and Shared: what is run, what could be, and what is paid once."""

from collections.abc import Callable, Sequence

import pandas as pd

from evalbayes import SharedPurchase
from evalbayes.menu.tariff import NEAR
from evalbayes.names import ONCE
from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import INPUT, MUTED, Book, Sheet, head, names_width, width
from evalfolio.export.workbook.calculation import mix_belief
from evalfolio.export.workbook.layout import MENU_FIRST, MIX_FIRST, SHARED_FIRST, Layout, safe_name
from evalfolio.narrative import listing, resource_words

FOR = 48  # width of the evals, in characters


def write_shared(book: Book) -> None:
    """Write one row per shared purchase: who needs it, whether it is bought, and its price.

    Whether it is bought follows the mix shown and the mix typed on Menu; its price is typed over as
    those of options are.
    """
    contents, where = book.contents, book.where
    menu, resources = contents.menu, contents.resources
    heads = [("Shared purchase", "text"), ("Serves", "wrap"), ("In the mix", "count")]
    heads += [("In your mix", "count"), ("Days", "count"), *map(head, resources)]
    heads.append(head("usd_ceiling"))
    width = names_width([each.name for each in menu.following], least=26)
    sheet = book.sheet(
        "Shared",
        "What is shared",
        "Bought once, where any of the options that need it is run (1) and not otherwise (0); what "
        "Menu says of these options is what is left for each.",
        [width, FOR, *(13 for _ in heads[2:])],
    )
    members = contents.bought(contents.chosen)
    steps = _step_formulas(where)
    for k, each in enumerate(menu.following):
        row = SHARED_FIRST + k
        own = menu.options.loc[list(each.needed_by), "eval"].astype(str).unique()
        serves = listing(own.tolist())
        figures = [each.days, *(each.use.get(name, 0.0) for name in resources), ceiling(each)]
        cells = [each.name, serves, None, None, *map(float, figures)]
        sheet.row(row, cells, [kind for _, kind in heads])
        for column, block in ((at.SHARED_IN_MIX, at.IN_MIX), (at.SHARED_YOURS, at.YOURS)):
            formula = f"=IF(SUMPRODUCT({where.options(block)},{where.needs(k)})>0,1,0)"
            if k >= len(menu.shared):
                formula = steps[k - len(menu.shared)].format(where.options(block))
            kind = "count" if menu.whole[len(menu) + k] else "share"
            sheet.formula(row, column, formula, float(members[k]), kind)
        sheet.tall(row, [(serves, FOR)])
    sheet.table("shared", SHARED_FIRST - 1, len(menu.following), heads, frozen=1)


def _step_formulas(where: Layout) -> list[str]:
    """Return what of every part of price steps a mix fills, {0} being its options."""
    found = []
    for each, _, pieces in where.contents.menu.steps:
        volume = f"SUMPRODUCT({{0}},{where.menu(each.resource)})"
        found += [f"=IF({volume}>={low * (1 - NEAR):.17g},1,0)" for low in pieces[1:, 0]]
        found += [f"=MAX(0,MIN(1,({volume}-{low:.17g})/{w:.17g}))" for low, w, *_ in pieces]
    return found


def ceiling(purchase: SharedPurchase) -> float:
    """Return the most that a purchase may cost in usd: of its draws, or as it is expected.

    Rows at their caps count the dearest step, so a step adds nothing.
    """
    if purchase.told != ONCE:
        return 0.0
    if purchase.draws is None:
        return purchase.use.get("usd", 0.0)
    return float(purchase.draws[:, 0].max())


def once(where: Layout, name: str, column: int) -> str:
    """Return what formulas of a total add for shared purchases; nothing where there are none."""
    if not where.contents.menu.following:
        return ""
    return f"+SUMPRODUCT({where.shared(column)},{where.shared(name)})"


def once_of(where: Layout, domains: Sequence[str], tier: str | None = None) -> tuple[str, float]:
    """Return the same in usd for purchases that only these domains, at this tier, could need.

    What a formula adds for the mix shown, and its value now.
    """
    return _priced(
        where, lambda n: set(n["domain"]) <= set(domains) and (not tier or set(n["tier"]) == {tier})
    )


def once_more_widely(where: Layout) -> tuple[str, float]:
    """Return the same for purchases that no one domain, at one tier, has to itself."""
    return _priced(where, lambda n: len(n[["domain", "tier"]].drop_duplicates()) > 1)


def _priced(where: Layout, told: Callable[[pd.DataFrame], bool]) -> tuple[str, float]:
    contents, columns = where.contents, (at.SHARED_IN_MIX, where.shared_column("usd"))
    bought = contents.bought(contents.chosen)
    parts, value = [], 0.0
    for k, each in enumerate(contents.menu.following):
        needing = contents.menu.options.loc[list(each.needed_by)]
        if len(needing) and told(needing):
            cells = [at.cell("Shared", SHARED_FIRST + k, column) for column in columns]
            parts.append(f"+{'*'.join(cells)}")
            value += float(bought[k]) * each.use.get("usd", 0.0)
    return "".join(parts), value


COST_ROW = 3
SCORE_ELSEWHERE = "run `evalfolio score` (too large for a sheet)"


def write_menu(book: Book) -> None:
    """Write all options, the column to type in, and the cost and value of what is typed."""
    contents, columns = book.contents, book.where.menu_columns
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
    look = {"bg_color": INPUT, "font_color": "#1d4ed8", "align": "center", "locked": False}
    typed = book.line("count", **look)
    for i, (name, option) in enumerate(contents.options.iterrows()):
        row = MENU_FIRST + i
        sheet.put(row, at.MENU_YOURS, 1 if i + 1 in contents.chosen else None, typed)
        for offset, column in enumerate(columns):
            value = name if column == "option" else option[column]
            plain = value.item() if hasattr(value, "item") else value
            sheet.put(row, 1 + offset, plain, head(column)[1])
    last = MENU_FIRST + max(len(contents.options), 1) - 1
    rule = {
        "validate": "integer",
        "criteria": "between",
        "minimum": 0,
        "maximum": 1,
        "input_title": "Your mix",
        "input_message": "1 to run this option, empty or 0 to leave it.",
        "error_title": "0 or 1",
        "error_message": "Type 1 to run this option, or leave the cell empty.",
    }
    sheet.file.data_validation(MENU_FIRST, at.MENU_YOURS, last, at.MENU_YOURS, rule)
    heads = [("Your mix", "count"), *(head(name) for name in columns)]
    sheet.table("menu", MENU_FIRST - 1, len(contents.options), heads, frozen=2)
    _write_totals(sheet)


def _write_totals(sheet: Sheet) -> None:
    """Write what the typed mix costs and is worth beside the certified plan."""
    contents, where, line = sheet.contents, sheet.where, sheet.book.line
    resources, yours, ours = contents.resources, COST_ROW + 1, COST_ROW + 2
    sheet.heads(COST_ROW, 1, ["", "Evals", *map(resource_words, resources), "Value"])
    kind, options = contents.record.value.kind, where.options
    for row, words, block, stem, column in (
        (yours, "Your mix", options(at.YOURS), "your", at.SHARED_YOURS),
        (ours, f"{kind} at the budget", options(at.IN_MIX), "certified", at.SHARED_IN_MIX),
    ):
        sheet.put(row, 1, words, line("text", bold=True))
        sheet.formula(row, 2, f"=SUM({block})", len(contents.chosen), "count")
        for k, name in enumerate(resources):
            formula = f"=SUMPRODUCT({block},{where.menu(name)}){once(where, name, column)}"
            spent = contents.spend(contents.chosen, name)
            sheet.formula(row, 3 + k, formula, spent, head(name)[1], f"{stem}_{safe_name(name)}")
    value = 3 + len(resources)
    if contents.live:
        worth = sum(belief.value for belief in mix_belief(contents, contents.chosen))
        sheet.formula(yours, value, "=typed_value", worth, "value")
    else:
        sheet.put(yours, value, SCORE_ELSEWHERE, "text")
    sheet.named("your_value", yours, value)
    sheet.formula(ours, value, "=plan_value", contents.plans[contents.own].value, "value")
    formula = (
        f'=IF(SUM({where.options(at.TWICE)})>0,"Two options of one eval: keep one.",'
        f'IF({at.over_budget("your", contents)},"Over a budget: see Summary.",'
        '"Within every budget."))'
    )
    sheet.put(COST_ROW + 4, 1, "Check", sheet.book.style("text", bold=True))
    words = sheet.book.style("words", bold=True)
    sheet.formula(COST_ROW + 4, 2, formula, "Within every budget.", words, "your_check")


WHY = 62  # width of the reasons, in characters
SUMMED = ("tasks", "runs", "usd", "usd_ceiling")
TOTAL_ROW = MIX_FIRST - 3


def write_mix(book: Book) -> None:
    """Write the mix as formulas over the menu, with totals above it."""
    contents, where, columns = book.contents, book.where, book.where.mix_columns
    sheet = book.sheet(
        "Mix",
        "The mix",
        "What to run at the budget typed on Summary, one row per eval; prices come from Menu.",
        [7, *(width(name) for name in columns), 9, 14, WHY, WHY],
    )
    shared, bought = contents.menu.following, contents.bought(contents.chosen)
    sheet.put(TOTAL_ROW, 0, "Total", book.style(bold=True, top=1))
    if shared:
        label = "of it shared, see Shared"
        sheet.put(TOTAL_ROW + 1, 0, label, book.style("text", font_color=MUTED))
    for column, name in enumerate(columns, start=1):
        if name not in (*SUMMED, *contents.others):
            sheet.put(TOTAL_ROW, column, None, book.style("text", bold=True, top=1))
            continue
        kind, priced = head(name)[1], name in (*contents.resources, "usd_ceiling")
        total, formula = float(contents.picked[name].sum()), f"=SUM({where.mix(name)})"
        if priced and shared:
            also = sum(
                part * (ceiling(each) if name == "usd_ceiling" else each.use.get(name, 0.0))
                for each, part in zip(shared, bought, strict=True)
            )
            added = once(where, name, at.SHARED_IN_MIX)
            muted = book.style(kind, font_color=MUTED)
            sheet.formula(TOTAL_ROW + 1, column, f"={added[1:]}", also, muted)
            total, formula = total + also, formula + added
        named = f"mix_{safe_name(name)}" if priced else ""
        sheet.formula(TOTAL_ROW, column, formula, total, book.style(kind, bold=True, top=1), named)
    _write_rows(sheet)
    extra = [("Share of USD", "share"), ("Value lost if dropped", "value"), ("Why", "wrap")]
    if contents.record.value.noise is not None:
        extra.append(("Under other draws", "wrap"))
    heads = [("Row", "count"), *(head(name) for name in columns), *extra]
    sheet.table("mix", MIX_FIRST - 1, contents.most_rows, heads, frozen=2)


def _write_rows(sheet: Sheet) -> None:
    contents, where, columns = sheet.contents, sheet.where, sheet.where.mix_columns
    picked, after, usd_column = contents.picked, 1 + len(columns), 1 + columns.index("usd")
    total = contents.spend(contents.chosen, "usd")
    told = {row.option: row for row in contents.record.choices}
    told_of = [(at.IF_DROPPED, "value"), (at.REASON, "sentence"), (at.STANDS, "sentence")]
    if contents.record.value.noise is None:
        told_of.pop()
    texts = [text for row in told.values() for text in (row.reason, row.stands)]
    longest = max(texts, key=len, default="")
    count = sheet.book.line("count", num_format="0;;", font_color="#5b6773")
    for k in range(contents.most_rows):
        row = MIX_FIRST + k
        sheet.tall(row, [(longest, WHY)])  # any of them may stand here at some budget
        here = sheet.here(row, 0)
        option = picked.iloc[k] if k < len(picked) else None
        number = contents.chosen[k] if option is not None else 0
        find = f"=IF(plan_row=0,0,INDEX({where.plan_rows()},plan_row,{k + 1}))"
        sheet.formula(row, 0, find, number, count)
        for column, name in enumerate(columns, start=1):
            kind = {"text": "words"}.get(head(name)[1], head(name)[1])
            source = f"INDEX({where.menu(name)},{here})"
            # INDEX turns an empty cell into 0, which would read as "costs nothing".
            formula = f'=IF({here}=0,"",IF({source}="","",{source}))'
            sheet.formula(row, column, formula, None if option is None else option[name], kind)
        share = None if option is None else (option["usd"] / total if total > 0 else 0.0)
        formula = f'=IF({here}=0,"",IF(mix_usd>0,{sheet.here(row, usd_column)}/mix_usd,0))'
        sheet.formula(row, after, formula, share, "share")
        own = None if option is None else told.get(str(option.name))
        shown = (own.value_if_dropped, own.reason, own.stands) if own else (None,) * 3
        for offset, (column, kind) in enumerate(told_of):
            source = f"INDEX({where.options(column)},{here})"
            elsewhere = f"OR({here}=0,plan_row<>{contents.own + 1})"
            formula = f'=IF({elsewhere},"",IF({source}="","",{source}))'
            sheet.formula(row, after + 1 + offset, formula, shown[offset], kind)
