"""Sheet Summary: the recommendation in words, the budget to change, and what it buys."""

from typing import Any

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import HEAD, INPUT, MUTED, TIER_COLOURS, Book, head, safe_name
from evalfolio.export.workbook.domains import COLUMNS, FIRST, LIVE_MISSED, chance_style
from evalfolio.export.workbook.layout import (
    BUDGET_COLUMN,
    BUDGET_ROW,
    RESOURCE_ROW,
    Contents,
    Layout,
    value_row,
)
from evalfolio.export.workbook.mix import once_more_widely, once_of
from evalfolio.narrative import resource_words

AXIS_USD = '[>=10000]$#,##0,"k";$#,##0'


def write_charts(book: Book, sheet: Any, contents: Contents, first: int, row: int) -> None:
    """Draw the money, in the rows from `first` to before `row`, and the frontier with the plan."""
    chart = book.file.add_chart({"type": "bar", "subtype": "stacked"})
    for t, tier in enumerate(contents.tiers):
        chart.add_series(
            {
                "name": ["Summary", first - 1, 1 + t],
                "categories": ["Summary", first, 0, row - 1, 0],
                "values": ["Summary", first, 1 + t, row - 1, 1 + t],
                "fill": {"color": TIER_COLOURS.get(tier, HEAD)},
                "gap": 60,
            }
        )
    chart.set_title({"name": "Where the money goes", "name_font": {"size": 13, "bold": True}})
    chart.set_x_axis(
        {"num_format": AXIS_USD, "major_gridlines": {"visible": True, "line": {"color": "#e3e7eb"}}}
    )
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 520, "height": 150 + 50 * min(row - first, 8)})
    sheet.insert_chart(
        row + 1, 0, chart, {"description": "Expected USD by domain, stacked by tier"}
    )
    if len(contents.plans) > 1:
        _write_frontier_chart(book, sheet, contents, row)


def _write_frontier_chart(book: Book, sheet: Any, contents: Contents, row: int) -> None:
    first, last = at.PLANS_FIRST, at.PLANS_FIRST + len(contents.plans) - 1
    chart = book.file.add_chart({"type": "scatter", "subtype": "straight"})
    chart.add_series(
        {
            "name": "Best mix at each budget",
            "categories": ["Plans", first, at.PLAN_BUDGET, last, at.PLAN_BUDGET],
            "values": ["Plans", first, at.PLAN_VALUE, last, at.PLAN_VALUE],
            "line": {"color": HEAD, "width": 2},
        }
    )
    chart.add_series(
        {
            "name": "At the budget above",
            "categories": f"={book.cell('Summary', BUDGET_ROW, BUDGET_COLUMN)}",
            "values": f"={book.cell('Summary', value_row(contents), 1)}",
            "marker": {"type": "circle", "size": 10, "fill": {"color": "#d69a2d"}},
            "line": {"none": True},
        }
    )
    chart.set_title({"name": "What more money would buy", "name_font": {"size": 13, "bold": True}})
    chart.set_x_axis(
        {"num_format": AXIS_USD, "name": "Budget", "min": 0, "major_gridlines": {"visible": False}}
    )
    chart.set_y_axis(
        {
            "name": "Value",
            "min": 0,
            "major_gridlines": {"visible": True, "line": {"color": "#e3e7eb"}},
        }
    )
    chart.set_legend({"position": "bottom"})
    chart.show_hidden_data()
    chart.set_size({"width": 450, "height": 270})
    sheet.insert_chart(
        row + 1, 3, chart, {"description": "Value of the best mix by budget, and the one shown"}
    )


MORE_WIDELY = "shared more widely"
DEARER = (
    "This mix exceeds its budgets since prices, limits or the share kept back were changed: "
    "run evalfolio recommend again."
)

BEYOND = "Beyond the budgets computed: shows the plan for the largest, $"


