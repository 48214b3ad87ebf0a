"""Drawing of a domain's capability: belief now, belief after the results, and the threshold."""

import math

import numpy as np
from markupsafe import Markup

from evalfolio.export.report.drawing import Scale, drawing, line, path, text
from evalfolio.export.report.numerals import figure, human_time, share
from evalfolio.record.record import Domain

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 360, 210, 12, 348, 44, 168
MINUTES = "doublings of human task time"
FOUR_HOURS = math.log2(240)


def belief_chart(domain: Domain, key: str) -> Markup:
    """Draw two normal densities over capability, the threshold, and the alert below it."""
    mean, threshold = domain.capability_mean, domain.threshold
    now, after = domain.prior_sd, domain.posterior_sd
    alert = None if domain.buffer is None else threshold - domain.buffer
    marks = [threshold, *([] if alert is None else [alert])]
    low = min(mean - 3 * now, *marks) - 0.2 * now
    high = max(mean + 3 * now, *marks) + 0.2 * now
    across = Scale(low, high, LEFT, RIGHT)
    up = Scale(0, 1 / max(min(now, after), 1e-9), BOTTOM, TOP + 12)
    parts: list[Markup] = []
    for sd, look in ((now, "now"), (after, "after")):
        grid = np.linspace(max(low, mean - 4 * sd), min(high, mean + 4 * sd), 81)
        heights = np.exp(-0.5 * ((grid - mean) / max(sd, 1e-9)) ** 2) / max(sd, 1e-9)
        curve = [(across(float(x)), up(float(y))) for x, y in zip(grid, heights, strict=True)]
        closed = [(curve[0][0], BOTTOM), *curve, (curve[-1][0], BOTTOM)]
        parts += [path(closed, f"area {look}", closed=True), path(curve, f"curve {look}")]
    parts.append(line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis"))
    for place, label in _ticks(domain.unit, low, high):
        parts.append(line((across(place), BOTTOM), (across(place), BOTTOM + 5), "axis"))
        parts.append(text((across(place), BOTTOM + 19), label, "tick"))
    for mark, look, height in ((alert, "alert", 30), (threshold, "threshold", 14)):
        if mark is None:
            continue
        x = across(mark)
        anchor, at = ("end", x + 4) if x > RIGHT - 60 else ("middle", x)
        parts.append(line((x, height + 5), (x, BOTTOM), look))
        parts.append(text((at, height), look, f"label {look}", anchor))
    axis = "human time of tasks done half the time" if domain.unit == MINUTES else domain.unit
    parts.append(text(((LEFT + RIGHT) / 2, HEIGHT - 6), axis, "tick"))
    tells = (
        f"Capability of {domain.name}: mean {figure(mean, 1)}, sd {figure(now)} now and "
        f"{figure(after)} after the results; the threshold is {figure(threshold, 1)}, exceeded "
        f"with a chance of {share(domain.p_exceeds, domain.mitigate_above)} now."
    )
    title = f"{domain.name}: belief now and after the results"
    return drawing(parts, size=(WIDTH, HEIGHT), title=title, tells=tells, key=key)


def _ticks(unit: str, low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks; times by which people think where the unit is a doubling of human time."""
    if unit != MINUTES:
        return [(tick, f"{tick:g}") for tick in Scale(low, high, 0, 1).ticks(6)]
    step = 2 if high - low < 16 else 4
    first = math.ceil((low - FOUR_HOURS) / step)
    last = math.floor((high - FOUR_HOURS) / step)
    places = [FOUR_HOURS + step * k for k in range(first, last + 1)]
    return [(place, human_time(place)) for place in places]
