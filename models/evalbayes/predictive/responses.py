"""The response model of the back-test, before it sees results."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.predictive.predictive import Predictive
from evalbayes.predictive.solved import solved_figures

MODEL = "responses"


def prior(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Success share, and solved share of tasks, by eval and AI model.

    Of runs as they come on tasks with human minutes, whatever their cap. Sds, which the fit finds
    by empirical Bayes, are drawn from what their prior guess, worth a few observations, says:
    guess² times a scaled inverse χ².
    """
    from evalbayes.responses.history import (
        LEVEL_SD,
        LN_LOADING,
        PER_DOUBLING,
        PRIOR_COUNT,
        SCALES,
        TURN_SD,
    )
    from evalbayes.responses.table import LOST, tasks_of

    runs = observations.runs
    if not len(runs):
        return []
    plain = (runs["effort"].astype(float).fillna(0.0) == 0) & ~runs["outcome"].isin(LOST)
    runs = runs[plain & (runs["human_minutes"].astype(float) > 0)].reset_index(drop=True)
    if not len(runs):
        return []
    table = tasks_of(runs)
    task = table.positions(runs)
    e, n_evals = table.eval_of[task], len(table.evals)
    names, model = np.unique(runs["ai_model"].to_numpy(str), return_inverse=True)
    n_models, n_tasks = len(names), len(table.length)

    def sd(part: str, size: int) -> Array:
        chi2 = rng.chisquare(PRIOR_COUNT, (n_draws, size))
        return np.asarray(SCALES[part] * np.sqrt(PRIOR_COUNT / chi2))

    def normal(size: int, mean: float = 0.0, scale: float | Array = 1.0) -> Array:
        return np.asarray(mean + scale * rng.standard_normal((n_draws, size)))

    capability = normal(n_models)
    loading = np.exp(normal(n_evals, *LN_LOADING))
    departure = normal(n_models * n_evals, 0.0, sd("validity", 1))
    slope = normal(1, 0.0, TURN_SD) * capability + normal(n_models, 0.0, sd("tilt", 1))
    difficulty = (
        normal(n_evals, 0.0, LEVEL_SD)[:, table.eval_of]
        + normal(n_evals, *PER_DOUBLING)[:, table.eval_of] * table.within
        + normal(n_tasks, 0.0, sd("task", n_evals)[:, table.eval_of])
    )
    own, pair = np.unique(model * n_tasks + task, return_inverse=True)
    repeated = len(own) < len(runs)  # without repeats ζ is not told apart, and left out
    together = normal(len(own), 0.0, sd("pair", 1) * repeated)
    logit = (
        loading[:, e] * capability[:, model]
        + departure[:, model * n_evals + e]
        + slope[:, model] * table.tilt[task]
        - difficulty[:, task]
        + together[:, pair]
    )
    success = rng.random(logit.shape) < expit(logit)
    return solved_figures(MODEL, success, runs, runs["outcome"] == "success")
