"""The log-linear baseline: success grows along a straight line in ln spend, with no plateau.

ln T is uniform over `scale` e-folds around location, its two corners rounded by logistic noise of
`ROUNDING` of that width, so that a run just outside is unlikely rather than impossible. Every
e-fold of spend buys the same further share of the runs, 1/scale, until all have ended.
"""

from typing import Any

import numpy as np

from evalbayes.arrays import Array, Value
from evalbayes.curves.families.special import (
    limited_mean_of,
    log,
    log_expit,
    log_softplus,
    softplus,
)

ROUNDING = 0.05
_LN_MISSED = float(np.log1p(-np.exp(-1.0 / ROUNDING)))

DEFAULT_PRIORS: dict[str, dict[str, float]] = {
    # the sd of a uniform is 1/√12 of its width: the same spread as the lognormal's default
    "scale": {"mean_ln": float(np.log(1.3 * np.sqrt(12.0))), "sd_ln": 0.4}
}


def log_density(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log density of ln T: 1/scale on the line, rounded to nothing at its ends."""
    z = (ln_spend - location) / scale
    # expit(a) − expit(b) = expit(a) expit(−b) (1 − e^(b − a))
    ends = log_expit((z + 0.5) / ROUNDING) + log_expit((0.5 - z) / ROUNDING)
    return ends + _LN_MISSED - log(scale)


def log_cdf(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of F(t), which is ½ + (ln t − location)/scale between the corners."""
    z = (ln_spend - location) / scale
    # softplus(a) − softplus(b) = softplus(a + ln(1 − e^(b − a)) − softplus(b))
    inner = (z + 0.5) / ROUNDING + _LN_MISSED - softplus((z - 0.5) / ROUNDING)
    return log_softplus(inner) + float(np.log(ROUNDING))


def log_survival(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of 1 − F(t); the line is symmetric about its middle."""
    return log_cdf(-ln_spend, -location, scale)


def quantile(share: Value, location: Value, scale: Value) -> Array:
    """Log of the spend within which `share` of the runs end."""
    share = np.asarray(share, dtype=float)
    # From e^(F/ROUNDING) = (1 + w)/(1 + w e^(−1/ROUNDING)), w = e^a
    upper = np.log(np.expm1(share / ROUNDING)) - np.log(-np.expm1((share - 1.0) / ROUNDING))
    return np.asarray(location + scale * (ROUNDING * upper - 0.5))


def limited_mean(ln_cap: Value, location: Value, scale: Value) -> Array:
    """E[min(T, c)], by quadrature.

    Far past the line, the mean of a log-uniform spend with the corners' noise in it:

    >>> noise = np.pi * ROUNDING / np.sin(np.pi * ROUNDING)
    >>> round(float(limited_mean(30.0, 0.0, 1.0) / (2.0 * np.sinh(0.5) * noise)), 8)
    1.0
    """
    return limited_mean_of(log_survival, quantile, ln_cap, location, scale)
