"""Figures of simulated successes: share solved, and share of tasks that any AI model solves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags
from evalbayes.predictive.predictive import Predictive


def solved_figures(
    model: str, success: Flags, runs: pd.DataFrame, ended: pd.Series[bool]
) -> list[Predictive]:
    """Return both figures, by eval and AI model and by eval.

    Parameters
    ----------
    model
        Which model says so.
    success
        Replicates of every run's success, of shape (n_draws, n_runs).
    runs
        The runs: eval, task, ai_model, numbered from 0.
    ended
        Whether each run was seen to succeed.
    """
    found = []
    for figure, read in (
        ("success share", _shares),
        ("share of tasks solved by any AI model", _solved),
    ):
        draws, seen, of = read(success, runs, ended)
        found.append(Predictive(model, figure, of, draws, seen))
    return found


def _shares(
    success: Flags, runs: pd.DataFrame, ended: pd.Series[bool]
) -> tuple[Array, Array, tuple[str, ...]]:
    groups = runs.groupby(["eval", "ai_model"], sort=True).indices
    draws = np.stack([success[:, rows].mean(axis=1) for rows in groups.values()], axis=1)
    seen = np.array([ended.to_numpy()[rows].mean() for rows in groups.values()])
    return draws, seen, tuple(" by ".join(map(str, key)) for key in groups)  # type: ignore[call-overload]  # pairs


def _solved(
    success: Flags, runs: pd.DataFrame, ended: pd.Series[bool]
) -> tuple[Array, Array, tuple[str, ...]]:
    draws, seen, of = [], [], []
    for name, rows in runs.groupby("eval", sort=True).indices.items():
        tasks = list(runs["task"].iloc[rows].groupby(runs["task"].iloc[rows]).groups.values())
        draws.append(np.mean([success[:, list(own)].any(axis=1) for own in tasks], axis=0))
        seen.append(np.mean([ended.iloc[list(own)].any() for own in tasks]))
        of.append(str(name))
    return np.stack(draws, axis=1), np.array(seen), tuple(of)
