"""Stacking: the mixture of models that would have predicted each left-out run best."""

from __future__ import annotations

import numpy as np

from evalbayes.arrays import Array

ROUNDS = 5000
TOLERANCE = 1e-9  # relative change of the mean log score at which the rounds stop


def stacking_weights(log_scores: Array) -> Array:
    """Weights w ≥ 0, Σw = 1, that maximise Σ_i ln Σ_k w_k exp(log_scores[i, k]).

    Parameters
    ----------
    log_scores
        Leave-one-out log predictive density of run i under model k, of shape (n_runs, n_models).

    Returns
    -------
    Array
        Of shape (n_models,).

    Notes
    -----
    The objective is concave in w; the expectation–maximisation step w_k ← w_k·mean_i(p_ik/Σ w p_i)
    raises it every round. Yao, Vehtari, Simpson & Gelman (2018), Using stacking to average
    Bayesian predictive distributions.

    Examples
    --------
    >>> stacking_weights(np.log([[0.9, 0.1], [0.8, 0.2]])).round(6)
    array([1., 0.])
    """
    share = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    weights = np.full(share.shape[1], 1.0 / share.shape[1])
    before = -np.inf
    for _ in range(ROUNDS):
        mixed = share @ weights
        weights = weights * (share / mixed[:, None]).mean(axis=0)
        score = float(np.log(share @ weights).mean())
        if score - before < TOLERANCE:
            break
        before = score
    kept: Array = weights / weights.sum()
    return kept
