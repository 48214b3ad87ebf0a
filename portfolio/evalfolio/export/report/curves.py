"""The curves of the AI model under test: one card per eval, the chosen ones first."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evalfolio.export.report.drawing import Scale, drawing, element, line, path, text
from evalfolio.export.report.numerals import amount, compact, share
from evalfolio.narrative import two_digits
from evalfolio.record.record import Record

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 340, 204, 46, 328, 24, 158


@dataclass(frozen=True)
class Marks:
    """Caps to mark on a curve, in its unit; None where there is none."""

    chosen: float | None
    sweet_spot: float | None
    saturation: float | None
    unit: str


def curve_chart(name: str, grid: pd.DataFrame, marks: Marks, key: str) -> Markup:
    """Draw success within a cap with its interval, over caps on a log scale.

    The grid has columns cap, success, and where known success_low and success_high; caps rise.
    `key` begins the ids inside the drawing, unique on the page.
    """
    grid = rising(grid, marks)
    caps = grid["cap"].to_numpy(dtype=float)
    success = grid["success"].to_numpy(dtype=float)
    low, high = float(caps.min()), float(caps.max())
    if marks.chosen is not None:  # always in sight; the other marks only where the curve is drawn
        low, high = min(low, marks.chosen), max(high, marks.chosen)
    across = Scale(low, high, LEFT, RIGHT, log=True)
    up = Scale(0, 1, BOTTOM, TOP)
    parts: list[Markup] = []
    for tick in (0, 0.5, 1):
        parts.append(line((LEFT, up(tick)), (RIGHT, up(tick)), "grid" if tick else "axis"))
        parts.append(text((LEFT - 6, up(tick) + 4), f"{100 * tick:.0f} %", "tick", "end"))
    for tick in across.ticks(5):
        parts.append(line((across(tick), BOTTOM), (across(tick), BOTTOM + 4), "axis"))
        anchor = "end" if across(tick) > RIGHT - 12 else "middle"  # else its end is cut off
        at = min(across(tick) + (10 if anchor == "end" else 0), WIDTH - 1)
        parts.append(text((at, BOTTOM + 18), compact(tick), "tick", anchor))
    if {"success_low", "success_high"} <= set(grid.columns):
        upper = [(across(c), up(y)) for c, y in zip(caps, grid["success_high"], strict=True)]
        lower = [(across(c), up(y)) for c, y in zip(caps, grid["success_low"], strict=True)]
        parts.append(path([*upper, *reversed(lower)], "band", closed=True))
    curve = [(across(c), up(y)) for c, y in zip(caps, success, strict=True)]
    parts.append(path(curve, "curve now"))
    told = [f"Success rises to {share(float(success[-1]))} at {amount(high, marks.unit)}."]
    for cap, look, words in (
        (marks.saturation, "saturation", "saturation point"),
        (marks.sweet_spot, "sweet", "sweet spot"),
        (marks.chosen, "chosen", "chosen cap"),
    ):
        if cap is None or not low <= cap <= high:
            continue
        place = (across(cap), up(float(np.interp(np.log(cap), np.log(caps), success))))
        parts.append(_mark(place, look))
        told.append(f"The {words} is {amount(cap, marks.unit)}.")
    axis = f"cap per attempt, {'USD' if marks.unit == 'usd' else marks.unit}"
    parts.append(text(((LEFT + RIGHT) / 2, HEIGHT - 8), axis, "tick"))
    title = f"{name}: success within a cap"
    return drawing(parts, size=(WIDTH, HEIGHT), title=title, tells=" ".join(told), key=key)


def rising(grid: pd.DataFrame, marks: Marks, least: float = 0.01) -> pd.DataFrame:
    """Return the curve from where its band leaves the floor, or from its first mark.

    Draws of a flat curve reach far to the left, where there is nothing to see.
    """
    top = grid["success_high"] if "success_high" in grid.columns else grid["success"]
    seen = top.to_numpy(dtype=float) >= least
    first = int(np.argmax(seen)) if seen.any() else 0
    wanted = [m for m in (marks.chosen, marks.sweet_spot, marks.saturation) if m is not None]
    caps = grid["cap"].to_numpy(dtype=float)
    if wanted:
        first = min(first, max(int(np.searchsorted(caps, min(wanted))) - 1, 0))
    return grid.iloc[min(first, max(len(grid) - 2, 0)) :]


def _mark(place: tuple[float, float], look: str) -> Markup:
    """Return a mark whose shape, not only its colour, tells which cap it is."""
    x, y = place
    if look == "chosen":
        stem = line((x, TOP - 8), (x, BOTTOM), "chosen")
        return stem + text((x, TOP - 12), "chosen", "label chosen", "end" if x > 280 else "middle")
    if look == "sweet":
        points = f"{x},{y - 6.5} {x + 6.5},{y} {x},{y + 6.5} {x - 6.5},{y}"
        return element("polygon", points=points, class_="mark sweet")
    return element("circle", cx=x, cy=y, r=5.5, class_="mark saturation")


MOST_CARDS = 60  # a page of hundreds of drawings is read by nobody; the table in plan.json has all

CLASS_WORDS = {
    "plateau": "levelled",
    "saturating": "saturating",
    "not yet levelling": "not yet levelling",
    "floor": "at the floor: no information",
    "unknown": "cannot tell whether it levels",
}


def curve_cards(
    record: Record, curves: pd.DataFrame, curve_grid: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return the drawing and the figures of every eval that has a curve."""
    chosen = {row.eval: (row.cap, row.cap_unit, row.tier, row.usd) for row in record.to_run}
    drawn = {str(name): rows for name, rows in curve_grid.groupby("eval", sort=False)}
    cards: list[dict[str, Any]] = []
    for key, row in enumerate(curves.to_dict("records")):
        name = str(row["eval"])
        if name not in drawn:
            continue
        cap, told, tier, usd = chosen.get(name, (None, None, None, 0.0))
        unit = str(row.get("spend_unit") or told or "spend")
        sweet, saturation = map(_number, (row.get("sweet_spot"), row.get("saturation_elasticity")))
        marks = Marks(cap, sweet, saturation, unit)
        cards.append(
            {
                "eval": name,
                "tier": tier,
                "usd": usd,
                "kind": CLASS_WORDS.get(str(row.get("class")), str(row.get("class"))),
                "chart": curve_chart(name, drawn[name], marks, f"curve-{key}"),
                "lines": _lines(row, marks),
            }
        )
    cards.sort(key=lambda card: (card["tier"] is None, -card["usd"], card["eval"]))
    return cards[:MOST_CARDS]


