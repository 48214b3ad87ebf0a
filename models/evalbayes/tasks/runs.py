"""Runs of tasks as arrays: which task, how it ended, and ln of the spend or cap that tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.errors import InputError
from evalbayes.observations.outcome import CENSORED_ELSEWHERE, OUTCOMES

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# Kinds of evidence. Within and beyond a cap are of runs whose own spend is not known.
SUCCESS, GAVE_UP, STOPPED, WITHIN, BEYOND = range(5)
COLUMNS = ("eval", "task", "outcome", "spend", "cap")


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class TaskRuns:
    """Runs by task, in any order.

    Parameters
    ----------
    task
        Index of the task, of shape (n_runs,).
    kind
        0 success, 1 gave up, 2 stopped, 3 success within a cap (spend unknown), 4 none within it.
    ln
        ln of the spend of runs that ended, of the spend or cap at which others were stopped.
    """

    task: Index
    kind: Index
    ln: Array

    def __len__(self) -> int:
        return len(self.task)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> TaskRuns:
        """Return some of the runs."""
        return TaskRuns(self.task[rows], self.kind[rows], self.ln[rows])


def evidence_of(runs: pd.DataFrame) -> tuple[NDArray[np.bool_], Index, Array]:
    """Which rows are evidence, and the kind and ln spend (or cap) of those that are.

    A stop by the cap is censored at the cap, any other at the run's own spend; excluded runs, and
    stops of which the spend is not known, tell nothing.

    Raises
    ------
    InputError
        If a column is missing, an outcome unknown, a needed cap absent or an effort above 0.
    """
    for column in COLUMNS:
        if column not in runs:
            raise InputError(
                f"runs of tasks: must have the columns {', '.join(COLUMNS)}, got no {column!r}; "
                "rename or add it"
            )
    outcome = runs["outcome"].to_numpy(dtype=str)
    for row in np.flatnonzero(~np.isin(outcome, list(OUTCOMES))):
        raise InputError(
            f"runs of tasks: outcome must be one of {', '.join(OUTCOMES)}, got "
            f"{str(outcome[row])!r} for task {runs['task'].iloc[row]!r}; write one of these"
        )
    if "effort" in runs and (runs["effort"].fillna(0.0).to_numpy(float) > 0).any():
        raise InputError(
            "runs of tasks: effort must be 0, as tasks are modelled at standard elicitation; got "
            f"{runs['effort'].max():g}: leave elicited runs to `evalbayes.model.fit`"
        )
    spend = runs["spend"].to_numpy(dtype=np.float64)
    cap = runs["cap"].to_numpy(dtype=np.float64)
    known = spend > 0
    elsewhere = np.isin(outcome, list(CENSORED_ELSEWHERE))
    by_cap = outcome == "stopped_by_cap"
    kind = np.select(
        [outcome == "success", outcome == "gave_up", by_cap | elsewhere],
        [np.where(known, SUCCESS, WITHIN), np.where(known, GAVE_UP, BEYOND), STOPPED],
        default=-1,
    ).astype(np.int64)
    kind[elsewhere & ~known] = -1
    value = np.where(by_cap | ~known, cap, spend)
    used = kind >= 0
    for row in np.flatnonzero(used & ~(value > 0)):
        raise InputError(
            f"runs of tasks: cap must be above 0, got {cap[row]:g} for task "
            f"{runs['task'].iloc[row]!r}; write what the run was allowed to spend"
        )
    return used, kind[used], np.log(value[used])
