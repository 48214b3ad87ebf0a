"""The PyMC model of tasks.

logit A[j,m] = a[m]·(θ[m] + u[i,m] + ψ[m]·x[j] − b[j]), b[j] = β[i] + λ[i]·w[j] + ε[j],
ε ~ N(0, τ[i]²), with x and w log2 human minutes about the centre and about the eval's level. ln T
of a success is normal about location[i,m] + c·w[j] + φ·ε[j], of giving up likewise. The mean
departures of difficulty and of location over evals are 0, which fixes where θ and speed lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.model.layout import Layout
from evalbayes.model.sampling import pm, pt
from evalbayes.tasks.layout import Sizes, base_layout, effects_layout, mean_entries
from evalbayes.tasks.likelihood import RunsLogLikelihood
from evalbayes.tasks.predictors import cell_means, predictors
from evalbayes.tasks.runs import TaskRuns
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Graph:
    """A PyMC model of given sizes; its data, by the names of `data_of`, may be exchanged."""

    model: Any
    base: Layout
    effects: Layout


def data_of(
    table: TaskTable,
    runs: TaskRuns,
    model: NDArray[np.int64],
    n_models: int,
    ln_spend_centre: float,
) -> dict[str, NDArray[Any]]:
    """Everything the graph reads, by name."""
    sizes = Sizes(len(table.evals), len(table), n_models)
    base = base_layout(sizes)
    effects = effects_layout(base, sizes)
    return {
        **cell_means(base, effects, table, n_models, ln_spend_centre).arrays("cell"),
        **predictors(base, effects, table, n_models).arrays("predictor"),
        "task": runs.task,
        "model": model,
        "kind": runs.kind,
        "ln": runs.ln,
        "eval_of": table.eval_of,
        "length": table.length,
    }


def build(sizes: Sizes, data: Mapping[str, NDArray[Any]]) -> Graph:
    """Return the model of these sizes."""
    base = base_layout(sizes)
    effects = effects_layout(base, sizes)
    entry, weight = mean_entries(base, effects)
    cells = sizes.evals * sizes.models
    relative = np.kron(np.eye(2), np.eye(sizes.evals) - 1.0 / sizes.evals)
    departure, task = effects.at("difficulty_departure"), base.at("task_offset")
    spreads = np.repeat([base.at("cell_spread"), base.at("gave_up_cell_spread")], cells)
    with pm.Model(check_bounds=False) as model:  # every sd is an exponential
        given = {name: pm.Data(name, value) for name, value in data.items()}
        x = pm.Normal("base", mu=np.array(base.mean), sigma=np.array(base.sd))
        scaled = x * _sd_of(base, x)
        mean = np.array(weight) * x[np.array(entry)]
        y = pm.Normal("effects", mu=mean, sigma=_sd_of(effects, x))
        measured = pt.dot(relative, y[departure : departure + 2 * sizes.evals])
        known = pt.concatenate([scaled, y, measured])
        z = pm.Normal("cells", mu=_sums(known, given, "cell"), sigma=pt.exp(x[spreads]))
        ln_task_sd = (
            x[base.at("task_sd_mean")] + scaled[base.at("task_sd_offset") + given["eval_of"]]
        )
        effect = x[task : task + sizes.tasks] * pt.exp(ln_task_sd)
        by_effect = [x[base.at(f"{name}_by_effect")] * effect for name in ("success", "gave_up")]
        p = _sums(pt.concatenate([known, z, effect, *by_effect]), given, "predictor")
        runs = [given[name] for name in ("task", "model", "kind", "ln", "eval_of", "length")]
        numbers = np.array([sizes.evals, sizes.tasks, sizes.models])
        value, _ = RunsLogLikelihood()(p, numbers, *runs)
        pm.Potential("runs", value)
    return Graph(model, base, effects)


def _sd_of(layout: Layout, x: Any) -> Any:
    """Return standard deviations of a layout's entries, 1 where they have none of their own."""
    entry = np.array(layout.sd_entry)
    return pt.exp((entry >= 0) * x[np.maximum(entry, 0)])


def _sums(vector: Any, data: Mapping[str, Any], name: str) -> Any:
    columns = data[f"{name}_columns"]
    gathered = vector[columns.reshape((-1,))].reshape(columns.shape)
    return (gathered * data[f"{name}_weights"]).sum(axis=1) + data[f"{name}_constant"]
