"""The horizon at a slope that AI models share: one number that says how many tasks were solved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit

from evalbayes.errors import InputError
from evalfolio.backtests.regression import MIDDLE_SD, HorizonFits, lengths_of, outcomes_of

Array = NDArray[np.float64]

SLOPES = (0.02, 5.0)  # logits per doubling: the range searched
STEPS, TOLERANCE = 60, 1e-10


class CommonSlopeHorizon:
    r"""P(success on a task of m minutes) = expit(s·(level − log2 m)) with the slope s given.

    Maximises, for every completion y of the tasks' outcomes,

    Σ_j [y_j·η_j − ln(1 + e^{η_j})] − α²/(2·4²),   η_j = s·(level − x_j),  α = s·(level − x̄),

    with x_j = log2 minutes: the level at which the tasks solved are as many as expected (Rasch
    1960: their number is sufficient). It is the shown capability in doublings on a scale where all
    AI models lose as much per doubling; `HorizonRegression` lets each have its own slope, which far
    from the middle of the tasks moves the horizon by doublings. InputError if there is no task, a
    length is not above 0, or the slope is not.

    Parameters
    ----------
    human_minutes
        Length of every task, above 0, of shape (n_tasks,).
    slope
        Logits lost per doubling of length, above 0.

    Examples
    --------
    >>> horizon = CommonSlopeHorizon([1, 4, 16, 64], slope=0.6)
    >>> horizon.fit([[1, 1, 0, 0], [1, 1, 1, 0]]).level.round(2)
    array([3.  , 5.28])
    """

    def __init__(self, human_minutes: ArrayLike, slope: float) -> None:
        if not (np.isfinite(slope) and slope > 0):
            raise InputError(f"the slope must be above 0 logits per doubling, got {slope:g}")
        x = lengths_of(human_minutes)
        self.slope, self._n = float(slope), len(x)
        self._lengths, counts = np.unique(x, return_counts=True)
        self._weight = counts.astype(np.float64)
        self.middle = float(x.mean())

    def fit(self, outcomes: ArrayLike) -> HorizonFits:
        """Return the fits of completions, of shape (n_completions, n_tasks) or (n_tasks,).

        Outcomes are 0, 1 or shares between.
        """
        solved = outcomes_of(outcomes, self._n).sum(axis=1)
        a = np.zeros(len(solved))
        for _ in range(STEPS):
            p = self._chance(a)
            gradient = solved - p @ self._weight - a / MIDDLE_SD**2
            # A Newton step from where the curve is nearly flat would overshoot; the objective is
            # concave, so short steps in the right direction arrive.
            step = gradient / ((p * (1.0 - p)) @ self._weight + MIDDLE_SD**-2.0)
            a = a + np.clip(step, -1.0, 1.0)
            if float(np.abs(step).max()) < TOLERANCE:
                break
        return HorizonFits(self.middle + a / self.slope, np.full(len(a), self.slope))

    def influence(self, level: float, slope: float) -> Array:
        """Return how far the horizon moves with each task's outcome, doublings, (n_tasks,).

        The same for all tasks: one over the slope and the curvature at the fit.
        """
        p = self._chance(np.array([slope * (level - self.middle)]))
        curvature = float(((p * (1.0 - p)) @ self._weight)[0]) + MIDDLE_SD**-2.0
        return np.full(self._n, 1.0 / (slope * curvature))

    def _chance(self, a: Array) -> Array:
        found: Array = expit(a[:, None] - self.slope * (self._lengths - self.middle))
        return found


def common_slope(groups: Sequence[tuple[ArrayLike, ArrayLike]]) -> float:
    """Return the slope at which several AI models' outcomes are likeliest, each at its own level.

    InputError if there is no group, or one has minutes or outcomes that are not what they must be.

    Parameters
    ----------
    groups
        Human minutes and outcomes (0 to 1) of the tasks of each AI model.

    Examples
    --------
    >>> round(common_slope([([1, 4, 16, 64], [1, 1, 0, 1]), ([1, 4, 16, 64], [1, 0, 0, 0])]), 2)
    0.66
    """
    if not groups:
        raise InputError("a common slope needs the outcomes of one AI model or more, got none")
    known = [
        (lengths_of(minutes), outcomes_of(solved, np.size(minutes))[0], minutes)
        for minutes, solved in groups
    ]

    def unlikely(slope: float) -> float:
        total = 0.0
        for x, y, minutes in known:
            level = float(CommonSlopeHorizon(minutes, slope).fit(y).level[0])
            eta = slope * (level - x)
            total += float((np.logaddexp(0.0, eta) - y * eta).sum())
            total += 0.5 * (slope * (level - float(x.mean())) / MIDDLE_SD) ** 2
        return total

    return float(minimize_scalar(unlikely, bounds=SLOPES, method="bounded").x)
