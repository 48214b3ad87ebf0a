"""What the page says, put in order for the templates; no markup here but the drawings."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evalbayes import Menu
from evalfolio.export.mix import other_resources
from evalfolio.export.report.belief import belief_chart
from evalfolio.export.report.curves import curve_cards
from evalfolio.export.report.first import called_for, first
from evalfolio.export.report.frontier import TIER_NAMES, frontier_view
from evalfolio.export.report.numerals import DASH, about, amount, hours, money, share
from evalfolio.narrative import percent, resource_words, two_digits
from evalfolio.record.plain import flat
from evalfolio.record.record import Domain, Record

ACCOUNTS = {  # by field of the record: in the list of contents, and as a heading
    "programme": ("Where it stands", "Where the programme stands"),
    "stages": ("In stages", "In stages: what first, and what then"),
    "firmness": ("How firm it is", "How firm the mix is"),
    "outlook": ("In years", "What evaluations will cost in years"),
    "schedule": ("How often", "How often to look, and when levels are crossed"),
    "humans": ("People", "People beside AI models"),
    "backtest": ("On real runs", "This way to plan, on real runs"),
}
REPLAYED = (
    "Runs that were made anyway were bought again, AI model by AI model, by this way to plan and "
    "by others, and what each concluded was compared with what all runs show. Errors are of the "
    "time horizon, in doublings of human time."
)


def accounts(record: Record) -> list[dict[str, Any]]:
    """Return what `sensitivity` and `backtest` found, where they were run."""
    return [
        {"id": field, "short": short, "title": title, "found": found}
        | ({"lead": REPLAYED} if field == "backtest" else {})
        for field, (short, title) in ACCOUNTS.items()
        if (found := getattr(record, field)) is not None
    ]


def plain(value: str | float | bool | None) -> str:
    """Return a cell of the tables of an account: words as they are, figures in two digits.

    >>> plain(0.1234), plain(None), plain(True), plain("pays"), plain(12345.0)
    ('0.12', '–', 'yes', 'pays', '12,000')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else two_digits(value)


def lost_by(record: Record) -> Any:
    """Return what says the value lost when a row is dropped: money, or a share of the plan's."""
    value = record.value

    def lost(amount: float | None) -> str:
        if amount is None or value.unit == "usd":
            return money(amount)
        return share(amount / value.evsi) if value.evsi > 0 else share(0.0)

    return lost


def price_rows(record: Record) -> list[dict[str, str]]:
    """Return what is left of every limited resource, its price, and what a tenth more would add."""
    rows = []
    for name, limit in record.budget.items():
        left = max(record.may_spend(name) - record.spend.get(name, 0.0), 0.0)
        row = {"resource": resource_words(name), "price": DASH, "adds": DASH}
        row["left"] = (money if name == "usd" else hours)(left)
        if (price := record.shadow_prices.get(name)) is not None:
            row["price"] = price_words(price, name, limit, record.value.unit)
            row["adds"] = lost_by(record)(price * 0.1 * limit)
        rows.append(row)
    return rows


def price_words(price: float, resource: str, limit: float, unit: str) -> str:
    """Return a shadow price, of so much money that the figure is easy to read.

    >>> price_words(9.54e-6, "usd", 12_000.0, "points")
    '0.0095 points per $1,000'
    >>> price_words(1.24, "staff_hours", 240.0, "usd")
    '$1.24 an hour'
    >>> price_words(0.0, "licences", 3, "points")
    '0 points a unit'
    """
    if resource == "usd":
        step = 10.0 ** max(math.floor(math.log10(limit)) - 1, 0) if limit > 0 else 1.0
        return f"{priced(price * step, unit)} per {money(step)}"
    one = "an hour" if resource.partition(".")[0].endswith("hours") else "a unit"
    return f"{priced(price, unit)} {one}"


def priced(value: float, unit: str) -> str:
    """Return a shadow price in the unit of value.

    >>> priced(0.00954, "points"), priced(3.2, "usd"), priced(0.0, "points")
    ('0.0095 points', '$3.20', '0 points')
    """
    return money(value) if unit == "usd" else f"{two_digits(value)} points"


