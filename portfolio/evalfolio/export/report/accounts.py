"""Accounts of other commands in the page: what `sensitivity` and `backtest` found."""

from __future__ import annotations

from typing import Any

from evalfolio.narrative import two_digits
from evalfolio.record.record import Record


def accounts(record: Record) -> list[dict[str, Any]]:
    """Return what `sensitivity` and `backtest` found, where they were run."""
    found: list[dict[str, Any]] = []
    if record.firmness is not None:
        found.append(
            {
                "id": "firmness",
                "short": "How firm it is",
                "title": "How firm the mix is",
                "found": record.firmness,
            }
        )
    if record.backtest is not None:
        found.append(
            {
                "id": "backtest",
                "short": "On real runs",
                "title": "This way to plan, on real runs",
                "lead": "Runs that were made anyway were bought again, AI model by AI model, by "
                "this way to plan and by others, and what each concluded was compared with what "
                "all runs show. Errors are of the time horizon, in doublings of human time.",
                "found": record.backtest,
            }
        )
    return found


def plain(value: str | float | bool | None) -> str:
    """Return a cell of the tables of an account: words as they are, figures in two digits.

    Examples
    --------
    >>> plain(0.1234), plain(None), plain(True), plain("pays"), plain(12345.0)
    ('0.12', '–', 'yes', 'pays', '12,000')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else two_digits(value)
