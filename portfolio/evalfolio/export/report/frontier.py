"""The frontier as the page shows it: one certified mix per budget, for the slider and the table."""

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from evalbayes import Menu
from evalbayes.names import ONCE
from evalfolio.export.report.drawing import Scale, drawing, element, line, path, text
from evalfolio.export.report.numerals import compact, money, share
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH
from evalfolio.record.record import FrontierPoint, Record

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 290, 56, 452, 16, 238


def places(points: Sequence[FrontierPoint], evpi: float) -> list[tuple[float, float]]:
    """Return where every point stands in the drawing."""
    across, up = _scales(points, evpi)
    return [(across(point.usd), up(point.value / evpi)) for point in points]


def frontier_chart(points: Sequence[FrontierPoint], evpi: float, shown: int, key: str) -> Markup:
    """Draw value as a share of perfect information over the budget; a dot marks one point."""
    across, up = _scales(points, evpi)
    here = places(points, evpi)
    parts: list[Markup] = []
    for tick in up.ticks(5):
        parts.append(line((LEFT, up(tick)), (RIGHT, up(tick)), "grid" if tick else "axis"))
        parts.append(text((LEFT - 8, up(tick) + 5), share(tick), "tick", "end"))
    for tick in across.ticks(5):
        parts.append(line((across(tick), BOTTOM), (across(tick), BOTTOM + 5), "axis"))
        parts.append(text((across(tick), BOTTOM + 21), f"${compact(tick)}", "tick"))
    parts.append(path(here, "curve now"))
    parts += [element("circle", cx=x, cy=y, r=2.5, class_="dot") for x, y in here]
    x, y = here[shown]
    parts.append(element("line", x1=x, y1=TOP, x2=x, y2=BOTTOM, class_="chosen", id=f"{key}-line"))
    parts.append(element("circle", cx=x, cy=y, r=7, class_="mark chosen", id=f"{key}-dot"))
    parts.append(text(((LEFT + RIGHT) / 2, HEIGHT - 8), "budget, USD; other budgets held", "tick"))
    tells = (
        f"The best mix buys {share(points[0].value / evpi)} of what perfect information is "
        f"worth at {money(points[0].usd)} and {share(points[-1].value / evpi)} at "
        f"{money(points[-1].usd)}."
    )
    title = "What the best mix buys at each budget"
    return drawing(parts, size=(WIDTH, HEIGHT), title=title, tells=tells, key=key)


def _scales(points: Sequence[FrontierPoint], evpi: float) -> tuple[Scale, Scale]:
    most = max(point.value for point in points) / evpi
    across = Scale(0, max(point.usd for point in points), LEFT, RIGHT)
    return across, Scale(0, max(most * 1.08, 1e-12), BOTTOM, TOP)


TIER_NAMES = {DEPTH: "maximum elicitation", "plateau": "plateau", "sweet-spot": "sweet spot"}


def frontier_view(record: Record, menu: Menu, worth: Any) -> dict[str, Any] | None:
    """Return drawing, rows and data of the frontier; None where no other budget was tried."""
    points, evpi = record.points, record.value.evpi
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
    parts = zip(menu.following, menu.with_shared(x)[len(x) :].tolist(), strict=True)
    priced = ((each, y * each.use.get("usd", 0.0)) for each, y in parts if y > 0)
    bought = [(each.name, usd) for each, usd in priced if usd or each.told == ONCE]
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
        + [[name, "Shared", money(usd), "other"] for name, usd in bought],
    }


def script_safe(value: object) -> Markup:
    r"""Return JSON that cannot end the script element it stands in.

    >>> str(script_safe("</script>"))
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(value, allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)
