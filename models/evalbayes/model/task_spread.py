"""How unlike the tasks of an eval are, learned from runs of the same tasks.

A run of task j by AI model m succeeds with p = expit(c[m] − b·z[j]), z standard normal and b = a·τ
in logits. Runs of one task, by several AI models or again by one, agree the more the larger b is;
one run of each task tells nothing of it. Given b, c[m] is what makes the mean of p the share seen,
so only agreement counts: L(b) = Π_j ∫ Π_m p^k (1 − p)^(n − k) φ(z) dz. The prior is that of
`priors.TASK_SD`.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit, logit, logsumexp

from evalbayes.arrays import Array
from evalbayes.curves.families.special import log_expit
from evalbayes.model import priors

GRID = np.geomspace(0.05, 25.0, 60)  # b
_Z = np.linspace(-5.0, 5.0, 61)
_LN_WEIGHT = -0.5 * _Z**2 - logsumexp(-0.5 * _Z**2)


def task_spreads(
    plain: Mapping[str, pd.DataFrame],
    evals: tuple[str, ...],
    slope: Array,
    prior: Array,
    rng: np.random.Generator,
) -> Array:
    """Draw τ of every eval, of shape (n_draws, n_evals).

    `plain` are runs as they come by eval: a stop counts as no success, and spurious ones do not
    count. `slope` is the typical a in the unit of every eval, (n_draws, n_evals): its uncertainty
    is τ's. The prior is kept for evals of which no task was run twice.
    """
    told = _counts(plain)
    spreads = prior.copy()
    for i, name in enumerate(evals):
        if name in told and (told[name][0].sum(axis=1) > 1).any():
            likelihood = log_likelihood(*told[name])
            ln_task = np.log(GRID / slope[:, i, None])
            ln_prior = (ln_task - priors.TASK_SD.mean_ln) / priors.TASK_SD.sd_ln
            # Draw b, one per row of densities in ln b over the grid, evenly inside a step of it.
            log_density = likelihood - 0.5 * ln_prior**2
            probability = np.exp(log_density - logsumexp(log_density, axis=1, keepdims=True))
            place = (np.cumsum(probability, axis=1) < rng.random((len(log_density), 1))).sum(axis=1)
            step = np.log(GRID[1] / GRID[0])
            value = np.exp(np.log(GRID[place]) + step * (rng.random(len(place)) - 0.5))
            spreads[:, i] = value / slope[:, i]
    return spreads


def log_likelihood(runs: Array, successes: Array) -> Array:
    """Log-likelihood of every b of `GRID`, the largest being 0.

    Runs and successes are by task and AI model.
    """
    centre = _centres((successes.sum(axis=0) + 0.5) / (runs.sum(axis=0) + 1.0))  # (models, b)
    level = centre[:, :, None] - GRID[:, None] * _Z  # (models, b, z)
    won, lost = log_expit(level), log_expit(-level)
    flat = (len(runs.T), -1)
    by_task = successes @ won.reshape(flat) + (runs - successes) @ lost.reshape(flat)
    by_task = by_task.reshape(len(runs), len(GRID), len(_Z))
    value: Array = logsumexp(by_task + _LN_WEIGHT, axis=2).sum(axis=0)
    relative: Array = value - value.max()
    return relative


def _centres(share: Array) -> Array:
    """Return c at which the mean of expit(c − b·z) is each share, of shape (n, len(GRID))."""
    centre, mean = _means()
    found = [np.interp(logit(share), mean[k], centre[k]) for k in range(len(GRID))]
    return np.stack(found, axis=1)


@lru_cache(maxsize=1)
def _means() -> tuple[Array, Array]:
    """Return centres c for every b and the logit of the mean of expit(c − b·z) at each."""
    # a normal of variance b² mixed in makes a logit about √(1 + π b²/8) flatter
    centre = np.sqrt(1.0 + np.pi / 8.0 * GRID[:, None] ** 2) * np.linspace(-12.0, 12.0, 241)
    mean = expit(centre[:, :, None] - GRID[:, None, None] * _Z) @ np.exp(_LN_WEIGHT)
    return centre, logit(mean)


def _counts(plain: Mapping[str, pd.DataFrame]) -> dict[str, tuple[Array, Array]]:
    """Count runs and successes by task and AI model of every eval that has runs."""
    found = {}
    for name, runs in plain.items():
        own = runs[runs["outcome"] != "spurious"]
        if not len(own):
            continue
        won, by = own["outcome"] == "success", (own["task"], own["ai_model"])
        number = pd.crosstab(*by).to_numpy(np.float64)
        successes = pd.crosstab(*by, values=won, aggfunc="sum").fillna(0.0).to_numpy(np.float64)
        found[name] = number, successes
    return found
