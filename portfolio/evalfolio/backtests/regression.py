"""The full-data horizon: logistic regression of success on length, many completions at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import expit

from evalbayes.arrays import Array
from evalbayes.errors import InputError

# Weak priors that matter only where the outcomes separate: the slope's mode is METR's usual
# 0.6 logits per doubling, with an sd of about 0.6; the middle task's log-odds have sd 4.
SLOPE_MODE, MIDDLE_SD = 0.6, 4.0
STEPS, HALVINGS, TOLERANCE = 60, 40, 1e-9


@dataclass(frozen=True)
class HorizonFits:
    """P(success on a task of m minutes) = expit(slope·(level − log2 m)), one fit per completion."""

    level: Array  # log2 of the human minutes at 50 % success, (n_completions,)
    slope: Array  # logits lost per doubling of the task's length, above 0


class HorizonRegression:
    r"""Logistic regression of success on log2 human minutes over a fixed set of tasks.

    Maximises, for every completion y of the tasks' outcomes,

    Σ_j [y_j·η_j − ln(1 + e^{η_j})] − α²/(2·4²) + ln s − s/0.6,   η_j = α − s·(x_j − x̄),

    with x_j = log2 minutes and the horizon x̄ + α/s. The two last terms are a Gamma(2) prior of the
    slope s: with them the problem is strictly concave, s stays above 0 and the horizon is finite
    even where all outcomes are alike; over hundreds of tasks they move it by less than a hundredth
    of a doubling. Tasks of one length share a term, and all completions take their Newton steps
    together, so that hundreds of predictive completions cost milliseconds.

    >>> fits = HorizonRegression([1, 4, 16, 64]).fit([[1, 1, 0, 0], [1, 1, 1, 0]])
    >>> fits.level.round(2)
    array([3. , 4.9])
    """

    def __init__(self, human_minutes: ArrayLike) -> None:
        x = lengths_of(human_minutes)
        lengths, group, counts = np.unique(x, return_inverse=True, return_counts=True)
        self.middle = float(x.mean())
        self._x, self._weight = lengths - self.middle, counts.astype(np.float64)
        # Sorted by length, sums over the tasks of one length are one pass over the outcomes.
        self._order = np.argsort(group, kind="stable")
        self._starts = np.searchsorted(group[self._order], np.arange(len(lengths)))

    def fit(self, outcomes: ArrayLike) -> HorizonFits:
        """Return the fits of completions, of shape (n_completions, n_tasks) or (n_tasks,).

        Outcomes are 0, 1 or shares between.
        """
        y = outcomes_of(outcomes, len(self._order))
        solved = np.add.reduceat(y[:, self._order], self._starts, axis=1)
        first, second = solved.sum(axis=1), solved @ self._x  # the sufficient statistics
        a, s = np.zeros(len(y)), np.full(len(y), SLOPE_MODE)
        value = self._value(a, s, first, second)
        going = np.arange(len(y))
        for _ in range(STEPS):
            step_a, step_s, drop = self._step(a[going], s[going], first[going], second[going])
            # The slope keeps at least a tenth of itself: its logarithm is part of the objective.
            scale = np.minimum(1.0, 0.9 * s[going] / np.maximum(-step_s, 1e-300))
            for _ in range(HALVINGS):
                new_a, new_s = a[going] + scale * step_a, s[going] + scale * step_s
                new = self._value(new_a, new_s, first[going], second[going])
                worse = new < value[going] + 1e-4 * scale * drop - 1e-10 * np.abs(value[going])
                if not worse.any():
                    break
                scale = np.where(worse, 0.5 * scale, scale)
            a[going], s[going], value[going] = new_a, new_s, new
            going = going[drop > TOLERANCE]
            if not len(going):
                break
        return HorizonFits(self.middle + a / s, s)

    def influence(self, level: float, slope: float) -> Array:
        r"""Return how far the horizon moves with each task's outcome, of shape (n_tasks,).

        At the fit (α, s) a small change dy moves both by H⁻¹·Σ_j (1, −(x_j − x̄))·dy_j, H
        the negative Hessian, and the horizon by (dα − (level − x̄)·ds)/s. In doublings.
        """
        a, s = np.array([slope * (level - self.middle)]), np.array([slope])
        h_aa, h_as, h_ss = (float(h[0]) for h in self._hessian(a, s)[1:])
        inverse = np.linalg.inv(np.array([[h_aa, h_as], [h_as, h_ss]]))
        x = np.repeat(self._x, np.diff([*self._starts, len(self._order)]))
        moved = inverse @ np.stack([np.ones(len(x)), -x])
        found = np.empty(len(x))
        found[self._order] = (moved[0] - (level - self.middle) * moved[1]) / slope
        return found

    def _value(self, a: Array, s: Array, first: Array, second: Array) -> Array:
        eta = a[:, None] - s[:, None] * self._x
        fit = a * first - s * second - np.logaddexp(0.0, eta) @ self._weight
        return fit - 0.5 * (a / MIDDLE_SD) ** 2 + np.log(s) - s / SLOPE_MODE

    def _step(self, a: Array, s: Array, first: Array, second: Array) -> tuple[Array, Array, Array]:
        """Return the Newton step of both parameters and the rise it promises."""
        wp, h_aa, h_as, h_ss = self._hessian(a, s)
        g_a = first - wp.sum(axis=1) - a / MIDDLE_SD**2
        g_s = -(second - wp @ self._x) + 1.0 / s - 1.0 / SLOPE_MODE
        det = h_aa * h_ss - h_as**2
        step_a, step_s = (h_ss * g_a - h_as * g_s) / det, (h_aa * g_s - h_as * g_a) / det
        return step_a, step_s, g_a * step_a + g_s * step_s

    def _hessian(self, a: Array, s: Array) -> tuple[Array, Array, Array, Array]:
        """Return the expected successes by length, and the negative Hessian's three entries."""
        p = expit(a[:, None] - s[:, None] * self._x)
        wp = p * self._weight
        curved = wp * (1.0 - p)
        h_aa = curved.sum(axis=1) + MIDDLE_SD**-2.0
        h_ss = curved @ self._x**2 + s**-2.0
        return wp, h_aa, -(curved @ self._x), h_ss


