"""The task-level model, before it sees results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from evalbayes.predictive.predictive import Predictive
from evalbayes.predictive.solved import solved_figures

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations

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
    return solved_figures(MODEL, success, runs, ended)
