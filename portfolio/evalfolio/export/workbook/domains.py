"""Sheet Domains: each decision now and after the results, with the two floors."""

from collections.abc import Sequence
from typing import Any

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import Book, Sheet
from evalfolio.export.workbook.mix import once_of
from evalfolio.narrative import DEPTH, decimals_beside
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
    ("minimum_effort_usd", "Minimum sensible effort, USD", "usd", 13),
    ("funded", "Funded", "text", 9),
    ("unit", "Unit", "text", 26),
    ("reason", "Why", "wrap", WHY),
)
LIVE_MISSED = len(COLUMNS) + 4  # danger missed after the mix shown; needless mitigation follows


def write_domains(book: Book) -> None:
    """Write beliefs at the plan's own budget, and money and beliefs for the mix shown."""
    contents = book.contents
    live = [("USD in the mix shown", "usd"), ("... of it on maximum elicitation", "share")]
    if contents.menu.decisions:
        live += [("Value of the mix shown", "value"), ("Sd after it", "unit")]
        live += [(f"{what} after it", "share") for what in ("Danger missed", "Needless mitigation")]
    sheet = book.sheet(
        "Domains",
        TITLE,
        "Beliefs are those of the plan's own budget; the last columns follow the budget on "
        "Summary. Only maximum elicitation goes below the elicitation floor.",
        [*(column[3] for column in COLUMNS), *(13 for _ in live)],
    )
    for d, domain in enumerate(contents.record.domains):
        for column, (key, _, kind, _) in enumerate(COLUMNS):
            style = chance_style(book, domain) if key == "p_exceeds" else kind
            sheet.put(FIRST + d, column, getattr(domain, key), style)
        sheet.tall(FIRST + d, [(domain.reason, WHY)])
        _write_money(sheet, FIRST + d, domain.about)
        _write_beliefs(sheet, FIRST + d, domain.name)
    heads = [(head, kind) for _, head, kind, _ in COLUMNS] + live
    n = len(contents.record.domains)
    sheet.table("domains", FIRST - 1, n, heads, frozen=1, height=62)
    sheet.file.repeat_columns(0)
    sheet.file.fit_to_pages(3, 0)  # on one page across nobody could read it
    # A title beside a repeated column would be cut off on every page but the first.
    sheet.file.print_area(FIRST - 1, 0, FIRST + n - 1, len(heads) - 1)
    sheet.file.set_header(f'&L&"Calibri,Bold"&14{TITLE}')


def chance_style(book: Book, domain: Domain) -> Any:
    """Return the style of a chance above the threshold: on its side of the rule it is held to."""
    decimals = decimals_beside(domain.p_exceeds, domain.mitigate_above)
    return book.line("share", **({"num_format": f"0.{'0' * decimals}%"} if decimals else {}))


def _write_money(sheet: Sheet, row: int, about: Sequence[str]) -> None:
    """Write what the mix shown spends on domains, and how much of it on maximum elicitation."""
    contents, where, column = sheet.contents, sheet.where, len(COLUMNS)
    own = contents.picked[contents.picked["domain"].isin(about)]
    added, once = once_of(where, about)
    deeper, once_deep = once_of(where, about, DEPTH)
    usd = float(own["usd"].sum()) + once
    depth = float(own[own["tier"] == DEPTH]["usd"].sum()) + once_deep
    deep = contents.tiers.index(DEPTH) + 1 if DEPTH in contents.tiers else 0
    codes = [contents.domains.index(name) + 1 for name in about if name in contents.domains]
    those = "+".join(f"({where.options(at.DOMAIN_CODE)}={code})" for code in codes) or "0"
    money = f"{where.options(at.IN_MIX)}*({those})*{where.menu('usd')}"
    total = sheet.here(row, column)
    sheet.formula(row, column, f"=SUMPRODUCT({money}){added}", usd, "usd")
    depths = f"SUMPRODUCT({money}*({where.options(at.TIER_CODE)}={deep})){deeper}"
    formula = f"=IF({total}>0,({depths})/{total},0)"
    sheet.formula(row, column + 1, formula, depth / usd if usd > 0 else 0.0, "share")


def _write_beliefs(sheet: Sheet, row: int, name: str) -> None:
    """Write value, sd and both wrong calls for the mix shown, from the hidden sheet Plans."""
    names = [decision.name for decision in sheet.contents.menu.decisions]
    if name not in names:
        return
    j = names.index(name)
    kinds = {"value": "value", "missed": "share", "needless": "share", "sd": "unit"}
    told = dict(zip(kinds, sheet.contents.outcomes(sheet.contents.chosen)[j], strict=True))
    for column, stem in enumerate(("value", "sd", "missed", "needless"), start=len(COLUMNS) + 2):
        sheet.formula(row, column, f"=shown_{stem}_{j + 1}", told[stem], kinds[stem])
