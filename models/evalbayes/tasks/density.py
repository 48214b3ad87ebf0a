"""Log density of the task-level model and its gradient, in one loop compiled by numba."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from evalbayes.tasks.kernel import _run

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# Positions of what is multiplied with something else, in the array of that name below.
SLOPE_MEAN, MINUTES_MEAN, BY_EFFECT, LOADING = range(4)
DEPARTURE, LOCATION, EFFECT, SPEND, EFFECT_SD, SPEND_SD = range(4, 10)
FLATTENING = math.pi / 8.0  # a logit with a normal of variance τ² mixed in is √(1 + π τ²/8) flatter
HALF_LN_2PI = 0.5 * math.log(2.0 * math.pi)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def log_density(
    x: Array,
    sizes: Index,
    positions: Index,
    mean_columns: Index,
    mean_weights: Array,
    mean_constant: Array,
    ln_sd: Array,
    sd_entry: Index,
    sd_weight: Array,
    stretch: Index,
    columns: Index,
    weights: Array,
    constant: Array,
    eval_of: Index,
    within: Array,
    task: Index,
    model: Index,
    kind: Index,
    ln: Array,
) -> tuple[Array, Array]:
    """Log prior plus log likelihood of a vector laid out by `layout`, and the gradient.

    Parameters
    ----------
    sizes
        Numbers of evals, tasks and AI models.
    positions
        Entries of ln typical slope, typical λ, spend by effect and loading of giving up; first
        entries of difficulty departures, eval locations, task effects and their spend, and of ln
        sds of the two.
    mean_columns, mean_weights, mean_constant, ln_sd, sd_entry, sd_weight, stretch
        The prior, see `layout.Layout`.
    columns, weights, constant
        The predictors, see `layout.predictors`.
    eval_of, within, task, model, kind, ln
        Tasks and runs.
    """
    n, width = len(x), mean_columns.shape[1]
    evals, tasks, models = sizes[0], sizes[1], sizes[2]
    # Forward: v is the entries, then what is derived from them.
    derived = n + 2 * evals
    v = np.empty(derived + 2 + 3 * tasks)
    by_effect, loading = x[positions[BY_EFFECT]], x[positions[LOADING]]
    # Log sds: entries, then by eval that of a task's spend, and of its effect given its spend.
    log_scale = np.empty(n + 3 * evals)
    log_scale[:n] = x
    share, of_spend, per_variance = np.empty(evals), np.empty(evals), np.empty(evals)
    for i in range(evals):
        ln_effect, ln_spend = x[positions[EFFECT_SD] + i], x[positions[SPEND_SD] + i]
        variance = math.exp(2.0 * ln_effect)
        total = by_effect * by_effect * variance + math.exp(2.0 * ln_spend)
        per_variance[i] = variance / total
        of_spend[i] = by_effect * per_variance[i]
        share[i] = by_effect * of_spend[i]
        log_scale[n + i] = 0.5 * math.log(total)
        log_scale[n + evals + i] = ln_effect + ln_spend - log_scale[n + i]
        log_scale[n + 2 * evals + i] = 0.5 * math.log1p(FLATTENING * variance)
    y = x.copy()
    for k in range(n):
        if stretch[k] >= 0:
            y[k] *= math.exp(log_scale[stretch[k]])
        v[k] = y[k]
        if sd_weight[k] < 1.0:
            v[k] *= math.exp((1.0 - sd_weight[k]) * log_scale[sd_entry[k]])
    for b in range(2):
        first = positions[DEPARTURE + b]
        middle = x[first : first + evals].mean()
        for i in range(evals):
            v[n + b * evals + i] = x[first + i] - middle
    slope_mean = math.exp(x[positions[SLOPE_MEAN]])
    v[derived] = slope_mean
    v[derived + 1] = slope_mean * x[positions[MINUTES_MEAN]]
    # Effects of the tasks of an eval are taken from their mean, which its cells stand for.
    effect_at, spend_at = derived + 2, derived + 2 + tasks
    number = np.zeros(evals)
    middles = np.zeros((2, evals))
    for j in range(tasks):
        i = eval_of[j]
        number[i] += 1.0
        spend = v[positions[SPEND] + j]
        v[effect_at + j] = v[positions[EFFECT] + j] + of_spend[i] * spend
        middles[0, i] += v[effect_at + j]
        middles[1, i] += spend
    middles /= number
    for j in range(tasks):
        v[effect_at + j] -= middles[0, eval_of[j]]
        v[spend_at + j] = v[positions[SPEND] + j] - middles[1, eval_of[j]]
        v[spend_at + tasks + j] = loading * v[spend_at + j]
    p = constant.copy()
    for r in range(len(p)):
        for c in range(width):
            p[r] += weights[r, c] * v[columns[r, c]]
    # Prior.
    value = 0.0
    gx = np.zeros(n)  # in the entries themselves
    gv = np.zeros(len(v))  # in v, entries included
    gs = np.zeros(len(log_scale))
    for k in range(n):
        mean = mean_constant[k]
        for c in range(width):
            mean += mean_weights[k, c] * v[mean_columns[k, c]]
        log_sd = ln_sd[k]
        if sd_entry[k] >= 0:
            log_sd += sd_weight[k] * log_scale[sd_entry[k]]
        sd = math.exp(log_sd)
        z = (y[k] - mean) / sd
        value -= 0.5 * z * z + log_sd
        gx[k] -= z / sd
        if stretch[k] >= 0:
            value += log_scale[stretch[k]]
            gs[stretch[k]] += 1.0
        for c in range(width):
            gv[mean_columns[k, c]] += mean_weights[k, c] * z / sd
        if sd_entry[k] >= 0:
            gs[sd_entry[k]] += sd_weight[k] * (z * z - 1.0)
    # Likelihood.
    gp = np.zeros(len(p))
    cells = evals * models
    slope_at = cells
    length_at = slope_at + models
    difficulty_at = length_at + models
    location_at = difficulty_at + tasks
    shift_at = location_at + 2 * cells
    scale_at = shift_at + 2 * tasks
    g, h = np.zeros(3), np.zeros((3, 3))
    for r in range(len(task)):
        j, m = task[r], model[r]
        i = eval_of[j]
        cell = i * models + m
        slope = math.exp(p[slope_at + m])
        reach = p[cell] + p[length_at + m] * within[j] - p[difficulty_at + j]
        at = (
            p[location_at + cell] + p[shift_at + j],
            p[location_at + cells + cell] + p[shift_at + tasks + j],
        )
        logit = slope * reach
        g[:] = 0.0
        if kind[r] < 2:  # most runs: spelt out, as second derivatives would take half of the time
            k = kind[r]
            away = math.exp(-abs(logit))
            a = 1.0 / (1.0 + away) if logit > 0.0 else away / (1.0 + away)
            log_sd = p[scale_at + k * evals + i]
            z = (ln[r] - at[k]) * math.exp(-log_sd)
            signed = logit if k == 0 else -logit
            value += min(signed, 0.0) - math.log1p(away) - 0.5 * z * z - log_sd - HALF_LN_2PI
            g[0] = 1.0 - a if k == 0 else -a
            g[1 + k] = z * math.exp(-log_sd)
        else:
            scale = (math.exp(p[scale_at + i]), math.exp(p[scale_at + evals + i]))
            value += _run(kind[r], ln[r], logit, at, scale, g, h)
        gp[cell] += g[0] * slope
        gp[slope_at + m] += g[0] * slope * reach
        gp[length_at + m] += g[0] * slope * within[j]
        gp[difficulty_at + j] -= g[0] * slope
        for k in range(2):
            gp[location_at + k * cells + cell] += g[1 + k]
            gp[shift_at + k * tasks + j] += g[1 + k]
            # μ and σ enter by z = (ln − μ)/σ: d/d ln σ is (ln − μ)·d/dμ, less 1 for a density
            by_scale = g[1 + k] * (ln[r] - at[k])
            if kind[r] == k:
                by_scale -= 1.0
            gp[scale_at + k * evals + i] += by_scale
    # Backward.
    for r in range(len(p)):
        for c in range(width):
            gv[columns[r, c]] += weights[r, c] * gp[r]
    middles[:] = 0.0
    for j in range(tasks):
        gv[spend_at + j] += loading * gv[spend_at + tasks + j]
        gx[positions[LOADING]] += gv[spend_at + tasks + j] * v[spend_at + j]
        middles[0, eval_of[j]] += gv[effect_at + j]
        middles[1, eval_of[j]] += gv[spend_at + j]
    middles /= number
    gb = np.zeros(evals)
    for j in range(tasks):
        i = eval_of[j]
        own = gv[effect_at + j] - middles[0, i]
        gv[positions[EFFECT] + j] += own
        gv[positions[SPEND] + j] += gv[spend_at + j] - middles[1, i] + of_spend[i] * own
        gb[i] += own * v[positions[SPEND] + j]
    gx[positions[MINUTES_MEAN]] += slope_mean * gv[derived + 1]
    gx[positions[SLOPE_MEAN]] += gv[derived] * slope_mean + gv[derived + 1] * v[derived + 1]
    for b in range(2):
        first = positions[DEPARTURE + b]
        middle = gv[n + b * evals : n + (b + 1) * evals].mean()
        for i in range(evals):
            gx[first + i] += gv[n + b * evals + i] - middle
    for k in range(n):
        factor = 1.0
        if sd_weight[k] < 1.0:
            factor = math.exp((1.0 - sd_weight[k]) * log_scale[sd_entry[k]])
            gs[sd_entry[k]] += (1.0 - sd_weight[k]) * gv[k] * v[k]
        gx[k] += factor * gv[k]
        if stretch[k] >= 0:
            gs[stretch[k]] += gx[k] * y[k]
            gx[k] *= math.exp(log_scale[stretch[k]])
    for i in range(evals):
        g_total, g_left, rest = gs[n + i], gs[n + evals + i], 1.0 - share[i]
        gx[positions[BY_EFFECT]] += of_spend[i] * (g_total - g_left)
        gx[positions[BY_EFFECT]] += gb[i] * (per_variance[i] - 2.0 * of_spend[i] * of_spend[i])
        turned = 2.0 * of_spend[i] * rest * gb[i]
        flat = FLATTENING * math.exp(2.0 * x[positions[EFFECT_SD] + i])
        turned_flat = flat / (1.0 + flat) * gs[n + 2 * evals + i]
        gx[positions[EFFECT_SD] + i] += share[i] * g_total + rest * g_left + turned + turned_flat
        gx[positions[SPEND_SD] + i] += rest * g_total + share[i] * g_left - turned
    for k in range(n):
        gx[k] += gs[k]
    return np.array(value), gx
