"""Sheet Domains: each decision now and after the results, with the two floors."""

from typing import Any

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.layout import Contents, Layout
from evalfolio.export.workbook.mix import once_of
from evalfolio.narrative import decimals_beside
from evalfolio.record.record import Domain

FIRST = 4
TITLE = "Domains and their decisions"
WHY = 60  # width of the reasons, in characters
COLUMNS: tuple[tuple[str, str, str, float], ...] = (
    ("name", "Decision", "text", 20),
    ("call_now", "Call now", "text", 16),
    ("p_exceeds", "Chance above threshold", "share", 12),
    ("p_missed_now", "Chance of danger missed now", "share", 12),
    ("p_missed_expected", "Danger missed after the plan's results", "share", 13),
    ("p_needless_now", "Chance of needless mitigation now", "share", 12),
    ("p_needless_expected", "Needless mitigation after the plan's results", "share", 13),
    ("p_call_changes", "Chance the call changes", "share", 12),
    ("threshold", "Threshold", "unit", 11),
    ("capability_mean", "Capability, mean now", "unit", 11),
    ("doublings_to_threshold", "Distance to threshold", "unit", 11),
    ("upper95_now", "Upper 95 % now", "unit", 11),
    ("upper95_expected", "Upper 95 % after the plan's results", "unit", 12),
    ("buffer", "Buffer", "unit", 9),
    ("prior_sd", "Sd now", "unit", 9),
    ("posterior_sd", "Sd after the plan", "unit", 9),
    ("elicitation_floor_sd", "Elicitation floor (sd)", "unit", 11),
    ("validity_floor_sd", "Validity floor (sd)", "unit", 11),
    ("evsi", "Value of the plan here", "value", 13),
    ("share_of_evpi", "Share of perfect information", "share", 12),
    ("minimum_effort_usd", "Least useful spend, USD", "usd", 13),
    ("funded", "Funded", "text", 9),
    ("unit", "Unit", "text", 26),
    ("reason", "Why", "wrap", WHY),
)
LIVE_MISSED = len(COLUMNS) + 4  # danger missed after the mix shown; needless mitigation follows


def write_domains(book: Book, contents: Contents, where: Layout) -> Any:
    """Write beliefs at the plan's own budget, and money and beliefs for the mix shown."""
    live = [("USD in the mix shown", "usd"), ("... of it on maximum elicitation", "share")]
    if contents.menu.decisions:
        live += [
            ("Value of the mix shown", "value"),
            ("Sd after it", "unit"),
            ("Danger missed after it", "share"),
            ("Needless mitigation after it", "share"),
        ]
    sheet = book.sheet(
        "Domains",
        TITLE,
        "Beliefs are those of the plan's own budget; the last columns follow the budget on "
        "Summary. Only maximum elicitation goes below the elicitation floor.",
        [*(column[3] for column in COLUMNS), *(13 for _ in live)],
    )
    for d, domain in enumerate(contents.record.domains):
        for column, (key, _, kind, _) in enumerate(COLUMNS):
            style = chance_style(book, domain) if key == "p_exceeds" else book.line(kind)
            book.put(sheet, FIRST + d, column, getattr(domain, key), style)
        book.tall(sheet, FIRST + d, [(domain.reason, WHY)])
        _write_money(book, sheet, contents, where, d)
        if contents.menu.decisions:
            _write_beliefs(book, sheet, contents, d)
    heads = [(head, kind) for _, head, kind, _ in COLUMNS] + live
    book.table(sheet, "domains", FIRST - 1, len(contents.record.domains), heads)
    sheet.set_row(FIRST - 1, 62)
    sheet.freeze_panes(FIRST, 1)
    sheet.repeat_columns(0)
    sheet.fit_to_pages(3, 0)  # on one page across nobody could read it
    # A title beside a repeated column would be cut off on every page but the first.
    sheet.print_area(FIRST - 1, 0, FIRST + len(contents.record.domains) - 1, len(heads) - 1)
    sheet.set_header(f'&L&"Calibri,Bold"&14{TITLE}')
    return sheet


def chance_style(book: Book, domain: Domain) -> Any:
    """Return the style of a chance above the threshold: on its side of the rule it is held to."""
    decimals = decimals_beside(domain.p_exceeds, domain.mitigate_above)
    return book.line("share", **({"num_format": f"0.{'0' * decimals}%"} if decimals else {}))


def _write_money(book: Book, sheet: Any, contents: Contents, where: Layout, d: int) -> None:
    """Write what the mix shown spends on a domain, and how much of it on maximum elicitation."""
    row, about = FIRST + d, contents.record.domains[d].about
    chosen = contents.options.iloc[[i - 1 for i in contents.plans[contents.own].rows]]
    own = chosen[chosen["domain"].isin(about)]
    added, once = once_of(contents, where, about)
    deeper, once_deep = once_of(contents, where, about, "max-elicitation")
    usd = float(own["usd"].sum()) + once
    depth = float(own[own["tier"] == "max-elicitation"]["usd"].sum()) + once_deep
    deep = contents.tiers.index("max-elicitation") + 1 if "max-elicitation" in contents.tiers else 0
    codes = [contents.domains.index(name) + 1 for name in about if name in contents.domains]
    here = "+".join(f"({where.options(at.DOMAIN_CODE)}={code})" for code in codes) or "0"
    money = f"{where.options(at.IN_MIX)}*({here})*{where.menu('usd')}"
    total = book.cell("Domains", row, len(COLUMNS)).split("!")[1]
    book.formula(sheet, row, len(COLUMNS), f"=SUMPRODUCT({money}){added}", usd, book.line("usd"))
    depths = f"SUMPRODUCT({money}*({where.options(at.TIER_CODE)}={deep})){deeper}"
    formula = f"=IF({total}>0,({depths})/{total},0)"
    share = depth / usd if usd > 0 else 0.0
    book.formula(sheet, row, len(COLUMNS) + 1, formula, share, book.line("share"))


def _write_beliefs(book: Book, sheet: Any, contents: Contents, d: int) -> None:
    """Write value, sd and both wrong calls for the mix shown, from the hidden sheet Plans."""
    names = [decision.name for decision in contents.menu.decisions]
    if contents.record.domains[d].name not in names:
        return
    j = names.index(contents.record.domains[d].name)
    value, missed, needless, sd = contents.outcomes(contents.own)[j]
    for offset, (stem, kind, figure) in enumerate(
        (
            ("value", "value", value),
            ("sd", "unit", sd),
            ("missed", "share", missed),
            ("needless", "share", needless),
        )
    ):
        column = len(COLUMNS) + 2 + offset
        formula = f"=shown_{stem}_{j + 1}"
        book.formula(sheet, FIRST + d, column, formula, figure, book.line(kind))
