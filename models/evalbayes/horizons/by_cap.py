"""The horizon against the cap, from runs capped after the fact, with joint intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.errors import InputError
from evalbayes.horizons.horizon import HIGH, LOW, SLOPE_MEAN_LN, SLOPE_SD_LN

Array = NDArray[np.float64]

NEEDED = ("task", "human_minutes", "success", "spend")
RESAMPLES = 100
ROUNDS = 60


def horizon_by_cap(
    runs: pd.DataFrame,
    caps: Sequence[float],
    *,
    share: float = 0.5,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Horizon at every cap: a run counts as solved if it was solved within the cap.

    Parameters
    ----------
    runs
        Of one AI model, one row each: task, human_minutes, success (0/1) and spend.
    caps
        None above the cap that the runs had: beyond it nothing was seen.
    share
        Share of tasks completed at the horizon, 0.5 or 0.8.
    seed, resamples
        Of the resampled tasks that intervals are read off.

    Returns
    -------
    pandas.DataFrame
        One row per cap: cap, minutes, minutes_low, minutes_high (90 %), solved (share of runs),
        mean_spend (of min(spend, cap)).

    Notes
    -----
    As METR's cost curves, it *understates* what an AI model told of a smaller cap would do. All
    points come from the same runs: intervals resample tasks, the same ones at every cap, and
    points must not be fitted as if they were independent.

    Raises
    ------
    InputError
        If a column is missing or a cap is not positive.
    """
    missing = [column for column in NEEDED if column not in runs]
    if missing or not len(runs):
        raise InputError(
            f"runs must have the columns {', '.join(NEEDED)} and at least one row; missing: "
            f"{', '.join(missing) or 'no column, but all rows'}: add them"
        )
    if min(caps) <= 0:
        raise InputError(f"caps must be above 0; the smallest is {min(caps):g}: leave it out")
    rng = np.random.default_rng(seed)
    codes, tasks = pd.factorize(runs["task"])
    counts = np.vstack(
        [
            np.ones(len(tasks)),
            rng.multinomial(len(tasks), np.full(len(tasks), 1 / len(tasks)), resamples),
        ]
    )
    weights = counts[:, codes]  # first the runs as they are, then whole tasks resampled
    x = np.log2(runs["human_minutes"].to_numpy(float))
    spend, success = runs["spend"].to_numpy(float), runs["success"].to_numpy(float)
    rows = []
    for cap in sorted(caps):
        solved = success * (spend <= cap)
        level, slope = _logistic(x, solved, weights)
        minutes = 2.0 ** (level - np.log(share / (1.0 - share)) / slope)
        low, high = np.quantile(minutes[1:], (LOW, HIGH)) if resamples else (np.nan, np.nan)
        rows.append(
            {
                "cap": cap,
                "minutes": minutes[0],
                "minutes_low": low,
                "minutes_high": high,
                "solved": solved.mean(),
                "mean_spend": np.minimum(spend, cap).mean(),
            }
        )
    return pd.DataFrame(rows)


def _logistic(x: Array, success: Array, weights: Array) -> tuple[Array, Array]:
    """Level and slope of every row of weights: Newton's steps to the most probable logistic.

    Priors keep it finite where all or none succeed: the slope's logarithm is held to the same
    normal as in `fit_horizon`, the level loosely to the middle of the tasks.
    """
    middle = float(np.median(x))
    level, ln_slope = np.full(len(weights), middle), np.full(len(weights), SLOPE_MEAN_LN)
    for _ in range(ROUNDS):
        slope = np.exp(ln_slope)
        gap = level[:, None] - x
        p = 1.0 / (1.0 + np.exp(-np.clip(slope[:, None] * gap, -500.0, 500.0)))
        off, bend = weights * (success - p), weights * p * (1.0 - p)
        d_level = slope * off.sum(1) - (level - middle) / 36.0
        d_slope = slope * (off * gap).sum(1) - (ln_slope - SLOPE_MEAN_LN) / SLOPE_SD_LN**2
        # Fisher's information, which is always positive definite
        a = slope**2 * bend.sum(1) + 1.0 / 36.0
        b = slope**2 * (bend * gap).sum(1)
        c = slope**2 * (bend * gap**2).sum(1) + SLOPE_SD_LN**-2
        det = a * c - b**2
        level = level + np.clip((c * d_level - b * d_slope) / det, -2.0, 2.0)
        ln_slope = ln_slope + np.clip((a * d_slope - b * d_level) / det, -0.5, 0.5)
    return level, np.exp(ln_slope)
