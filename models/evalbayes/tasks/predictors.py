"""Linear predictors of the task-level model: which quantities, with which weights, add up to what.

Every predictor is a short weighted sum of quantities that lie in one vector, so that the whole
model is two gathers: numba then compiles a handful of loops instead of one per quantity.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalbayes.model.layout import Layout
from evalbayes.tasks.layout import Sizes
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]
Index = NDArray[np.int64]

PARTS = (
    "level",
    "ln_slope",
    "length_slope",
    "difficulty",
    "success_location",
    "gave_up_location",
    "success_shift",
    "gave_up_shift",
    "success_ln_scale",
    "gave_up_ln_scale",
)


@dataclass
class Sums:
    """Weighted sums under way: columns, weights and constants of one row each."""

    columns: list[Index] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    constant: list[Array] = field(default_factory=list)

    def add(self, n: int, *terms: tuple[ArrayLike, ArrayLike], constant: ArrayLike = 0.0) -> None:
        """Append n rows, each Σ weight·quantity + constant."""
        columns, weights = np.zeros((n, WIDTH), dtype=np.int64), np.zeros((n, WIDTH))
        for k, (at, weight) in enumerate(terms):
            columns[:, k], weights[:, k] = at, weight
        self.columns.append(columns)
        self.weights.append(weights)
        self.constant.append(np.broadcast_to(np.asarray(constant, dtype=float), (n,)))

    def arrays(self, name: str) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """Return columns, weights and constants, as named data."""
        return {
            f"{name}_columns": np.concatenate(self.columns),
            f"{name}_weights": np.concatenate(self.weights),
            f"{name}_constant": np.concatenate(self.constant),
        }


WIDTH = 4  # terms of the longest sum


@dataclass(frozen=True)
class Places:
    """Where the blocks of the gathered vector begin: the blocks follow each other in this order."""

    base: int
    effects: int
    relative: int  # mean-free difficulty departures, then locations, of the evals
    cells: int
    effect: int  # of every task, in doublings
    success_by_effect: int  # the same in ln spend
    gave_up_by_effect: int


def places_of(base: Layout, effects: Layout, sizes: Sizes) -> Places:
    """Lay the blocks out."""
    lengths = (
        len(base),
        len(effects),
        2 * sizes.evals,
        2 * sizes.evals * sizes.models,
        sizes.tasks,
        sizes.tasks,
        sizes.tasks,
    )
    return Places(*(int(x) for x in np.concatenate([[0], np.cumsum(lengths)[:-1]])))


def cell_means(
    base: Layout, effects: Layout, table: TaskTable, n_models: int, ln_spend_centre: float
) -> Sums:
    """Means of the locations of every eval and AI model, success before giving up."""
    sizes = Sizes(len(table.evals), len(table), n_models)
    at = places_of(base, effects, sizes)
    i, m = (x.reshape(-1) for x in np.indices((sizes.evals, n_models)))
    level = np.log(2.0) * (table.eval_level - table.centre)[i]
    common = (
        (at.effects + effects.at("speed", m), 1.0),
        (at.relative + sizes.evals + i, 1.0),
        (base.at("spend_per_minutes"), level),
    )
    sums = Sums()
    sums.add(len(i), *common, constant=ln_spend_centre)
    later = at.effects + effects.at("gave_up_later_of", i)
    sums.add(len(i), *common, (later, 1.0), constant=ln_spend_centre)
    return sums


def predictors(base: Layout, effects: Layout, table: TaskTable, n_models: int) -> Sums:
    """Everything the likelihood reads, in the order of `PARTS`."""
    sizes = Sizes(len(table.evals), len(table), n_models)
    at = places_of(base, effects, sizes)
    i, m = (x.reshape(-1) for x in np.indices((sizes.evals, n_models)))
    model, every = np.arange(n_models), np.arange(len(i))
    task, of, w = np.arange(len(table)), table.eval_of, table.within
    sums = Sums()
    shown = at.effects + effects.at("shown", m)
    sums.add(len(i), (shown, 1.0), (base.at("validity_error", every), 1.0))
    sums.add(n_models, (base.at("slope_mean"), 1.0), (base.at("slope_offset", model), 1.0))
    sums.add(n_models, (base.at("length_slope", model), 1.0))
    sums.add(
        len(task),
        (at.relative + of, 1.0),
        (base.at("minutes_mean"), w),
        (base.at("minutes_offset", of), w),
        (at.effect + task, 1.0),
        constant=(table.eval_level - table.centre)[of],
    )
    for k in range(2):
        sums.add(len(i), (at.cells + k * len(i) + every, 1.0))
    for name in ("success", "gave_up"):
        by_effect = getattr(at, f"{name}_by_effect") + task
        sums.add(len(task), (base.at(f"{name}_within"), w), (by_effect, 1.0))
    for name in ("success_scale", "gave_up_scale"):
        sums.add(sizes.evals, (at.effects + effects.at(name, np.arange(sizes.evals)), 1.0))
    return sums
