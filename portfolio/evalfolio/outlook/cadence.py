"""How far apart looks should be, where a look has a price and danger unseen loses: closed forms."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, hyp1f1

from evalfolio.errors import InputError
from evalfolio.value.sample_information import density


def renewal_period(hazard: float, cost: float, loss: float) -> float:
    """Return the best time between looks where danger is dealt with and can come again.

    Danger arrives at `hazard`, a look costs `cost`, danger unseen loses `loss` a unit of time.
    x = hT solves (1 + x)e⁻ˣ = 1 − hK/L; 1 − (1 + x)e⁻ˣ is the incomplete gamma ratio P(2, x). Where
    hK/L is 1 or more it is never worth looking: infinity. InputError if a figure is not above 0.

    >>> [round(renewal_period(1.0, ratio, 1.0), 4) for ratio in (0.01, 0.1, 1.0)]
    [0.1486, 0.5318, inf]
    """
    ratio = _ratio(hazard, cost, loss)
    return float(gammaincinv(2.0, ratio) / hazard) if ratio < 1 else float("inf")


def one_off_period(hazard: float, cost: float, loss: float) -> float:
    """Return the same where danger, once there, stays and seeing it ends the matter.

    x = hT solves eˣ − 1 − x = hK/L; its left side is x²/2·₁F₁(1; 3; x).

    >>> [round(one_off_period(1.0, ratio, 1.0), 4) for ratio in (0.01, 0.1)]
    [0.1382, 0.4162]
    """
    ratio = _ratio(hazard, cost, loss)
    most = np.sqrt(2 * ratio) * (1 + 1e-12)
    root = brentq(lambda x: x * x / 2 * hyp1f1(1.0, 3.0, x) - ratio, 0.0, most, xtol=1e-300)
    return float(root) / hazard


def random_walk_period(cost: float, loss: float, sd: float) -> float:
    """Return (2K/a)^(2/3), a = (2/3)φ(0)Lσ: for a random walk that sits at its threshold.

    Its variance grows by sd² a unit of time; losses are `loss` per unit and time on either side.
    InputError if a figure is not above 0.

    >>> round(random_walk_period(0.1, 1.0, 1.0), 4)
    0.8269
    """
    return float((3 * _ratio(1.0 / sd if sd > 0 else 0.0, cost, loss) / density(0.0)) ** (2 / 3))


def _ratio(hazard: float, cost: float, loss: float) -> float:
    if not (hazard > 0 and cost > 0 and 0 < loss < np.inf):
        got = f"{hazard:g}, {cost:g} and {loss:g}"
        raise InputError(f"hazard (or sd), cost and loss must be above 0, got {got}; correct them")
    return hazard * cost / loss
