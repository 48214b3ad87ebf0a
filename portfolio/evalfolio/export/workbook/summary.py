"""Sheet Summary: the recommendation in words, the budget to change, and what it buys."""

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import GRID, HEAD, INPUT, MUTED, TIER_COLOURS, Book, Sheet, head
from evalfolio.export.workbook.domains import COLUMNS, FIRST, LIVE_MISSED, chance_style
from evalfolio.export.workbook.layout import BUDGET_COLUMN, BUDGET_ROW, RESOURCE_ROW, safe_name
from evalfolio.export.workbook.mix import once_more_widely, once_of
from evalfolio.narrative import resource_words

AXIS_USD = '[>=10000]$#,##0,"k";$#,##0'


def write_charts(sheet: Sheet, first: int, row: int) -> None:
    """Draw the money, in the rows from `first` to before `row`, and the frontier with the plan."""
    block = ("Summary", first, row - 1)
    colours = [TIER_COLOURS.get(tier, HEAD) for tier in sheet.contents.tiers]
    chart = sheet.chart(
        {"type": "bar", "subtype": "stacked"},
        "Where the money goes",
        [
            sheet.series(["Summary", first - 1, t], block, 0, t, gap=60, fill={"color": colour})
            for t, colour in enumerate(colours, start=1)
        ],
        bold=True,
    )
    chart.set_x_axis({"num_format": AXIS_USD, "major_gridlines": GRID})
    chart.set_y_axis({"reverse": True})
    size = 520, 150 + 50 * min(row - first, 8)
    sheet.place(chart, row + 1, 0, size, "Expected USD by domain, stacked by tier")
    if len(sheet.contents.plans) < 2:
        return
    block = ("Plans", at.PLANS_FIRST, at.PLANS_FIRST + len(sheet.contents.plans) - 1)
    line = {"color": HEAD, "width": 2}
    value_row = RESOURCE_ROW + len(sheet.contents.resources) + 2
    chart = sheet.chart(
        {"type": "scatter", "subtype": "straight"},
        "What more money would buy",
        [
            sheet.series(
                "Best mix at each budget", block, at.PLAN_BUDGET, at.PLAN_VALUE, line=line
            ),
            {
                "name": "At the budget above",
                "categories": f"={at.cell('Summary', BUDGET_ROW, BUDGET_COLUMN)}",
                "values": f"={at.cell('Summary', value_row, 1)}",
                "marker": {"type": "circle", "size": 10, "fill": {"color": "#d69a2d"}},
                "line": {"none": True},
            },
        ],
        bold=True,
    )
    plain = {"major_gridlines": {"visible": False}}
    chart.set_x_axis({"num_format": AXIS_USD, "name": "Budget", "min": 0, **plain})
    chart.set_y_axis({"name": "Value", "min": 0, "major_gridlines": GRID})
    chart.show_hidden_data()
    sheet.place(chart, row + 1, 3, (450, 270), "Value of the best mix by budget, and the one shown")


MORE_WIDELY = "shared more widely"
DEARER = (
    "This mix exceeds its budgets since prices, limits or the share kept back were changed: "
    "run evalfolio recommend again."
)

BEYOND = "Beyond the budgets computed: shows the plan for the largest, $"


