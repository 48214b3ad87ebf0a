"""Draws from the task-level model's prior, and the curves of runs that follow from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalbayes.model.likelihood import Curves
from evalbayes.tasks.layout import Layout, layout_of, predictors
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def prior_vectors(lay: Layout, n_draws: int, rng: np.random.Generator) -> Array:
    """Draw the sampler's vector from its prior, entry after entry, of shape (n_draws, n)."""
    columns, weights, constant = lay.means.arrays()
    x = np.zeros((n_draws, len(lay)))
    for start, stop, _ in lay.spans.values():
        v = entries(lay, x)  # what this quantity leans on is drawn; what is not counts for nothing
        scale = np.concatenate([x, lay.task_scales(x)[0]], axis=1)
        for k in range(start, stop):
            own = weights[k] != 0
            mean = constant[k] + v[:, columns[k][own]] @ weights[k][own]
            ln_sd = lay.ln_sd[k] + np.zeros(n_draws)
            if lay.sd_entry[k] >= 0:
                ln_sd += lay.sd_weight[k] * scale[:, lay.sd_entry[k]]
            x[:, k] = mean + np.exp(ln_sd) * rng.standard_normal(n_draws)
            if lay.stretch[k] >= 0:
                x[:, k] /= np.exp(scale[:, lay.stretch[k]])
    return x


def entries(lay: Layout, x: Array) -> Array:
    """Return v, the entries and what is derived from them, as `density.log_density` has it."""
    n, derived, tasks = len(lay), lay.derived, len(lay.table)
    v = np.zeros((len(x), max(derived.values()) + tasks))
    v[:, :n] = lay.quantities(x)

    def part(name: str) -> Array:
        start, stop, _ = lay.spans[name]
        return v[:, start:stop]

    slope = np.exp(part("slope_mean"))
    per_spend = lay.task_scales(x)[1][:, lay.table.eval_of]
    effect = _from_mean(lay, part("task_effect") + per_spend * part("task_spend"))
    spend = _from_mean(lay, part("task_spend"))
    for name, value in (
        ("difficulty", part("difficulty") - part("difficulty").mean(axis=1, keepdims=True)),
        ("place", part("eval_location") - part("eval_location").mean(axis=1, keepdims=True)),
        ("slope", slope),
        ("minutes", slope * part("minutes_mean")),
        ("effect", effect),
        ("success", spend),
        ("gave_up", part("gave_up_loading") * spend),
    ):
        v[:, derived[name] : derived[name] + value.shape[1]] = value
    return v


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
    v = entries(lay, prior_vectors(lay, n_draws, rng))
    tasks, evals = len(table), len(table.evals)
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


def _from_mean(lay: Layout, value: Array) -> Array:
    """Return effects of tasks, taken from the mean of their eval's."""
    of = lay.table.eval_of
    member = np.eye(len(lay.table.evals))[of]
    middle: Array = (value @ member) / member.sum(axis=0)
    return value - middle[:, of]