def write_summary(book: Book, contents: Contents, where: Layout) -> Any:
    """Write the first sheet; every figure but the words follows the budget cell."""
    record = contents.record
    months = record.portfolio.horizon_months
    sheet = book.sheet(
        "Summary",
        f"Which evals to run on {record.portfolio.ai_model}",
        f"The decision stands for {months:g} months." if months else "",
        [42, 16, 16, 16, 16, 16, 16],
    )
    sheet.set_portrait()
    sheet.fit_to_pages(1, 1)
    words = book.style("text", text_wrap=True, font_size=12, valign="top")
    unanchored = [f"{row.reason[:1].upper()}{row.reason[1:]}." for row in record.no_anchor]
    for row, column, before, text in (
        (2, at.PLAN_MIX, " ".join([*unanchored, ""]), record.words.mix),
        (3, at.PLAN_TELLS, "", record.words.hangs_on),
    ):
        said = f"{before}{text}"
        _paragraph(sheet, row, said, words)
        if not before:  # text of any length cannot stand in a formula
            formula = f'=IF(plan_row=0,"",INDEX({where.plans(column)},plan_row))'
            book.formula(sheet, row, 0, formula, said, words)
    _write_budget(book, sheet, contents, where)
    after = _write_resources(book, sheet, contents, where)
    after = _write_value(book, sheet, contents, where, after + 1)
    after = _write_decisions(book, sheet, contents, after + 1)
    first = after + 2
    after = _write_money(book, sheet, contents, where, after + 1)
    write_charts(book, sheet, contents, first, after)
    return sheet


