"""What a history knows: draws of everything that a forecast of one AI model needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.tasks.effects import hermite
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Known:
    """Draws of the history, thinned; axis 0 is the draw.

    Parameters
    ----------
    table
        The tasks.
    draws
        Arrays by name: `eval_difficulty`, `minutes`, `task_sd` (n, n_evals); `within`,
        `by_effect`, `cell_sd` (n, 2); `place`, `scale` (n, n_evals, 2), all for success and
        giving up; and the prior of an AI model, see `newcomer.prior_of`.
    node, log_weight
        Nodes of every task's effect and their log weights, (n, n_tasks, n_nodes).
    """

    table: TaskTable
    draws: Mapping[str, Array]
    node: Array
    log_weight: Array

    @cached_property
    def difficulty(self) -> Array:
        """Difficulty of every task without its effect, (n, n_tasks)."""
        of = self.table.eval_of
        value: Array = (
            self.draws["eval_difficulty"][:, of] + self.draws["minutes"][:, of] * self.table.within
        )
        return value

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """What the kernels read of the tasks, by name."""
        within = self.draws["within"]
        return {
            "eval_of": self.table.eval_of,
            "length": self.table.length,
            "difficulty": self.difficulty,
            "shift": within[:, None, :] * self.table.within[None, :, None],
            "node": self.node,
            "by_effect": self.draws["by_effect"],
            "scale": self.draws["scale"],
        }

    def holding(self, tasks: pd.DataFrame | Index) -> tuple[Known, Index]:
        """Return this, or a copy that holds tasks not seen before too, and their positions.

        The effect of a task not seen before is normal with the eval's task sd.
        """
        if not isinstance(tasks, pd.DataFrame):
            return self, np.asarray(tasks, dtype=np.int64)
        table = self.table.extended(tasks)
        if table is self.table:
            return self, table.positions(tasks)
        fresh = table.eval_of[len(self.table) :]
        z, log_w = hermite(self.node.shape[2])
        node = self.draws["task_sd"][:, fresh, None] * z
        return (
            Known(
                table,
                self.draws,
                np.concatenate([self.node, node], axis=1),
                np.concatenate([self.log_weight, np.broadcast_to(log_w, node.shape)], axis=1),
            ),
            table.positions(tasks),
        )
