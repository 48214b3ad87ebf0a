"""Runs as cells: what a reader of cells is held to."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.observations import Observations
from evalbayes.observations.cells import CELL, COLUMNS
from evalbayes.observations.observations import joined
from evalbayes.observations.shape import CENSORED_ELSEWHERE


def as_cells(observations: Observations) -> Observations:
    """Summarise runs into cells, exactly where spends are lognormal.

    Runs that something other than the cap stopped are censored each at its own spend, so they stay
    runs. Without task effects the likelihood is the same; which task a run was of, and with it how
    results cluster, is lost.
    """
    if not len(observations.runs):
        return observations
    own_spend = observations.runs["outcome"].isin(CENSORED_ELSEWHERE)
    return replace(
        observations,
        cells=joined([observations.cells, summarised(observations.runs[~own_spend])], "cells"),
        runs=observations.runs[own_spend].reset_index(drop=True),
    )


def summarised(runs: pd.DataFrame) -> pd.DataFrame:
    """Summarise runs into cells: exact sufficient statistics where spend is lognormal.

    For n spends with mean m and sd q of ln spend (divisor n − 1) the lognormal likelihood needs
    Σ(ln t − μ)² = (n − 1) q² + n (m − μ)², so nothing about the runs is lost but the order of
    tasks. Only runs that succeeded, gave up or were stopped by their cap can be summarised.
    """
    logged = runs.assign(ln_spend=np.log(runs["spend"]))
    rows = []
    for key, group in logged.groupby(CELL, sort=True):
        row: dict[str, Any] = dict(zip(CELL, key, strict=True))
        for way in ("success", "gave_up"):
            spends = group.loc[group["outcome"] == way, "ln_spend"].to_numpy(dtype=np.float64)
            row[f"n_{way}"] = len(spends)
            row[f"mean_ln_spend_{way}"] = spends.mean() if len(spends) else np.nan
            row[f"sd_ln_spend_{way}"] = spends.std(ddof=1) if len(spends) > 1 else np.nan
        row["n_stopped"] = int((group["outcome"] == "stopped_by_cap").sum())
        row["human_minutes"] = group["human_minutes"].median()
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)
