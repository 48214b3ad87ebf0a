"""Success and spend of tasks under a cap, task effects integrated out. Compiled by numba."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from evalbayes.tasks.kernel import _log_expit, _log_survival

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _below(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _limited_mean(ln_cap: float, location: float, scale: float) -> float:
    """E[min(T, c)] of a lognormal, both terms in logs."""
    z = (ln_cap - location) / scale
    ended = location + 0.5 * scale * scale + _log_survival(scale - z)
    return math.exp(ended) + math.exp(ln_cap + _log_survival(z))


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def predict(
    of: Index,
    local: Array,
    tasks: Index,
    ln_cap: Array,
    ln_passed: Array,
    log_weight: Array,
    eval_of: Index,
    within: Array,
    difficulty: Array,
    node: Array,
    spend: Array,
    scale: Array,
) -> tuple[Array, Array]:
    """Probability of success within the cap and expected spend under it.

    Parameters
    ----------
    of, local
        Draw of the history of every row; local parameters, (n_rows, n_evals, 5).
    tasks, ln_cap
        Tasks, and ln cap of each.
    ln_passed
        ln spend at which the run is known to be going on still; −inf for a fresh run.
    log_weight
        Log weights of the nodes, (n_rows, len(tasks), n_nodes); given what is known of the run.

    Returns
    -------
    tuple
        (n_rows, len(tasks)) each. Of a run that goes on still, success is
        A·(F(c) − F(t))/(A·(1 − F(t)) + (1 − A)(1 − H(t))), and spend that under the cap of a
        fresh run.
    """
    success = np.zeros((len(of), len(tasks)))
    expected = np.zeros((len(of), len(tasks)))
    for row in range(len(of)):
        d = of[row]
        for t in range(len(tasks)):
            j = tasks[t]
            i = eval_of[j]
            slope = math.exp(local[row, i, 1])
            reach = local[row, i, 0] + local[row, i, 2] * within[j] - difficulty[d, j]
            for k in range(node.shape[2]):
                w = math.exp(log_weight[row, t, k])
                logit = slope * (reach - node[d, j, k])
                a = math.exp(_log_expit(logit))
                at0, at1 = (
                    local[row, i, 3] + spend[d, j, k, 0],
                    local[row, i, 4] + spend[d, j, k, 1],
                )
                s0, s1 = scale[d, j, k, 0], scale[d, j, k, 1]
                solved = a * _below((ln_cap[t] - at0) / s0)
                if ln_passed[t] > -math.inf:
                    z0, z1 = (ln_passed[t] - at0) / s0, (ln_passed[t] - at1) / s1
                    log0 = _log_expit(logit) + _log_survival(z0)
                    log1 = _log_expit(-logit) + _log_survival(z1)
                    top = max(log0, log1)
                    still = top + math.log(math.exp(log0 - top) + math.exp(log1 - top))
                    beyond = _log_expit(logit) + _log_survival((ln_cap[t] - at0) / s0)
                    solved = max(math.exp(log0 - still) - math.exp(beyond - still), 0.0)
                success[row, t] += w * solved
                expected[row, t] += w * (
                    a * _limited_mean(ln_cap[t], at0, s0)
                    + (1.0 - a) * _limited_mean(ln_cap[t], at1, s1)
                )
    return success, expected
