"""Influence: the Pareto k of leaving one run out, by Pareto-smoothed importance sampling."""

from __future__ import annotations

import numpy as np

from evalbayes.arrays import Array

LEAST_TAIL = 5  # draws below which a tail cannot be fitted


def pareto_k(log_likelihood: Array) -> Array:
    """Shape k of the largest leave-one-out weights 1/likelihood, for every column of draws.

    Above 0.7 the fit without that observation cannot be told from the fit with it: the
    observation moves the posterior too far. A generalised Pareto distribution is fitted to the
    largest min(S/5, 3√S) of S weights (Vehtari et al. 2024; Zhang & Stephens 2009).

    Parameters
    ----------
    log_likelihood
        Log-likelihood of each observation under each draw, of shape (n_draws, n).

    Returns
    -------
    Array
        k, of shape (n,); −inf where the weights do not vary.
    """
    n_draws = len(log_likelihood)
    tail = int(np.ceil(min(0.2 * n_draws, 3.0 * np.sqrt(n_draws))))
    ratios = np.sort(-log_likelihood, axis=0)
    ratios = ratios - ratios[-1]
    k = np.full(log_likelihood.shape[1], -np.inf)
    if tail < LEAST_TAIL:
        return k
    excess = np.exp(ratios[-tail:]) - np.exp(ratios[-tail - 1])
    for j in range(len(k)):
        x = excess[:, j]
        if x[-1] > 1e-12 * np.exp(ratios[-1, j]) and x[0] >= 0:
            k[j] = _shape(np.maximum(x, np.finfo(float).tiny))
    return k


def _shape(x: Array) -> float:
    """Shape of a generalised Pareto distribution of sorted positive `x`, Zhang & Stephens' way.

    The estimate is drawn towards 0.5 by a prior worth ten observations, as PSIS does.
    """
    n = len(x)
    m = 30 + int(np.sqrt(n))
    b = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    b = b / (3.0 * x[int(n / 4 + 0.5) - 1]) + 1.0 / x[-1]
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    length = n * (np.log(-(b / k)) - k - 1.0)
    weights = 1.0 / np.exp(length - length[:, None]).sum(axis=1)
    kept = weights >= 10 * np.finfo(float).eps
    weights, b = weights[kept] / weights[kept].sum(), b[kept]
    centre = float((b * weights).sum())
    shape = float(np.log1p(-centre * x).mean())
    return (n * shape + 10 * 0.5) / (n + 10)
