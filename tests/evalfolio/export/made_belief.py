"""Made-up figures of the belief behind a plan: families of spend, and capability by domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.evalfolio.export.made_menu import EVALS


def made_families(rename: Callable[[str], str]) -> list[Any]:
    rows = []
    for name, *_ in EVALS[:3]:
        for family, behind, weight in (("lognormal", 0.0, 0.7), ("burr", 1.3, 0.3)):
            rows.append(
                {
                    "eval": rename(name),
                    "family": family,
                    "runs": 380,
                    "behind": behind,
                    "behind_se": 0.9 if behind else None,
                    "weight": weight,
                    "reason": "not clearly behind lognormal" if behind else "predicts best",
                }
            )
    unseen = {"runs": None, "behind": None, "behind_se": None, "weight": 1.0}
    rows.append({"eval": rename("swaa"), "family": "lognormal", "reason": "by default", **unseen})
    return rows


def made_capability(rename: Callable[[str], str]) -> list[Any]:
    figures = (
        ("shown", "doublings", 7.9, 6.1, 9.8),
        ("50% horizon, shown", "min", 239.0, 68.0, 891.0),
        ("completion of 8 h tasks, full", "share", 0.61, 0.2, 0.9),
        ("buffer after shown, 95%", "doublings", 2.6, None, None),
    )
    return [
        {
            "domain": rename(domain),
            "figure": figure,
            "unit": unit,
            "median": median,
            "low": low,
            "high": high,
        }
        for domain in ("cyber", "autonomy")
        for figure, unit, median, low, high in figures
    ]
