"""Elementary functions for numpy arrays and PyTensor expressions alike, safe in their tails."""

from __future__ import annotations

from typing import Any

import numpy as np

from evalbayes.curves.families.special import logaddexp, symbolic

SMALL = -30.0  # below this e^x is lost beside 1 in double precision


def exp(x: Any) -> Any:
    """e^x, infinite rather than a warning where it overflows."""
    if not symbolic(x):
        with np.errstate(over="ignore"):
            return np.exp(x)
    import pytensor.tensor as pt  # only where a model is built

    return pt.exp(x)


def log(x: Any) -> Any:
    """Ln x."""
    if not symbolic(x):
        return np.log(x)
    import pytensor.tensor as pt  # only where a model is built

    return pt.log(x)


def softplus(x: Any) -> Any:
    """Ln(1 + e^x)."""
    return logaddexp(0.0, x)


def log_softplus(x: Any) -> Any:
    """Ln ln(1 + e^x), which is x itself far below zero.

    Examples
    --------
    >>> float(log_softplus(-800.0))
    -800.0
    """
    if not symbolic(x):
        x = np.asarray(x, dtype=float)
        return np.where(x < SMALL, x, np.log(np.logaddexp(0.0, np.maximum(x, SMALL))))
    import pytensor.tensor as pt  # only where a model is built

    # Each branch sees a clipped argument so that no gradient overflows.
    return pt.switch(x < SMALL, x, pt.log(pt.softplus(pt.clip(x, SMALL, np.inf))))


def log1mexp(ln_x: Any) -> Any:
    """Ln(1 − e^(−x)) given ln x, exact for tiny and for large x.

    Examples
    --------
    A share of 1e-20 keeps its digits:

    >>> round(float(log1mexp(np.log(1e-20)) / np.log(1e-20)), 12)
    1.0
    """
    if not symbolic(ln_x):
        ln_x = np.asarray(ln_x, dtype=float)
        x = exp(np.maximum(ln_x, SMALL))
        small = x < np.log(2.0)
        near = np.log(-np.expm1(-np.where(small, x, 1.0)))
        far = np.log1p(-np.exp(-np.where(small, 1.0, x)))
        return np.where(ln_x < SMALL, ln_x, np.where(small, near, far))
    import pytensor.tensor as pt  # only where a model is built

    x = pt.exp(pt.clip(ln_x, SMALL, 6.0))  # e^(−e^6) is 0 in double precision
    near = pt.log(-pt.expm1(-pt.clip(x, 0.0, 1.0)))
    far = pt.log1p(-pt.exp(-pt.clip(x, 0.5, np.inf)))
    return pt.switch(ln_x < SMALL, ln_x, pt.switch(x < np.log(2.0), near, far))
