"""Success and spend of tasks under a cap, task effects integrated out. Compiled by numba."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from evalbayes.tasks.effects import SPEND_NODES, hermite
from evalbayes.tasks.kernel import _log_expit, _log_survival

Array = NDArray[np.float64]
Index = NDArray[np.int64]

Z, LOG_W = hermite(SPEND_NODES)


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
def _going_on(
    logit: float,
    ln_passed: float,
    ln_cap: float,
    at: tuple[float, float],
    scale: tuple[float, float],
) -> float:
    """A·(F(c) − F(t))/(A·(1 − F(t)) + (1 − A)(1 − H(t))), in logs."""
    log0 = _log_expit(logit) + _log_survival((ln_passed - at[0]) / scale[0])
    log1 = _log_expit(-logit) + _log_survival((ln_passed - at[1]) / scale[1])
    top = max(log0, log1)
    still = top + math.log(math.exp(log0 - top) + math.exp(log1 - top))
    beyond = _log_expit(logit) + _log_survival((ln_cap - at[0]) / scale[0])
    found: float = max(math.exp(log0 - still) - math.exp(beyond - still), 0.0)
    return found


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def predict(
    of: Index,
    local: Array,
    tasks: Index,
    ln_cap: Array,
    ln_passed: Array,
    log_weight: Array,
    shared: Array,
    learned: bool,
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
    shared
        sd, inside `scale`, of what all runs of a task share at a node, (n, n_tasks, n_nodes, 2).
    learned
        Whether spends at the nodes have learned from the run that goes on.

    Returns
    -------
    tuple
        (n_rows, len(tasks)) each. Of a run that goes on still, success is
        A·(F(c) − F(t))/(A·(1 − F(t)) + (1 − A)(1 − H(t))), and spend that under the cap of a
        fresh run. Where spends at the nodes have learned that it was going on at t, this is
        averaged over what is left unknown of the task's spend: numerator and denominator apart
        would have the run count twice.
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
                if ln_passed[t] == -math.inf:
                    solved = a * _below((ln_cap[t] - at0) / s0)
                elif not learned:
                    solved = _going_on(logit, ln_passed[t], ln_cap[t], (at0, at1), (s0, s1))
                else:
                    v0, v1 = shared[d, j, k, 0], shared[d, j, k, 1]
                    own = (math.sqrt(s0 * s0 - v0 * v0), math.sqrt(s1 * s1 - v1 * v1))
                    solved = 0.0
                    for q in range(len(Z)):
                        moved = (at0 + Z[q] * v0, at1 + Z[q] * v1)
                        solved += math.exp(LOG_W[q]) * _going_on(
                            logit, ln_passed[t], ln_cap[t], moved, own
                        )
                success[row, t] += w * solved
                expected[row, t] += w * (
                    a * _limited_mean(ln_cap[t], at0, s0)
                    + (1.0 - a) * _limited_mean(ln_cap[t], at1, s1)
                )
    return success, expected
