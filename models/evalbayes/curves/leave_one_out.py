"""Leave-one-out by Pareto-smoothed importance, and stacking: ArviZ's, of version 0.x or 1.x."""

import warnings
from typing import Any

import numpy as np

from evalbayes.arrays import Array


def smoothed(log_ratios: Array) -> tuple[Array, Array]:
    """Return normalised log weights, (n_draws, n), and Pareto k, (n,), of columns of ratios.

    Ratios of leaving an observation out are 1/likelihood. Above k = 0.7 the fit without it cannot
    be told from the fit with it (Vehtari et al. 2024, Pareto smoothed importance sampling); k is −∞
    where the ratios do not vary.
    """
    log_weights = np.full(log_ratios.shape, -np.log(len(log_ratios)))
    k = np.full(log_ratios.shape[1], -np.inf)
    some = np.flatnonzero(np.ptp(log_ratios, axis=0) > 1e-12)
    if len(some):
        arviz, given = _arviz(), np.ascontiguousarray(log_ratios[:, some].T)
        if hasattr(arviz, "psislw"):  # 0.x
            found, k[some] = arviz.psislw(given)
        else:  # 1.x takes log-likelihoods
            from arviz_stats.base import array_stats

            found, k[some] = array_stats.psislw(-given)
        log_weights[:, some] = found.T
    return log_weights, k


def stacking_weights(log_scores: Array) -> Array:
    """Weights w ≥ 0, Σw = 1, that maximise Σ_i ln Σ_k w_k exp(log_scores[i, k]).

    `log_scores` are leave-one-out log predictive densities, (n_runs, n_models): Yao, Vehtari,
    Simpson & Gelman (2018), Using stacking to average Bayesian predictive distributions.

    >>> stacking_weights(np.log([[0.9, 0.1], [0.8, 0.2]])).round(6) + 0.0
    array([1., 0.])
    """
    import xarray as xr  # comes with ArviZ

    arviz = _arviz()
    old = hasattr(arviz, "psislw")
    names = ("elpd_loo", "p_loo", "loo_i") if old else ("elpd", "p", "elpd_i")
    further = {"se": 0.0, "n_samples": 1, "n_data_points": len(log_scores)}  # must be given, but
    further |= {"warning": False, "good_k": 0.7}  # serve no weight

    def elpd(own: Array) -> Any:
        told = dict(zip(names, (own.sum(), 0.0, xr.DataArray(own)), strict=True))
        told |= further | {"scale": "log"}
        return arviz.ELPDData(list(told.values()), list(told)) if old else arviz.ELPDData(**told)

    scores = log_scores - log_scores.max(axis=1, keepdims=True)  # which moves no weight
    rounding = {} if old else {"round_to": "none"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how sure the order is, which is said elsewhere
        compared = {k: elpd(own) for k, own in enumerate(scores.T)}
        table = arviz.compare(compared, method="stacking", **rounding)
    weights = np.maximum(table["weight"].sort_index().to_numpy(dtype=np.float64), 0.0)
    return np.asarray(weights / weights.sum())


def _arviz() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 0.x announces its successor at import
        import arviz
    return arviz
