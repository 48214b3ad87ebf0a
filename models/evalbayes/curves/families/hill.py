"""The Hill family of spend, or log-logistic: F(t) = 1/(1 + (m/t)^(1/scale)).

Half of the runs end within m = e^location; ln T is logistic with that location and scale. Its
upper tail is a power law, S(t) ~ (m/t)^(1/scale): heavier than the lognormal's.
"""

from typing import Any

import numpy as np

from evalbayes.arrays import Array, Value
from evalbayes.curves.families.special import limited_mean_of, log, log_expit

DEFAULT_PRIORS: dict[str, dict[str, float]] = {
    # the sd of a logistic is π/√3 of its scale: the same spread as the lognormal's default
    "scale": {"mean_ln": float(np.log(1.3 * np.sqrt(3.0) / np.pi)), "sd_ln": 0.4}
}


def log_density(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log density of ln T: ln F(t) + ln S(t) − ln scale."""
    z = (ln_spend - location) / scale
    return log_expit(z) + log_expit(-z) - log(scale)


def log_cdf(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of F(t) = 1/(1 + e^−z), z = (ln t − location)/scale."""
    return log_expit((ln_spend - location) / scale)


def log_survival(ln_spend: Any, location: Any, scale: Any) -> Any:
    """Log of 1 − F(t)."""
    return log_expit((location - ln_spend) / scale)


def quantile(share: Value, location: Value, scale: Value) -> Array:
    """Log of the spend within which `share` of the runs end."""
    return np.asarray(location + scale * (np.log(share) - np.log1p(-np.asarray(share))))


def limited_mean(ln_cap: Value, location: Value, scale: Value) -> Array:
    """E[min(T, c)] = c ₂F₁(1, scale; 1 + scale; −(c/m)^(1/scale)), by quadrature.

    With scale 1 it is m ln(1 + c/m):

    >>> round(float(limited_mean(np.log(9.0), 0.0, 1.0) / np.log(10.0)), 8)
    1.0
    """
    return limited_mean_of(log_survival, quantile, ln_cap, location, scale)
