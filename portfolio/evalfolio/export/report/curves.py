"""The curves of the AI model under test: one card per eval, the chosen ones first."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalfolio.export.report.charts.curve import Marks, curve_chart
from evalfolio.export.report.numerals import amount, compact, share
from evalfolio.narrative import two_digits
from evalfolio.record.record import Record

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
    chosen = {row.eval: row for row in record.choices}
    drawn = {str(name): rows for name, rows in curve_grid.groupby("eval", sort=False)}
    cards: list[dict[str, Any]] = []
    for key, row in enumerate(curves.to_dict("records")):
        name = str(row["eval"])
        if name not in drawn:
            continue
        choice = chosen.get(name)
        told = None if choice is None else choice.cap_unit
        unit = str(row.get("spend_unit") or told or "spend")
        marks = Marks(
            None if choice is None else choice.cap,
            _number(row.get("sweet_spot")),
            _number(row.get("saturation_elasticity")),
            unit,
        )
        cards.append(
            {
                "eval": name,
                "tier": None if choice is None else choice.tier,
                "usd": 0.0 if choice is None else choice.usd,
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
        lines.append(("Plateau", f"{share(plateau)}{span}"))
    else:
        lines.append(("Success at the largest cap", share(_number(row.get("success_at_max_cap")))))
        elasticity = _number(row.get("elasticity_at_max_cap"))
        if elasticity is not None:
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
