r"""Runs as they may turn out, boiled down to what their likelihood needs.

With lognormal spends, number, sum and sum of squares of ln spend of the successes and of the runs
that gave up, and the number of those stopped, are sufficient: the log-likelihood is a weighted sum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_ndtr

from evalbayes.errors import InputError
from evalbayes.model.eval_curve import eval_curve
from evalbayes.repeats.clustering import attempt_correlation, effective_runs

if TYPE_CHECKING:
    from evalbayes.posterior.posterior import Posterior

Array = NDArray[np.float64]
STATISTICS = 7
LEAST = -1e6  # stands for a log density of minus infinity


def simulated_runs(
    truth: Posterior,
    chosen: NDArray[np.int64],
    i: int,
    m: int,
    effort: float,
    cap: float,
    attempts: int,
    tasks: int,
    of: int,
    rng: np.random.Generator,
) -> Array:
    """Sufficient statistics of the runs under the chosen truths, of shape (n_results, 7).

    Number, sum and sum of squares of ln(spend/cap) of successes, the same of runs that gave up,
    and the number of those stopped.
    """
    margin = shown_margin(truth, i, m) + truth.draws["private_error"][:, i, m]
    margin = margin + effort * (
        truth.draws["gap"][:, :, m] @ truth.reach[i] + truth.draws["gap_departure"][:, i, m]
    )
    slope = truth.in_unit_of(i, "slope")[:, m]
    plateau = expit((slope * margin)[chosen])
    correlation = attempt_correlation(
        truth.plateau(truth.ai_models[m])[:, i],
        slope,
        truth.draws["task_sd"][:, i],
    ).mean()
    n = effective_runs(
        tasks,
        attempts,
        float(correlation),
        of=of,
        already=0 if effort > 0 else int(truth.n_runs[i, m]),
    )
    whole = np.floor(n) + (rng.random(len(chosen)) < n % 1.0)  # so many on average
    would_succeed = rng.binomial(whole.astype(np.int64), plateau)
    results = np.zeros((len(chosen), STATISTICS))
    for column, location, scale, number in (
        (0, *_spends(truth, i, m, effort, cap)[0], would_succeed),
        (3, *_spends(truth, i, m, effort, cap)[1], whole.astype(np.int64) - would_succeed),
    ):
        ln_spend = location[chosen, None] + scale[chosen, None] * rng.standard_normal(
            (len(chosen), max(int(number.max()), 1))
        )
        run = np.arange(ln_spend.shape[1])[None, :] < number[:, None]
        ended = run & (ln_spend < 0.0)
        results[:, column] = ended.sum(axis=1)
        results[:, column + 1] = (ln_spend * ended).sum(axis=1)
        results[:, column + 2] = (ln_spend**2 * ended).sum(axis=1)
        results[:, 6] += (run & ~ended).sum(axis=1)
    return results


def _spends(
    posterior: Posterior, i: int, m: int, effort: float, cap: float
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Location and scale of ln(spend/cap) of successes and of runs that give up, (n_draws,)."""
    curve = eval_curve(posterior, i, m, effort)
    if curve.weights is not None:
        raise InputError(
            f"the spends of {posterior.evals[i]} must be lognormal to simulate the value of its "
            "runs, as their likelihood needs sums only; fit with families=('lognormal',) for that"
        )
    return (
        (np.asarray(curve.success_location) - math.log(cap), np.asarray(curve.success_scale)),
        (np.asarray(curve.gave_up_location) - math.log(cap), np.asarray(curve.gave_up_scale)),
    )


def statistic_weights(
    logit: Array, posterior: Posterior, i: int, m: int, effort: float, cap: float
) -> Array:
    """Weights of the sufficient statistics in the log-likelihood, of shape (7, n_draws, ...)."""
    shape = (-1, *(1,) * (logit.ndim - 1))
    rows, stopped = [], []
    for share, (location, scale) in zip(
        (log_expit(logit), log_expit(-logit)), _spends(posterior, i, m, effort, cap), strict=True
    ):
        where, wide = location.reshape(shape), scale.reshape(shape)
        rows += [
            share - np.log(wide) - where**2 / (2.0 * wide**2),
            np.broadcast_to(where / wide**2, logit.shape),
            np.broadcast_to(-1.0 / (2.0 * wide**2), logit.shape),
        ]
        stopped.append(share + log_ndtr(where / wide))
    weights: Array = np.stack([*rows, np.logaddexp(*stopped)])
    return np.maximum(weights, LEAST)


def shown_margin(posterior: Posterior, i: int, m: int) -> Array:
    """Shown capability above difficulty, family error included, of shape (n_draws,)."""
    margin: Array = (
        posterior.draws["shown"][:, :, m] @ posterior.reach[i] - posterior.draws["difficulty"][:, i]
    )
    if posterior.family_of[i] >= 0:
        margin = margin + posterior.draws["family_error"][:, posterior.family_of[i], m]
    return margin
