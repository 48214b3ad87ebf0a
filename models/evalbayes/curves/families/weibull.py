"""The Weibull family of spend: F(t) = 1 − 2^(−(t/m)^(1/scale)).

Half of the runs end within m = e^location; the usual shape is κ = 1/scale. The hazard falls with
spend where scale > 1 (seen in most AI models), is constant at 1 and rises below. Its upper tail is
the lightest of the families.
"""

from typing import Any

import numpy as np
from scipy.special import gammainc, gammaln

from evalbayes.arrays import Array, Value
from evalbayes.curves.families.special import exp, log, log1mexp

LN_LN2 = float(np.log(np.log(2.0)))

DEFAULT_PRIORS: dict[str, dict[str, float]] = {
    # the sd of ln T is π/√6 of the scale: the same spread as the lognormal's default
    "scale": {"mean_ln": float(np.log(1.3 * np.sqrt(6.0) / np.pi)), "sd_ln": 0.4}
}


def log_density(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log density of ln T: ln y − y − ln scale with y = (t/m)^(1/scale) ln 2."""
    ln_y = (ln_spend - location) / scale + LN_LN2
    return ln_y - exp(ln_y) - log(scale)


def log_cdf(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of F(t) = 1 − e^(−y), y = (t/m)^(1/scale) ln 2."""
    return log1mexp((ln_spend - location) / scale + LN_LN2)


def log_survival(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of 1 − F(t) = −(t/m)^(1/scale) ln 2."""
    return -exp((ln_spend - location) / scale + LN_LN2)


def quantile(share: Value, location: Value, scale: Value) -> Array:
    """Log of the spend within which `share` of the runs end."""
    return np.asarray(
        location + scale * (np.log(-np.log1p(-np.asarray(share, dtype=float))) - LN_LN2)
    )


def limited_mean(ln_cap: Value, location: Value, scale: Value) -> Array:
    """E[min(T, c)] = m (ln 2)^(−scale) Γ(1 + scale) P(scale, y(c)), P the regularised gamma.

    A constant hazard λ = ln 2/m (scale 1) gives (1 − e^(−λc))/λ:

    >>> rate = np.log(2.0)
    >>> round(float(limited_mean(np.log(3.0), 0.0, 1.0) * rate / -np.expm1(-3.0 * rate)), 10)
    1.0
    """
    ln_y = (np.asarray(ln_cap, dtype=float) - location) / scale + LN_LN2
    # Below, P(s, y) underflows for large s: there S is 1 and the mean is the cap itself.
    ln_whole = location - scale * LN_LN2 + gammaln(1.0 + np.asarray(scale))
    share = gammainc(np.broadcast_to(scale, ln_y.shape), exp(ln_y))
    with np.errstate(divide="ignore"):
        value: Array = np.exp(np.minimum(ln_whole + np.log(share), ln_cap))
    return np.where(ln_y < -20.0, np.exp(ln_cap), value)
