"""Responses as arrays: who solved what, how often, of how many attempts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Index
from evalbayes.errors import InputError

LOST = ("excluded", "stopped_otherwise", "spurious")  # tell nothing of success under the cap


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Tasks:
    """Tasks of several evals."""

    evals: tuple[str, ...]  # names of the evals, sorted
    keys: pd.MultiIndex  # eval and task of every task
    eval_of: Index  # index of its eval
    length: Array  # log2 human minutes
    centre: Array  # mean length, by eval

    @property
    def within(self) -> Array:
        """Length above the eval's mean."""
        return self.length - self.centre[self.eval_of]

    @property
    def tilt(self) -> Array:
        """Length above the mean over evals."""
        return np.asarray(self.length - self.centre.mean())

    def positions(self, tasks: pd.DataFrame) -> Index:
        """Position of every row's task, −1 where it is not held."""
        wanted = pd.MultiIndex.from_frame(tasks[["eval", "task"]].astype(str))
        return self.keys.get_indexer(wanted).astype(np.int64)


def tasks_of(runs: pd.DataFrame) -> Tasks:
    """Gather the tasks of a table with eval, task and human_minutes."""
    by_task = runs.astype({"eval": str, "task": str}).groupby(["eval", "task"], sort=True)
    length = by_task["human_minutes"].median()
    for key in length.index[~(length > 0)]:
        raise InputError(
            f"task {key[1]!r} of {key[0]}: human_minutes must be above 0, got {length[key]:g}; "
            "fill it in or leave the task out"
        )
    names, codes = np.unique(length.index.get_level_values(0).to_numpy(str), return_inverse=True)
    x = np.log2(length.to_numpy(np.float64))
    centre = np.bincount(codes, x) / np.bincount(codes)
    keys = pd.MultiIndex.from_tuples([(str(a), str(b)) for a, b in length.index])
    return Tasks(tuple(map(str, names)), keys, codes.astype(np.int64), x, centre)


@dataclass(frozen=True, eq=False)
class Counts:
    """Successes and attempts by AI model and task."""

    # model, task: indices; successes, attempts: all of every pair that was run
    model: Index
    task: Index
    successes: Array
    attempts: Array


def told_runs(
    runs: pd.DataFrame, tasks: Tasks, models: tuple[str, ...]
) -> tuple[pd.DataFrame, Index, Index]:
    """Return the runs that say whether their task is solved, and its index and the AI model's."""
    told = runs[~runs["outcome"].isin(LOST)]
    model = pd.Index(models).get_indexer(pd.Index(told["ai_model"].astype(str)))
    return told, tasks.positions(told), model.astype(np.int64)


def counts_of(runs: pd.DataFrame, tasks: Tasks, models: tuple[str, ...]) -> Counts:
    """Count attempts that say whether the task is solved under the cap they had."""
    told, task, model = told_runs(runs, tasks, models)
    won = (told["outcome"] == "success").to_numpy(np.float64)
    pair, code = np.unique(model * len(tasks.length) + task, return_inverse=True)
    model, task = np.divmod(pair, len(tasks.length))
    solved = np.asarray(np.bincount(code, won), dtype=np.float64)
    return Counts(model, task, solved, np.bincount(code).astype(np.float64))
