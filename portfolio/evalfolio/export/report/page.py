"""What the page says, put in order for the templates; no markup here but the drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evalbayes import Menu
from evalfolio.export.mix import other_resources
from evalfolio.export.record import Record
from evalfolio.export.report.accounts import accounts, plain
from evalfolio.export.report.charts.belief import belief_chart
from evalfolio.export.report.curves import curve_cards
from evalfolio.export.report.frontier import DEPTH, TIER_NAMES, frontier_view
from evalfolio.export.report.numerals import DASH, about, amount, hours, money, share
from evalfolio.narrative import percent, two_digits


def page(
    record: Record, menu: Menu, curves: pd.DataFrame, curve_grid: pd.DataFrame
) -> dict[str, Any]:
    """Return everything the templates show, by name."""
    value = record["value"]
    evpi = value["evpi"]

    def worth(amount: float | None) -> str:
        """Money, or where stakes are in points the share of perfect information."""
        if amount is None:
            return DASH
        if value["unit"] == "usd":
            return money(amount)
        return share(amount / evpi) if evpi > 0 else share(0.0)

    return {
        "record": record,
        "failed": record["diagnostics"].get("passed") is False,
        "certificate": certificate(record),
        "facts": facts(record),
        "tiers": TIER_NAMES,
        "depth_usd": {d["name"]: _usd(record, d["name"], DEPTH) for d in record["domains"]},
        "domain_usd": {d["name"]: _usd(record, d["name"]) for d in record["domains"]},
        "others": other_resources(record),
        "resource": resource_words,
        "widest": max((row["usd"] for row in record["choices"]), default=0.0),
        "beliefs": [belief_chart(d, f"belief-{i}") for i, d in enumerate(record["domains"])],
        "floors": [floor_rows(d) for d in record["domains"]],
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
        "unit_words": "USD" if value["unit"] == "usd" else "share of perfect information",
        "assumption_value": _assumption_value,
        "figures": _flat(record["diagnostics"]),
        "origins": _flat(
            {k: v for k, v in record["provenance"].items() if k not in ("inputs", "versions")}
        ),
    }


def certificate(record: Record) -> str:
    """Say how sure it is that no other mix is better, and how sure the model is of its value."""
    value = record["value"]
    if not record["choices"]:
        return "Nothing on this menu is worth its price within these budgets."
    if value["status"] == "certified" and value["gap"] is not None:
        gap = percent(value["gap"]) if value["gap"] >= 1e-5 else "0.001 %"
        best = f"No mix of this menu within these budgets is worth over {gap} more (certified)"
    else:
        best = "This is the best mix found, but how far it is from the optimum is not certified"
    draws = value["draws"]
    if draws is None or value["evsi"] <= 0:
        return f"{best}."
    low, high = draws["q05"] / value["evsi"], draws["q95"] / value["evsi"]
    return (
        f"{best}; the model’s own error is larger: the mix is worth {percent(low)} to "
        f"{percent(high)} of the value stated."
    )


def facts(record: Record) -> list[tuple[str, str, str]]:
    """Return what the mix costs and buys as (name, figure, remark)."""
    value, cost = record["value"], record["money"]
    bought = value["evsi"] / value["evpi"] if value["evpi"] > 0 else 0.0
    remarks = [f"nine times in ten below {about(cost['p90'])}"]
    if "usd" in record["budget"]:
        remarks.insert(0, f"of {money(record['budget']['usd'])}")
    if cost["p_overspend"] is not None:
        remarks.append(f"{share(cost['p_overspend'])} chance to pass the budget")
    rows = [
        ("Expected cost", about(cost["expected"]), "; ".join(remarks)),
        ("Cost if every run hits its cap", about(cost["ceiling"]), "cannot be passed"),
    ]
    for name in other_resources(record):
        limit = record["budget"].get(name)
        if limit is not None:
            used = hours(record["spend"][name])
            rows.append((resource_words(name), used, f"of {hours(limit)}"))
    remark = (
        f"worth {about(value['evsi'])} in expectation"
        if value["unit"] == "usd"
        else f"{two_digits(value['evsi'])} of {two_digits(value['evpi'])} points"
    )
    rows.append(("Bought of perfect information", share(bought), remark))
    return rows


def floor_rows(domain: Mapping[str, Any]) -> list[tuple[str, str, float | None, float]]:
    """Return (look, words, sd, share of the sd now) for the bars of a domain's two floors."""
    most = max(domain["prior_sd"], 1e-12)
    rows = (
        ("now", "Now", domain["prior_sd"]),
        ("after", "After this plan", domain["posterior_sd"]),
        ("floor", "Floor of plateau-level runs alone", domain["elicitation_floor_sd"]),
        ("floor", "Floor of every eval here, fully elicited", domain["validity_floor_sd"]),
    )
    return [
        (look, words, sd, 0.0 if sd is None else min(sd / most, 1.0)) for look, words, sd in rows
    ]


def lost_by(record: Record) -> Any:
    """Return what says the value lost when a row is dropped: money, or a share of the plan's."""
    value = record["value"]

    def lost(amount: float | None) -> str:
        if amount is None or value["unit"] == "usd":
            return money(amount)
        return share(amount / value["evsi"]) if value["evsi"] > 0 else share(0.0)

    return lost


