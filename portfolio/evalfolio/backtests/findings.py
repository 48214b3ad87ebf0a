"""Findings: what a back-test was to show, and whether it does, said either way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalfolio.backtests import measures

ADAPTED = ("greedy", "evalfolio, at once")  # evalfolio's own menu in another way: no rivals
CHANCE = "uniform random"
MOST_OF_CHANCE, UP_TO = 0.6, 0.1
ACCURATE = 0.12  # doublings, at a tenth of the bill
SLOPES = (0.7, 1.3)
VALUES = ("budget", *(f"{name}{end}" for name in measures.RATIOS for end in ("", "_low", "_high")))


@dataclass(frozen=True)
class Finding:
    """One claim and what the trials say of it."""

    claim: str  # what was to hold
    holds: bool | None  # whether it does; None: too few AI models for a verdict
    figures: str  # the numbers behind it, in words
    # them by budget, where they are several ratios
    numbers: tuple[Mapping[str, float | None], ...] = ()

    def __str__(self) -> str:
        return f"{verdict(self.holds, 'FAILS')}: {self.claim} ({self.figures})"


def verdict(holds: bool | None, fails: str = "fails") -> str:
    """Return whether a claim holds, in words."""
    return "no verdict" if holds is None else "holds" if holds else fails


def findings_of(
    trials: pd.DataFrame, table: pd.DataFrame, ours: str, seed: int = 0
) -> tuple[Finding, ...]:
    """Return the findings for one strategy against all others; `table` is the trials' summary.

    With fewer than five AI models figures come without intervals, and claims without a verdict.
    """
    pairs = measures.ratios(trials, ours, seed)
    found = (
        *_against_best(table, pairs, ours),
        *_against_chance(pairs),
        *_coverage(table, ours),
        *_calls(pairs),
        *_accuracy(table, ours),
        *_value(trials, table, ours, seed),
    )
    n = trials["ai_model"].nunique()
    if n >= measures.FEWEST:
        return found
    few = f"{n} AI model{'' if n == 1 else 's'}, of {measures.FEWEST} that a verdict takes"
    return tuple(replace(f, holds=None, figures=f"{f.figures}; {few}") for f in found)


def _against_best(table: pd.DataFrame, pairs: pd.DataFrame, ours: str) -> list[Finding]:
    found = []
    for budget in sorted(pairs["budget"].unique().tolist()):
        rows = pairs[pairs["budget"] == budget]
        rivals = rows[~rows["strategy"].isin(ADAPTED)]
        best = rivals.loc[rivals["rmse_ratio"].idxmax()]
        own = measures.at(table, ours, budget)["rmse"]
        other = measures.at(table, str(best["strategy"]), budget)["rmse"]
        found.append(
            Finding(
                f"at {budget:.1%} of the bill the error is at or below the best baseline's, "
                "within the bootstrap interval",
                bool(best["rmse_ratio_low"] <= 1.0),
                f"RMSE {own:.2f} against {other:.2f} of {best['strategy']}, ratio "
                f"{best['rmse_ratio']:.2f}"
                f"{measures.between(best['rmse_ratio_low'], best['rmse_ratio_high'])}",
            )
        )
    return found


def _against_chance(pairs: pd.DataFrame) -> list[Finding]:
    rows = pairs[(pairs["strategy"] == CHANCE) & (pairs["budget"] <= UP_TO)]
    if not len(rows):
        return []
    return [
        Finding(
            f"the error is at most {MOST_OF_CHANCE} of {CHANCE}'s up to {UP_TO:.0%} of the bill",
            bool((rows["rmse_ratio"] <= MOST_OF_CHANCE).all()),
            ", ".join(
                f"{row['rmse_ratio']:.2f} at {row['budget']:.1%}" for row in rows.to_dict("records")
            ),
        )
    ]


def _coverage(table: pd.DataFrame, ours: str) -> list[Finding]:
    rows = table[table["strategy"] == ours]
    within = (rows["coverage_90_low"] <= 0.9) & (rows["coverage_90_high"] >= 0.9)
    return [
        Finding(
            "90 % predictive intervals hold the full-data horizon in 90 % of trials, within the "
            "95 % interval clustered by AI model",
            bool(within.all()),
            ", ".join(
                f"{row['coverage_90']:.0%}"
                f"{measures.between(row['coverage_90_low'], row['coverage_90_high'], '.0%')}"
                f" at {row['budget']:.1%}"
                for row in rows.to_dict("records")
            ),
        )
    ]


def _calls(pairs: pd.DataFrame) -> list[Finding]:
    rivals = pairs[~pairs["strategy"].isin(ADAPTED)]
    worse = rivals[rivals["loss_more_low"] > 0]
    figures = "; ".join(
        f"{row['strategy']} at {row['budget']:.1%} loses {row['loss_more']:.3f} less "
        f"[{row['loss_more_low']:.3f}, {row['loss_more_high']:.3f}]"
        for row in worse.to_dict("records")
    )
    return [
        Finding(
            "no baseline loses significantly less by wrong calls",
            not len(worse),
            f"{figures}; {len(worse)} of {len(rivals)} comparisons at 2.5 % each"
            if figures
            else f"none of {len(rivals)} comparisons",
        )
    ]


def _accuracy(table: pd.DataFrame, ours: str) -> list[Finding]:
    if UP_TO not in table["budget"].tolist():
        return []
    row = measures.at(table, ours, UP_TO)
    return [
        Finding(
            f"at {UP_TO:.0%} of the bill the error is at most {ACCURATE} doublings",
            bool(row["rmse"] <= ACCURATE),
            f"RMSE {row['rmse']:.2f}{measures.between(row['rmse_low'], row['rmse_high'])}",
        )
    ]


def _value(trials: pd.DataFrame, table: pd.DataFrame, ours: str, seed: int) -> tuple[Finding, ...]:
    slopes = measures.calibration_of_value(trials, ours, seed)
    if not slopes or not np.isfinite(slopes["slope"]):
        return ()
    rows = table[table["strategy"] == ours].sort_values("budget").to_dict("records")
    lost = rows[0]

    def by_budget(name: str) -> str:
        return ", ".join(f"{interval(row, name)} at {row['budget']:.1%}" for row in rows)

    return (
        Finding(
            f"the slope of realised on promised value lies in [{SLOPES[0]}, {SLOPES[1]}]",
            bool(SLOPES[0] <= slopes["slope"] <= SLOPES[1]),
            f"slope {interval(slopes, 'slope')}",
        ),
        Finding(
            "calls without any run lose what the belief about a new AI model expects (EVPI), "
            "within the 95 % interval clustered by AI model",
            bool(lost["evpi_of_lost_low"] <= 1.0 <= lost["evpi_of_lost_high"]),
            f"EVPI over that loss {interval(lost, 'evpi_of_lost')}",
        ),
        Finding(
            "the value promised comes true, within the 95 % interval clustered by AI model",
            all(row["came_true_low"] <= 1.0 <= row["came_true_high"] for row in rows),
            f"realised over promised {by_budget('came_true')}; promised over EVPI "
            f"{by_budget('promised_of_evpi')}; realised over the loss without runs "
            f"{by_budget('realised_of_lost')}",
            tuple({k: float(row[k]) if row[k] == row[k] else None for k in VALUES} for row in rows),
        ),
    )


def interval(row: Mapping[Any, Any], name: str) -> str:
    """Return a figure with its interval in brackets, in words."""
    return f"{row[name]:.2f}{measures.between(row[f'{name}_low'], row[f'{name}_high'])}"
