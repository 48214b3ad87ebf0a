"""Log-likelihood of the evidence given plateaus and spend curves, in numpy and in PyTensor.

A success at spend t has A·f(t), giving up (1 − A)·h(t), a stop at c
A(1 − F(c)) + (1 − A)(1 − H(c)), k of n successes within a cap a binomial with p = A·F(c), and a
score a normal, or a beta, around A·F(c). Of one set of runs told at several caps the largest is
such a binomial; given it, a success fell between two smaller caps with (F(c′) − F(c))/F(largest).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.special import exp, gammaln, log_expit, logaddexp
from evalbayes.model.evidence import SUFFICIENT, Evidence


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Curves:
    """Parameters of conditions or rows: arrays of shape (..., n) or expressions.

    `logit` is the plateau's; locations and scales are of ln spend.
    """

    logit: Any
    success_location: Any
    success_scale: Any
    gave_up_location: Any
    gave_up_scale: Any

    def of(self, rows: Any) -> Curves:
        """Those of some conditions, in the order of `rows`."""
        return Curves(*(value[..., rows] for value in vars(self).values()))


def rows_of(evidence: Evidence) -> tuple[Index, dict[str, slice], dict[str, Array]]:
    """Lay the evidence out in rows of one condition each, one kind after the other.

    Returns the condition of every row, the rows of each kind, and the figures by name, each as long
    as its kind has rows.
    """
    figures = {
        **{key: getattr(evidence, key) for key in SUFFICIENT},
        "n_stopped": evidence.n_stopped,
        "ln_stop": evidence.stopped_ln_spend,
        "count_success": evidence.count_success,
        "count_failure": evidence.count_runs - evidence.count_success,
        "ln_count_cap": evidence.count_ln_cap,
        "nested_n": evidence.nested_n,
        "ln_nested_low": evidence.nested_ln_low,
        "ln_nested_high": evidence.nested_ln_high,
        "ln_nested_last": evidence.nested_ln_last,
        "score": evidence.score,
        "score_error": evidence.score_error,
        "ln_score_cap": evidence.score_ln_cap,
        "beta_score": evidence.beta_score,
        "beta_concentration": evidence.beta_concentration,
        "ln_beta_cap": evidence.beta_ln_cap,
    }
    kinds = {
        "ended": np.arange(len(evidence)),
        "stopped": evidence.stopped_of,
        "counts": evidence.count_of,
        "nested": evidence.nested_of,
        "scores": evidence.score_of,
        "betas": evidence.beta_of,
    }
    segments, start = {}, 0
    for kind, of in kinds.items():
        segments[kind] = slice(start, start + len(of))
        start += len(of)
    return np.concatenate(list(kinds.values())), segments, figures


def ended_terms(curves: Curves, data: Mapping[str, Any]) -> Any:
    """Log-likelihood of the successes and the runs that gave up of every row."""
    success = lognormal.summary_log_density(
        data["n_success"],
        data["mean_success"],
        data["square_success"],
        curves.success_location,
        curves.success_scale,
    )
    gave_up = lognormal.summary_log_density(
        data["n_gave_up"],
        data["mean_gave_up"],
        data["square_gave_up"],
        curves.gave_up_location,
        curves.gave_up_scale,
    )
    success = success + data["n_success"] * log_expit(curves.logit)
    return success + gave_up + data["n_gave_up"] * log_expit(-curves.logit)


def stopped_terms(curves: Curves, data: Mapping[str, Any]) -> Any:
    """Log-likelihood of the stopped runs of every row."""
    at = data["ln_stop"]
    success = lognormal.log_survival(at, curves.success_location, curves.success_scale)
    gave_up = lognormal.log_survival(at, curves.gave_up_location, curves.gave_up_scale)
    still = logaddexp(log_expit(curves.logit) + success, log_expit(-curves.logit) + gave_up)
    return data["n_stopped"] * still


def count_terms(curves: Curves, data: Mapping[str, Any]) -> Any:
    """Log-likelihood of the counts of every row, without the binomial coefficient."""
    location, scale = curves.success_location, curves.success_scale
    within = lognormal.log_cdf(data["ln_count_cap"], location, scale)
    beyond = lognormal.log_survival(data["ln_count_cap"], location, scale)
    log_success = log_expit(curves.logit) + within
    log_failure = logaddexp(log_expit(-curves.logit), log_expit(curves.logit) + beyond)
    return data["count_success"] * log_success + data["count_failure"] * log_failure


def nested_terms(curves: Curves, data: Mapping[str, Any]) -> Any:
    """Log-likelihood of the successes between caps of every row, given those within the largest.

    Without the multinomial coefficient.
    """
    location, scale = curves.success_location, curves.success_scale
    low, high = data["ln_nested_low"], data["ln_nested_high"]
    between = lognormal.log_between(low, high, location, scale)
    return data["nested_n"] * (between - lognormal.log_cdf(data["ln_nested_last"], location, scale))


def score_terms(curves: Curves, data: Mapping[str, Any]) -> Any:
    """Log-likelihood of the scores of every row."""
    location, scale = curves.success_location, curves.success_scale
    within = lognormal.log_cdf(data["ln_score_cap"], location, scale)
    expected = exp(log_expit(curves.logit) + within)
    error = data["score_error"]
    z = (data["score"] - expected) / error
    return -0.5 * z**2 - np.log(error) - 0.5 * np.log(2.0 * np.pi)


def beta_terms(curves: Curves, data: Mapping[str, Any]) -> Any:
    """Log-likelihood of the scores with beta noise of every row."""
    within = lognormal.log_cdf(data["ln_beta_cap"], curves.success_location, curves.success_scale)
    share = exp(log_expit(curves.logit) + within)
    n, score = data["beta_concentration"], data["beta_score"]
    log_beta = gammaln(share * n) + gammaln((1.0 - share) * n) - gammaln(n)
    inside = (share * n - 1.0) * np.log(score) + ((1.0 - share) * n - 1.0) * np.log1p(-score)
    return inside - log_beta


TERMS = {
    "ended": ended_terms,
    "stopped": stopped_terms,
    "counts": count_terms,
    "nested": nested_terms,
    "scores": score_terms,
    "betas": beta_terms,
}


def log_likelihood(curves: Curves, evidence: Evidence) -> Array:
    """Log-likelihood by condition, of shape (..., n_conditions), from numpy parameters."""
    of, segments, data = rows_of(evidence)
    shape = np.broadcast_shapes(*(np.shape(value) for value in vars(curves).values()))
    total = np.zeros(shape)
    for kind, rows in segments.items():
        value = np.asarray(TERMS[kind](curves.of(of[rows]), data))
        for column, row in enumerate(of[rows]):
            total[..., row] += value[..., column]
    return total
