"""The task-level model as a network of normals: one vector, each entry normal given others.

Entry k is normal with mean const + Σ weight·v[column] and sd exp(const + x[sd_entry]), where v
holds the entries (those kept as offsets times their sd) and what is derived from them. Logits are
those of the typical AI model: capability, difficulty and their sds are kept times the typical
slope a, which then stands in their priors only. Without this all of them would have to move
together whenever a does, and the sampler would crawl along that ridge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalbayes.model import priors as joint
from evalbayes.model.priors import Positive
from evalbayes.tasks import priors
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Terms = Iterable[tuple[ArrayLike, ArrayLike]]

WIDTH = 5  # terms of the longest sum
OUTCOMES = ("success", "gave_up")


@dataclass
class Sums:
    """Rows of const + Σ weight·v[column]."""

    columns: list[Index] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    constant: list[Array] = field(default_factory=list)

    def add(self, n: int, *terms: tuple[ArrayLike, ArrayLike], constant: ArrayLike = 0.0) -> None:
        """Append n rows."""
        columns, weights = np.zeros((n, WIDTH), dtype=np.int64), np.zeros((n, WIDTH))
        for k, (at, weight) in enumerate(terms):
            columns[:, k], weights[:, k] = at, weight
        self.columns.append(columns)
        self.weights.append(weights)
        self.constant.append(np.broadcast_to(np.asarray(constant, dtype=float), (n,)))

    def arrays(self) -> tuple[Index, Array, Array]:
        """Columns and weights, (n, WIDTH), and constants, (n,)."""
        return (
            np.concatenate(self.columns),
            np.concatenate(self.weights),
            np.concatenate(self.constant),
        )


@dataclass
class Layout:
    """Names along the vector, and the prior of every entry."""

    table: TaskTable
    n_models: int
    spans: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    means: Sums = field(default_factory=Sums)
    ln_sd: list[float] = field(default_factory=list)
    sd_entry: list[int] = field(default_factory=list)  # entry with ln of a further factor, −1: none
    scale_entry: list[int] = field(default_factory=list)  # entry with ln sd of an offset, −1: none

    def __len__(self) -> int:
        return len(self.ln_sd)

    def add(
        self,
        name: str,
        mean: ArrayLike = 0.0,
        sd: float = 1.0,
        *terms: tuple[ArrayLike, ArrayLike],
        size: int | None = None,
        sd_entry: ArrayLike = -1,
        scale_entry: ArrayLike = -1,
    ) -> None:
        """Append one quantity (size None) or `size` of them."""
        n = 1 if size is None else size
        self.spans[name] = (len(self), len(self) + n, size is None)
        self.means.add(n, *terms, constant=mean)
        self.ln_sd += [float(np.log(sd))] * n
        self.sd_entry += [int(k) for k in np.broadcast_to(sd_entry, n)]
        self.scale_entry += [int(k) for k in np.broadcast_to(scale_entry, n)]

    def positive(self, name: str, prior: Positive, *terms: tuple[ArrayLike, ArrayLike]) -> None:
        """Append the logarithm of a lognormal quantity."""
        self.add(name, prior.mean_ln, prior.sd_ln, *terms)

    def at(self, name: str, index: ArrayLike = 0) -> Index:
        """Entry, or entries, of a quantity."""
        position: Index = self.spans[name][0] + np.asarray(index, dtype=np.int64)
        return position

    @property
    def derived(self) -> dict[str, int]:
        """Where what is derived from the entries begins in v."""
        evals, tasks = len(self.table.evals), len(self.table)
        start = np.cumsum([len(self), evals, evals, 1, 1, tasks, tasks, tasks])
        names = ("difficulty", "place", "slope", "minutes", "effect", *OUTCOMES, "by_effect")
        return {name: int(at) for name, at in zip(names, start, strict=True)}

    def draws(self, x: Array) -> dict[str, Array]:
        """Split draws (..., n) by name; offsets are multiplied by their sd."""
        entry = np.array(self.scale_entry)
        factor = np.where(entry >= 0, np.exp(x[..., np.maximum(entry, 0)]), 1.0)
        scaled = x * factor
        return {
            name: scaled[..., a] if single else scaled[..., a:b]
            for name, (a, b, single) in self.spans.items()
        }


def layout_of(table: TaskTable, n_models: int, ln_spend_centre: float) -> Layout:
    """Lay the model out for these tasks and a number of AI models."""
    evals, tasks = len(table.evals), len(table)
    i, m = (k.reshape(-1) for k in np.indices((evals, n_models)))
    lay = Layout(table, n_models)
    lay.positive("slope_mean", priors.SLOPE)
    times_slope = (lay.at("slope_mean"), 1.0)
    lay.positive("slope_spread", priors.SLOPE_SPREAD)
    for name, prior in (
        ("length_slope_sd", priors.LENGTH_SLOPE_SD),
        ("validity_sd", joint.VALIDITY_SD),
        ("difficulty_spread", joint.DIFFICULTY_SPREAD),
        ("shown_spread", joint.SHOWN_SPREAD),
        ("minutes_spread", priors.MINUTES_SPREAD),
        ("task_sd_mean", priors.TASK_SD),
    ):
        lay.positive(name, prior, times_slope)
    for name, prior in (
        ("task_sd_spread", priors.TASK_SD_SPREAD),
        ("task_spend_sd_mean", priors.TASK_SPEND_SD),
        ("task_spend_sd_spread", priors.TASK_SPEND_SD_SPREAD),
        ("eval_spread", joint.EVAL_LOCATION_SPREAD),
        ("speed_spread", joint.AI_MODEL_LOCATION_SPREAD),
        ("gave_up_later_spread", joint.GAVE_UP_SPREAD),
        ("success_cell_spread", joint.CELL_LOCATION_SPREAD),
        ("gave_up_cell_spread", joint.CELL_LOCATION_SPREAD),
        ("success_scale_spread", joint.SCALE_SPREAD),
        ("gave_up_scale_spread", joint.SCALE_SPREAD),
    ):
        lay.positive(name, prior)
    lay.add("shown_mean", 0.0, joint.SHOWN_MEAN_SD, sd_entry=lay.at("slope_mean"))
    lay.add("minutes_mean", *priors.MINUTES)
    lay.add("spend_centre", ln_spend_centre, joint.LN_SPEND_CENTRE_SD)
    lay.add("spend_per_minutes", *joint.SPEND_PER_MINUTES)
    lay.add("gave_up_later_mean", *joint.GAVE_UP_LATER)
    lay.add("gave_up_loading", *priors.GAVE_UP_LOADING)
    lay.add("spend_by_effect", *priors.SPEND_BY_EFFECT)
    for outcome in OUTCOMES:
        lay.positive(f"{outcome}_scale_mean", joint.SCALE)
        lay.add(f"{outcome}_within", *priors.SPEND_WITHIN)
    # Centred, as many runs tell each of these well. Places of evals contain what human time says
    # of them, as their runs tell the sum.
    length = table.eval_level - table.centre
    per_minutes = (lay.at("spend_per_minutes"), np.log(2.0) * length)
    lay.add("eval_location", 0.0, 1.0, per_minutes, size=evals, sd_entry=lay.at("eval_spread"))
    for name, mean, spread, size in (
        ("shown", "shown_mean", "shown_spread", n_models),
        ("speed", "spend_centre", "speed_spread", n_models),
        ("gave_up_later", "gave_up_later_mean", "gave_up_later_spread", evals),
        ("success_scale", "success_scale_mean", "success_scale_spread", evals),
        ("gave_up_scale", "gave_up_scale_mean", "gave_up_scale_spread", evals),
        ("task_sd", "task_sd_mean", "task_sd_spread", evals),
        ("task_spend_sd", "task_spend_sd_mean", "task_spend_sd_spread", evals),
    ):
        lay.add(name, 0.0, 1.0, (lay.at(mean), 1.0), size=size, sd_entry=lay.at(spread))
    for name, size, by in (
        ("slope_offset", n_models, lay.at("slope_spread")),
        ("length_slope", n_models, lay.at("length_slope_sd")),
        ("minutes_offset", evals, lay.at("minutes_spread")),
    ):
        lay.add(name, size=size, sd_entry=by)
    # An offset, to be multiplied by its sd: whether a few runs succeed tells little of a task.
    lay.add("task_effect", size=tasks, scale_entry=lay.at("task_sd", table.eval_of))
    # Last what leans on what is derived, which lies after all entries. A task's effect on spend
    # contains what its difficulty explains of it. A level is what a cell shows, θ + u + ψ·(length
    # of the eval) − β. Again the sums are what runs tell.
    before = len(lay) + tasks + evals + 3 * len(i)
    slope: tuple[ArrayLike, ArrayLike] = (before + 2 * evals, length)
    lay.add("difficulty", 0.0, 1.0, slope, size=evals, sd_entry=lay.at("difficulty_spread"))
    explained = before + 2 * evals + 2 + 3 * tasks + np.arange(tasks)
    spend_sd = lay.at("task_spend_sd", table.eval_of)
    lay.add("task_spend", 0.0, 1.0, (explained, 1.0), size=tasks, sd_entry=spend_sd)
    lay.add(
        "level",
        0.0,
        1.0,
        (lay.at("shown", m), 1.0),
        (before + i, -1.0),
        (lay.at("length_slope", m), length[i]),
        size=len(i),
        sd_entry=lay.at("validity_sd"),
    )
    common: list[tuple[ArrayLike, ArrayLike]] = [
        (lay.at("speed", m), 1.0),
        (before + evals + i, 1.0),
    ]
    later: tuple[ArrayLike, ArrayLike] = (lay.at("gave_up_later", i), 1.0)
    for outcome, sums in (("success", common), ("gave_up", [*common, later])):
        own = lay.at(f"{outcome}_cell_spread")
        lay.add(f"{outcome}_location", 0.0, 1.0, *sums, size=len(i), sd_entry=own)
    return lay


def predictors(lay: Layout) -> Sums:
    """Everything the likelihood reads of the vector, in the order `log_density` takes it."""
    table, derived = lay.table, lay.derived
    evals, tasks = len(table.evals), len(table)
    cells, of = evals * lay.n_models, table.eval_of
    every, model, task = np.arange(cells), np.arange(lay.n_models), np.arange(tasks)
    sums = Sums()
    sums.add(cells, (lay.at("level", every), 1.0))
    sums.add(lay.n_models, (lay.at("slope_offset", model), 1.0))
    sums.add(lay.n_models, (lay.at("length_slope", model), 1.0))
    sums.add(
        tasks,
        (derived["minutes"], table.within),
        (lay.at("minutes_offset", of), table.within),
        (derived["effect"] + task, 1.0),
    )
    for outcome in OUTCOMES:
        sums.add(cells, (lay.at(f"{outcome}_location", every), 1.0))
    for outcome in OUTCOMES:
        within = (lay.at(f"{outcome}_within"), table.within)
        sums.add(tasks, within, (derived[outcome] + task, 1.0))
    for outcome in OUTCOMES:
        sums.add(evals, (lay.at(f"{outcome}_scale", np.arange(evals)), 1.0))
    return sums
