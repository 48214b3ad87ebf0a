"""Posterior of every task's effects given one draw of all else: nodes, weights and spend.

Given the rest tasks are independent, and each has two unknowns: the effect ε on difficulty and the
effect σ on ln spend. Both are found by Newton steps; ε is then kept as Gauss–Hermite nodes about
its mode, weighted by posterior over normal, each with σ's conditional mean and sd by a rule of
their own about its mode.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from evalbayes.tasks.kernel import _run

Array = NDArray[np.float64]
Index = NDArray[np.int64]

NODES, SPEND_NODES = 5, 7
STEPS = 25


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _joint(
    effect: float,
    spend: float,
    first: int,
    last: int,
    rows: tuple[Index, Index, Array],
    task: tuple[int, float, float],
    local: Array,
    within: Array,
    of_spend: tuple[float, float],
    scale: Array,
    sd: tuple[float, float],
    out: Array,
) -> float:
    """Log joint density at (ε, σ); gradient (2) and second derivatives (3) are put into `out`.

    `rows` are AI model, kind and ln of the runs, `task` its eval, w and difficulty, `of_spend` φ
    and ρ, `sd` τ and ν.
    """
    model, kind, ln = rows
    i, w, difficulty = task
    by_effect, loading = of_spend
    own = spend - by_effect * effect
    t2, n2 = sd[0] * sd[0], sd[1] * sd[1]
    value = -0.5 * effect * effect / t2 - 0.5 * own * own / n2
    out[0] = -effect / t2 + by_effect * own / n2
    out[1] = -own / n2
    out[2] = -1.0 / t2 - by_effect * by_effect / n2
    out[3] = by_effect / n2
    out[4] = -1.0 / n2
    g, h = np.zeros(3), np.zeros((3, 3))
    scales = (scale[i, 0], scale[i, 1])
    for r in range(first, last):
        m = model[r]
        slope = math.exp(local[m, i, 1])
        reach = local[m, i, 0] + local[m, i, 2] * w - difficulty - effect
        at = (
            local[m, i, 3] + within[0] * w + spend,
            local[m, i, 4] + within[1] * w + loading * spend,
        )
        g[:] = 0.0
        h[:] = 0.0
        value += _run(kind[r], ln[r], slope * reach, at, scales, g, h)
        out[0] -= slope * g[0]
        out[1] += g[1] + loading * g[2]
        out[2] += slope * slope * h[0, 0]
        out[3] -= slope * (h[0, 1] + loading * h[0, 2])
        out[4] += h[1, 1] + 2.0 * loading * h[1, 2] + loading * loading * h[2, 2]
    return value


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def posterior(
    start: Index,
    model: Index,
    kind: Index,
    ln: Array,
    eval_of: Index,
    w: Array,
    difficulty: Array,
    local: Array,
    within: Array,
    by_effect: float,
    loading: float,
    scale: Array,
    task_sd: Array,
    spend_sd: Array,
    z: Array,
    log_w: Array,
    z_s: Array,
    log_w_s: Array,
) -> tuple[Array, Array, Array, Array]:
    """Nodes of ε, log weights, and mean and sd of σ at each, all (n_tasks, n_nodes).

    Runs are sorted by task, those of task j from start[j] to start[j + 1]; everything else is of
    one draw of the history.
    """
    tasks, nodes, nodes_s = len(eval_of), len(z), len(z_s)
    node, log_weight = np.empty((tasks, nodes)), np.empty((tasks, nodes))
    mean, spread = np.empty((tasks, nodes)), np.empty((tasks, nodes))
    out, trial = np.zeros(5), np.zeros(5)
    rows = (model, kind, ln)
    of_spend = (by_effect, loading)
    for j in range(tasks):
        i = eval_of[j]
        task = (i, w[j], difficulty[j])
        sd = (task_sd[i], spend_sd[i])
        a, b = start[j], start[j + 1]
        e, s = 0.0, 0.0
        value = _joint(e, s, a, b, rows, task, local, within, of_spend, scale, sd, out)
        floor_e, floor_s = 0.2 / sd[0] ** 2, 0.2 / sd[1] ** 2
        for _ in range(STEPS):
            # Minus the second derivatives, made positive where mixtures bend them the wrong way.
            pe, ps, pc = max(-out[2], floor_e), max(-out[4], floor_s), -out[3]
            if pe * ps - pc * pc < 0.05 * pe * ps:
                pc = 0.0
            det = pe * ps - pc * pc
            de, ds = (ps * out[0] - pc * out[1]) / det, (pe * out[1] - pc * out[0]) / det
            gain = de * out[0] + ds * out[1]
            if gain < 1e-6:
                break
            step, new = 1.0, -math.inf
            for _ in range(12):
                new = _joint(
                    e + step * de, s + step * ds, a, b, rows, task, local, within, of_spend, scale,
                    sd, trial,
                )  # fmt: skip
                if new >= value:
                    break
                step *= 0.5
            if new < value:
                break
            e, s, value = e + step * de, s + step * ds, new
            out[:] = trial
        pe, ps, pc = max(-out[2], floor_e), max(-out[4], floor_s), -out[3]
        if pe * ps - pc * pc < 0.05 * pe * ps:
            pc = 0.0
        sd_e = math.sqrt(ps / (pe * ps - pc * pc))
        top = -math.inf
        for k in range(nodes):
            at = e + sd_e * z[k]
            here = s - pc / ps * (at - e)
            for _ in range(4):
                value = _joint(at, here, a, b, rows, task, local, within, of_spend, scale, sd, out)
                curvature = max(-out[4], floor_s)
                if abs(out[1]) < 1e-3 * math.sqrt(curvature):
                    break
                here += max(min(out[1] / curvature, 2.0 * sd[1]), -2.0 * sd[1])
            value = _joint(at, here, a, b, rows, task, local, within, of_spend, scale, sd, out)
            sd_s = 1.0 / math.sqrt(max(-out[4], floor_s))
            # σ's conditional law leans to the right where runs were stopped: its mode is no mean.
            mass, first, second = 0.0, 0.0, 0.0
            for q in range(nodes_s):
                off = sd_s * z_s[q]
                other = _joint(
                    at, here + off, a, b, rows, task, local, within, of_spend, scale, sd, out
                )
                share = math.exp(log_w_s[q] + other - value + 0.5 * z_s[q] ** 2)
                mass += share
                first += share * off
                second += share * off * off
            first /= mass
            node[j, k] = at
            mean[j, k] = here + first
            spread[j, k] = math.sqrt(max(second / mass - first * first, 0.0))
            log_weight[j, k] = log_w[k] + value + math.log(mass * sd_s) + 0.5 * z[k] ** 2
            top = max(top, log_weight[j, k])
        total = 0.0
        for k in range(nodes):
            total += math.exp(log_weight[j, k] - top)
        for k in range(nodes):
            log_weight[j, k] -= top + math.log(total)
    return node, log_weight, mean, spread


def hermite(n_nodes: int = NODES) -> tuple[Array, Array]:
    """Nodes and log weights of a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n_nodes)
    return nodes, np.log(weights / weights.sum())


def effects_of(start: Index, rows: tuple[Any, ...], draws: list[tuple[Any, ...]]) -> list[Array]:
    """Nodes, log weights, mean and sd of the spend effect for every draw, (n, n_tasks, n_nodes)."""
    rules = (*hermite(), *hermite(SPEND_NODES))
    found = [posterior(start, *rows, *draw, *rules) for draw in draws]
    return [np.stack([each[k] for each in found]) for k in range(4)]
