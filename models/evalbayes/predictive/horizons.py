"""The time horizon of runs, before any is seen."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.predictive.predictive import Predictive

MODEL = "horizons"
EDGES = (0.0, 10.0, 60.0, 240.0, np.inf)  # minutes
WORDS = ("up to 10 min", "10 min to 1 h", "1 h to 4 h", "above 4 h")


def prior(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Success share by length of tasks and AI model, of runs whose tasks have human minutes."""
    from evalbayes.horizons.horizon import LEVEL_SD, SLOPE_MEAN_LN, SLOPE_SD_LN

    runs = observations.runs
    runs = runs[runs["human_minutes"].astype(float) > 0] if len(runs) else runs
    draws, seen, of = [], [], []
    for ai_model, own in runs.groupby("ai_model", sort=True) if len(runs) else ():
        x = np.log2(own["human_minutes"].to_numpy(dtype=float))
        level = rng.normal(np.median(x), LEVEL_SD, (n_draws, 1))
        slope = np.exp(rng.normal(SLOPE_MEAN_LN, SLOPE_SD_LN, (n_draws, 1)))
        lengths, index = np.unique(x, return_inverse=True)
        number = np.bincount(index)
        again = rng.binomial(number, expit(slope * (level - lengths)))
        success = np.bincount(index, own["outcome"] == "success")
        bucket = np.digitize(2.0**lengths, EDGES[1:-1], right=True)
        for k in np.unique(bucket):
            rows = bucket == k
            draws.append(again[:, rows].sum(axis=1) / number[rows].sum())
            seen.append(success[rows].sum() / number[rows].sum())
            of.append(f"{ai_model}, tasks {WORDS[k]}")
    if not draws:
        return []
    return [Predictive(MODEL, "success share", tuple(of), np.stack(draws, 1), np.array(seen))]
