"""The lognormal family of spend: ln T ~ N(location, scale²).

Half of the runs end within e^location; `scale` is how many e-folds one standard deviation spans.
Every function takes ln spend, so that caps from 1e-6 to 1e12 are as safe as caps near 1, and
accepts numpy arrays; those of the likelihood accept PyTensor expressions too. A further family with
a place and a width is one more call of `evalbayes.curves.families.family.located`.
"""

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from evalbayes.arrays import Array, Value
from evalbayes.curves.families import special
from evalbayes.curves.families.special import log, log_ndtr

DEFAULT_PRIORS: dict[str, dict[str, float]] = {
    # ln of the scale: in the cyber runs the sd of ln spend inside an eval is 0.4 to 2.1
    "scale": {"mean_ln": float(np.log(1.3)), "sd_ln": 0.4}
}


def log_density(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log density of ln T: −½((ln t − location)/scale)² − ln scale − ½ ln 2π."""
    z = (ln_spend - location) / scale
    return -0.5 * z**2 - log(scale) - 0.5 * np.log(2.0 * np.pi)


def log_cdf(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of F(t) = Φ((ln t − location)/scale)."""
    return log_ndtr((ln_spend - location) / scale)


def log_survival(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of 1 − F(t)."""
    return log_ndtr((location - ln_spend) / scale)


def log_between(ln_low: Any, ln_high: Any, location: Any, scale: Any) -> Any:
    """Log of F(high) − F(low)."""
    return special.log_between((ln_low - location) / scale, (ln_high - location) / scale)


def summary_log_density(n: Any, mean: Any, square: Any, location: Any, scale: Any) -> Any:
    """Log density of n values of ln T given only n, their mean and Σ(ln t − mean)².

    It equals the sum of `log_density` over the values: mean and sum of squares are sufficient.
    """
    quadratic = n * (mean - location) ** 2 + square
    return -0.5 * quadratic / scale**2 - n * (log(scale) + 0.5 * np.log(2.0 * np.pi))


def cdf(ln_spend: Value, location: Value, scale: Value) -> Array:
    """F(t) = Φ((ln t − location)/scale)."""
    return np.asarray(ndtr((ln_spend - location) / scale))


def quantile(share: Value, location: Value, scale: Value) -> Array:
    """Log of the spend within which `share` of the runs end."""
    return np.asarray(location + scale * ndtri(share))


def limited_mean(ln_cap: Value, location: Value, scale: Value) -> Array:
    """E[min(T, c)] = e^(location + scale²/2) Φ(z − scale) + c·Φ(−z), z = (ln c − location)/scale.

    A cap far above all spends leaves the mean, e^(scale²/2) medians:

    >>> round(float(limited_mean(np.log(1e9), 0.0, 1.0)), 4) == round(float(np.exp(0.5)), 4)
    True
    """
    z = (ln_cap - location) / scale
    # Both terms in logs: a large scale times a small tail must not overflow.
    ended: Array = np.exp(location + scale**2 / 2.0 + log_ndtr(z - scale))
    stopped: Array = np.exp(ln_cap + log_ndtr(-z))
    return ended + stopped
