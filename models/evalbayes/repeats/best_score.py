"""The best of k scores between 0 and 1, from the mean and spread of single ones."""

from __future__ import annotations

import numpy as np
from scipy import integrate
from scipy.special import betainc

from evalbayes.errors import InputError

NODES = 2001


def best_score(mean: float, sd: float, k: int) -> float:
    """E[max of k independent scores], each beta with this mean and sd: ∫ 1 − I_x(a, b)^k dx.

    It supposes that the best one can be told (the score is seen, without noise): an overestimate
    where attempts at one environment share their luck.

    Parameters
    ----------
    mean, sd
        Of one score, on the scale from 0 to 1.
    k
        Number of scores.

    Raises
    ------
    InputError
        If no distribution on 0 to 1 has this mean and sd, or k is below 1.

    Examples
    --------
    Uniform scores: k/(k + 1).

    >>> round(best_score(0.5, 12**-0.5, 4), 4)
    0.8
    """
    if not (0.0 <= mean <= 1.0 and 0.0 <= sd**2 <= mean * (1.0 - mean) and k >= 1):
        raise InputError(
            "scores from 0 to 1 need a mean in that range, a variance of at most mean·(1 − mean) "
            f"and k of 1 or more; got mean {mean:g}, sd {sd:g}, k {k}: rescale the scores"
        )
    if sd**2 < 1e-12:
        return mean
    total = mean * (1.0 - mean) / sd**2 - 1.0
    if total < 1e-9:  # only zeros and ones
        return float(1.0 - (1.0 - mean) ** k)
    # Nodes dense at both ends, where the density of a U-shaped beta is.
    angle = np.linspace(0.0, np.pi, NODES)
    x = (1.0 - np.cos(angle)) / 2.0
    above = 1.0 - betainc(mean * total, (1.0 - mean) * total, x) ** k
    return float(integrate.trapezoid(above, x))
