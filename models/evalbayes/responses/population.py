"""The population: draws of tasks, and of the prior of a further AI model; what is seen of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags, Index
from evalbayes.errors import InputError
from evalbayes.responses.spending import FAILURE, SUCCESS, Spending
from evalbayes.responses.table import LOST, Tasks

NODES = 7  # of the effect of task and AI model together
YEAR = 365.25  # days
Dates: TypeAlias = Mapping[str, pd.Timestamp]  # of release, by AI model


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Population:
    """Draws of tasks, and of the prior of a further AI model; axis 0 is the draw."""

    tasks: Tasks
    difficulty: Array  # b of every task, (n_draws, n_tasks), logits
    loading: Array  # α of every eval, (n_draws, n_evals)
    turn: Array  # γ, (n_draws,)
    # mean, sd: of capability over AI models, (n_draws,)
    mean: Array
    sd: Array
    # validity_sd, tilt_sd: ω and σ_ψ, (n_draws,)
    validity_sd: Array
    tilt_sd: Array
    pair_sd: float  # σ_ζ; 0 where no task was repeated
    # spending: where spends lie; None where the history gives none: then no lower cap can be read
    spending: Spending | None = None
    # trend: of capability in time: middle day, level there and growth a year, (2, n_draws), and sd
    trend: tuple[float, Array, Array] | None = None

    def at(self, released: pd.Timestamp | None) -> "Population":
        """Return the population of AI models released then; as it is where that tells nothing."""
        if self.trend is None or released is None:
            return self
        middle, line, sd = self.trend
        return replace(self, mean=line[0] + line[1] * (released.toordinal() - middle) / YEAR, sd=sd)

    def spends(self) -> Spending:
        """Return where spends lie. InputError if the history gives none."""
        if self.spending is None:
            raise InputError(
                "what runs cost, and runs stopped below the highest cap, can only be read where "
                "the history gives spend and cap of every run; add those columns to it"
            )
        return self.spending

    def nodes(self) -> tuple[Array, Array]:
        """Nodes and weights of ζ."""
        if self.pair_sd == 0:
            return np.zeros(1), np.ones(1)
        z, w = np.polynomial.hermite_e.hermegauss(NODES)
        return self.pair_sd * z, w / w.sum()


SAME = 1e-6  # relative: caps this close are one


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Seen:
    """Runs of a newcomer."""

    # successes, attempts: of runs that are settled, by task of the population, (n_tasks,)
    successes: Array
    attempts: Array
    going: Array  # runs stopped by a cap below the highest: they might have succeeded, (n_tasks,)
    ln_cap: Array  # the cap that stopped those, (n_tasks,)
    # end_task, end_kind, end_ln, end_censored: the settled runs' tasks, kinds and ln spends;
    # censored: spent at least that
    end_task: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    end_kind: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    end_ln: Array = field(default_factory=lambda: np.zeros(0))
    end_censored: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @classmethod
    def counts(cls, successes: Array | Index, attempts: Array | Index) -> "Seen":
        """Return settled runs of which only the number is known."""
        nothing = np.zeros(len(successes))
        return cls(np.asarray(successes, float), np.asarray(attempts, float), nothing, nothing)

    @classmethod
    def runs(cls, population: Population, at: Index, runs: pd.DataFrame | None) -> "Seen":
        """Return what runs show: columns outcome, spend and cap, on the population's tasks `at`."""
        n = len(population.tasks.length)
        going, ln_cap = np.zeros((2, n))
        if runs is None or not len(runs):
            return cls.counts(going, going)
        outcome = runs["outcome"].to_numpy().astype(object)
        told = ~np.isin(outcome, LOST)
        at, outcome = at[told], outcome[told]
        won, stopped = outcome == "success", outcome == "stopped_by_cap"
        spending = population.spending
        if spending is None or "cap" not in runs or "spend" not in runs:
            if spending is None and "cap" in runs and stopped.any():
                raise InputError(
                    "runs stopped by a cap below the highest can only be read where the history "
                    "gives spend and cap of every run; add those columns to it"
                )
            return cls.counts(np.bincount(at, won, n), np.bincount(at, minlength=n))
        cap = np.log(runs["cap"].to_numpy(np.float64)[told])
        spend = np.log(runs["spend"].to_numpy(np.float64)[told])
        early = stopped & (cap < spending.ln_cap[at] - SAME)
        np.add.at(going, at[early], 1.0)
        ln_cap[at[early]] = cap[early]
        mixed = cap[early] != ln_cap[at[early]]
        if mixed.any():
            key = population.tasks.keys[at[early][mixed][0]]
            raise InputError(
                f"task {key[1]!r} of {key[0]}: runs stopped by a cap must have one cap per task, "
                "got two; leave out those of one"
            )
        at, won, spend, stopped = (each[~early] for each in (at, won, spend, stopped))
        counts = cls.counts(np.bincount(at, won, n), np.bincount(at, minlength=n))
        kind = np.where(won, SUCCESS, FAILURE)
        return cls(counts.successes, counts.attempts, going, ln_cap, at, kind, spend, stopped)
