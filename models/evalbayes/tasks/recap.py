"""Runs cut to a smaller cap after the fact."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalbayes.errors import InputError


def recapped(runs: pd.DataFrame, cap: float) -> pd.DataFrame:
    """Return runs as they would have been told at a smaller cap: beyond it, stopped by it.

    What a run had not ended within the cap is censored there. An AI model told of a smaller cap
    might pace itself differently, so shares at small caps are understated, if anything.

    Parameters
    ----------
    runs
        One row per run: outcome, spend, cap.
    cap
        In the unit of `spend`; runs with a smaller cap of their own keep it.

    Raises
    ------
    InputError
        If the cap is not above 0.

    Examples
    --------
    >>> runs = pd.DataFrame({"outcome": ["success", "gave_up"], "spend": [5.0, 50.0], "cap": 99.0})
    >>> recapped(runs, 10.0)[["outcome", "spend", "cap"]].to_numpy().tolist()
    [['success', 5.0, 10.0], ['stopped_by_cap', 10.0, 10.0]]
    """
    if not cap > 0:
        raise InputError(f"runs: the smaller cap must be above 0, got {cap:g}; give what it allows")
    spend, own = runs["spend"].to_numpy(float), runs["cap"].to_numpy(float)
    cut = (own > cap) & (spend > cap)
    return runs.assign(
        outcome=np.where(cut, "stopped_by_cap", runs["outcome"]),
        spend=np.where(cut, cap, spend),
        cap=np.minimum(own, cap),
    )
