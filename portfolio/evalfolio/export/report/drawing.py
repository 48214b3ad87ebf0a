"""Drawings: SVG elements put together as text, every word escaped, and the scales behind them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Scale:
    """A straight or logarithmic map of [low, high] onto [start, end].

    >>> Scale(0, 10, 0, 100)(2.5), Scale(1, 100, 0, 10, log=True)(10)
    (25.0, 5.0)
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a figure, held inside the drawing, to a hundredth."""
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            at = math.log(max(value, self.low * 1e-9))
        else:
            low, high, at = self.low, self.high, value
        part = 0.5 if high == low else min(max((at - low) / (high - low), 0.0), 1.0)
        return round(self.start + part * (self.end - self.start), 2)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round figures inside the scale, `most` at most.

        >>> Scale(0, 1616, 0, 1).ticks(), Scale(1e3, 2e7, 0, 1, log=True).ticks()
        ([0, 500, 1000, 1500], [1000.0, 10000.0, 100000.0, 1000000.0, 10000000.0])
        """
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            step = max(1, math.ceil((last - first + 1) / most))
            return [10.0**k for k in range(first, last + 1, step)]
        if self.high <= self.low:
            return [self.low]
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step_size = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
        first, last = math.ceil(self.low / step_size), math.floor(self.high / step_size)
        clean = [float(f"{k * step_size:.10g}") for k in range(first, last + 1)]
        return [int(tick) if tick == int(tick) else tick for tick in clean]


Point = tuple[float, float]


def element(name: str, content: str | Markup = "", **attributes: object) -> Markup:
    """Return an SVG element; `_` in an attribute's name stands for `-`, a final one is dropped.

    >>> str(element("text", "<b>", x=1, class_="tick"))
    '<text x="1" class="tick">&lt;b&gt;</text>'
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
    )
    if not content:
        return Markup("<{0}{1}/>").format(Markup(name), written)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, escape(content))


def line(start: Point, end: Point, class_: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def text(place: Point, words: str, class_: str, anchor: str = "middle") -> Markup:
    """Return a label."""
    return element("text", words, x=place[0], y=place[1], class_=class_, text_anchor=anchor)


def path(points: Iterable[Point], class_: str, *, closed: bool = False) -> Markup:
    """Return a line through points, or the area they enclose."""
    steps = " L".join(f"{x:g} {y:g}" for x, y in points)
    return element("path", d=f"M{steps}{' Z' if closed else ''}", class_=class_)


def drawing(
    parts: Iterable[Markup], *, size: tuple[int, int], title: str, tells: str, key: str
) -> Markup:
    """Return the whole drawing with a title and a sentence for those who do not see it."""
    return element(
        "svg",
        element("title", title, id=f"{key}-t")
        + element("desc", tells or title, id=f"{key}-d")
        + Markup("").join(parts),
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{key}-t {key}-d",
        class_="chart",
    )
