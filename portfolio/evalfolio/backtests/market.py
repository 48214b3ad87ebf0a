"""The market: all that a strategy may see before it buys, the history and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.outlook import Outlook

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False)
class Market:
    """What can be bought of the AI model under test, and what the history says of it.

    Parameters
    ----------
    at
        Positions of the tasks on offer, of shape (n_tasks,).
    tasks
        Their eval, task and human_minutes, one row each.
    history
        Runs of other AI models, the last one's last where release dates are known.
    outlook
        Prior predictive chances and spends of the AI model on these tasks.
    caps
        The highest cap of every task; lower ones are shares of it.
    attempts
        Attempts at a task at most.
    losses
        What the calls are about.
    """

    at: Index
    tasks: pd.DataFrame
    history: pd.DataFrame
    outlook: Outlook
    caps: Array
    attempts: int
    losses: Losses
    _kept: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def evals(self) -> tuple[str, ...]:
        """Names of the evals on offer, sorted."""
        return tuple(sorted(self.tasks["eval"].unique()))

    @cached_property
    def horizons(self) -> Array:
        """Draws of the horizon before anything is bought, log2 minutes."""
        return self.outlook.horizons()

    def of_eval(self, name: str) -> Index:
        """Rows of an eval among the tasks on offer (not positions of the record)."""
        return np.flatnonzero((self.tasks["eval"] == name).to_numpy())

    def price(self, share: float = 1.0, attempts: int | None = None) -> Array:
        """Return the expected spend on every task, attempts until the first success."""
        attempts = self.attempts if attempts is None else attempts
        return self.remembered(
            ("price", share, attempts), lambda: self.outlook.price(share, attempts)
        )

    def remembered(self, key: Any, make: Callable[[], Kept]) -> Kept:
        """Return what `make` makes, made once per key: plans do not depend on the repetition."""
        if key not in self._kept:
            self._kept[key] = make()
        found: Kept = self._kept[key]
        return found