EQUAL = "equal"  # to the plan's own value
MOST_BARS = 14  # of the tornado before it folds


def tornado_view(record: Record, worth: Any) -> dict[str, Any] | None:
    """Return the tornado: inputs by how much moving them changes the value, bars from 0 to 1."""
    base = record.value.evsi
    rows = sorted(record.sensitivity, key=lambda row: -row.swing(base))
    if not rows:
        return None
    ends = [base, *(row.value_low for row in rows), *(row.value_high for row in rows)]
    low, high = min(ends), max(ends)
    span = max(high - low, 1e-12)
    shown = [
        {
            "name": row.name,
            "range": " to ".join(DASH if n is None else f"{n:.3g}" for n in (row.low, row.high)),
            "at_low": EQUAL if row.value_low == base else worth(row.value_low),
            "at_high": EQUAL if row.value_high == base else worth(row.value_high),
            "bars": [
                (look, (min(end, base) - low) / span, abs(end - base) / span)
                for look, end in (("low", row.value_low), ("high", row.value_high))
            ],
            "deep": None
            if row.deep_low is None or row.deep_high is None
            else f"{share(row.deep_low)} → {share(row.deep_high)}",
        }
        for row in rows
    ]
    return {
        "rows": shown[:MOST_BARS],
        "folded": shown[MOST_BARS:],
        "base": (base - low) / span,
        "plan": worth(base),
        "deep": any(row["deep"] is not None for row in shown),
    }


def page(
    record: Record, menu: Menu, curves: pd.DataFrame, curve_grid: pd.DataFrame
) -> dict[str, Any]:
    """Return everything the templates show, by name."""
    value = record.value

    def worth(amount: float | None) -> str:
        """Money, or where stakes are in points the share of perfect information."""
        if amount is None:
            return DASH
        if value.unit == "usd":
            return money(amount)
        return two_digits(amount) if value.evpi is None else share(value.share(amount))

    bars = [row.usd for row in record.to_run] + [row.usd for row in record.shared]
    return {
        "record": record,
        "failed": record.diagnostics.get("passed") is False,
        "certificate": certificate(record),
        "facts": facts(record),
        "tiers": TIER_NAMES,
        "first": first(record),
        "calls": called_for(record),
        "others": other_resources(record),
        "resource": resource_words,
        "widest": max(bars, default=0.0),
        "beliefs": [belief_chart(d, f"belief-{i}") for i, d in enumerate(record.domains)],
        "floors": [floor_rows(d) for d in record.domains],
        "rivals": rival_rows(record, worth),
        "lost": lost_by(record),
        "prices": price_rows(record),
        "curves": curve_cards(record, curves, curve_grid),
        "frontier": frontier_view(record, menu, worth),
        "tornado": tornado_view(record, worth),
        "accounts": accounts(record),
        "plain": plain,
        "worth": worth,
        "amount": amount,
        "unit_words": "USD" if value.unit == "usd" else "share of perfect information",
        "assumptions": assumption_rows(record),
        "figures": _lines(record.diagnostics),
        "origins": _lines({k: v for k, v in record.provenance if k not in ("inputs", "versions")}),
    }


def certificate(record: Record) -> str:
    """Say how sure it is that no other mix is better, and how sure the draws are of its value."""
    value = record.value
    if not record.to_run:
        return "Nothing on this menu is worth its price within these budgets."
    if value.status == "certified" and value.gap is not None:
        gap = percent(value.gap) if value.gap >= 1e-5 else "0.001 %"
        best = f"No mix of this menu within these budgets is worth over {gap} more (certified)"
    elif value.status == "convex" and value.gap is not None:
        best = (
            "This mix is near the best split with options bought in part: not certified to be the "
            f"best, but within {percent(value.gap)} of a bound that no mix of this menu passes"
        )
    else:
        best = "This is the best mix found, but how far it is from the optimum is not certified"
    if value.gap_with_noise is not None:
        best += f", over {percent(value.gap_with_noise)} with the luck of the draws counted"
    if value.stand_in_error is not None:
        best += (
            "; the search goes by a stand-in for skewed gaps, which on this mix is "
            f"{percent(value.stand_in_error)} of perfect information off"
        )
    draws = value.draws
    if draws is None or value.evsi <= 0:
        return f"{best}."
    low, high = draws.q05 / value.evsi, draws.q95 / value.evsi
    return (
        f"{best}; what its rows tell is less sure: over the posterior draws of that it is worth "
        f"{percent(low)} to {percent(high)} of the value stated (90 %)."
    )


