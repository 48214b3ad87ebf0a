"""What a strategy concludes: the horizon with its uncertainty, shares solved, and the calls."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags, Index
from evalfolio.backtests.regression import CommonSlopeHorizon, HorizonRegression, common_slope

Regression = HorizonRegression | CommonSlopeHorizon  # what a horizon is

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FINE = 4  # thresholds per doubling
BEYOND = 2.0  # doublings beyond the shortest and the longest task at which the scale ends


@dataclass(frozen=True)
class Losses:
    """What wrong calls lose per doubling, over a grid of thresholds."""

    # human minutes at which the call changes
    thresholds: tuple[float, ...] = tuple(float(2.0 ** (k / FINE)) for k in range(10 * FINE + 1))
    missed: float = 4.0  # loss per doubling above a threshold when not mitigated
    false_alarm: float = 1.0  # loss per doubling below it when mitigated

    @classmethod
    def over(cls, human_minutes: Array) -> "Losses":
        """Return losses at a threshold every quarter of a doubling, shortest to longest task.

        Spaced wider, a threshold beside a horizon or none there decides what a call loses.

        >>> [round(minutes, 2) for minutes in Losses.over(np.array([1.0, 2.0])).thresholds]
        [1.0, 1.19, 1.41, 1.68, 2.0]
        """
        low, high = np.log2(human_minutes.min()), np.log2(human_minutes.max())
        many = int(np.ceil(FINE * (high - low) - 1e-9))
        return cls(tuple(float(2.0 ** min(low + k / FINE, high)) for k in range(many + 1)))

    @property
    def levels(self) -> Array:
        """log2 of the thresholds."""
        return np.log2(np.asarray(self.thresholds, dtype=np.float64))

    def calls(self, draws: Array) -> Flags:
        """Return whether to mitigate at every threshold: where it is expected to lose less."""
        mitigated, passed = self._expected(draws)
        return mitigated < passed

    def perfect(self, draws: Array) -> Array:
        """Return the value of perfect information at every threshold: what calls expect to lose."""
        return np.minimum(*self._expected(draws))

    def _expected(self, draws: Array) -> tuple[Array, Array]:
        """Return what is expected to be lost at every threshold by mitigating, and by not."""
        above = draws[:, None] - self.levels
        return (
            self.false_alarm * np.maximum(-above, 0.0).mean(axis=0),
            self.missed * np.maximum(above, 0.0).mean(axis=0),
        )

    def of(self, calls: Flags, truth: float) -> Array:
        """Return what the calls lose at every threshold when the horizon is `truth`."""
        above = truth - self.levels
        return np.where(
            calls, self.false_alarm * np.maximum(-above, 0.0), self.missed * np.maximum(above, 0.0)
        )


def promised(horizons: Array, explained: float, losses: Losses) -> Array:
    r"""Return the EVSI of calls at every threshold, from draws of the horizon T.

    What is bought explains a share r of the variance. The posterior's mean is taken as
    μ + √r·(T − μ) and what stays unknown as √(1 − r)·(T' − μ), T and T' independent draws: no
    normal, as the prior is skewed and ends where the tasks end. Values are those of the losses.

    >>> draws, losses = np.array([2.0, 4.0]), Losses(thresholds=(8.0,), missed=1.0)
    >>> [promised(draws, share, losses).tolist() for share in (0.0, 1.0)]
    [[0.0], [0.5]]
    """
    away = horizons - horizons.mean()
    known, unknown = np.sqrt(explained) * away, np.sqrt(1.0 - explained) * away
    drawn = horizons.mean() + known[:, None] + unknown
    found = []
    for level in losses.levels:
        called = losses.false_alarm * np.maximum(level - drawn, 0.0).mean(axis=1)
        passed = losses.missed * np.maximum(drawn - level, 0.0).mean(axis=1)
        found.append(min(called.mean(), passed.mean()) - np.minimum(called, passed).mean())
    return np.asarray(found, dtype=np.float64)


def regression_of(
    slope: str, human_minutes: Array, history: pd.DataFrame, attempts: int
) -> Regression:
    """Return what the horizon is on these tasks, known before anything is bought.

    With slope "common" all AI models lose as many logits per doubling of length as those of the
    history, taken together, do: the horizon is the shown capability, and depends on how many tasks
    are solved. With "own" each AI model's outcomes say how much it loses (METR's horizon).
    """
    if slope == "own":
        return HorizonRegression(human_minutes)
    counted = history[history["attempt"] < attempts]
    solved = (counted["outcome"] == "success").groupby([counted["ai_model"], counted["at"]]).max()
    minutes = counted.groupby(["ai_model", "at"])["human_minutes"].first()
    groups = [
        (minutes.loc[name].to_numpy(np.float64), solved.loc[name].to_numpy(np.float64))
        for name in solved.index.get_level_values(0).unique()
    ]
    return CommonSlopeHorizon(human_minutes, common_slope(groups))


class Judge:
    """Reads horizons off completions of a fixed set of tasks.

    `eval_of` is which eval each task is of, the regression what the horizon is.
    """

    def __init__(self, human_minutes: Array, eval_of: Index, regression: Regression) -> None:
        self.regression = regression
        x = np.log2(human_minutes)
        self.low, self.high = float(x.min()) - BEYOND, float(x.max()) + BEYOND
        self._sizes = np.bincount(eval_of).astype(np.float64)
        self._order = np.argsort(eval_of, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]]).astype(int)

    def horizons(self, completions: Array | Flags) -> Array:
        """Return the horizon of every completion, log2 minutes, held on the tasks' scale."""
        level = self.regression.fit(np.asarray(completions, dtype=np.float64)).level
        return np.clip(level, self.low, self.high)

    def influence(self, chances: Array) -> Array:
        """Return how far each task moves the horizon of chances, doublings, (n_tasks,)."""
        fit = self.regression.fit(chances)
        return self.regression.influence(float(fit.level[0]), float(fit.slope[0]))

    def shares(self, completions: Array | Flags) -> Array:
        """Return the share solved of every eval, (n_completions, n_evals)."""
        y = np.atleast_2d(np.asarray(completions, dtype=np.float64))[:, self._order]
        return np.add.reduceat(y, self._starts, axis=1) / self._sizes
