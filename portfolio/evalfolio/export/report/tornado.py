"""The tornado of the page: how far the value moves with each assumed figure, as bars."""

from __future__ import annotations

from typing import Any

from evalfolio.export.report.numerals import DASH, share
from evalfolio.record.record import Record

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
            "range": f"{_end(row.low)} to {_end(row.high)}",
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


def _end(value: float | None) -> str:
    """Return an end of a range in three digits."""
    return DASH if value is None else f"{value:.3g}"