def facts(record: Record) -> list[tuple[str, str, str]]:
    """Return what the mix costs and buys as (name, figure, remark)."""
    value, most, cost = record.value, record.value.evpi, record.money
    remarks = [f"nine times in ten below {about(cost.p90)}"]
    if (limit := record.budget.get("usd")) is not None:
        remarks.insert(0, f"of {money(limit)}")
    if cost.p_overspend is not None:
        remarks.append(f"{share(cost.p_overspend)} chance to pass the budget")
    rows = [
        ("Expected cost", about(cost.expected), "; ".join(remarks)),
        ("Cost if all hit the cap", about(cost.ceiling), "cannot be passed"),
    ]
    for name in other_resources(record):
        if (limit := record.budget.get(name)) is not None:
            rows.append((resource_words(name), hours(record.spend[name]), f"of {hours(limit)}"))
    said = about if value.unit == "usd" else two_digits
    worth = said(value.evsi) + ("" if value.noise is None else f" ± {said(value.noise)}")
    remark = f"worth {worth} in expectation"
    if value.unit != "usd":
        remark = f"{worth} of {DASH if most is None else two_digits(most)} points"
    rows.append(("Of perfect information", share(value.share(value.evsi)), remark))
    return rows


def floor_rows(domain: Domain) -> list[tuple[str, str, float | None, float]]:
    """Return (look, words, sd, share of the sd now) for the bars of a domain's two floors."""
    return [
        (look, words, sd, 0.0 if sd is None else min(sd / max(domain.prior_sd, 1e-12), 1.0))
        for look, words, sd in (
            ("now", "Now", domain.prior_sd),
            ("after", "After this plan", domain.posterior_sd),
            ("floor", "Floor of plateau-level runs alone", domain.elicitation_floor_sd),
            ("floor", "Floor of every eval here, fully elicited", domain.validity_floor_sd),
        )
    ]


def rival_rows(record: Record, worth: Any) -> list[dict[str, Any]]:
    """Return other ways to spend the budget beside the plan, also with the gap as skewed as it is.

    A column that would be empty everywhere is told by None.
    """
    rows = record.comparisons
    best = max((row.value for row in rows), default=0.0)
    return [
        {
            "plan": row.plan,
            "usd": money(row.usd),
            "value": worth(row.value),
            "of_perfect": share(row.share_of_evpi),
            "of_plan": against(row.value, rows[0].value),
            "skewed": None
            if row.value_skewed is None
            else against(row.value_skewed, rows[0].value_skewed),
            "width": max(row.value, 0.0) / best if best > 0 else 0.0,
        }
        for row in rows
    ]


def against(value: float, whole: float | None) -> str:
    """Return a value as a percentage of the plan's, fine enough to tell near ones apart.

    >>> against(0.9863, 1.0), against(1.0, 1.0), against(1.0, 0.0)
    ('98.6 %', '100 %', '–')
    """
    if whole is None or whole <= 0:
        return DASH
    percentage = 100 * value / whole
    return "100 %" if abs(percentage - 100) < 0.05 else f"{percentage:.1f} %"


def assumption_rows(record: Record) -> list[tuple[str, str, str, str]]:
    """Return (where, key, value, why), one row where several stand at the same default."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for each in record.assumptions:
        told = (each.key, _assumption_value(each.value), each.reason)
        rows.setdefault(told, []).append(each.where)
    return [(", ".join(where), *rest) for rest, where in rows.items()]


def _assumption_value(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return f"{_assumption_value(value[0])} to {_assumption_value(value[1])}"
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:.6g}"
    return DASH if value is None else str(value)


def _lines(values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return nested figures as lines of name and text."""
    return [
        (name, ("yes" if value else "no") if isinstance(value, bool) else _assumption_value(value))
        for name, value in flat(values)
    ]
