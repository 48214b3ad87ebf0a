"""The Burr XII family of spend: S(t) = (1 + (2^tail − 1)(t/m)^(1/scale))^(−1/tail).

Half of the runs end within m = e^location whatever the tail. It nests the Hill family (tail 1)
and the Weibull (tail → 0); beyond 1 the tail is heavier than Hill's, S(t) ~ t^(−1/(scale·tail)):
the power law of "no plateau in reach".
"""

from typing import Any

import numpy as np

from evalbayes.arrays import Array, Value
from evalbayes.curves.families.special import (
    limited_mean_of,
    log,
    log1mexp,
    log_expit,
    log_softplus,
    softplus,
)

LN2 = float(np.log(2.0))

DEFAULT_PRIORS: dict[str, dict[str, float]] = {
    "scale": {"mean_ln": float(np.log(1.3 * np.sqrt(3.0) / np.pi)), "sd_ln": 0.4},
    # around the Hill family; two sds span from nearly Weibull to a tail seven times heavier
    "tail": {"mean_ln": 0.0, "sd_ln": 1.0},
}


def log_density(ln_spend: Any, location: Any, scale: Any, tail: Any) -> Any:
    """Log density of ln T: ln S(t) + ln expit(w) − ln(tail·scale), w = ln(2^tail − 1) + z."""
    w = _exponent(ln_spend, location, scale, tail)
    return -softplus(w) / tail + log_expit(w) - log(tail * scale)


def log_cdf(ln_spend: Any, location: Any, scale: Any, tail: Any) -> Any:
    """Log of F(t) = 1 − (1 + e^w)^(−1/tail)."""
    return log1mexp(log_softplus(_exponent(ln_spend, location, scale, tail)) - log(tail))


def log_survival(ln_spend: Any, location: Any, scale: Any, tail: Any) -> Any:
    """Log of 1 − F(t) = −ln(1 + e^w)/tail."""
    return -softplus(_exponent(ln_spend, location, scale, tail)) / tail


def quantile(share: Value, location: Value, scale: Value, tail: Value) -> Array:
    """Log of the spend within which `share` of the runs end."""
    odds = np.log(np.expm1(-np.asarray(tail) * np.log1p(-np.asarray(share, dtype=float))))
    return np.asarray(location + scale * (odds - np.log(np.expm1(np.asarray(tail) * LN2))))


def limited_mean(ln_cap: Value, location: Value, scale: Value, tail: Value) -> Array:
    """E[min(T, c)], by quadrature: its closed form, an incomplete beta, needs a finite mean.

    With scale and tail 1, as for Hill, it is m ln(1 + c/m):

    >>> round(float(limited_mean(np.log(9.0), 0.0, 1.0, 1.0) / np.log(10.0)), 8)
    1.0
    """
    return limited_mean_of(log_survival, quantile, ln_cap, location, scale, tail)


def _exponent(ln_spend: Any, location: Any, scale: Any, tail: Any) -> Any:
    # ln(2^tail − 1), without overflow for a large tail
    return (ln_spend - location) / scale + tail * LN2 + log1mexp(log(tail * LN2))
