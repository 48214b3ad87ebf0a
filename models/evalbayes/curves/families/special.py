"""Normal tail functions, and others, that take numpy arrays and PyTensor expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def symbolic(*values: Any) -> bool:
    """Whether any value is a PyTensor expression."""
    return any(hasattr(value, "owner") and hasattr(value, "type") for value in values)


def log_ndtr(z: Any) -> Any:
    """Log of Φ(z), exact far into the lower tail.

    Examples
    --------
    >>> float(log_ndtr(0.0)) == float(np.log(0.5))
    True
    """
    if not symbolic(z):
        return special.log_ndtr(z)
    import pytensor.tensor as pt  # only where a model is built

    # erfcx carries the tail; each branch sees a clipped argument so that no gradient overflows.
    lower = pt.clip(z, -np.inf, -1.0)
    upper = pt.clip(z, -1.0, np.inf)
    return pt.switch(
        z < -1.0,
        pt.log(pt.erfcx(-lower / np.sqrt(2.0)) / 2.0) - lower**2 / 2.0,
        pt.log1p(-pt.erfc(upper / np.sqrt(2.0)) / 2.0),
    )


def log_between(low: Any, high: Any) -> Any:
    """Log of Φ(high) − Φ(low), low < high, exact in both tails.

    Examples
    --------
    >>> bool(np.isclose(np.exp(log_between(-1.0, 1.0)), 0.6826894921370859))
    True
    >>> round(float(log_between(20.0, 21.0)), 6) == round(float(log_ndtr(-20.0)), 6)
    True
    """
    above = low > 0  # there Φ is near 1, and its mirror image is not
    if not symbolic(low, high):
        a, b = np.where(above, -high, low), np.where(above, -low, high)
        return log_ndtr(b) + np.log(-np.expm1(log_ndtr(a) - log_ndtr(b)))
    import pytensor.tensor as pt  # only where a model is built

    a, b = pt.switch(above, -high, low), pt.switch(above, -low, high)
    return log_ndtr(b) + pt.log(-pt.expm1(log_ndtr(a) - log_ndtr(b)))


def gammaln(x: Any) -> Any:
    """Log of Γ(x), x > 0."""
    if not symbolic(x):
        return special.gammaln(x)
    import pytensor.tensor as pt  # only where a model is built

    return pt.gammaln(x)


def log_expit(x: Any) -> Any:
    """Log of 1/(1 + e^−x)."""
    if not symbolic(x):
        return special.log_expit(x)
    import pytensor.tensor as pt  # only where a model is built

    return -pt.softplus(-x)


def logaddexp(a: Any, b: Any) -> Any:
    """Log of e^a + e^b."""
    if not symbolic(a, b):
        return np.logaddexp(a, b)
    import pytensor.tensor as pt  # only where a model is built

    return pt.logaddexp(a, b)
