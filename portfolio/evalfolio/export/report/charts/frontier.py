"""Drawing of the frontier: what the best mix is worth at each budget."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from evalfolio.export.report.charts.drawing import drawing, element, line, path, text
from evalfolio.export.report.charts.scale import Scale
from evalfolio.export.report.numerals import compact, money, share
from evalfolio.record.record import FrontierPoint

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
