"""The tasks of a history: names, evals, and human minutes on a centred log2 scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.errors import InputError

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class TaskTable:
    """Tasks of several evals.

    Parameters
    ----------
    evals
        Names of the evals.
    eval_level
        Mean log2 human minutes of the tasks of every eval, of shape (n_evals,).
    eval_of
        Index of the eval of every task, of shape (n_tasks,).
    names
        Names of the tasks, unique inside an eval.
    within
        log2 human minutes of every task above its eval's level; 0 where not known.
    centre
        log2 human minutes from which slopes that vary by AI model are measured.
    """

    evals: tuple[str, ...]
    eval_level: Array
    eval_of: Index
    names: tuple[str, ...]
    within: Array
    centre: float

    def __len__(self) -> int:
        return len(self.names)

    @property
    def length(self) -> Array:
        """log2 human minutes above `centre`, of shape (n_tasks,)."""
        value: Array = self.eval_level[self.eval_of] + self.within - self.centre
        return value

    @cached_property
    def index(self) -> Mapping[tuple[str, str], int]:
        """Position of every task by names of eval and task."""
        keys = zip((self.evals[i] for i in self.eval_of), self.names, strict=True)
        return {key: j for j, key in enumerate(keys)}

    def positions(self, tasks: pd.DataFrame) -> Index:
        """Position of every row's task, −1 where the table does not hold it."""
        keys = zip(tasks["eval"].astype(str), tasks["task"].astype(str), strict=True)
        return np.array([self.index.get(key, -1) for key in keys], dtype=np.int64)

    def eval_positions(self, tasks: pd.DataFrame) -> Index:
        """Position of every row's eval.

        Raises
        ------
        InputError
            If one is not in the table.
        """
        known = {name: i for i, name in enumerate(self.evals)}
        names = tasks["eval"].astype(str)
        for name in names:
            if name not in known:
                raise InputError(
                    f"tasks: eval must be one of the history's {sorted(known)}, got {name!r}; "
                    "fit a history that has runs of it"
                )
        return np.array([known[name] for name in names], dtype=np.int64)

    def extended(self, tasks: pd.DataFrame) -> TaskTable:
        """Return the table with the tasks it did not hold appended, once each."""
        fresh = tasks[self.positions(tasks) < 0].drop_duplicates(["eval", "task"])
        if not len(fresh):
            return self
        eval_of = self.eval_positions(fresh)
        within = np.nan_to_num(_log2_minutes(fresh) - self.eval_level[eval_of])
        return TaskTable(
            self.evals,
            self.eval_level,
            np.concatenate([self.eval_of, eval_of]),
            (*self.names, *fresh["task"].astype(str)),
            np.concatenate([self.within, within]),
            self.centre,
        )


def table_of(runs: pd.DataFrame) -> TaskTable:
    """Gather the tasks of a table of runs, sorted by eval and task."""
    frame = runs.assign(
        eval=runs["eval"].astype(str), task=runs["task"].astype(str), log2=_log2_minutes(runs)
    )
    tasks = frame.groupby(["eval", "task"], as_index=False, sort=True)["log2"].mean()
    evals, eval_of = np.unique(tasks["eval"].to_numpy(str), return_inverse=True)
    level = tasks.groupby("eval", sort=True)["log2"].mean().to_numpy(float)
    centre = float(np.nanmean(level)) if np.isfinite(level).any() else 0.0
    level = np.where(np.isfinite(level), level, centre)
    return TaskTable(
        tuple(str(name) for name in evals),
        level,
        eval_of.astype(np.int64),
        tuple(tasks["task"]),
        np.nan_to_num(tasks["log2"].to_numpy(float) - level[eval_of]),
        centre,
    )


def _log2_minutes(tasks: pd.DataFrame) -> Array:
    if "human_minutes" not in tasks:
        return np.full(len(tasks), np.nan)
    minutes = tasks["human_minutes"].to_numpy(dtype=np.float64)
    if (minutes <= 0).any():
        task = tasks["task"].iloc[int(np.flatnonzero(minutes <= 0)[0])]
        raise InputError(
            f"tasks: human_minutes must be above 0, got {minutes[minutes <= 0][0]:g} for task "
            f"{task!r}; leave it empty where it is not known"
        )
    value: Array = np.log2(minutes)
    return value
