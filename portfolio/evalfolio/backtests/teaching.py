"""What the history teaches: the inference that every strategy shares, in two forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from evalfolio.errors import InputError

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Outcomes = NDArray[np.bool_]


class Belief(Protocol):
    """What is believed of the AI model under test, given what was bought."""

    def completions(
        self, tasks: pd.DataFrame, caps: Array, attempts: int, rng: np.random.Generator
    ) -> Outcomes:
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
    levels: Array  # what is shown on every eval, in the unit of `shift`, (n_draws, n_evals)
    eval_of: Index  # of every task

    def attempt(self, cap: Array, shift: float = 0.0) -> tuple[Array, Array]:
        """Return P(success within the cap) and expected spend, (n_draws, n_tasks, n_nodes).

        `shift` is added to the level of every eval.
        """
        ...


class Teaching(Protocol):
    """A history: what the runs of other AI models teach of a further one."""

    @property
    def reads_stops(self) -> bool:
        """Whether runs stopped by a cap below the highest can be read."""
        ...

    def belief(self, runs: pd.DataFrame | None, seed: int) -> Belief:
        """Return what is believed of an AI model given its bought runs; None: given none."""
        ...

    def chances(self, tasks: pd.DataFrame) -> Chances:
        """Return the chances of an AI model of which nothing was bought."""
        ...


@dataclass(frozen=True)
class ResponseModel:
    """The response model of `evalbayes.responses`: seconds to fit, milliseconds per inference.

    It reads success under the highest cap only, so designs may not buy lower ones.

    Parameters
    ----------
    draws
        Of the history, and completions of each inference.
    """

    draws: int = 128

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
    reads_stops: bool = False

    def belief(self, runs: pd.DataFrame | None, seed: int) -> ResponseBelief:
        """Infer the AI model from its bought runs."""
        from evalbayes.responses import Newcomer
        from evalbayes.responses.table import LOST

        population = self.history.population
        successes, attempts = np.zeros((2, len(population.tasks.length)))
        if runs is not None and len(runs):
            outcome = runs["outcome"].to_numpy()
            told = ~np.isin(outcome.astype(object), LOST)
            place = self.positions[np.searchsorted(self.at, runs["at"].to_numpy(np.int64)[told])]
            np.add.at(successes, place, (outcome[told] == "success").astype(np.float64))
            np.add.at(attempts, place, 1.0)
        found = Newcomer.counted(population, successes, attempts, seed)
        return ResponseBelief(found, self.positions)

    def chances(self, tasks: pd.DataFrame) -> ResponseChances:
        """Return the chances before anything is bought."""
        return ResponseChances(self.history.newcomer(None), self.runs, tasks)


@dataclass(frozen=True, eq=False)
class ResponseBelief:
    """A newcomer of `evalbayes.responses`, completed."""

    newcomer: Any
    positions: Index

    def completions(
        self, tasks: pd.DataFrame, caps: Array, attempts: int, rng: np.random.Generator
    ) -> Outcomes:
        """Draw completions; see `Belief`."""
        found: Outcomes = self.newcomer.completions(self.positions, rng, attempts=attempts)
        return found


class ResponseChances:
    """Chances of single attempts under the prior of a newcomer; spends as of the history's runs."""

    def __init__(self, newcomer: Any, runs: pd.DataFrame, tasks: pd.DataFrame) -> None:
        population = newcomer.population
        at = population.tasks.positions(tasks)
        node, weight = population.nodes()
        self._logits = newcomer.logits(at)[..., None] + node
        self.weight = np.broadcast_to(weight, self._logits.shape)
        self.tilt = population.tasks.tilt[at]
        self.tilt_variance = float(newcomer.own_slope.var())
        self.levels = newcomer.levels()
        self.eval_of = population.tasks.eval_of[at]
        self._spend = mean_spend(runs, tasks)

    def attempt(self, cap: Array, shift: float = 0.0) -> tuple[Array, Array]:
        """Return chances of success and expected spend at the highest cap; see `Chances`."""
        return expit(self._logits + shift), self._spend[None, :, None]


