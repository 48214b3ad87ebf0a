r"""The market: all that a strategy may see before it buys, the history and nothing else.

At a draw of the history the horizon is linear in the tasks' outcomes around their chances,
T ≈ T₀ + Σ_j c_j y_j, with c the influence of each task on the regression.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Index
from evalbayes.responses import Further
from evalfolio.backtests.conclusion import Judge, Losses
from evalfolio.backtests.record import Design
from evalfolio.backtests.teaching import Chances

ALL = slice(None)
FRACTIONS = (0.005, 0.02, 0.06, 0.2, 1.0)  # caps on offer, shares of the highest
POINTS = (0.2, 0.5, 0.8)  # quantiles of the prior predictive horizon


class Bought(NamedTuple):
    """One task bought: its row, share of the highest cap, and attempts."""

    row: int
    share: float
    attempts: int


class Outlook:
    """Chances, spends and worth of buying tasks, averaged over nodes of the tasks' effects.

    Chances are of single attempts, caps the highest of every task; attempts are those that count: a
    task is solved when any of them succeeds.
    """

    def __init__(self, chances: Chances, judge: Judge, caps: Array, attempts: int) -> None:
        self.chances, self.caps, self.attempts = chances, caps, attempts
        self.judge = judge

    def solved(self) -> Array:
        """Chance that each task is solved with everything spent, (n_draws, n_tasks)."""
        p = self.chances.within(self.caps, ALL)
        return self._mean(1.0 - (1.0 - p) ** self.attempts, ALL)

    def within(self, share: float) -> Array:
        """Chance that an attempt succeeds within a share of the highest cap, (n_tasks,)."""
        return np.asarray(self._mean(self.chances.within(share * self.caps, ALL), ALL).mean(axis=0))

    def price(self, share: float, attempts: int) -> Array:
        """Return the expected spend on each task, attempts until the first success, (n_tasks,)."""
        spend = self.chances.spend(share * self.caps)
        if attempts == 1:
            return spend
        p = self.chances.within(share * self.caps, ALL)
        tries = sum((1.0 - p) ** a for a in range(attempts))  # attempts really made
        return np.asarray(spend * self._mean(np.asarray(tries), ALL).mean(axis=0))

    def influences(self, rows: Index) -> Array:
        """Doublings by which each task's outcome moves the horizon, at some draws, (n, n_tasks)."""
        return np.stack([self.judge.influence(chances) for chances in self.solved()[rows]])

    def levels(self) -> Array:
        """Horizon of the chances of every draw, log2 minutes, on the judge's scale."""
        return self.judge.horizons(self.solved())

    def horizons(self, seed: int = 0) -> Array:
        """Draw the horizon of one completion of every draw: luck is part of the truth."""
        p = self.solved()
        drawn = np.random.default_rng([seed, 6]).random(p.shape) < p
        return self.judge.horizons(drawn)

    def _mean(self, by_node: Array, rows: Index | slice) -> Array:
        return np.asarray((self.chances.weight[rows] * by_node).sum(axis=2))


Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False)
class Market:
    """What can be bought of the AI model under test, and what the history says of it."""

    at: Index  # positions of the tasks on offer, (n_tasks,)
    tasks: pd.DataFrame  # their eval, task and human_minutes, one row each
    # runs of other AI models, the last one's last where release dates are known
    history: pd.DataFrame
    outlook: Outlook  # prior predictive chances and spends of the AI model on these tasks
    caps: Array  # the highest of every task; lower ones are shares of it
    attempts: int  # at a task at most
    losses: Losses  # what the calls are about
    unseen: "Sight"  # what is known before anything is bought
    _kept: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def evals(self) -> tuple[str, ...]:
        """Names of the evals on offer, sorted."""
        return tuple(sorted(self.tasks["eval"].unique()))

    @cached_property
    def horizons(self) -> Array:
        """Draws of the horizon before anything is bought, log2 minutes."""
        return self.outlook.horizons()

    @cached_property
    def luck(self) -> Array:
        """Mean over the prior of the variance that each task adds to the horizon, (n_tasks,)."""
        rows = at_quantiles(self.outlook.levels())
        solved = self.outlook.solved()[rows]
        luck = self.outlook.influences(rows) ** 2 * solved * (1.0 - solved)
        return np.asarray(luck.mean(axis=0))

    def of_eval(self, name: str) -> Index:
        """Rows of an eval among the tasks on offer (not positions of the record)."""
        return np.flatnonzero((self.tasks["eval"] == name).to_numpy())

    def price(self, share: float = 1.0, attempts: int | None = None) -> Array:
        """Return the expected spend on every task, attempts until the first success."""
        attempts = self.attempts if attempts is None else attempts
        return self.remembered(
            ("price", share, attempts), lambda: self.outlook.price(share, attempts)
        )

    def remembered(self, key: Any, make: Callable[[], Kept]) -> Kept:
        """Return what `make` makes, made once per key: plans do not depend on the repetition."""
        if key not in self._kept:
            self._kept[key] = make()
        found: Kept = self._kept[key]
        return found


class Sight:
    """What the runs bought so far have shown.

    Runs are as they came out under the caps paid for; `foretell` reads them and tells what further
    ones would show and cost.
    """

    def __init__(self, runs: pd.DataFrame, foretell: Callable[[pd.DataFrame], Further]) -> None:
        self.runs, self._foretell = runs, foretell

    @property
    def spent(self) -> float:
        """What the runs have really spent."""
        return float(self.runs["spend"].sum())

    @cached_property
    def foresight(self) -> Further:
        """What further runs would show and cost."""
        return self._foretell(self.runs)

    @property
    def price(self) -> Callable[[float, int], Array] | None:
        """The prices of `foresight`, once that was looked up."""
        return self.foresight.price if "foresight" in vars(self) else None


@runtime_checkable
class Staged(Protocol):
    """Decides in stages, and sees what the runs bought so far have shown before it buys more."""

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Yield all runs to have bought so far, be sent a `Sight`, and at last return all.

        Every design holds the one before, caps and attempts not less; what it adds is expected to
        spend no more than what is really left of the budget.
        """
        ...


def at_quantiles(horizons: Array) -> Index:
    """Return the draws at the quantiles of the horizon where influences are worked out."""
    order = np.argsort(horizons, kind="stable")
    return np.asarray(order[(np.asarray(POINTS) * (len(order) - 1)).round().astype(int)])