def _paragraph(sheet: Any, row: int, text: str, style: Any) -> None:
    sheet.merge_range(row, 0, row, 6, "", style)
    sheet.write_string(row, 0, text[:8000], style)
    sheet.set_row(row, 16.5 * max(1, -(-len(text[:1500]) // 112)) + 4)


def _write_budget(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write the cell to type the budget in and what the frontier has for it."""
    own = contents.plans[contents.own]
    row, column = BUDGET_ROW, BUDGET_COLUMN
    sheet.write_string(row, 0, "Budget in USD", book.style("text", bold=True))
    style = book.style(
        "usd",
        bg_color=INPUT,
        font_color="#1d4ed8",
        bold=True,
        border=1,
        border_color="#d6b656",
        locked=False,
    )
    kind = f"{contents.record.value.kind.lower()} plan"
    least, most = contents.plans[0].budget, contents.plans[-1].budget or 0.0
    if own.budget is None:
        sheet.write_string(row, column, "no limit", style)
        formula, note, told = "=1", '="No budget in USD was set."', "No budget in USD was set."
    else:
        sheet.write_number(row, column, own.budget, style)
        sheet.data_validation(
            row,
            column,
            row,
            column,
            {
                "validate": "decimal",
                "criteria": ">=",
                "value": 0,
                "input_title": "Budget in USD",
                "input_message": "Type another budget: the "
                f"{contents.record.value.kind.lower()} mix of the nearest one not above it is "
                "looked up.",
                "error_title": "A budget",
                "error_message": "Type a number, 0 or more.",
            },
        )
        budgets = where.plans(at.PLAN_BUDGET)
        formula = f"=IFERROR(MATCH(budget_usd*(1+1E-12),{budgets},1),0)"
        found = f'TEXT(INDEX({budgets},plan_row),"#,##0")'
        note = (
            f'=IF(plan_row=0,"No {kind} for so little; the least budget is $"&'
            f'TEXT({least or 0.0},"#,##0"),IF({at.over_budget("mix", contents)},"{DEARER}",'
            f'IF(budget_usd>{most:.17g}*(1+1E-9),"{BEYOND}","Shows the {kind} for a budget '
            f'of $")&{found}))'
        )
        told = f"Shows the {kind} for a budget of ${own.budget:,.0f}"
    book.name("budget_usd", "Summary", row, column)
    sheet.write_string(
        row + 1, 0, f"{kind.capitalize()}, row", book.style("text", font_color=MUTED)
    )
    book.formula(
        sheet, row + 1, column, formula, contents.own + 1, book.style("count", font_color=MUTED)
    )
    book.name("plan_row", "Summary", row + 1, column)
    sheet.write_string(
        row + 2, 0, "Share of the money kept back", book.style("text", font_color=MUTED)
    )
    kept = contents.record.money.contingency
    sheet.write_number(row + 2, column, kept, book.style("share", font_color=MUTED))
    book.name("contingency", "Summary", row + 2, column)
    book.formula(
        sheet,
        row,
        column + 1,
        note,
        told,
        book.style("words", font_color=MUTED, align="left", indent=1),
    )


def _write_resources(book: Book, sheet: Any, contents: Contents, where: Layout) -> int:
    """Write limit, use and what is left of every resource; return the row after."""
    plan = contents.plans[contents.own]
    record = contents.record
    row = RESOURCE_ROW
    book.heads(
        sheet, row - 1, 0, ["Resource", "Budget", "Kept back", "Expected use", "Left over", "Used"]
    )
    for name in ("usd", *contents.others):
        kind, limit = head(name)[1], record.budget.get(name)
        spent = contents.spend(plan, name)
        sheet.write_string(row, 0, resource_words(name), book.line("text"))
        style = book.line(kind)
        used = f"mix_{safe_name(name)}"
        book.formula(sheet, row, 3, f"={used}", spent, style)
        if limit is None:
            for column in (1, 2, 4, 5):
                sheet.write_string(
                    row, column, "no limit", book.line("text", align="right", font_color=MUTED)
                )
        else:
            if name == "usd":
                book.formula(sheet, row, 1, "=budget_usd", limit, style)
            else:
                sheet.write_number(row, 1, limit, style)
            limited = f"limit_{safe_name(name)}"
            book.name(limited, "Summary", row, 1)
            kept = limit - record.may_spend(name)
            of_each = "contingency" if name == "usd" else f"{record.kept_back[name]:g}"
            book.formula(sheet, row, 2, f"={of_each}*{limited}", kept, style)
            book.name(f"kept_{safe_name(name)}", "Summary", row, 2)
            left = limit - kept - spent
            cells = [book.cell("Summary", row, c).split("!")[1] for c in (1, 2, 3)]
            signed = book.line("usd_left") if kind == "usd" else style
            book.formula(sheet, row, 4, f"={cells[0]}-{cells[1]}-{cells[2]}", left, signed)
            share = spent / limit if limit > 0 else 0.0
            formula = f"=IF({cells[0]}>0,{cells[2]}/{cells[0]},0)"
            book.formula(sheet, row, 5, formula, share, book.line("share"))
        row += 1
    return row


def _write_value(book: Book, sheet: Any, contents: Contents, where: Layout, row: int) -> int:
    """Write the value, its certificate and the model's own error; return the row after."""
    value = contents.record.value
    plan = contents.plans[contents.own]
    unit = "USD" if value.unit == "usd" else value.unit
    look_up = {
        key: f"=IF(plan_row=0,0,INDEX({where.plans(column)},plan_row))"
        for key, column in (("value", at.PLAN_VALUE), ("bound", at.PLAN_BOUND))
    }
    book.heads(sheet, row, 0, [f"Value of the results ({unit})", "Figure"])
    lines: list[tuple[str, str | None, float | None, str, str]] = [
        (
            "Expected value of what the mix tells",
            look_up["value"],
            plan.value,
            "value",
            "plan_value",
        ),
        (
            "No mix on this menu is worth more than",
            look_up["bound"],
            plan.bound,
            "value",
            "plan_bound",
        ),
        ("What perfect information would be worth", None, value.evpi, "value", "plan_evpi"),
        (
            "Share of it that the mix buys",
            "=IF(plan_evpi>0,plan_value/plan_evpi,0)",
            value.share(plan.value),
            "share1",
            "plan_share",
        ),
    ]
    if plan.gap is not None:
        gap = "=IF(plan_bound>0,(plan_bound-plan_value)/plan_bound,0)"
        shown = (plan.bound - plan.value) / plan.bound if plan.bound > 0 else 0.0
        lines.insert(2, (f"{value.kind} distance to that bound", gap, shown, "gap", "plan_gap"))
    for label, formula, figure, kind, name in lines:
        row += 1
        sheet.write_string(row, 0, label, book.line("text", text_wrap=True))
        if formula is None:
            book.put(sheet, row, 1, figure, book.line(kind))
        else:
            book.formula(sheet, row, 1, formula, figure, book.line(kind))
        book.name(name, "Summary", row, 1)
    if value.draws is not None:
        row += 1
        draws = value.draws
        note = book.style("text", font_color=MUTED, align="left", indent=1)
        sheet.write_string(
            row, 0, "The model's own error (5 %, mean, 95 %)", book.line("text", text_wrap=True)
        )
        for column, worth in ((1, draws.q05), (2, draws.mean), (3, draws.q95)):
            sheet.write_number(row, column, worth, book.line("value"))
        sheet.write_string(row, 4, "at the plan's own budget", note)
    for label, kind, figure in (
        ("Luck of the posterior draws in the value, ± (95 %)", "value", value.noise),
        ("Distance to the bound, that luck included", "gap", value.gap_with_noise),
    ):
        if figure is not None:
            row += 1
            sheet.write_string(row, 0, label, book.line("text", text_wrap=True))
            sheet.write_number(row, 1, figure, book.line(kind))
    return row + 1


def _write_decisions(book: Book, sheet: Any, contents: Contents, row: int) -> int:
    """Write each decision's call and how it may be wrong, as on Domains; return the row after.

    Needless mitigation is mitigating though capability stays below the threshold, danger missed not
    mitigating though it passes it.
    """
    shown = ["call_now", "p_exceeds", "p_missed_now", "p_missed_expected"]
    shown += ["p_needless_now", "p_needless_expected"]
    heads = ["Decision", "Call now", "Above threshold", "Danger missed", "... after the plan"]
    heads += ["Needless mitigation", "... after the plan"]
    book.heads(sheet, row, 0, heads)
    sheet.set_row(row, 30)  # two lines of heading
    keys = [key for key, *_ in COLUMNS]
    live = {"p_missed_expected": LIVE_MISSED, "p_needless_expected": LIVE_MISSED + 1}
    valued = [decision.name for decision in contents.menu.decisions]
    for d, domain in enumerate(contents.record.domains):
        row += 1
        sheet.write_string(row, 0, domain.name, book.line("text"))
        for offset, key in enumerate(shown):
            follows = key in live and domain.name in valued
            column = live[key] if follows else keys.index(key)
            source = book.cell("Domains", FIRST + d, column)
            style = chance_style(book, domain) if key == "p_exceeds" else book.line("share")
            if key == "call_now":
                style = book.line("words", align="right")
            figure = getattr(domain, key)
            if follows:
                after = contents.outcomes(contents.own)[valued.index(domain.name)]
                figure = after[column - LIVE_MISSED + 1]
            book.formula(sheet, row, 1 + offset, f"={source}", figure, style)
    return row + 1


def _write_money(book: Book, sheet: Any, contents: Contents, where: Layout, row: int) -> int:
    """Write expected USD by domain and tier, which the chart shows; return the row after.

    What several domains share has a row of its own, so that the totals are the mix's.
    """
    tiers, domains = contents.tiers, contents.domains
    book.heads(sheet, row, 0, ["USD by domain", *tiers, "Total"])
    chosen = contents.options.iloc[[i - 1 for i in contents.plans[contents.own].rows]]
    contents_rows = range(row + 1, row + 1 + len(domains))
    for d, (r, domain) in enumerate(zip(contents_rows, domains, strict=True)):
        sheet.write_string(r, 0, domain, book.line("text"))
        total = 0.0
        for t, tier in enumerate(tiers):
            formula = (
                f"=SUMPRODUCT({where.options(at.IN_MIX)}*({where.options(at.DOMAIN_CODE)}={d + 1})"
                f"*({where.options(at.TIER_CODE)}={t + 1})*{where.menu('usd')})"
            )
            added, shared = once_of(contents, where, (domain,), tier)
            mine = chosen[(chosen["domain"] == domain) & (chosen["tier"] == tier)]
            now = float(mine["usd"].sum()) + shared
            total += now
            book.formula(sheet, r, 1 + t, formula + added, now, book.line("usd"))
        first = book.cell("Summary", r, 1).split("!")[1]
        last = book.cell("Summary", r, len(tiers)).split("!")[1]
        book.formula(
            sheet, r, 1 + len(tiers), f"=SUM({first}:{last})", total, book.line("usd", bold=True)
        )
    row += 1 + len(domains)
    formula, now = once_more_widely(contents, where)
    if not formula:
        return row
    sheet.write_string(row, 0, MORE_WIDELY, book.line("text"))
    # In the column of the deepest tier: what is shared is elicitation.
    for column, style in ((len(tiers), {}), (1 + len(tiers), {"bold": True})):
        book.formula(sheet, row, column, f"={formula[1:]}", now, book.line("usd", **style))
    return row + 1