def _lines(row: dict[Any, Any], marks: Marks) -> list[tuple[str, str]]:
    """Return what the drawing marks, in words."""
    lines = []
    if marks.chosen is not None:
        lines.append(("Cap chosen", amount(marks.chosen, marks.unit)))
    if marks.sweet_spot is None:
        lines.append(("Sweet spot", str(row.get("reason") or "none below the largest cap")))
    else:
        spread = _spread(row, "sweet_spot", marks.unit)
        lines.append(("Sweet spot", f"{amount(marks.sweet_spot, marks.unit)}{spread}"))
    most = _number(row.get("max_cap"))
    if marks.saturation is not None and (most is None or marks.saturation <= most):
        lines.append(("Saturation", amount(marks.saturation, marks.unit)))
    elif most is not None:
        lines.append(("Saturation", f"beyond the largest cap, {amount(most, marks.unit)}"))
    plateau = _number(row.get("plateau"))
    low, high = _number(row.get("plateau_low")), _number(row.get("plateau_high"))
    span = "" if low is None or high is None else f" ({share(low)} to {share(high)})"
    if row.get("class") in ("plateau", "saturating") and plateau is not None:
        return [*lines, ("Plateau", f"{share(plateau)}{span}")]
    lines.append(("Success at the largest cap", share(_number(row.get("success_at_max_cap")))))
    if (elasticity := _number(row.get("elasticity_at_max_cap"))) is not None:
        lines.append(("Elasticity there", two_digits(elasticity)))
    return lines


def _spread(row: dict[Any, Any], key: str, unit: str) -> str:
    low, high = _number(row.get(f"{key}_low")), _number(row.get(f"{key}_high"))
    if low is None or high is None:
        return ""
    if unit in ("usd", "hours"):
        return f" ({amount(low, unit)} to {amount(high, unit)})"
    return f" ({compact(low)} to {compact(high)})"  # the unit stands before it


def _number(value: object) -> float | None:
    """Return a finite number above 0, or None: what is missing or infinite has no mark."""
    if value is None or isinstance(value, str):
        return None
    number = float(value)  # type: ignore[arg-type]  # cells of a frame are Any
    return number if 0 < number < float("inf") else None
