"""The forecast of one AI model: draws of what it can do, and what it would do on tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evalbayes.errors import InputError
from evalbayes.tasks.kernel import evaluate
from evalbayes.tasks.prediction import predict
from evalbayes.tasks.runs import BEYOND, GAVE_UP, STOPPED, SUCCESS, WITHIN, TaskRuns

if TYPE_CHECKING:
    from evalbayes.tasks.known import Known

Array = NDArray[np.float64]
Index = NDArray[np.int64]

Tasks = pd.DataFrame | Index


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Forecast:
    """Draws of one AI model's parameters, its own runs, and what is known of the tasks.

    Parameters
    ----------
    known
        Draws of the history.
    of
        Draw of the history that each draw here belongs to, of shape (n_draws,).
    capability
        θ of every draw, log2 human minutes at 50 % success on a typical task and eval.
    local
        Level θ + u, ln a, ψ and locations of ln spend of success and of giving up for every eval,
        of shape (n_draws, n_evals, 5).
    runs
        The AI model's own runs.
    updated
        Whether the task effects in `known` have learned from these runs already.
    effective
        Effective share of the importance draws, 1 where there was nothing to correct.
    """

    known: Known
    of: Index
    capability: Array
    local: Array
    runs: TaskRuns
    updated: bool = False
    effective: float = 1.0

    @property
    def n_draws(self) -> int:
        """How many draws of equal weight."""
        return len(self.of)

    def success(self, tasks: Tasks, cap: ArrayLike, *, fresh: bool = False) -> Array:
        """Probability of success within the cap, of shape (n_draws, n_tasks).

        Parameters
        ----------
        tasks
            Table with eval and task (human_minutes for tasks that the history does not hold), or
            positions in the history's table.
        cap
            One for all, or one per task, in the history's unit of spend.
        fresh
            Of a fresh attempt. Otherwise of the task's own run: where one was seen it is 1 or 0,
            or, where that was stopped below the cap, the probability that going on succeeds.
        """
        return self._foretold(tasks, cap, fresh)[0]

    def spend(self, tasks: Tasks, cap: ArrayLike) -> Array:
        """Return the expected spend of a fresh attempt, E[min(T, c)], (n_draws, n_tasks)."""
        return self._foretold(tasks, cap, True)[1]

    def outcomes(
        self, tasks: Tasks, cap: ArrayLike, rng: np.random.Generator, *, fresh: bool = False
    ) -> NDArray[np.bool_]:
        """Draw whether each task is solved within the cap, (n_draws, n_tasks).

        Tasks with a run of their own keep its outcome (unless `fresh`).
        """
        probability = self.success(tasks, cap, fresh=fresh)
        drawn: NDArray[np.bool_] = rng.random(probability.shape) < probability
        return drawn

    def _foretold(self, tasks: Tasks, cap: ArrayLike, fresh: bool) -> tuple[Array, Array]:
        known, at = self.known.holding(tasks)
        ln_cap = _ln_cap(cap, len(at))
        log_weight = known.log_weight[self.of][:, at]
        passed = np.full(len(at), -np.inf)
        if len(self.runs):
            own, start, order = grouped(self.runs.task)
            place = np.full(len(known.table), -1)
            place[own] = np.arange(len(own))
            mine = np.flatnonzero(place[at] >= 0)
            if len(mine) and not self.updated:
                _, _, _, weights = evaluate(
                    self.of,
                    self.local,
                    own,
                    start,
                    self.runs.kind[order],
                    self.runs.ln[order],
                    **known.arguments,
                    log_weight=known.log_weight,
                    derivatives=False,
                    posterior=True,
                )
                log_weight[:, mine] = weights[:, place[at[mine]]]
            if not fresh:
                solved, failed, stopped = self._states(len(known.table), ln_cap, at)
                passed = np.where(stopped, self._reached(len(known.table))[at], -np.inf)
        success, spend = predict(
            self.of,
            self.local,
            at,
            ln_cap,
            passed,
            log_weight,
            known.shared,
            self.updated,
            **known.arguments,
        )
        if len(self.runs) and not fresh:
            success[:, solved] = 1.0
            success[:, failed] = 0.0
        return success, spend

    def _reached(self, n_tasks: int) -> Array:
        """Largest ln spend at which a run of the task was stopped; −inf where none was."""
        reached = np.full(n_tasks, -np.inf)
        stopped = self.runs.kind == STOPPED
        np.maximum.at(reached, self.runs.task[stopped], self.runs.ln[stopped])
        return reached

    def _states(
        self, n_tasks: int, ln_cap: Array, at: Index
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of the tasks are solved, failed, or stopped below the cap, by their own runs.

        A run solved only beyond the cap counts as failed; with several runs, any success counts.
        """
        kind, ln = self.runs.kind, self.runs.ln
        cap_of = np.full(n_tasks, -np.inf)
        cap_of[at] = ln_cap
        ran = np.zeros(n_tasks, dtype=bool)
        ran[self.runs.task] = True
        solved = np.zeros(n_tasks, dtype=bool)
        # caps are checked between calls: a success up to a tenth past the cap is within it
        won = (kind == SUCCESS) & (ln <= cap_of[self.runs.task] + np.log(1.1))
        solved[self.runs.task[won | (kind == WITHIN)]] = True
        ended = np.zeros(n_tasks, dtype=bool)
        ended[self.runs.task[np.isin(kind, (SUCCESS, GAVE_UP, WITHIN, BEYOND))]] = True
        below = self._reached(n_tasks) < cap_of - 1e-9
        stopped = ran & ~ended & below
        return solved[at], (ran & ~solved & ~stopped)[at], stopped[at]


def grouped(task: Index) -> tuple[Index, Index, Index]:
    """Tasks run, where the runs of each begin (one longer), and the order that sorts them."""
    order = np.argsort(task, kind="stable")
    own, start = np.unique(task[order], return_index=True)
    return own, np.append(start, len(task)).astype(np.int64), order


def _ln_cap(cap: ArrayLike, n: int) -> Array:
    value = np.broadcast_to(np.asarray(cap, dtype=np.float64), (n,))
    if not (value > 0).all():
        raise InputError(
            f"cap must be above 0 for every task, got {value.min():g}; give what runs may spend"
        )
    return np.log(value)
