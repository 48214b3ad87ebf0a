"""Posterior of every task's effect, as nodes and weights, given one draw of all else.

Given the rest tasks are independent, so each effect's posterior is one-dimensional: worked out on
a grid, then kept as Gauss–Hermite nodes about its mean, weighted by posterior over normal.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from evalbayes.tasks.kernel import _run
from evalbayes.tasks.runs import TaskRuns

Array = NDArray[np.float64]
Index = NDArray[np.int64]

GRID = np.linspace(-4.5, 4.5, 37)  # in sds of the prior
NODES = 5


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _on_grid(
    task: Index,
    model: Index,
    kind: Index,
    ln: Array,
    eval_of: Index,
    length: Array,
    difficulty: Array,
    shift: Array,
    by_effect: Array,
    scale: Array,
    local: Array,
    task_sd: Array,
    grid: Array,
) -> Array:
    """Log-likelihood of all runs of every task at every point of the grid, one draw."""
    found = np.zeros((len(eval_of), len(grid)))
    g, h = np.zeros(3), np.zeros((3, 3))
    for r in range(len(task)):
        j, m = task[r], model[r]
        i = eval_of[j]
        own = local[m, i]
        slope = np.exp(own[1])
        reach = own[0] + own[2] * length[j] - difficulty[j]
        sd = (scale[i, 0], scale[i, 1])
        for k in range(len(grid)):
            effect = task_sd[i] * grid[k]
            at = (
                own[3] + shift[j, 0] + by_effect[0] * effect,
                own[4] + shift[j, 1] + by_effect[1] * effect,
            )
            found[j, k] += _run(kind[r], ln[r], slope * (reach - effect), at, sd, g, h)
    return found


def hermite(n_nodes: int = NODES) -> tuple[Array, Array]:
    """Nodes and log weights of a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n_nodes)
    return nodes, np.log(weights / weights.sum())


def nodes_of(runs: TaskRuns, model: Index, draw: dict[str, Any]) -> tuple[Array, Array]:
    """Nodes and log weights of every task's effect, (n_tasks, n_nodes), for one draw.

    Parameters
    ----------
    runs, model
        The history's runs and the AI model of each.
    draw
        The arguments of `_on_grid` after the runs, by name, but for the grid.
    """
    likelihood = _on_grid(runs.task, model, runs.kind, runs.ln, **draw, grid=GRID)
    sd = draw["task_sd"][draw["eval_of"]][:, None]
    density = likelihood - 0.5 * GRID**2
    p = np.exp(density - density.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    mean = p @ GRID
    spread = np.sqrt(np.maximum((p * (GRID - mean[:, None]) ** 2).sum(axis=1), 1e-4))
    z, log_w = hermite()
    at = mean[:, None] + spread[:, None] * z
    # posterior over normal at the nodes, the likelihood interpolated along the grid
    step = GRID[1] - GRID[0]
    place = np.clip((at - GRID[0]) / step, 0.0, len(GRID) - 1.000001)
    left = place.astype(int)
    rows = np.arange(len(at))[:, None]
    share = place - left
    along = likelihood[rows, left] * (1 - share) + likelihood[rows, left + 1] * share
    log_weight = log_w + along - 0.5 * at**2 + 0.5 * z**2
    log_weight -= np.logaddexp.reduce(log_weight, axis=1)[:, None]
    return sd * at, log_weight
