"""What the history teaches: the inference that every strategy shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import expit

from evalbayes.arrays import Array, Flags, Index


class Belief(Protocol):
    """What is believed of the AI model under test, given what was bought."""

    def completions(
        self, tasks: pd.DataFrame, caps: Array, attempts: int, rng: np.random.Generator
    ) -> Flags:
        """Draw whether each task would be solved with everything spent, (n_draws, n_tasks).

        Tasks whose outcome the bought runs have settled keep it.
        """
        ...


class Chances(Protocol):
    """Chances of single attempts before anything is bought, by draw, task and node of its effect.

    Given a draw and a node, attempts at a task are independent.
    """

    weight: Array  # of the nodes, (n_draws, n_tasks, n_nodes), summing to 1
    tilt: Array  # log2 human minutes of every task above where AI models' own slopes turn
    tilt_variance: float  # of those slopes, units of level per doubling of length
    level_covariance: Array  # of what is shown on the evals, unit of `shift` squared
    slower_variance: tuple[float, float]  # of the ln spend of successes: of all evals, of each
    eval_of: Index  # of every task

    def within(
        self, cap: Array, rows: Index | slice, shift: float = 0.0, slower: float = 0.0
    ) -> Array:
        """Return P(success within the cap) at some draws, (n_rows, n_tasks, n_nodes).

        `shift` is added to the level of every eval, `slower` to the ln spend of every success.
        """
        ...

    def spend(self, cap: Array) -> Array:
        """Return the expected spend of a run under a cap, (n_tasks,)."""
        ...


class Foresight(Protocol):
    """What further runs would show and cost once some are seen: `evalbayes.responses.Further`."""

    going: Flags  # tasks whose run a lower cap stopped, (n_tasks,) ...
    tried: Flags  # ... that an attempt failed and that may be tried again ...
    settled: Flags  # ... of which nothing more can be learnt
    ln_cap: Array  # of the cap that stopped the run going, -inf where none is
    ln_top: Array  # of the highest cap
    solved: Array  # chance with everything spent, (n_draws, n_tasks)

    def parts(self, shares: Sequence[float]) -> Array:
        """Return when each task comes to be solved, (n_draws, n_parts, n_tasks)."""
        ...

    def price(self, share: float, attempts: int = 1) -> Array:
        """Return what carrying each task on is expected to cost, (n_tasks,)."""
        ...


class Teaching(Protocol):
    """A history: what the runs of other AI models teach of a further one."""

    def belief(self, runs: pd.DataFrame | None, seed: int) -> Belief:
        """Return what is believed of an AI model given its bought runs; None: given none."""
        ...

    def chances(self, tasks: pd.DataFrame) -> Chances:
        """Return the chances of an AI model of which nothing was bought."""
        ...

    def foresight(self, runs: pd.DataFrame, attempts: int, seed: int) -> Foresight:
        """Return what further runs would show, of so many attempts, given the bought ones."""
        ...


@dataclass(frozen=True)
class ResponseModel:
    """The response model of `evalbayes.responses`: seconds to fit, milliseconds per inference."""

    draws: int = 128  # of the history, and completions of each inference

    def fit(self, runs: pd.DataFrame, tasks: pd.DataFrame, seed: int) -> ResponseTeaching:
        """Fit the history."""
        from evalbayes.responses import ResponseHistory

        history = ResponseHistory.fit(runs, seed=seed, draws=self.draws, tasks=tasks)
        at = history.population.tasks.positions(tasks)
        return ResponseTeaching(history, runs, at, tasks["at"].to_numpy(np.int64))


@dataclass(frozen=True, eq=False)
class ResponseTeaching:
    """A fitted history of responses, and its runs, whose spends are the prices."""

    history: Any  # evalbayes.responses.ResponseHistory
    runs: pd.DataFrame
    positions: Index  # of the tasks on offer among the history's ...
    at: Index  # ... and in the record, ascending

    def belief(self, runs: pd.DataFrame | None, seed: int) -> ResponseBelief:
        """Infer the AI model from its bought runs."""
        return ResponseBelief(self._newcomer(runs, seed), self.positions)

    def chances(self, tasks: pd.DataFrame) -> ResponseChances:
        """Return the chances before anything is bought."""
        return ResponseChances(self.history.newcomer(None), self.runs, tasks)

    def foresight(self, runs: pd.DataFrame, attempts: int, seed: int) -> Foresight:
        """Infer the AI model, and what further runs would show and cost."""
        from evalbayes.responses import Further

        return Further(self._newcomer(runs, seed), self.positions, attempts, seed)

    def _newcomer(self, runs: pd.DataFrame | None, seed: int) -> Any:
        from evalbayes.responses import Newcomer, Seen

        population = self.history.population
        bought = np.zeros(0, dtype=np.int64) if runs is None else runs["at"].to_numpy(np.int64)
        place = self.positions[np.searchsorted(self.at, bought)]
        return Newcomer.given(population, Seen.runs(population, place, runs), seed)


@dataclass(frozen=True, eq=False)
class ResponseBelief:
    """A newcomer of `evalbayes.responses`, completed."""

    newcomer: Any
    positions: Index

    def completions(
        self, tasks: pd.DataFrame, caps: Array, attempts: int, rng: np.random.Generator
    ) -> Flags:
        """Draw completions; see `Belief`."""
        return np.asarray(self.newcomer.completions(self.positions, rng, attempts=attempts))


class ResponseChances:
    """Chances of single attempts under the prior of a newcomer; spends as of the history's runs."""

    def __init__(self, newcomer: Any, runs: pd.DataFrame, tasks: pd.DataFrame) -> None:
        population = newcomer.population
        spending = population.spending
        self._at = population.tasks.positions(tasks)
        node, weight = population.nodes()
        self._logits = newcomer.logits(self._at)[..., None] + node
        self.weight = np.broadcast_to(weight, self._logits.shape)
        self.tilt = population.tasks.tilt[self._at]
        self.tilt_variance = float(newcomer.own_slope.var())
        self.level_covariance = population.level_covariance(self._at)
        self.slower_variance = (
            float(spending.model_sd[0] ** 2),
            float(spending.departure_sd[0] ** 2),
        )
        self.eval_of = population.tasks.eval_of[self._at]
        self._spending, self._runs, self._tasks = spending, runs, tasks

    def within(
        self, cap: Array, rows: Index | slice, shift: float = 0.0, slower: float = 0.0
    ) -> Array:
        """Return chances of success within a cap; see `Chances`."""
        share = self._spending.by_cap(cap, self._at, slower)[None, :, None]
        return np.asarray(expit(self._logits[rows] + shift) * share)

    def spend(self, cap: Array) -> Array:
        """Return expected spends under a cap; see `Chances`."""
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
