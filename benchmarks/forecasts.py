"""How good forecasts of shares are: coverage by AI model, and the interval score."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def judged(share: Array, actual: float, rng: np.random.Generator) -> dict[str, float]:
    """Judge draws of a share against what came.

    Shares are discrete: the chance that a share drawn equals the truth is split at random, so that
    a calibrated forecast covers exactly the nominal level.
    """
    below = (share < actual - 1e-9).mean()
    place = below + rng.random() * (np.abs(share - actual) < 1e-9).mean()
    row = {"error": float(share.mean() - actual), "actual": actual}
    for level in (0.5, 0.9):
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(share, [tail, 1.0 - tail])
        miss = max(low - actual, 0.0) + max(actual - high, 0.0)
        row[f"covered{level}"] = float(tail <= place <= 1.0 - tail)
        row[f"score{level}"] = float(high - low + 2.0 / (1.0 - level) * miss)
    return row


def binomial_shares(seen: pd.Series, n: int, rng: np.random.Generator) -> Array:
    """Shares of n runs to come, p from a Beta(½, ½) prior and the runs seen (0 or 1)."""
    p = rng.beta(seen.sum() + 0.5, len(seen) - seen.sum() + 0.5, 4000)
    return rng.binomial(n, p) / n


def clustered(values: pd.Series, by: pd.Series) -> tuple[float, float, float]:
    """Mean with a 95 % interval that resamples whole AI models."""
    sums = values.groupby(by).agg(["sum", "size"]).to_numpy(float)
    picks = np.random.default_rng(0).integers(0, len(sums), (10_000, len(sums)))
    means = sums[picks, 0].sum(axis=1) / sums[picks, 1].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def rows_of(table: pd.DataFrame) -> list[list[str]]:
    """One row per method: coverage of 50 % and 90 %, interval score, errors."""
    rows = []
    for method, own in table.groupby("method", sort=False):
        cells = [str(method), str(len(own)), str(own["ai_model"].nunique())]
        for level in (0.5, 0.9):
            mean, low, high = clustered(own[f"covered{level}"], own["ai_model"])
            cells.append(f"{mean:.2f} [{low:.2f}, {high:.2f}]")
        cells += [f"{own['score0.9'].mean():.3f}", f"{own['error'].abs().mean():.3f}"]
        rows.append([*cells, f"{own['error'].mean():+.3f}"])
    return rows


HEAD = (
    "forecast by",
    "forecasts",
    "AI models",
    "50 % covered",
    "90 % covered",
    "interval score (90 %)",
    "absolute error",
    "bias",
)
