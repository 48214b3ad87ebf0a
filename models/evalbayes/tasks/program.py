"""The compiled model: made once for given numbers of evals, tasks and AI models, then reused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.model import sampling
from evalbayes.tasks import graph
from evalbayes.tasks.layout import layout_of
from evalbayes.tasks.runs import TaskRuns
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]

_programs: dict[tuple[int, int, int], Any] = {}


def sampled(
    table: TaskTable,
    runs: TaskRuns,
    model: NDArray[np.int64],
    n_models: int,
    ln_spend_centre: float,
    *,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    progress: bool = False,
) -> tuple[dict[str, Array], int]:
    """Draws by name, of shape (chains, draws, ...), and the number of divergences."""
    number = np.bincount(table.eval_of[runs.task], minlength=len(table.evals))
    per_task = number / np.bincount(table.eval_of, minlength=len(table.evals))
    lay = layout_of(table, n_models, ln_spend_centre, per_task)
    data = graph.data_of(lay, runs, model)
    key = (len(table.evals), len(table), n_models)
    if key not in _programs:
        _programs[key] = sampling.compiled(graph.build(lay, data))
    result = sampling.sample(
        _programs[key].with_data(**data),
        seed=seed,
        draws=draws,
        tune=tune,
        chains=chains,
        progress=progress,
        correlated=True,
    )
    return lay.draws(result.draws["x"]), result.divergences
