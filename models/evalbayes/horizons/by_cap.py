"""The horizon against the cap, from runs capped after the fact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.horizons.horizon import HIGH, LOW, MIDDLE, fit_horizon

NEEDED = ("task", "human_minutes", "success", "spend")


def horizon_by_cap(
    runs: pd.DataFrame,
    caps: Sequence[float],
    *,
    share: float = 0.5,
    seed: int = 0,
    n_draws: int = 1000,
) -> pd.DataFrame:
    """Horizon at every cap: a run counts as solved if it was solved within the cap.

    Parameters
    ----------
    runs
        Of one AI model, one row each: task, human_minutes, success (0/1), spend; and, as in
        `fit_horizon`, eval and weight where they are known.
    caps
        None above the cap that the runs had: beyond it nothing was seen.
    share
        Share of tasks completed at the horizon, 0.5 or 0.8.
    seed, n_draws
        Of the posterior draws at every cap, as in `fit_horizon`: at a cap that cut no run short
        the row is what that finds.

    Returns
    -------
    pandas.DataFrame
        One row per cap: cap, minutes (median), minutes_low, minutes_high (90 %), solved and
        mean_spend (of min(spend, cap)), means over tasks of the means of their runs.

    Notes
    -----
    As METR's cost curves, it *understates* what an AI model told of a smaller cap would do. All
    points come from the same runs: they must not be fitted as if they were independent.

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
    minutes, spend = runs["human_minutes"].to_numpy(float), runs["spend"].to_numpy(float)
    weights = runs["weight"].to_numpy(float) if "weight" in runs else None
    tasks, evals = runs["task"].to_numpy(), runs["eval"].to_numpy() if "eval" in runs else None
    rows = []
    for cap in sorted(caps):
        solved = runs["success"].to_numpy(float) * (spend <= cap)
        found = fit_horizon(
            minutes, solved, weights, tasks=tasks, evals=evals, seed=seed, n_draws=n_draws
        )
        median, low, high = np.quantile(found.minutes(share), (MIDDLE, LOW, HIGH))
        used = np.minimum(spend, cap)
        by_task = pd.DataFrame({"solved": solved, "spend": used}).groupby(tasks).mean().mean()
        rows.append(
            {
                "cap": cap,
                "minutes": median,
                "minutes_low": low,
                "minutes_high": high,
                "solved": by_task["solved"],
                "mean_spend": by_task["spend"],
            }
        )
    return pd.DataFrame(rows)
