"""The task-level model, before it sees results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from evalbayes.predictive.predictive import Predictive

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations

Array = NDArray[np.float64]

MODEL = "tasks"


def prior(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Success share within the cap, and solved share of tasks, by eval and AI model.

    Of runs as they come; task effects make shares vary more than independent runs would, and
    leave some tasks unsolved by everyone.
    """
    runs = observations.runs
    if not len(runs):
        return []
    from evalbayes.tasks.prior import prior_curves
    from evalbayes.tasks.table import table_of

    runs = runs[(runs["effort"].astype(float).fillna(0.0) == 0)].reset_index(drop=True)
    if not len(runs):
        return []
    table = table_of(runs)
    names, model = np.unique(runs["ai_model"].to_numpy(str), return_inverse=True)
    ended = runs["outcome"] == "success"
    spends = np.log(runs["spend"].where(ended).dropna().to_numpy(float))
    centre = float(spends.mean()) if len(spends) else float(np.log(runs["cap"]).mean())
    curves = prior_curves(table, table.positions(runs), model, len(names), centre, n_draws, rng)
    ln_cap = np.log(runs["cap"].to_numpy(float))
    would = rng.random(curves.logit.shape) < expit(curves.logit)
    spend = curves.success_location + curves.success_scale * rng.standard_normal(would.shape)
    success = would & (spend <= ln_cap)
    found = []
    for figure, read in (
        ("success share", _shares),
        ("share of tasks solved by any AI model", _solved),
    ):
        draws, seen, of = read(success, runs, ended)
        found.append(Predictive(MODEL, figure, of, draws, seen))
    return found


def _shares(
    success: NDArray[np.bool_], runs: pd.DataFrame, ended: pd.Series[bool]
) -> tuple[Array, Array, tuple[str, ...]]:
    groups = runs.groupby(["eval", "ai_model"], sort=True).indices
    draws = np.stack([success[:, rows].mean(axis=1) for rows in groups.values()], axis=1)
    seen = np.array([ended.to_numpy()[rows].mean() for rows in groups.values()])
    return draws, seen, tuple(" by ".join(map(str, key)) for key in groups)  # type: ignore[call-overload]  # pairs


def _solved(
    success: NDArray[np.bool_], runs: pd.DataFrame, ended: pd.Series[bool]
) -> tuple[Array, Array, tuple[str, ...]]:
    draws, seen, of = [], [], []
    for name, rows in runs.groupby("eval", sort=True).indices.items():
        tasks = list(runs["task"].iloc[rows].groupby(runs["task"].iloc[rows]).groups.values())
        draws.append(np.mean([success[:, list(own)].any(axis=1) for own in tasks], axis=0))
        seen.append(np.mean([ended.iloc[list(own)].any() for own in tasks]))
        of.append(str(name))
    return np.stack(draws, axis=1), np.array(seen), tuple(of)
