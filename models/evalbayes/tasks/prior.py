"""Draws from the task-level model's prior, and the curves of runs that follow from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalbayes.model.likelihood import Curves
from evalbayes.tasks.layout import OUTCOMES, Layout, layout_of, predictors
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def prior_vectors(lay: Layout, n_draws: int, rng: np.random.Generator) -> Array:
    """Draw the sampler's vector from its prior, entry after entry, of shape (n_draws, n)."""
    columns, weights, constant = lay.means.arrays()
    n, cells = len(lay), lay.spans["level"][0]
    x = np.zeros((n_draws, n))
    v = np.zeros((n_draws, lay.derived[OUTCOMES[-1]] + len(lay.table)))
    for k in range(n):
        if k == cells:  # all that levels and locations depend on is drawn
            v[:, :n] = scaled(lay, x)
            _centre(lay, x, v)
        own = columns[k][weights[k] != 0]
        mean = constant[k] + v[:, own] @ weights[k][weights[k] != 0]
        factor = x[:, lay.sd_entry[k]] if lay.sd_entry[k] >= 0 else 0.0
        x[:, k] = mean + np.exp(lay.ln_sd[k] + factor) * rng.standard_normal(n_draws)
        v[:, k] = x[:, k]
    return x


def scaled(lay: Layout, x: Array) -> Array:
    """Multiply what is kept as an offset by its sd."""
    entry = np.array(lay.scale_entry)
    value: Array = x * np.where(entry >= 0, np.exp(x[:, np.maximum(entry, 0)]), 1.0)
    return value


def _centre(lay: Layout, x: Array, v: Array) -> None:
    """Work out what is measured against the mean of the evals, and the typical slope, in place."""
    evals = len(lay.table.evals)
    for name, target in (
        ("difficulty_departure", "difficulty_departure"),
        ("eval_location", "place"),
    ):
        start, stop, _ = lay.spans[name]
        at = lay.derived[target]
        v[:, at : at + evals] = x[:, start:stop] - x[:, start:stop].mean(axis=1, keepdims=True)
    v[:, lay.derived["slope"]] = np.exp(x[:, lay.at("slope_mean")])


def prior_curves(
    table: TaskTable,
    task: Index,
    model: Index,
    n_models: int,
    ln_spend_centre: float,
    n_draws: int,
    rng: np.random.Generator,
) -> Curves:
    """Curves of runs drawn from the prior, fields of shape (n_draws, n_runs).

    Parameters
    ----------
    table
        The tasks.
    task, model
        Index of the task and of the AI model of every run.
    n_models
        How many AI models there are.
    ln_spend_centre
        Typical ln spend, which locations are centred on.
    """
    lay = layout_of(table, n_models, ln_spend_centre)
    x = prior_vectors(lay, n_draws, rng)
    n, tasks, evals = len(lay), len(table), len(table.evals)
    v = np.zeros((n_draws, lay.derived[OUTCOMES[-1]] + tasks))
    v[:, :n] = scaled(lay, x)
    _centre(lay, x, v)
    slope = v[:, lay.derived["slope"]]
    v[:, lay.derived["minutes"]] = slope * x[:, lay.at("minutes_mean")]
    effect = _own(lay, v, "task_effect")
    spend = x[:, [lay.at("spend_by_effect")]] * effect + _own(lay, v, "task_spend")
    for name, value in (
        ("effect", effect),
        ("success", spend),
        ("gave_up", x[:, [lay.at("gave_up_loading")]] * spend),
    ):
        v[:, lay.derived[name] : lay.derived[name] + tasks] = value
    columns, weights, constant = predictors(lay).arrays()
    p = np.broadcast_to(constant, (n_draws, len(constant))).copy()
    for c in range(columns.shape[1]):
        p += weights[:, c] * v[:, columns[:, c]]
    sizes = [evals * n_models, n_models, n_models, tasks, *[evals * n_models] * 2]
    sizes += [tasks, tasks, evals, evals]
    level, ln_slope, length, difficulty, at0, at1, shift0, shift1, scale0, scale1 = np.split(
        p, np.cumsum(sizes)[:-1], axis=1
    )
    i = table.eval_of[task]
    cell = i * n_models + model
    reach = level[:, cell] + length[:, model] * table.within[task] - difficulty[:, task]
    return Curves(
        np.exp(ln_slope[:, model]) * reach,
        at0[:, cell] + shift0[:, task],
        np.exp(scale0[:, i]),
        at1[:, cell] + shift1[:, task],
        np.exp(scale1[:, i]),
    )


def _own(lay: Layout, v: Array, name: str) -> Array:
    """Effects of the tasks of an eval, taken from their mean."""
    start, stop, _ = lay.spans[name]
    value, of = v[:, start:stop], lay.table.eval_of
    member = np.eye(len(lay.table.evals))[of]
    middle: Array = (value @ member) / member.sum(axis=0)
    return value - middle[:, of]
