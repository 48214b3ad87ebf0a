"""Histories and runs drawn from the task-level model's own prior, with their truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from evalbayes.tasks import Forecast, TaskHistory
from evalbayes.tasks.layout import layout_of
from evalbayes.tasks.prior import prior_vectors
from evalbayes.tasks.runs import TaskRuns
from evalbayes.tasks.table import TaskTable, table_of

Array = NDArray[np.float64]


def tasks(n_evals: int = 3, n_tasks: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = [
        {"eval": f"e{i}", "task": f"t{j}", "human_minutes": float(np.exp(rng.normal(2 + i, 1)))}
        for i in range(n_evals)
        for j in range(n_tasks)
    ]
    return pd.DataFrame(rows)


def history(n_draws: int = 24, n_models: int = 3, seed: int = 0) -> TaskHistory:
    """Make a history that has learned nothing: its draws are the prior's, and it has no runs."""
    table = table_of(tasks())
    lay = layout_of(table, n_models, 10.0)
    x = prior_vectors(lay, n_draws, np.random.default_rng(seed))
    nothing = TaskRuns(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    named = lay.draws(x[None])
    names = tuple(f"m{k}" for k in range(n_models))
    return TaskHistory._assembled(
        table, names, nothing, np.zeros(0, np.int64), named, 0, n_draws, {"seed": seed}
    )


def runs_of(
    forecast: Forecast,
    row: int,
    chosen: NDArray[np.int64],
    cap: float,
    rng: np.random.Generator,
    effects: Array | None = None,
) -> pd.DataFrame:
    """One run of each of some tasks by an AI model; task effects in sds, else drawn."""
    known, d = forecast.known, int(forecast.of[row])
    table: TaskTable = known.table
    draws = known.draws
    i = table.eval_of[chosen]
    local = forecast.local[row, i]
    w = table.within[chosen]
    z = rng.standard_normal((2, len(chosen))) if effects is None else effects
    effect = draws["task_sd"][d, i] * z[0]
    spend = draws["by_effect"][d] * effect + draws["task_spend_sd"][d, i] * z[1]
    logit = np.exp(local[:, 1]) * (
        local[:, 0] + local[:, 2] * w - draws["minutes"][d, i] * w - effect
    )
    solves = rng.random(len(chosen)) < expit(logit)
    kind = np.where(solves, 0, 1)
    factor = np.where(solves, 1.0, draws["loading"][d])
    location = local[np.arange(len(chosen)), 3 + kind] + draws["within"][d, kind] * w
    ln = rng.normal(location + factor * spend, draws["scale"][d, i, kind])
    frame: dict[str, Any] = {
        "eval": [table.evals[k] for k in i],
        "task": [table.names[j] for j in chosen],
        "outcome": np.where(
            ln > np.log(cap), "stopped_by_cap", np.where(solves, "success", "gave_up")
        ),
        "spend": np.minimum(np.exp(ln), cap),
        "cap": cap,
    }
    return pd.DataFrame(frame)
