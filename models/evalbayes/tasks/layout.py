"""The task-level model as a network of normals: one vector, each entry normal given others.

Quantity k is v[k] = h·x[k]·s^(1 − w), x[k] being the entry; h·x[k] is normal with mean const +
Σ weight·v[column] and sd const·s^w. Its sd s is another entry or derived from some; w is 1 where
runs tell the quantity well and 0 where they hardly do. h is 1 but for levels, which are told only
as far as the spread of tasks is: without it all of an eval's would have to move with it. Logits are
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
from evalbayes.tasks.density import FLATTENING
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Terms = Iterable[tuple[ArrayLike, ArrayLike]]

WIDTH = 5  # terms of the longest sum
OUTCOMES = ("success", "gave_up")
RUNS_AS_PRIOR = 3.0  # runs of a task that tell about as much of its spend as the prior


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
    sd_entry: list[int] = field(default_factory=list)  # where ln s is, −1: s is 1
    sd_weight: list[float] = field(default_factory=list)  # w
    stretch: list[int] = field(default_factory=list)  # where ln h is, −1: h is 1

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
        sd_weight: ArrayLike = 1.0,
        stretch: ArrayLike = -1,
    ) -> None:
        """Append one quantity (size None) or `size` of them."""
        n = 1 if size is None else size
        self.spans[name] = (len(self), len(self) + n, size is None)
        self.means.add(n, *terms, constant=mean)
        self.ln_sd += [float(np.log(sd))] * n
        self.sd_entry += [int(k) for k in np.broadcast_to(sd_entry, n)]
        self.sd_weight += [float(w) for w in np.broadcast_to(sd_weight, n)]
        self.stretch += [int(k) for k in np.broadcast_to(stretch, n)]

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
        start = np.cumsum([len(self), evals, evals, 1, 1, tasks, tasks])
        names = ("difficulty", "place", "slope", "minutes", "effect", *OUTCOMES)
        return {name: int(at) for name, at in zip(names, start, strict=True)}

    def quantities(self, x: Array) -> Array:
        """Return v of the entries (..., n), but for effects of tasks beyond what spend tells."""
        entry, weight = np.array(self.sd_entry), np.array(self.sd_weight)
        stretch = np.array(self.stretch)
        scale = np.concatenate([x, self.task_scales(x)[0]], axis=-1)
        wide = np.where(stretch >= 0, scale[..., np.maximum(stretch, 0)], 0.0)
        value: Array = x * np.exp((1.0 - weight) * scale[..., np.maximum(entry, 0)] + wide)
        return value

    def task_scales(self, x: Array) -> tuple[Array, Array]:
        """Return logs of three scales of every eval, (..., 3·n_evals), and its effect per spend.

        Spend φ·ε + ζ of a task has variance V = φ²τ² + ν²; given it ε is normal about φτ²/V times
        the spend with sd τν/√V. The scales are √V, τν/√V and h = √(1 + π τ²/8): shares over tasks
        tell level/h, since effects of tasks make their mean so much flatter.
        """
        by_effect, effect, spend = (
            x[..., slice(*self.spans[name][:2])]
            for name in ("spend_by_effect", "task_sd", "task_spend_sd")
        )
        variance = np.exp(2.0 * effect)
        total = by_effect**2 * variance + np.exp(2.0 * spend)
        ln_total, flatter = 0.5 * np.log(total), 0.5 * np.log1p(FLATTENING * variance)
        scales = [ln_total, effect + spend - ln_total, flatter]
        return np.concatenate(scales, axis=-1), by_effect * variance / total

    def draws(self, x: Array) -> dict[str, Array]:
        """Split draws (..., n) by name, each in its own unit."""
        value = self.quantities(x)
        found = {
            name: value[..., a] if single else value[..., a:b]
            for name, (a, b, single) in self.spans.items()
        }
        per_spend = self.task_scales(x)[1][..., self.table.eval_of]
        found["task_effect"] = found["task_effect"] + per_spend * found["task_spend"]
        return found


def layout_of(
    table: TaskTable, n_models: int, ln_spend_centre: float, runs: ArrayLike = 0
) -> Layout:
    """Lay the model out for these tasks and a number of AI models.

    `runs` is how many each task has, by eval: what to sample depends on it, not the model.
    """
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
    # A task's spend comes first and its effect given that: every run that ends tells what a task
    # takes, ten hardly how hard it is, and what the first says of the second is then one slope on
    # what is known.
    before = len(lay) + 2 * tasks + evals + 3 * len(i)  # all entries; what is derived follows
    number = np.broadcast_to(np.asarray(runs, dtype=float), evals)[table.eval_of]
    told = number / (number + RUNS_AS_PRIOR)
    lay.add("task_spend", size=tasks, sd_entry=before + table.eval_of, sd_weight=told)
    lay.add("task_effect", size=tasks, sd_entry=before + evals + table.eval_of, sd_weight=0.0)
    # Last what leans on what is derived. A level is what a cell shows, θ + u + ψ·(length of the
    # eval) − β. Again the sums are what runs tell.
    slope: tuple[ArrayLike, ArrayLike] = (before + 2 * evals, length)
    lay.add("difficulty", 0.0, 1.0, slope, size=evals, sd_entry=lay.at("difficulty_spread"))
    lay.add(
        "level",
        0.0,
        1.0,
        (lay.at("shown", m), 1.0),
        (before + i, -1.0),
        (lay.at("length_slope", m), length[i]),
        size=len(i),
        sd_entry=lay.at("validity_sd"),
        stretch=before + 2 * evals + i,
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
