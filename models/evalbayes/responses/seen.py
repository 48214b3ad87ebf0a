"""What is seen of a newcomer: successes, failures, runs still going at their cap, and spends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags, Index
from evalbayes.errors import InputError
from evalbayes.responses.population import Population
from evalbayes.responses.spending import FAILURE, SUCCESS
from evalbayes.responses.table import LOST

SAME = 1e-6  # relative: caps this close are one


def _none() -> Array:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Seen:
    """Runs of a newcomer.

    Parameters
    ----------
    successes, attempts
        Of runs that are settled, by task of the population, (n_tasks,).
    going
        Runs stopped by a cap below the highest: they might have succeeded, (n_tasks,).
    ln_cap
        The cap that stopped those, (n_tasks,).
    end_task, end_kind, end_ln, end_censored
        The settled runs' tasks, kinds and ln spends; censored: spent at least that.
    """

    successes: Array
    attempts: Array
    going: Array
    ln_cap: Array
    end_task: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    end_kind: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    end_ln: Array = field(default_factory=_none)
    end_censored: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @classmethod
    def counts(cls, successes: Array, attempts: Array) -> Seen:
        """Return settled runs of which only the number is known."""
        nothing = np.zeros(len(successes))
        return cls(np.asarray(successes, float), np.asarray(attempts, float), nothing, nothing)

    @classmethod
    def runs(cls, population: Population, at: Index, runs: pd.DataFrame | None) -> Seen:
        """Return what runs show: columns outcome, spend and cap, on the population's tasks `at`.

        Raises
        ------
        InputError
            If a run was stopped below the highest cap and the history gives no spends.
        """
        n = len(population.tasks.length)
        successes, attempts, going, ln_cap = np.zeros((4, n))
        if runs is None or not len(runs):
            return cls(successes, attempts, going, ln_cap)
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
            np.add.at(successes, at, won.astype(np.float64))
            np.add.at(attempts, at, 1.0)
            return cls(successes, attempts, going, ln_cap)
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
        settled = ~early
        np.add.at(successes, at[settled], won[settled].astype(np.float64))
        np.add.at(attempts, at[settled], 1.0)
        return cls(
            successes, attempts, going, ln_cap, at[settled],
            np.where(won, SUCCESS, FAILURE)[settled], spend[settled], stopped[settled],
        )  # fmt: skip
