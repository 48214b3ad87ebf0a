"""The normal loss function ψ, and how far above a threshold two losses balance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from evalbayes.arrays import Array


def density(z: ArrayLike) -> Array:
    """Return the standard normal density φ(z)."""
    z = np.asarray(z, dtype=np.float64)
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def expected_excess(z: ArrayLike) -> Array:
    r"""Return ψ(z) = φ(z) + zΦ(z), the mean of (z + ε)⁺ for a standard normal ε.

    Accurate far below 0 too, where the two terms nearly cancel: there the ratio
    ψ(z) = φ(z)·(1 − |z|·R(|z|)) with Mills' ratio R is expanded.

    Examples
    --------
    >>> np.round(expected_excess([0.0, 10.0]), 6)
    array([ 0.398942, 10.      ])
    """
    z = np.asarray(z, dtype=np.float64)
    # Asymptotic series of 1 − t·R(t) for t = −z: t⁻² − 3t⁻⁴ + 15t⁻⁶ − 105t⁻⁸ + ...
    t2 = np.square(np.where(z < -12, z, 12.0))
    tail = (1 - 3 / t2 * (1 - 5 / t2 * (1 - 7 / t2 * (1 - 9 / t2)))) / t2
    near = np.clip(z, -12.0, 0.0)
    middle = 1 + near * np.exp(log_ndtr(near)) / density(near)
    lower = density(z) * np.where(z < -12, tail, middle)
    return np.where(z > 0, density(z) + z * ndtr(z), lower)


def indifference(loss_missed: float, loss_false_alarm: float) -> float:
    """Return k, the root of L_m ψ(k) = L_f ψ(−k): indifferent at a mean k sds above the threshold.

    Examples
    --------
    >>> indifference(5.0, 5.0)
    0.0
    >>> indifference(9.0, 1.0) < 0  # a miss costs more: mitigate already below the threshold
    True
    """
    if loss_missed == loss_false_alarm:
        return 0.0
    ratio = np.log(loss_missed) - np.log(loss_false_alarm)

    def imbalance(k: float) -> float:
        return float(ratio + np.log(expected_excess(k)) - np.log(expected_excess(-k)))

    return float(brentq(imbalance, -30.0, 30.0, xtol=1e-14, rtol=1e-14))