def lengths_of(human_minutes: ArrayLike) -> Array:
    """Return log2 of human minutes; InputError where there is none or one is not above 0."""
    minutes = np.asarray(human_minutes, dtype=np.float64)
    if minutes.ndim != 1 or not len(minutes) or not (minutes > 0).all():
        raise InputError(
            "a horizon needs tasks with human minutes above 0, got "
            f"{int((~(minutes > 0)).sum())} of {minutes.size} without; leave those out"
        )
    return np.log2(minutes)


def outcomes_of(outcomes: ArrayLike, n_tasks: int) -> Array:
    """Return completions as (n_completions, n_tasks); InputError where they are no such numbers."""
    y = np.atleast_2d(np.asarray(outcomes, dtype=np.float64))
    if y.shape[1] != n_tasks or not ((y >= 0) & (y <= 1)).all():
        raise InputError(
            f"outcomes must be numbers from 0 to 1, one for each of {n_tasks} tasks, "
            f"got an array of shape {y.shape}"
        )
    return y


SLOPES = (0.02, 5.0)  # logits per doubling: the range searched
CLOSE = 1e-10  # of a step in logits


class CommonSlopeHorizon:
    r"""P(success on a task of m minutes) = expit(s·(level − log2 m)) with the slope s given.

    Maximises, for every completion y of the tasks' outcomes,

    Σ_j [y_j·η_j − ln(1 + e^{η_j})] − α²/(2·4²),   η_j = s·(level − x_j),  α = s·(level − x̄),

    with x_j = log2 minutes: the level at which the tasks solved are as many as expected (Rasch
    1960: their number is sufficient). It is the shown capability in doublings on a scale where all
    AI models lose as much per doubling; `HorizonRegression` lets each have its own slope, which far
    from the middle of the tasks moves the horizon by doublings.

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
            if float(np.abs(step).max()) < CLOSE:
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
        return expit(a[:, None] - self.slope * (self._lengths - self.middle))


def common_slope(groups: Sequence[tuple[ArrayLike, ArrayLike]]) -> float:
    """Return the slope at which several AI models' outcomes are likeliest, each at its own level.

    Groups are the human minutes and outcomes (0 to 1) of the tasks of each AI model.

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
