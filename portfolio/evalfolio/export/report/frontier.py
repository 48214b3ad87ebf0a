"""The frontier as the page shows it: one certified mix per budget, for the slider and the table."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from evalbayes import Menu
from evalfolio.export.report.charts.frontier import frontier_chart, places
from evalfolio.export.report.numerals import money, share
from evalfolio.limits.amount import tier_share
from evalfolio.record.record import FrontierPoint, Record

DEPTH = "max-elicitation"
TIER_NAMES = {
    "max-elicitation": "maximum elicitation",
    "plateau": "plateau",
    "sweet-spot": "sweet spot",
}


def frontier_view(record: Record, menu: Menu, worth: Any) -> dict[str, Any] | None:
    """Return drawing, rows and data of the frontier; None where no other budget was tried."""
    points = record.points
    evpi = record.value.evpi
    if len(points) < 2 or not evpi:
        return None
    usd = record.budget.get("usd")
    shown = next((i for i, point in enumerate(points) if point.usd == usd), len(points) - 1)
    rows = [
        _row(point, place, record, menu, worth)
        for point, place in zip(points, places(points, evpi), strict=True)
    ]
    return {
        "chart": frontier_chart(points, evpi, shown, "frontier"),
        "rows": rows,
        "shown": shown,
        "most": max(row["count"] for row in rows),
        "data": script_safe(rows),
    }


def _row(
    point: FrontierPoint, place: tuple[float, float], record: Record, menu: Menu, worth: Any
) -> dict[str, Any]:
    known = [name for name in point.options if name in menu.options.index]
    options = menu.options.loc[known].sort_values("usd", ascending=False)
    x = menu.options.index.isin(known).astype(float)
    bought = [each for each, y in zip(menu.shared, menu.bought(x), strict=True) if y > 0]
    return {
        "x": place[0],
        "y": place[1],
        "budget": money(point.usd),
        "value": worth(point.value),
        "share": share(record.value.share(point.value)),
        "gap": "not certified" if point.gap is None else f"{100 * point.gap:.2g} %",
        "count": len(options),
        "deep": share(tier_share(menu, known, DEPTH)),
        "mix": [
            [
                str(row["eval"]),
                TIER_NAMES.get(str(row["tier"]), str(row["tier"])),
                money(float(row["usd"])),
                str(row["tier"]) if row["tier"] in TIER_NAMES else "other",
            ]
            for row in options.to_dict("records")
        ]
        + [[each.name, "Shared", money(each.use.get("usd", 0.0)), "other"] for each in bought],
    }


def script_safe(value: object) -> Markup:
    r"""Return JSON that cannot end the script element it stands in.

    Examples
    --------
    >>> str(script_safe("</script>"))
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(value, allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)
