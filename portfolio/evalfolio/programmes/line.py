r"""Losses of one decision along the mean of y that results may leave: what a programme steps on.

Results move the mean m of y, less its threshold, as a martingale; its steps are normal with the
variance they explain, whatever m is. With the variance R left, the call that loses least loses

    ℓ(m, R) = min(L_m·√R·ψ(m/√R), L_f·√R·ψ(−m/√R)),

so that G(v) from m is ℓ(m, R) − E ℓ(m + √v·ε, R − v), for equal and unequal losses alike.
"""

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from evalbayes.arrays import Array
from evalfolio.value.sample_information import DecisionValue, density

REACH, POINTS = 6.0, 301  # sds of what can be learned that a line reaches; points of it


class Line:
    """Evenly spaced means of a decision's y, less the threshold, around the mean now.

    >>> line = Line(DecisionValue(-0.8, 2.25, 1.0, 1.0), 2.25)
    >>> after = line.ahead(line.loss(0.69), 1.56)
    >>> gain = np.interp(-0.8, line.means, line.loss(2.25) - after)
    >>> bool(abs(gain - line.value.gain(1.56)) < 1e-4)
    True
    """

    def __init__(self, value: DecisionValue, explainable: float) -> None:
        self.value, self.reach = value, REACH * float(np.sqrt(max(explainable, 1e-12)))
        self.means: Array = value.distance + self.reach * np.linspace(-1.0, 1.0, POINTS)
        self._own = lru_cache(maxsize=96)(lambda variance: self._ramps(variance, self.means))

    def loss(self, left: float) -> Array:
        """Return ℓ along the line with the variance `left`."""
        return np.asarray(both_losses(self.value, left, self.means).min(axis=0))

    def ahead(self, table: Array, variance: float, means: Array | None = None) -> Array:
        """Return E table(m + N(0, variance)) at means m, those of the line by default.

        Exact for a table read along straight lines, and as its ends beyond them.
        """
        if variance <= 1e-12 * (self.means[-1] - self.means[0]) ** 2:
            return table if means is None else np.interp(means, self.means, table)
        ramps = self._own(variance) if means is None else self._ramps(variance, means)
        return np.asarray(table[0] + ramps @ np.diff(table))

    def _ramps(self, variance: float, means: Array) -> Array:
        """Return how far along each piece of the line m + N(0, variance) is expected."""
        sd = np.sqrt(variance)
        over = sd * excess((means[:, None] - self.means) / sd)
        return np.asarray((over[:, :-1] - over[:, 1:]) / (self.means[1] - self.means[0]))


def both_losses(value: DecisionValue, left: float, means: Array) -> Array:
    """Return expected losses of not mitigating and of mitigating, first axis, at means of y."""
    sd = np.sqrt(max(left, 1e-18))
    over = sd * excess(means / sd)
    return np.stack([value.loss_missed * over, value.loss_false_alarm * (over - means)])


def excess(z: Array) -> Array:
    """Return ψ(z) to rounding of 1, in a third of the time of `expected_excess`."""
    return np.asarray(np.maximum(density(z) + z * ndtr(z), 0.0))
