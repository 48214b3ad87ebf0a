r"""How often to look: closed forms, and what a year of looks at a drifting capability loses.

A look leaves the variance that its mix leaves, never less, so that validity and elicitation floors
stand however often one looks; u years later it has grown by V(u) or more, see `losses`.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, hyp1f1, ndtri

from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.outlook.presets import Rate
from evalfolio.value.sample_information import DecisionValue, density, expected_excess

_MEANS = ndtri((np.arange(400) + 0.5) / 400)  # of what a look may say, equally likely
_PARTS = 24  # of a year, each taken at its middle


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


def losses(value: DecisionValue, explained: float, rate: Rate, every: float) -> Array:
    """Return what a year loses when a look comes now and every so many years: missed, needless.

    At time t, u after the last look, y has mean d₀ + rt and variance S + V(t); of it S − v + V(u)
    is unknown, v being what a look explains, and no less than looks of errors apart leave, which
    tell little of growth where they tell little. The call is the one that loses least by what is
    known at t: the looks, and the growth expected since. Losses are per unit of y and year.
    """
    t, at = (np.arange(_PARTS) + 0.5) / _PARTS, np.arange(0.0, 1.0 - 1e-9, every)[:, None]
    whole, prior = value.variance + rate.variance(t), value.variance
    noise = prior * (prior - explained) / max(explained, 1e-300) + 1e-9 * max(whole[-1], 1e-290)
    root = np.linalg.cholesky(prior + rate.covariance(at, at.T) + noise * np.eye(len(at)))
    told = np.square(np.linalg.solve(root, prior + rate.covariance(at, t))) * (at <= t)
    left = np.maximum(prior - explained + rate.variance(np.mod(t, every)), whole - told.sum(0))
    known = np.sqrt(np.maximum(whole - left, 0.0))[:, None] * _MEANS
    mean = (value.distance + rate.mean * t)[:, None] + known
    sd = np.sqrt(np.maximum(left, 1e-300))[:, None]
    calm = mean <= value.k * sd
    missed = np.where(calm, value.loss_missed * sd * expected_excess(mean / sd), 0.0)
    needless = np.where(calm, 0.0, value.loss_false_alarm * sd * expected_excess(-mean / sd))
    return np.array([missed.mean(), needless.mean()])
