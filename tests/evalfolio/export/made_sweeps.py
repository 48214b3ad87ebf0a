"""Made-up sweeps of a plan: its frontier, a tornado, and the curves of its evals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from tests.evalfolio.export.worth import Worth

from evalbayes import Menu


def made_frontier(worth: Worth, chosen: list[str]) -> list[Any]:
    """Nested plans at rising budgets, the cheapest options first; not optimal, only consistent."""
    prices = worth.menu.options["usd"]
    by_price = sorted(chosen, key=lambda option: float(prices[option]))
    points = []
    for n in range(len(by_price) + 1):
        options = by_price[:n]
        value = worth.value(options)
        budget = round(float(prices[options].sum()) / 0.9 + 1.0, 2)
        points.append(
            {
                "usd": budget,
                "value": value,
                "bound": value * 1.0005,
                "gap": 5e-4,
                "options": options,
            }
        )
    everything = [*chosen, "intercode_ctf plateau", "nl2bash plateau"]
    if set(everything) <= set(prices.index):
        value = worth.value(everything)
        points.append(
            {"usd": 40_000.0, "value": value, "bound": value, "gap": 0.0, "options": everything}
        )
    return points


def made_sensitivity(value: float) -> list[Any]:
    return [
        {
            "name": name,
            "low": low,
            "high": high,
            "value_low": value * at_low,
            "value_high": value * at_high,
        }
        for name, low, high, at_low, at_high in (
            ("cyber: elicitation gap", 0.2, 2.5, 0.6, 1.3),
            ("=autonomy: threshold <b>", 9.0, 12.0, 1.2, 0.7),
            ("validity error", 0.4, 1.4, 1.05, 0.9),
            ("price of a token", 4e-6, 9e-6, 1.02, 0.99),
        )
    ]


def made_curves(menu: Menu) -> tuple[pd.DataFrame, pd.DataFrame]:
    caps = np.geomspace(1e3, 2e7, 40)
    rows, grid = [], []
    classes = ["plateau", "saturating", "not yet levelling", "floor", "unknown"]
    for i, name in enumerate(menu.options["eval"].unique()):
        top, middle = 0.9 - 0.06 * i, 6e4 * 1.6**i
        reached = norm.cdf(np.log(caps / middle) / 1.3)
        kind = classes[i % len(classes)]
        inner = kind in ("plateau", "saturating")
        rows.append(
            {
                "eval": name,
                "plateau": top,
                "plateau_low": top - 0.12,
                "plateau_high": min(top + 0.08, 1.0),
                "success_at_max_cap": top * reached[-1],
                "spend_unit": "tokens",
                "sweet_spot": middle * 0.6 if inner else np.nan,
                "sweet_spot_low": middle * 0.4 if inner else np.nan,
                "sweet_spot_high": middle * 0.9 if inner else np.nan,
                "saturation_elasticity": middle * 6 if inner else np.nan,
                "saturation_95": middle * 8 if inner else np.nan,
                "class": kind,
                "p_levelled": 0.9 if kind == "plateau" else 0.4,
                "reason": "" if inner else "no inner maximum below max_cap",
            }
        )
        spend = np.concatenate([[0], np.cumsum(np.diff(caps) * (1 - top * reached[1:]))])
        grid.append(
            pd.DataFrame(
                {
                    "eval": name,
                    "cap": caps,
                    "success": top * reached,
                    "success_low": (top - 0.12) * reached,
                    "success_high": min(top + 0.08, 1.0) * reached,
                    "expected_spend": caps[0] + spend,
                }
            )
        )
    return pd.DataFrame(rows), pd.concat(grid, ignore_index=True)
