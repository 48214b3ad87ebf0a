"""Log-likelihood of one AI model's runs and its derivatives, task effects integrated out.

For a draw of the history and parameters of the AI model, the runs of a task have likelihood
Σ_k w[k] Π_runs L(run | ε[k]) over the nodes of the task's effect. Local parameters of an eval are
level, ln of the slope, ψ, and the locations of ln spend of success and of giving up. Compiled by
numba, as this is nearly all the time of an inference.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

N_LOCAL = 5  # level, ln slope, length slope, location of success, location of giving up
_LN_2PI = math.log(2.0 * math.pi)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _log_survival(z: float) -> float:
    """Return ln(1 − Φ(z)), by the continued fraction of the Mills ratio far out."""
    if z < 5.0:
        return math.log(0.5 * math.erfc(z / math.sqrt(2.0)))
    fraction = z
    for k in range(12, 0, -1):
        fraction = z + k / fraction
    return -0.5 * z * z - 0.5 * _LN_2PI - math.log(fraction)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _hazard(z: float, log_survival: float) -> float:
    """Density over survival of a standard normal."""
    return math.exp(-0.5 * z * z - 0.5 * _LN_2PI - log_survival)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _log_expit(x: float) -> float:
    return -math.log1p(math.exp(-x)) if x > 0.0 else x - math.log1p(math.exp(x))


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _run(
    kind: int,
    ln: float,
    logit: float,
    at: tuple[float, float],
    scale: tuple[float, float],
    g: Array,
    h: Array,
) -> float:
    """One run: log-likelihood; first derivatives g and second h in (logit, μ, μ') are added to."""
    a = 1.0 / (1.0 + math.exp(-logit))
    if kind == 0 or kind == 1:
        s = scale[kind]
        z = (ln - at[kind]) / s
        g[0] += 1.0 - a if kind == 0 else -a
        h[0, 0] -= a * (1.0 - a)
        g[1 + kind] += z / s
        h[1 + kind, 1 + kind] -= 1.0 / (s * s)
        own: float = _log_expit(logit) if kind == 0 else _log_expit(-logit)
        return own - 0.5 * z * z - math.log(s) - 0.5 * _LN_2PI
    z0 = (ln - at[0]) / scale[0]
    if kind == 3:  # success within the cap: ln A + ln F
        log_within: float = _log_survival(-z0)
        rate = _hazard(-z0, log_within)  # −d ln F/dz is −rate; in μ: −rate/σ
        g[0] += 1.0 - a
        h[0, 0] -= a * (1.0 - a)
        g[1] -= rate / scale[0]
        h[1, 1] -= rate * (rate + z0) / (scale[0] * scale[0])
        won: float = _log_expit(logit) + log_within
        return won
    # Stopped: A(1 − F) + (1 − A)(1 − H); beyond a cap: H is 0, as giving up may be at any spend.
    log0 = _log_survival(z0)
    first: float = _log_expit(logit) + log0
    rate0 = _hazard(z0, log0)
    log1, rate1, z1 = 0.0, 0.0, 0.0
    if kind == 2:
        z1 = (ln - at[1]) / scale[1]
        log1 = _log_survival(z1)
        rate1 = _hazard(z1, log1)
    second: float = _log_expit(-logit) + log1
    top = max(first, second)
    total = top + math.log(math.exp(first - top) + math.exp(second - top))
    p = math.exp(first - total)
    q = p * (1.0 - p)
    r0, r1 = rate0 / scale[0], rate1 / scale[1]
    g[0] += p - a
    g[1] += p * r0
    g[2] += (1.0 - p) * r1
    h[0, 0] += q - a * (1.0 - a)
    h[1, 1] += q * r0 * r0 - p * rate0 * (rate0 - z0) / (scale[0] * scale[0])
    h[2, 2] += q * r1 * r1 - (1.0 - p) * rate1 * (rate1 - z1) / (scale[1] * scale[1])
    h[0, 1] += q * r0
    h[0, 2] -= q * r1
    h[1, 2] -= q * r0 * r1
    return total


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def evaluate(
    of: Index,
    local: Array,
    task: Index,
    start: Index,
    kind: Index,
    ln: Array,
    eval_of: Index,
    within: Array,
    difficulty: Array,
    node: Array,
    log_weight: Array,
    spend: Array,
    scale: Array,
    derivatives: bool,
    posterior: bool,
) -> tuple[Array, Array, Array, Array]:
    """Evaluate every row of parameters against all runs.

    Parameters
    ----------
    of
        Draw of the history of every row, of shape (n_rows,).
    local
        Local parameters, of shape (n_rows, n_evals, 5).
    task, start
        Tasks run, and where the runs of each begin and end among `kind` and `ln` (one longer).
    eval_of, within
        Of every task of the table: its eval, and log2 human minutes about the eval's level.
    difficulty
        Of the history's draws and tasks, about the eval's and without the effect, (n, n_tasks).
    node, log_weight
        Nodes and log weights of the tasks' effects, (n, n_tasks, n_nodes).
    spend, scale
        What a task adds to the locations of ln spend, and the scales, at every node of its effect,
        (n, n_tasks, n_nodes, 2), for success and giving up.
    derivatives, posterior
        Whether to work out derivatives, and log weights of the nodes given these runs.

    Returns
    -------
    tuple
        Log-likelihood (n_rows,); first and second derivatives in the local parameters,
        (n_rows, n_evals, 5) and (…, 5, 5); log weights of the nodes, (n_rows, tasks run, n_nodes).
    """
    n_rows, n_evals, n_nodes = len(of), local.shape[1], node.shape[2]
    value = np.zeros(n_rows)
    size = n_rows if derivatives else 0
    first = np.zeros((size, n_evals, 5))
    second = np.zeros((size, n_evals, 5, 5))
    weights = np.zeros((n_rows if posterior else 0, len(task), n_nodes))
    log_node = np.zeros(n_nodes)
    node_g = np.zeros((n_nodes, 5))
    node_h = np.zeros((n_nodes, 5, 5))
    g = np.zeros(3)
    h = np.zeros((3, 3))
    mean_g = np.zeros(5)
    for row in range(n_rows):
        d = of[row]
        for t in range(len(task)):
            j = task[t]
            i = eval_of[j]
            slope = math.exp(local[row, i, 1])
            x = within[j]
            for k in range(n_nodes):
                reach = local[row, i, 0] + local[row, i, 2] * x - difficulty[d, j] - node[d, j, k]
                logit = slope * reach
                at = (local[row, i, 3] + spend[d, j, k, 0], local[row, i, 4] + spend[d, j, k, 1])
                sd = (scale[d, j, k, 0], scale[d, j, k, 1])
                g[:] = 0.0
                h[:] = 0.0
                total = log_weight[d, j, k]
                for r in range(start[t], start[t + 1]):
                    total += _run(kind[r], ln[r], logit, at, sd, g, h)
                log_node[k] = total
                if derivatives:
                    # dη: a in level, η in ln a, a·x in ψ; d²η: a, a·x and η beside ln a
                    e0, e1, e2 = slope, logit, slope * x
                    node_g[k, 0], node_g[k, 1], node_g[k, 2] = g[0] * e0, g[0] * e1, g[0] * e2
                    node_g[k, 3], node_g[k, 4] = g[1], g[2]
                    b = node_h[k]
                    b[0, 0], b[0, 1], b[0, 2] = (
                        h[0, 0] * e0 * e0,
                        h[0, 0] * e0 * e1,
                        h[0, 0] * e0 * e2,
                    )
                    b[1, 1], b[1, 2], b[2, 2] = (
                        h[0, 0] * e1 * e1,
                        h[0, 0] * e1 * e2,
                        h[0, 0] * e2 * e2,
                    )
                    b[0, 1] += g[0] * e0
                    b[1, 1] += g[0] * e1
                    b[1, 2] += g[0] * e2
                    b[0, 3], b[1, 3], b[2, 3] = h[0, 1] * e0, h[0, 1] * e1, h[0, 1] * e2
                    b[0, 4], b[1, 4], b[2, 4] = h[0, 2] * e0, h[0, 2] * e1, h[0, 2] * e2
                    b[3, 3], b[3, 4], b[4, 4] = h[1, 1], h[1, 2], h[2, 2]
            top = log_node.max()
            total = 0.0
            for k in range(n_nodes):
                total += math.exp(log_node[k] - top)
            total = top + math.log(total)
            value[row] += total
            if posterior:
                for k in range(n_nodes):
                    weights[row, t, k] = log_node[k] - total
            if derivatives:
                mean_g[:] = 0.0
                for k in range(n_nodes):
                    w = math.exp(log_node[k] - total)
                    for c in range(5):
                        mean_g[c] += w * node_g[k, c]
                        for e in range(c, 5):
                            second[row, i, c, e] += w * (
                                node_h[k, c, e] + node_g[k, c] * node_g[k, e]
                            )
                for c in range(5):
                    first[row, i, c] += mean_g[c]
                    for e in range(c, 5):
                        second[row, i, c, e] -= mean_g[c] * mean_g[e]
        if derivatives:
            for i in range(n_evals):
                for c in range(5):
                    for e in range(c):
                        second[row, i, c, e] = second[row, i, e, c]
    return value, first, second, weights