def rival_rows(record: Record, worth: Any) -> list[dict[str, Any]]:
    """Return other ways to spend the budget beside the plan, also with the gap as skewed as it is.

    A column that would be empty everywhere is told by None.
    """
    rows: list[dict[str, Any]] = [dict(row) for row in record["comparisons"]]
    best = max((row["value"] for row in rows), default=0.0)
    ours = rows[0] if rows else {}
    return [
        {
            "plan": row["plan"],
            "usd": money(row["usd"]),
            "value": worth(row["value"]),
            "of_perfect": share(row["share_of_evpi"]),
            "of_plan": against(row["value"], ours["value"]),
            "skewed": None
            if row.get("value_skewed") is None
            else against(row["value_skewed"], ours.get("value_skewed")),
            "width": max(row["value"], 0.0) / best if best > 0 else 0.0,
        }
        for row in rows
    ]


def against(value: float, whole: float | None) -> str:
    """Return a value as a percentage of the plan's, fine enough to tell near ones apart.

    Examples
    --------
    >>> against(0.9863, 1.0), against(1.0, 1.0), against(1.0, 0.0)
    ('98.6 %', '100 %', '–')
    """
    if whole is None or whole <= 0:
        return DASH
    percentage = 100 * value / whole
    return "100 %" if abs(percentage - 100) < 0.05 else f"{percentage:.1f} %"


def price_rows(record: Record) -> list[dict[str, str]]:
    """Return what is left of every limited resource, its price, and what a tenth more would add."""
    value, kept_back = record["value"], record["money"]["contingency"]
    rows = []
    for name, limit in record["budget"].items():
        price = record["shadow_prices"].get(name)
        shown = money if name == "usd" else hours
        used = record["spend"].get(name, 0.0)
        rows.append(
            {
                "resource": resource_words(name),
                "left": shown(max(limit * (1 - kept_back) - used, 0.0)),
                "price": DASH if price is None else price_words(price, name, limit, value["unit"]),
                "adds": DASH if price is None else lost_by(record)(price * 0.1 * limit),
            }
        )
    return rows


def price_words(price: float, resource: str, limit: float, unit: str) -> str:
    """Return a shadow price, of so much money that the figure is easy to read.

    Examples
    --------
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

    Examples
    --------
    >>> priced(0.00954, "points"), priced(3.2, "usd"), priced(0.0, "points")
    ('0.0095 points', '$3.20', '0 points')
    """
    return money(value) if unit == "usd" else f"{two_digits(value)} points"


MOST_BARS = 14  # of the tornado before it folds


def tornado_view(record: Record, worth: Any) -> dict[str, Any] | None:
    """Return the tornado: inputs by how much moving them changes the value, bars from 0 to 1."""
    rows: list[dict[str, Any]] = [dict(row) for row in record.get("sensitivity", [])]
    if not rows:
        return None
    base = record["value"]["evsi"]
    ends = [base, *(row["value_low"] for row in rows), *(row["value_high"] for row in rows)]
    low, high = min(ends), max(ends)
    span = max(high - low, 1e-12)
    rows.sort(key=lambda row: -(max(_ends(row, base)) - min(_ends(row, base))))
    shown = [
        {
            "name": row["name"],
            "range": f"{_end(row['low'])} to {_end(row['high'])}",
            "at_low": worth(row["value_low"]),
            "at_high": worth(row["value_high"]),
            "bars": [
                (look, (min(end, base) - low) / span, abs(end - base) / span)
                for look, end in (("low", row["value_low"]), ("high", row["value_high"]))
            ],
            "deep": None
            if row.get("deep_low") is None or row.get("deep_high") is None
            else f"{share(row['deep_low'])} → {share(row['deep_high'])}",
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


def _end(value: float | None) -> str:
    """Return an end of a range in three digits."""
    return DASH if value is None else f"{value:.3g}"


def _ends(row: Mapping[str, Any], base: float) -> tuple[float, float, float]:
    return row["value_low"], row["value_high"], base


def resource_words(name: str) -> str:
    """Return a resource's name as words.

    Examples
    --------
    >>> resource_words("usd"), resource_words("staff_hours.bio")
    ('USD', 'Staff hours (bio)')
    """
    if name == "usd":
        return "USD"
    stem, _, skill = name.partition(".")
    words = stem.replace("_", " ")
    return words[:1].upper() + words[1:] + (f" ({skill})" if skill else "")


def _usd(record: Record, domain: str, tier: str | None = None) -> float:
    return sum(
        row["usd"]
        for row in record["choices"]
        if row["domain"] == domain and tier in (None, row["tier"])
    )


def _assumption_value(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return f"{_assumption_value(value[0])} to {_assumption_value(value[1])}"
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:.6g}"
    return DASH if value is None else str(value)


def _flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested figures as lines of name and text."""
    lines: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += _flat(value, f"{prefix}{key}: ")
        elif isinstance(value, list):
            lines.append((f"{prefix}{key}", ", ".join(map(str, value)) or "none"))
        elif isinstance(value, bool):
            lines.append((f"{prefix}{key}", "yes" if value else "no"))
        else:
            lines.append((f"{prefix}{key}", _assumption_value(value)))
    return lines
