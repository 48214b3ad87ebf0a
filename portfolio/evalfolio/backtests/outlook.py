r"""The outlook: what each task would tell and cost, before anything is bought.

At a draw of the history the horizon is linear in the tasks' outcomes around their chances,
T ≈ T₀ + Σ_j c_j y_j, with c the influence of each task on the regression.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from evalbayes.horizons.regression import HorizonRegression
from evalfolio.backtests.teaching import Chances

Array = NDArray[np.float64]

STEP = 0.25  # doublings: half the width of the difference quotient in capability
RISE = 1e-3  # relative step in the cap at which P(spend > cap) is read off expected spend


class Outlook:
    """Chances, spends and worth of buying tasks, averaged over nodes of the tasks' effects.

    Parameters
    ----------
    chances
        Of single attempts.
    human_minutes
        Of every task.
    caps
        The highest cap of every task.
    attempts
        Attempts that count: a task is solved when any of them succeeds.
    """

    def __init__(self, chances: Chances, human_minutes: Array, caps: Array, attempts: int) -> None:
        self.chances, self.caps, self.attempts = chances, caps, attempts
        self._regression = HorizonRegression(human_minutes)
        self.attempt = cache(self._attempt)

    def solved(self, shift: float = 0.0) -> Array:
        """Chance that each task is solved with everything spent, (n_draws, n_tasks)."""
        p, _ = self.attempt(1.0, shift)
        return self._mean(1.0 - (1.0 - p) ** self.attempts)

    def rise(self) -> Array:
        """Rise of that chance per doubling of the level shown on the task's eval."""
        return (self.solved(STEP) - self.solved(-STEP)) / (2.0 * STEP)

    def price(self, share: float, attempts: int) -> Array:
        """Return the expected spend on each task, attempts until the first success, (n_tasks,)."""
        p, spend = self.attempt(share)
        tries = sum((1.0 - p) ** a for a in range(attempts))  # attempts really made
        found: Array = self._mean(spend * tries).mean(axis=0)
        return found

    def told(self, share: float, attempts: int) -> Array:
        """Share of the variance of each task's outcome that buying it takes away.

        1 − E[Var(y | what is seen)]/Var(y), (n_draws, n_tasks): what is seen is success, or how the
        last attempt ended otherwise (stopped or given up, with one attempt bought).
        """
        full, _ = self.attempt(1.0)
        p, spend = self.attempt(share)
        _, more = self.attempt(share * (1.0 + RISE))
        width = (share * RISE * self.caps)[None, :, None]
        stopped = np.clip((more - spend) / width, 0.0, 1.0 - p)
        if share >= 1.0:
            stopped = np.zeros_like(stopped)  # nothing comes after the highest cap
        chance = self._mean(1.0 - (1.0 - full) ** self.attempts)
        rest = 1.0 - (1.0 - full) ** max(self.attempts - 1, 0)  # by the attempts not bought
        if attempts == 1:
            gave_up = 1.0 - p - stopped
            on = np.clip((full - p) / np.maximum(stopped, 1e-12), 0.0, 1.0)
            unsure = self._left(gave_up, rest) + self._left(
                stopped, 1.0 - (1.0 - on) * (1.0 - rest)
            )
        else:
            none = (1.0 - p) ** attempts
            after = 1.0 - (1.0 - full) ** (self.attempts - attempts)
            # each attempt that failed below the highest cap may have been stopped on its way
            on = np.clip((full - p) / np.maximum(1.0 - p, 1e-12), 0.0, 1.0)
            unsure = self._left(none, 1.0 - (1.0 - on) ** attempts * (1.0 - after))
        found: Array = np.clip(1.0 - unsure / np.maximum(chance * (1.0 - chance), 1e-12), 0.0, 1.0)
        return found

    def influences(self, rows: NDArray[np.int64]) -> Array:
        """Doublings by which each task's outcome moves the horizon, at some draws, (n, n_tasks)."""
        fits = self._regression.fit(self.solved()[rows])
        return np.stack(
            [
                self._regression.influence(float(level), float(slope))
                for level, slope in zip(fits.level, fits.slope, strict=True)
            ]
        )

    def levels(self) -> Array:
        """Horizon of the chances of every draw, log2 minutes."""
        return self._regression.fit(self.solved()).level

    def _attempt(self, share: float, shift: float = 0.0) -> tuple[Array, Array]:
        return self.chances.attempt(share * self.caps, shift)

    def _mean(self, by_node: Array) -> Array:
        found: Array = (self.chances.weight * by_node).sum(axis=2)
        return found

    def _left(self, probability: Array, success: Array) -> Array:
        """Return P(seen)·Var(y | seen), nodes averaged out."""
        seen = self._mean(probability)
        q = self._mean(probability * success) / np.maximum(seen, 1e-12)
        found: Array = seen * q * (1.0 - q)
        return found
