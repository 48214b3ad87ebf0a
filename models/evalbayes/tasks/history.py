"""The history: a task-level model fitted to the runs of several AI models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.diagnostics import Diagnostics
from evalbayes.errors import InputError
from evalbayes.tasks import newcomer
from evalbayes.tasks.effects import nodes_of
from evalbayes.tasks.forecast import Forecast, grouped
from evalbayes.tasks.kernel import evaluate
from evalbayes.tasks.known import Known
from evalbayes.tasks.runs import SUCCESS, TaskRuns, evidence_of
from evalbayes.tasks.table import TaskTable, table_of

Array = NDArray[np.float64]
Index = NDArray[np.int64]

REPORTED = (
    "slope_mean",
    "length_slope_sd",
    "validity_sd",
    "task_sd",
    "minutes",
    "shown",
    "slope",
    "eval_difficulty",
    "level",
    "location",
    "success_scale",
    "gave_up_scale",
    "success_by_effect",
    "gave_up_by_effect",
    "task_effect",
)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class TaskHistory:
    """Draws of the task-level model; `fit` makes one.

    Parameters
    ----------
    ai_models
        Names of the AI models of the history.
    known
        Tasks, their effects, and the prior of a further AI model, in draws.
    capability
        θ of every AI model, (n_draws, n_models).
    local
        Level, ln a, ψ and locations, (n_draws, n_models, n_evals, 5).
    runs, model
        The runs and the AI model of each.
    diagnostics
        Whether the sampler converged.
    """

    ai_models: tuple[str, ...]
    known: Known
    capability: Array
    local: Array
    runs: TaskRuns
    model: Index
    diagnostics: Diagnostics
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        runs: pd.DataFrame,
        *,
        seed: int = 0,
        draws: int = 500,
        tune: int = 500,
        chains: int = 2,
        kept: int = 128,
        progress: bool = False,
    ) -> TaskHistory:
        """Sample the model of success and spend of tasks.

        Parameters
        ----------
        runs
            One row per run: eval, task, ai_model, outcome, spend, cap; human_minutes where known;
            several attempts per task are several rows.
        seed
            Same runs and seed, same draws.
        draws, tune, chains
            Draws of each chain after `tune` steps of adaptation.
        kept
            Evenly spaced draws kept for forecasts, of all chains together.

        Raises
        ------
        InputError
            If a column is missing, a value cannot be, or no run is evidence.
        """
        from evalbayes.tasks.program import sampled  # loads PyMC

        if "ai_model" not in runs:
            raise InputError("runs of a history: must have a column ai_model, got none; add it")
        table = table_of(runs)
        used, kind, ln = evidence_of(runs)
        if not used.any():
            raise InputError("runs of a history: at least one run must be evidence, got none")
        names, model = np.unique(runs["ai_model"].to_numpy(str), return_inverse=True)
        model = model.astype(np.int64)[used]
        told = TaskRuns(table.positions(runs)[used], kind, ln)
        spends = ln[kind == SUCCESS]
        centre = float(spends.mean() if len(spends) else ln.mean())
        named, divergences = sampled(
            table,
            told,
            model,
            len(names),
            centre,
            seed=seed,
            draws=draws,
            tune=tune,
            chains=chains,
            progress=progress,
        )
        quantities = _quantities(table, named, centre, len(names))
        total = chains * draws
        keep = np.unique(np.linspace(0, total - 1, min(kept, total)).astype(int))
        flat = {
            key: value.reshape(total, *value.shape[2:])[keep] for key, value in quantities.items()
        }
        known, local = _known(table, flat, told, model)
        return cls(
            tuple(str(name) for name in names),
            known,
            flat["shown"],
            local,
            told,
            model,
            _diagnostics(table, names, quantities, divergences),
            {"seed": seed, "draws": draws, "tune": tune, "chains": chains},
        )

    def member(self, ai_model: str) -> Forecast:
        """Forecast of an AI model of the history.

        Raises
        ------
        InputError
            If it is none of the history's.
        """
        if ai_model not in self.ai_models:
            raise InputError(
                f"history: ai_model must be one of {sorted(self.ai_models)}, got {ai_model!r}; "
                "use `newcomer` with its runs, if it has any"
            )
        m = self.ai_models.index(ai_model)
        return Forecast(
            self.known,
            np.arange(len(self.local)),
            self.capability[:, m],
            self.local[:, m],
            self.runs.take(self.model == m),
            updated=True,
        )

    def told(self, runs: pd.DataFrame) -> tuple[Known, TaskRuns]:
        """Read runs of one AI model against the history's tasks, which they may add to.

        Runs made once may be given to `newcomer` in parts, by `TaskRuns.take`.
        """
        used, kind, ln = evidence_of(runs)
        known, at = self.known.holding(runs)
        return known, TaskRuns(at[used], kind, ln)

    def newcomer(
        self,
        runs: pd.DataFrame | TaskRuns | None = None,
        *,
        seed: int = 0,
        n_draws: int = 256,
        known: Known | None = None,
    ) -> Forecast:
        """Infer an AI model that the history does not hold from some runs, or from none.

        Parameters
        ----------
        runs
            Table with eval, task, outcome, spend, cap (human_minutes for tasks that the history
            does not hold), or what `told` made of one. None: the prior.
        seed
            Same runs and seed, same draws.
        n_draws
            Draws of equal weight to return.
        known
            The tasks, where `runs` comes from `told`.
        """
        rng = np.random.default_rng(seed)
        known = self.known if known is None else known
        if runs is None:
            runs = TaskRuns(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        elif isinstance(runs, pd.DataFrame):
            known, runs = self.told(runs)
        n, n_evals = len(known.log_weight), len(known.table.evals)
        evals = np.unique(known.table.eval_of[runs.task])
        prior = newcomer.prior_of(known.draws, evals)
        effective = 1.0
        if len(runs):
            own, start, order = grouped(runs.task)
            kind, ln = runs.kind[order], runs.ln[order]
            read = dict(known.arguments)
            read["scale"] = np.ascontiguousarray(read["scale"][:, evals])
            read["eval_of"] = np.searchsorted(evals, read["eval_of"])

            def likelihood(
                of: Index, local: Array, derivatives: bool
            ) -> tuple[Array, Array, Array]:
                value, first, second, _ = evaluate(
                    of,
                    local,
                    own,
                    start,
                    kind,
                    ln,
                    **read,
                    log_weight=known.log_weight,
                    derivatives=derivatives,
                    posterior=False,
                )
                return value, first, second

            per_draw = max(1, -(-n_draws // n))
            of, points, effective = newcomer.draws(
                prior, likelihood, len(evals), n_draws, per_draw, rng
            )
        else:
            of = rng.permutation(np.resize(np.arange(n), n_draws))
            root = np.linalg.cholesky(prior.precision).transpose(0, 2, 1)[of]
            z = rng.standard_normal((n_draws, newcomer.GLOBALS, 1))
            points = prior.mean[of] + np.linalg.solve(root, z)[:, :, 0]
        local = newcomer.everywhere(known.draws, of, points, evals, n_evals, rng)
        return Forecast(known, of, points[:, 0], local, runs, effective=effective)


def _quantities(
    table: TaskTable, named: Mapping[str, Array], centre: float, n_models: int
) -> dict[str, Array]:
    """Return what forecasts and reports need, of shape (chains, draws, ...)."""
    found = dict(named)
    n_evals, shape = len(table.evals), named["shown"].shape[:2]
    level = table.eval_level - table.centre
    departure = named["difficulty_departure"]
    error = named["validity_error"].reshape(*shape, n_evals, n_models)
    found["level"] = named["shown"][..., None, :] + error
    found["slope"] = np.exp(np.log(named["slope_mean"])[..., None] + named["slope_offset"])
    found["eval_difficulty"] = level + departure - departure.mean(axis=-1, keepdims=True)
    found["minutes"] = named["minutes_mean"][..., None] + named["minutes_offset"]
    found["task_sd"] = np.exp(named["task_sd_mean"][..., None] + named["task_sd_offset"])
    found["task_effect"] = named["task_offset"] * found["task_sd"][..., table.eval_of]
    place = named["eval_location"]
    place = place - place.mean(axis=-1, keepdims=True)
    place = place + named["spend_per_minutes"][..., None] * np.log(2.0) * level
    found["place"] = np.stack([place, place + named["gave_up_later_of"]], axis=-1)
    found["speed_mean"] = named["spend_centre"] + centre
    return found


def _known(
    table: TaskTable, flat: Mapping[str, Array], runs: TaskRuns, model: Index
) -> tuple[Known, Array]:
    """Effects of all tasks given every kept draw, and local parameters of the AI models."""

    def both(name: str) -> Array:
        return np.stack([flat[name.format("success")], flat[name.format("gave_up")]], axis=-1)

    draws = {
        "shown_mean": flat["shown_mean"],
        "shown_spread": flat["shown_spread"],
        "ln_slope_mean": np.log(flat["slope_mean"]),
        "ln_slope_spread": flat["slope_spread"],
        "length_slope_sd": flat["length_slope_sd"],
        "speed_mean": flat["speed_mean"],
        "speed_spread": flat["speed_spread"],
        "validity_sd": flat["validity_sd"],
        "eval_difficulty": flat["eval_difficulty"],
        "minutes": flat["minutes"],
        "task_sd": flat["task_sd"],
        "within": both("{}_within"),
        "by_effect": both("{}_by_effect"),
        "cell_sd": np.stack([flat["cell_spread"], flat["gave_up_cell_spread"]], axis=-1),
        "place": flat["place"],
        "scale": both("{}_scale"),
    }
    level = flat["level"].transpose(0, 2, 1)  # (draw, model, eval)
    local = np.empty((*level.shape, 5))
    local[..., 0] = level
    local[..., 1] = np.log(flat["slope"])[:, :, None]
    local[..., 2] = flat["length_slope"][:, :, None]
    local[..., 3:] = flat["location"].transpose(0, 2, 1, 3)
    empty = np.zeros((len(level), len(table), 0))
    bare = Known(table, draws, empty, empty)
    read, nodes, weights = bare.arguments, [], []
    for d in range(len(level)):
        draw = {
            "eval_of": table.eval_of,
            "length": table.length,
            "difficulty": read["difficulty"][d],
            "shift": read["shift"][d],
            "by_effect": read["by_effect"][d],
            "scale": read["scale"][d],
            "local": local[d],
            "task_sd": draws["task_sd"][d],
        }
        node, weight = nodes_of(runs, model, draw)
        nodes.append(node)
        weights.append(weight)
    return Known(table, draws, np.stack(nodes), np.stack(weights)), local


def _diagnostics(
    table: TaskTable, names: NDArray[Any], quantities: Mapping[str, Array], divergences: int
) -> Diagnostics:
    """R-hat and effective sample sizes of the reported quantities."""
    from evalbayes.model import sampling  # loads PyMC: only where something was sampled

    labels: list[str] = []
    columns = []
    for key in REPORTED:
        values = quantities[key].reshape(*quantities[key].shape[:2], -1)
        columns.append(values)
        single = values.shape[2] == 1
        labels += [key if single else f"{key}[{k}]" for k in range(values.shape[2])]
    r_hat, bulk, tail = sampling.convergence(np.concatenate(columns, axis=2))
    chains, draws = quantities["slope_mean"].shape
    return Diagnostics(
        pd.DataFrame(
            {"r_hat": r_hat, "ess_bulk": bulk, "ess_tail": tail},
            index=pd.Index(labels, name="quantity"),
        ),
        pd.DataFrame(),
        divergences,
        chains * draws,
    )
