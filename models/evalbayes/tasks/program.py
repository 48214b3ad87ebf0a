"""The compiled model: made once for given numbers of evals, tasks and AI models, then reused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.model import sampling
from evalbayes.tasks import graph
from evalbayes.tasks.layout import Sizes
from evalbayes.tasks.runs import TaskRuns
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]

_programs: dict[Sizes, tuple[graph.Graph, Any]] = {}


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
    sizes = Sizes(len(table.evals), len(table), n_models)
    data = graph.data_of(table, runs, model, n_models, ln_spend_centre)
    if sizes not in _programs:
        made = graph.build(sizes, data)
        _programs[sizes] = made, sampling.compiled(made.model)
    made, program = _programs[sizes]
    result = sampling.sample(
        program.with_data(**data),
        seed=seed,
        draws=draws,
        tune=tune,
        chains=chains,
        progress=progress,
    )
    base, effects = result.draws["base"], result.draws["effects"]
    named = {**made.base.named(made.base.scaled(base)), **made.effects.named(effects)}
    # `scaled` leaves logarithms alone; `named` turns them into the quantities.
    cells = result.draws["cells"].reshape(*base.shape[:2], 2, sizes.evals, sizes.models)
    named["location"] = cells.transpose(0, 1, 3, 4, 2)
    return named, result.divergences
