"""A design: which runs to buy, at which caps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalbayes.errors import InputError


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Design:
    """Runs to buy.

    InputError if a task comes twice, or a cap or number of attempts is not above 0.

    Parameters
    ----------
    tasks
        Positions of tasks, each at most once, of shape (n,).
    caps
        Cap of every attempt, one for all or one per task.
    attempts
        Attempts at most per task (a success ends them), one for all or one per task.
    promised
        Expected value of the decisions that the strategy promises, by threshold, where it does.

    Examples
    --------
    >>> Design([3, 5], caps=2e6).attempts
    array([1, 1])
    """

    tasks: NDArray[np.int64]
    caps: NDArray[np.float64]
    attempts: NDArray[np.int64]
    promised: NDArray[np.float64] | None

    def __init__(
        self,
        tasks: ArrayLike,
        caps: ArrayLike,
        attempts: ArrayLike = 1,
        promised: NDArray[np.float64] | None = None,
    ) -> None:
        chosen = np.asarray(tasks, dtype=np.int64).reshape(-1)
        n = len(chosen)
        object.__setattr__(self, "tasks", chosen)
        object.__setattr__(self, "caps", np.broadcast_to(np.asarray(caps, float), (n,)).copy())
        object.__setattr__(
            self, "attempts", np.broadcast_to(np.asarray(attempts, np.int64), (n,)).copy()
        )
        object.__setattr__(self, "promised", promised)
        if len(np.unique(chosen)) < n:
            twice = int(chosen[np.flatnonzero(np.bincount(chosen)[chosen] > 1)[0]])
            raise InputError(f"a design must buy a task at most once, got task {twice} twice")
        if not (self.caps > 0).all() or not (self.attempts > 0).all():
            raise InputError("caps and attempts of a design must be above 0")

    def __len__(self) -> int:
        return len(self.tasks)

    def rows(self) -> list[tuple[int, float, int]]:
        """Return task, cap and attempts of each."""
        return list(
            zip(self.tasks.tolist(), self.caps.tolist(), self.attempts.tolist(), strict=True)
        )
