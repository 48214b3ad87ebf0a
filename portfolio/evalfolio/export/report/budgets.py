"""The budgets on the page: what the mix leaves of each, its shadow price, and what more buys."""

from __future__ import annotations

import math
from typing import Any

from evalfolio.export.report.numerals import DASH, hours, money, share
from evalfolio.narrative import two_digits
from evalfolio.record.record import Record


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
    value = record.value
    rows = []
    for name, limit in record.budget.items():
        price = record.shadow_prices.get(name)
        shown = money if name == "usd" else hours
        used = record.spend.get(name, 0.0)
        rows.append(
            {
                "resource": resource_words(name),
                "left": shown(max(record.may_spend(name) - used, 0.0)),
                "price": DASH if price is None else price_words(price, name, limit, value.unit),
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