def mean_spend(runs: pd.DataFrame, tasks: pd.DataFrame) -> Array:
    """Return the mean spend of a run on every task over AI models, (n_tasks,).

    The mean over the AI models of the history of the task's own runs; where it has none, of its
    eval's. Differences between AI models are left in the spread of what is really spent.
    """
    by_task = runs.groupby(["eval", "task", "ai_model"])["spend"].mean()
    by_task = by_task.groupby(["eval", "task"]).mean()
    by_eval = by_task.groupby("eval").mean()
    keys = pd.MultiIndex.from_frame(tasks[["eval", "task"]])
    own = by_task.reindex(keys).to_numpy(np.float64)
    rest = by_eval.reindex(tasks["eval"]).to_numpy(np.float64)
    return np.where(np.isnan(own), rest, own)


@dataclass(frozen=True)
class TaskModel:
    """The task-level model of `evalbayes.tasks`, fitted by NUTS: minutes, and lower caps are read.

    Parameters
    ----------
    draws, tune, chains
        Of the sampler.
    kept
        Draws of the history that inferences work with.
    completions
        Predictive completions of each inference.
    """

    draws: int = 500
    tune: int = 500
    chains: int = 2
    kept: int = 64
    completions: int = 256

    def fit(self, runs: pd.DataFrame, tasks: pd.DataFrame, seed: int) -> TaskTeaching:
        """Fit the history."""
        from evalbayes.tasks import TaskHistory

        history = TaskHistory.fit(
            runs,
            seed=seed,
            draws=self.draws,
            tune=self.tune,
            chains=self.chains,
            kept=self.kept,
        )
        return TaskTeaching(history, self.completions)


@dataclass(frozen=True, eq=False)
class TaskTeaching:
    """A fitted history, and how many completions to draw."""

    history: Any  # evalbayes.tasks.TaskHistory, which loads numba
    n_draws: int
    reads_stops: bool = True

    def belief(self, runs: pd.DataFrame | None, seed: int) -> TaskBelief:
        """Infer the AI model from its bought runs."""
        told = runs if runs is not None and len(runs) else None
        return TaskBelief(self.history.newcomer(told, seed=seed, n_draws=self.n_draws))

    def chances(self, tasks: pd.DataFrame) -> TaskChances:
        """Return the chances before anything is bought."""
        return TaskChances(self.history.newcomer(None, seed=0, n_draws=self.n_draws), tasks)


@dataclass(frozen=True, eq=False)
class TaskBelief:
    """A forecast of `evalbayes.tasks`, completed."""

    forecast: Any

    def completions(
        self, tasks: pd.DataFrame, caps: Array, attempts: int, rng: np.random.Generator
    ) -> Outcomes:
        """Draw completions of single attempts; see `Belief`.

        Raises
        ------
        InputError
            If more than one attempt counts.
        """
        if attempts > 1:
            raise InputError(
                f"inference tasks reads single attempts, got attempts {attempts}; use responses"
            )
        found: Outcomes = self.forecast.outcomes(tasks, caps, rng)
        return found


class TaskChances:
    """Chances of single attempts under the prior of an AI model; see `Chances`."""

    def __init__(self, forecast: Any, tasks: pd.DataFrame) -> None:
        self._forecast, self._tasks = forecast, tasks
        known, at = forecast.known.holding(tasks)
        self.weight = np.ones((forecast.n_draws, len(at), 1))
        self.tilt = known.table.length[at]
        self.tilt_variance = float(forecast.local[:, 0, 2].var())
        self.levels = forecast.local[:, :, 0]
        self.eval_of = known.table.eval_of[at]

    def attempt(self, cap: Array, shift: float = 0.0) -> tuple[Array, Array]:
        """Return chances of success and expected spend; see `Chances`."""
        local = self._forecast.local.copy()
        local[:, :, 0] += shift
        shifted = replace(self._forecast, local=local)
        success = shifted.success(self._tasks, cap, fresh=True)
        return success[..., None], shifted.spend(self._tasks, cap)[..., None]
