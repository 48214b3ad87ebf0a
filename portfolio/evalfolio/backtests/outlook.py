r"""The outlook: what each task would tell and cost, before anything is bought.

At a draw of the history the horizon is linear in the tasks' outcomes around their chances,
T ≈ T₀ + Σ_j c_j y_j, with c the influence of each task on the regression.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evalfolio.backtests.conclusion import Judge
from evalfolio.backtests.teaching import Chances

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ALL = slice(None)


class Outlook:
    """Chances, spends and worth of buying tasks, averaged over nodes of the tasks' effects.

    Parameters
    ----------
    chances
        Of single attempts.
    judge
        Of the horizon.
    caps
        The highest cap of every task.
    attempts
        Attempts that count: a task is solved when any of them succeeds.
    """

    def __init__(self, chances: Chances, judge: Judge, caps: Array, attempts: int) -> None:
        self.chances, self.caps, self.attempts = chances, caps, attempts
        self.judge = judge

    def solved(self) -> Array:
        """Chance that each task is solved with everything spent, (n_draws, n_tasks)."""
        p = self.chances.within(self.caps, ALL)
        return self._mean(1.0 - (1.0 - p) ** self.attempts, ALL)

    def within(self, share: float) -> Array:
        """Chance that an attempt succeeds within a share of the highest cap, (n_tasks,)."""
        found: Array = self._mean(self.chances.within(share * self.caps, ALL), ALL).mean(axis=0)
        return found

    def price(self, share: float, attempts: int) -> Array:
        """Return the expected spend on each task, attempts until the first success, (n_tasks,)."""
        spend = self.chances.spend(share * self.caps)
        if attempts == 1:
            return spend
        p = self.chances.within(share * self.caps, ALL)
        tries = sum((1.0 - p) ** a for a in range(attempts))  # attempts really made
        found: Array = spend * self._mean(np.asarray(tries), ALL).mean(axis=0)
        return found

    def parts(
        self, rows: Index, shares: Sequence[float], shift: float = 0.0, slower: float = 0.0
    ) -> Array:
        """Return when each task comes to be solved, (n_rows, n_parts, n_tasks).

        Chances that the first attempt succeeds between one share of the highest cap and the next
        (`shares` ascend to 1), and last, where more than one counts, that a later attempt does.
        Every way to buy a task shows the first so many parts.
        """
        found, before = [], np.zeros(1)
        for share in shares:
            p = self.chances.within(share * self.caps, rows, shift, slower)
            found.append(self._mean(p - before, rows))
            before = p
        if self.attempts > 1:
            later = (1.0 - before) * (1.0 - (1.0 - before) ** (self.attempts - 1))
            found.append(self._mean(later, rows))
        return np.maximum(np.stack(found, axis=1), 0.0)

    def influences(self, rows: Index) -> Array:
        """Doublings by which each task's outcome moves the horizon, at some draws, (n, n_tasks)."""
        return np.stack([self.judge.influence(chances) for chances in self.solved()[rows]])

    def levels(self) -> Array:
        """Horizon of the chances of every draw, log2 minutes, on the judge's scale."""
        return self.judge.horizons(self.solved())

    def horizons(self, seed: int = 0) -> Array:
        """Draw the horizon of one completion of every draw: luck is part of the truth."""
        p = self.solved()
        drawn = np.random.default_rng([seed, 6]).random(p.shape) < p
        return self.judge.horizons(drawn)

    def _mean(self, by_node: Array, rows: Index | slice) -> Array:
        found: Array = (self.chances.weight[rows] * by_node).sum(axis=2)
        return found
