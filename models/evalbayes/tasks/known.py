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
    """Draws of the history, thinned; axis 0 is the draw. Logits are the typical AI model's.

    Parameters
    ----------
    table
        The tasks.
    draws
        Arrays by name: `minutes` (λ), `task_sd` (τ), `task_spend_sd` (ν), all (n, n_evals);
        `by_effect` (φ) and `loading` (ρ), (n,); `within` (n, 2) and `scale` (n, n_evals, 2), for
        success and giving up; and the prior of an AI model, see `newcomer.prior_of`.
    node, log_weight
        Nodes of every task's effect ε and their log weights, (n, n_tasks, n_nodes).
    spend_mean, spend_sd
        Mean and sd of the task's effect on ln spend given that node, of the same shape.
    """

    table: TaskTable
    draws: Mapping[str, Array]
    node: Array
    log_weight: Array
    spend_mean: Array
    spend_sd: Array

    def __len__(self) -> int:
        return len(self.node)

    @cached_property
    def shared(self) -> Array:
        """Return the sd of what is not known of a task's spend, (n, n_tasks, n_nodes, 2).

        All its runs share it: success has it whole, giving up times ρ.
        """
        value: Array = self._factor * self.spend_sd[..., None]
        return value

    @property
    def _factor(self) -> Array:
        return np.stack([np.ones(len(self)), self.draws["loading"]], axis=-1)[:, None, None, :]

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """What the kernels read of the tasks, by name."""
        of, within = self.table.eval_of, self.table.within
        by_time = self.draws["within"][:, None, None, :] * within[None, :, None, None]
        own = self.draws["scale"][:, of][:, :, None, :]
        return {
            "eval_of": of,
            "within": within,
            "difficulty": self.draws["minutes"][:, of] * within,
            "node": self.node,
            "spend": by_time + self._factor * self.spend_mean[..., None],
            "scale": np.hypot(own, self.shared),
        }

    def holding(self, tasks: pd.DataFrame | Index) -> tuple[Known, Index]:
        """Return this, or a copy that holds tasks not seen before too, and their positions.

        The effects of a task not seen before are normal with the eval's sds.
        """
        if not isinstance(tasks, pd.DataFrame):
            return self, np.asarray(tasks, dtype=np.int64)
        table = self.table.extended(tasks)
        if table is self.table:
            return self, table.positions(tasks)
        fresh = table.eval_of[len(self.table) :]
        z, log_w = hermite(self.node.shape[2])
        node = self.draws["task_sd"][:, fresh, None] * z
        every = (
            (self.node, node),
            (self.log_weight, np.broadcast_to(log_w, node.shape)),
            (self.spend_mean, self.draws["by_effect"][:, None, None] * node),
            (self.spend_sd, self.draws["task_spend_sd"][:, fresh, None] + 0.0 * node),
        )
        return (
            Known(table, self.draws, *(np.concatenate(pair, axis=1) for pair in every)),
            table.positions(tasks),
        )
