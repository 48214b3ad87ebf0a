"""Success against spend as it was seen, whatever stopped the other runs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalbayes.arrays import Array


def incidence(runs: pd.DataFrame) -> tuple[Array, Array]:
    """Estimate the share of runs that succeed within a spend, by Aalen and Johansen.

    Σ over successes at t_j ≤ t of S(t_j−)/n_j, S the Kaplan–Meier share of runs that have neither
    succeeded nor given up and n_j the runs still going: the plain share of runs where nothing but
    one cap stopped any, and right too where runs were stopped at spends of their own.

    Parameters
    ----------
    runs
        Columns outcome, spend and cap; a run stopped by its cap is censored there.

    Returns
    -------
    tuple
        Spends, rising, at which the estimate steps up, and its value from there on.

    Examples
    --------
    >>> seen = pd.DataFrame(
    ...     {
    ...         "outcome": ["success", "stopped_otherwise", "success", "gave_up"],
    ...         "spend": [1.0, 2.0, 3.0, 4.0],
    ...         "cap": 10.0,
    ...     }
    ... )
    >>> [values.tolist() for values in incidence(seen)]
    [[1.0, 3.0], [0.25, 0.625]]
    """
    at = runs["spend"].to_numpy(dtype=float)
    outcome = runs["outcome"].to_numpy(dtype=str)
    at = np.where(outcome == "stopped_by_cap", np.maximum(at, runs["cap"].to_numpy(float)), at)
    success, ended = outcome == "success", np.isin(outcome, ["success", "gave_up"])
    times, place = np.unique(at, return_inverse=True)
    n = len(at) - np.searchsorted(np.sort(at), times, side="left")  # still going just before
    left = np.cumprod(1.0 - np.bincount(place, ended, len(times)) / n)
    before = np.concatenate([[1.0], left[:-1]])
    total: Array = np.cumsum(before * np.bincount(place, success, len(times)) / n)
    steps = np.bincount(place, success, len(times)) > 0
    return times[steps], total[steps]
