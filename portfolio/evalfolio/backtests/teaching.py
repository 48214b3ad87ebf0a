"""What the history teaches: the inference that every strategy shares."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from evalbayes.arrays import Array, Index
from evalbayes.responses import Further, Newcomer, Population, Seen, fit_history


@dataclass(frozen=True)
class ResponseModel:
    """The response model of `evalbayes.responses`: seconds to fit, milliseconds per inference."""

    draws: int = 128  # of the history, and completions of each inference

    def fit(
        self,
        runs: pd.DataFrame,
        tasks: pd.DataFrame,
        seed: int,
        released: Mapping[str, pd.Timestamp],
        ai_model: str,
    ) -> "ResponseTeaching":
        """Learn from the runs of the history, about these tasks too and an AI model of its date."""
        population = fit_history(
            runs, seed=seed, draws=self.draws, tasks=tasks, released=released
        ).at(released.get(ai_model))
        at = population.tasks.positions(tasks)
        return ResponseTeaching(population, runs, at, tasks["at"].to_numpy(np.int64))


@dataclass(frozen=True, eq=False)
class ResponseTeaching:
    """A fitted history of responses, and its runs, whose spends are the prices."""

    population: Population
    runs: pd.DataFrame
    positions: Index  # of the tasks on offer among the history's ...
    at: Index  # ... and in the record, ascending

    def chances(self, tasks: pd.DataFrame) -> "Chances":
        """Return the chances of an AI model of which nothing was bought."""
        return Chances(Newcomer.inferred(self.population, None), self.runs, tasks)

    def foresight(self, runs: pd.DataFrame, attempts: int, seed: int) -> Further:
        """Return what further runs would show, of so many attempts, given the bought ones."""
        return Further(self.newcomer(runs, seed), self.positions, attempts, seed)

    def newcomer(self, runs: pd.DataFrame | None, seed: int) -> Newcomer:
        """Return what is believed of an AI model given its bought runs; None: given none."""
        bought = np.zeros(0, dtype=np.int64) if runs is None else runs["at"].to_numpy(np.int64)
        place = self.positions[np.searchsorted(self.at, bought)]
        return Newcomer.given(self.population, Seen.runs(self.population, place, runs), seed)


class Chances:
    """Chances of single attempts before anything is bought, by draw, task and node of its effect.

    Given a draw and a node, attempts at a task are independent. They are those under the prior of
    a newcomer; spends are as of the history's runs.
    """

    def __init__(self, newcomer: Newcomer, runs: pd.DataFrame, tasks: pd.DataFrame) -> None:
        population = newcomer.population
        spending = population.spends()
        self._at = population.tasks.positions(tasks)
        node, weight = population.nodes()
        self._logits = newcomer.logits(self._at)[..., None] + node
        # of the nodes, (n_draws, n_tasks, n_nodes), summing to 1
        self.weight = np.broadcast_to(weight, self._logits.shape)
        self._spending, self._runs, self._tasks = spending, runs, tasks

    def within(self, cap: Array, rows: Index | slice) -> Array:
        """Return P(success within the cap) at some draws, (n_rows, n_tasks, n_nodes)."""
        share = self._spending.by_cap(cap, self._at)[None, :, None]
        return np.asarray(expit(self._logits[rows]) * share)

    def spend(self, cap: Array) -> Array:
        """Return the expected spend of a run under a cap, (n_tasks,)."""
        return mean_spend(self._runs, self._tasks, cap)


def mean_spend(runs: pd.DataFrame, tasks: pd.DataFrame, cap: Array) -> Array:
    """Return the mean spend of a run on every task over AI models under a cap, (n_tasks,).

    The mean over the AI models of the history of the task's own runs; where it has none, of its
    eval's. Runs that spent more are taken to stop at the cap, those at the highest cap as they
    were, past it. Differences between AI models are left in the spread of what is really spent.
    """
    keys = pd.MultiIndex.from_frame(tasks[["eval", "task"]])
    limit = pd.Series(np.where(cap < tasks["cap"].to_numpy(np.float64), cap, np.inf), keys)
    by_eval_limit = limit.groupby("eval").max()
    own_keys = pd.MultiIndex.from_frame(runs[["eval", "task"]])
    most = limit.reindex(own_keys).to_numpy(np.float64)
    rest_of = by_eval_limit.reindex(runs["eval"]).to_numpy(np.float64)
    spend = np.fmin(runs["spend"].to_numpy(np.float64), np.where(np.isnan(most), rest_of, most))
    by_task = runs.assign(spend=spend).groupby(["eval", "task", "ai_model"])["spend"].mean()
    by_task = by_task.groupby(["eval", "task"]).mean()
    by_eval = by_task.groupby("eval").mean()
    own = by_task.reindex(keys).to_numpy(np.float64)
    rest = by_eval.reindex(tasks["eval"]).to_numpy(np.float64)
    return np.where(np.isnan(own), rest, own)