def write_summary(book: Book) -> None:
    """Write the first sheet; every figure but the words follows the budget cell."""
    record = book.contents.record
    months = record.portfolio.horizon_months
    sheet = book.sheet(
        "Summary",
        f"Which evals to run on {record.portfolio.ai_model}",
        f"The decision stands for {months:g} months." if months else "",
        [42, 16, 16, 16, 16, 16, 16],
    )
    sheet.file.set_portrait()
    sheet.file.fit_to_pages(1, 1)
    words = book.style("text", text_wrap=True, font_size=12, valign="top")
    unanchored = [f"{row.reason[:1].upper()}{row.reason[1:]}." for row in record.no_anchor]
    for row, column, before, text in (
        (2, at.PLAN_MIX, " ".join([*unanchored, ""]), record.words.mix),
        (3, at.PLAN_TELLS, "", record.words.hangs_on),
    ):
        said = f"{before}{text}"
        sheet.file.merge_range(row, 0, row, 6, "", words)
        sheet.file.write_string(row, 0, said[:8000], words)
        sheet.file.set_row(row, 16.5 * max(1, -(-len(said[:1500]) // 112)) + 4)
        if not before:  # text of any length cannot stand in a formula
            formula = f'=IF(plan_row=0,"",INDEX({book.where.plans(column)},plan_row))'
            sheet.formula(row, 0, formula, said, words)
    _write_budget(sheet)
    after = _write_resources(sheet)
    after = _write_value(sheet, after + 1)
    after = _write_decisions(sheet, after + 1)
    first = after + 2
    after = _write_money(sheet, after + 1)
    write_charts(sheet, first, after)
    sheet.file.activate()


def _write_budget(sheet: Sheet) -> None:
    """Write the cell to type the budget in and what the frontier has for it."""
    contents, style = sheet.contents, sheet.book.style
    own, row, column = contents.plans[contents.own].usd, BUDGET_ROW, BUDGET_COLUMN
    sheet.put(row, 0, "Budget in USD", style("text", bold=True))
    look = {"bg_color": INPUT, "font_color": "#1d4ed8", "border": 1, "border_color": "#d6b656"}
    typed = style("usd", bold=True, locked=False, **look)
    lower = contents.record.value.kind.lower()
    kind = f"{lower} plan"
    least, most = contents.plans[0].usd or 0.0, contents.plans[-1].usd or 0.0
    if own is None:
        sheet.put(row, column, "no limit", typed)
        formula, note, told = "=1", '="No budget in USD was set."', "No budget in USD was set."
    else:
        sheet.put(row, column, own, typed)
        rule = {
            "validate": "decimal",
            "criteria": ">=",
            "value": 0,
            "input_title": "Budget in USD",
            "input_message": f"Type another budget: the {lower} mix of the nearest one not above "
            "it is looked up.",
            "error_title": "A budget",
            "error_message": "Type a number, 0 or more.",
        }
        sheet.file.data_validation(row, column, row, column, rule)
        budgets = sheet.where.plans(at.PLAN_BUDGET)
        formula = f"=IFERROR(MATCH(budget_usd*(1+1E-12),{budgets},1),0)"
        found = f'TEXT(INDEX({budgets},plan_row),"#,##0")'
        note = (
            f'=IF(plan_row=0,"No {kind} for so little; the least budget is $"&'
            f'TEXT({least},"#,##0"),IF({at.over_budget("mix", contents)},"{DEARER}",'
            f'IF(budget_usd>{most:.17g}*(1+1E-9),"{BEYOND}","Shows the {kind} for a budget '
            f'of $")&{found}))'
        )
        told = f"Shows the {kind} for a budget of ${own:,.0f}"
    sheet.named("budget_usd", row, column)
    muted = style("text", font_color=MUTED)
    sheet.put(row + 1, 0, f"{kind.capitalize()}, row", muted)
    count = style("count", font_color=MUTED)
    sheet.formula(row + 1, column, formula, contents.own + 1, count, "plan_row")
    sheet.put(row + 2, 0, "Share of the money kept back", muted)
    sheet.put(row + 2, column, contents.record.money.contingency, style("share", font_color=MUTED))
    sheet.named("contingency", row + 2, column)
    words = style("words", font_color=MUTED, align="left", indent=1)
    sheet.formula(row, column + 1, note, told, words)


def _write_resources(sheet: Sheet) -> int:
    """Write limit, use and what is left of every resource; return the row after."""
    contents, record, line = sheet.contents, sheet.contents.record, sheet.book.line
    heads = ["Resource", "Budget", "Kept back", "Expected use", "Left over", "Used"]
    sheet.heads(RESOURCE_ROW - 1, 0, heads)
    unlimited = line("text", align="right", font_color=MUTED)
    for row, name in enumerate(contents.resources, start=RESOURCE_ROW):
        kind, limit, safe = head(name)[1], record.budget.get(name), safe_name(name)
        spent = contents.spend(contents.chosen, name)
        sheet.put(row, 0, resource_words(name), "text")
        sheet.formula(row, 3, f"=mix_{safe}", spent, kind)
        if limit is None:
            for column in (1, 2, 4, 5):
                sheet.put(row, column, "no limit", unlimited)
            continue
        if name == "usd":
            sheet.formula(row, 1, "=budget_usd", limit, kind)
        else:
            sheet.put(row, 1, limit, kind)
        sheet.named(f"limit_{safe}", row, 1)
        kept = limit - record.may_spend(name)
        of_each = "contingency" if name == "usd" else f"{record.kept_back[name]:g}"
        sheet.formula(row, 2, f"={of_each}*limit_{safe}", kept, kind, f"kept_{safe}")
        stated, back, used = (sheet.here(row, column) for column in (1, 2, 3))
        signed = "usd_left" if kind == "usd" else kind
        sheet.formula(row, 4, f"={stated}-{back}-{used}", limit - kept - spent, signed)
        share = spent / limit if limit > 0 else 0.0
        sheet.formula(row, 5, f"=IF({stated}>0,{used}/{stated},0)", share, "share")
    return RESOURCE_ROW + len(contents.resources)


def _write_value(sheet: Sheet, row: int) -> int:
    """Write the value, its certificate and what the draws say; return the row after."""
    contents, value = sheet.contents, sheet.contents.record.value
    plan, draws = contents.plans[contents.own], value.draws
    label = sheet.book.line("text", text_wrap=True)
    unit = "USD" if value.unit == "usd" else value.unit
    worth, bound = (
        f"=IF(plan_row=0,0,INDEX({sheet.where.plans(column)},plan_row))"
        for column in (at.PLAN_VALUE, at.PLAN_BOUND)
    )
    share = "=IF(plan_evpi>0,plan_value/plan_evpi,0)"
    sheet.heads(row, 0, [f"Value of the results ({unit})", "Figure"])
    lines: list[tuple[str, str, float | None, str, str]] = [
        ("Expected value of what the mix tells", worth, plan.value, "value", "value"),
        ("No mix on this menu is worth more than", bound, plan.bound, "value", "bound"),
        ("What perfect information would be worth", "", value.evpi, "value", "evpi"),
        ("Share of it that the mix buys", share, value.share(plan.value), "share1", "share"),
    ]
    if plan.gap is not None:
        gap = "=IF(plan_bound>0,(plan_bound-plan_value)/plan_bound,0)"
        shown = (plan.bound - plan.value) / plan.bound if plan.bound > 0 else 0.0
        lines.insert(2, (f"{value.kind} distance to that bound", gap, shown, "gap", "gap"))
    for words, formula, figure, kind, name in lines:
        row += 1
        sheet.put(row, 0, words, label)
        if formula:
            sheet.formula(row, 1, formula, figure, kind)
        else:
            sheet.put(row, 1, figure, kind)
        sheet.named(f"plan_{name}", row, 1)
    if draws is not None:
        row += 1
        sheet.put(row, 0, "Value by draws of what rows tell (5 %, mean, 95 %)", label)
        for column, figure in enumerate((draws.q05, draws.mean, draws.q95), start=1):
            sheet.put(row, column, figure, "value")
        note = sheet.book.style("text", font_color=MUTED, align="left", indent=1)
        sheet.put(row, 4, "at the plan's own budget", note)
    for words, kind, figure in (
        ("Luck of the posterior draws in the value, ± (95 %)", "value", value.noise),
        ("Distance to the bound, that luck included", "gap", value.gap_with_noise),
    ):
        if figure is not None:
            row += 1
            sheet.put(row, 0, words, label)
            sheet.put(row, 1, figure, kind)
    return row + 1


def _write_decisions(sheet: Sheet, row: int) -> int:
    """Write each decision's call and how it may be wrong, as on Domains; return the row after.

    Needless mitigation is mitigating though capability stays below the threshold, danger missed not
    mitigating though it passes it.
    """
    contents, book = sheet.contents, sheet.book
    shown = ["call_now", "p_exceeds", "p_missed_now", "p_missed_expected"]
    shown += ["p_needless_now", "p_needless_expected"]
    heads = ["Decision", "Call now", "Above threshold", "Danger missed", "... after the plan"]
    heads += ["Needless mitigation", "... after the plan"]
    sheet.heads(row, 0, heads)
    sheet.file.set_row(row, 30)  # two lines of heading
    keys = [key for key, *_ in COLUMNS]
    live = {"p_missed_expected": LIVE_MISSED, "p_needless_expected": LIVE_MISSED + 1}
    outcomes = contents.outcomes(contents.chosen)
    after = {d.name: told for d, told in zip(contents.menu.decisions, outcomes, strict=True)}
    for d, domain in enumerate(contents.record.domains):
        row += 1
        sheet.put(row, 0, domain.name, "text")
        styles = {"call_now": book.line("words", align="right")}
        styles["p_exceeds"] = chance_style(book, domain)
        for offset, key in enumerate(shown, start=1):
            column, figure = keys.index(key), getattr(domain, key)
            if key in live and domain.name in after:
                column = live[key]
                figure = after[domain.name][column - LIVE_MISSED + 1]
            source = at.cell("Domains", FIRST + d, column)
            sheet.formula(row, offset, f"={source}", figure, styles.get(key, "share"))
    return row + 1


def _write_money(sheet: Sheet, row: int) -> int:
    """Write expected USD by domain and tier, which the chart shows; return the row after.

    What several domains share has a row of its own, so that the totals are the mix's.
    """
    contents, where, bold = sheet.contents, sheet.where, sheet.book.line("usd", bold=True)
    tiers, chosen = contents.tiers, contents.picked
    last = len(tiers)
    sheet.heads(row, 0, ["USD by domain", *tiers, "Total"])
    for d, domain in enumerate(contents.domains, start=1):
        row += 1
        sheet.put(row, 0, domain, "text")
        total = 0.0
        for t, tier in enumerate(tiers, start=1):
            formula = (
                f"=SUMPRODUCT({where.options(at.IN_MIX)}*({where.options(at.DOMAIN_CODE)}={d})"
                f"*({where.options(at.TIER_CODE)}={t})*{where.menu('usd')})"
            )
            added, shared = once_of(where, (domain,), tier)
            mine = chosen[(chosen["domain"] == domain) & (chosen["tier"] == tier)]
            now = float(mine["usd"].sum()) + shared
            total += now
            sheet.formula(row, t, formula + added, now, "usd")
        every = f"=SUM({sheet.here(row, 1)}:{sheet.here(row, last)})"
        sheet.formula(row, 1 + last, every, total, bold)
    row += 1
    formula, now = once_more_widely(where)
    if not formula:
        return row
    sheet.put(row, 0, MORE_WIDELY, "text")
    # In the column of the deepest tier: what is shared is elicitation.
    sheet.formula(row, 1, f"={formula[1:]}", now, "usd")
    sheet.formula(row, 1 + last, f"={formula[1:]}", now, bold)
    return row + 1
