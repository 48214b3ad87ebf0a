"""The history: a task-level model fitted to the runs of several AI models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.errors import InputError
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.tasks import newcomer, storage
from evalbayes.tasks.assembly import known_of, quantities_of
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
    "shown",
    "slope_offset",
    "length_slope",
    "level",
    "success_location",
    "success_scale",
    "gave_up_scale",
    "task_sd",
    "task_spend_sd",
    "minutes",
    "spend_by_effect",
    "gave_up_loading",
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
        draws: int = 1000,
        tune: int = 500,
        chains: int = 4,
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
            Draws of each chain after `tune` steps of adaptation. With fewer, `diagnostics` of
            hundreds of tasks will hardly pass the gate.
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
        return cls._assembled(
            table,
            tuple(str(name) for name in names),
            told,
            model,
            named,
            divergences,
            kept,
            {"seed": seed, "draws": draws, "tune": tune, "chains": chains},
        )

    @classmethod
    def _assembled(
        cls,
        table: TaskTable,
        names: tuple[str, ...],
        told: TaskRuns,
        model: Index,
        named: Mapping[str, Array],
        divergences: int,
        kept: int,
        provenance: Mapping[str, Any],
    ) -> TaskHistory:
        """Make a history from the sampler's draws by name."""
        quantities = quantities_of(table, named, len(names))
        chains, draws = quantities["slope_mean"].shape
        total = chains * draws
        keep = np.unique(np.linspace(0, total - 1, min(kept, total)).astype(int))
        flat = {
            key: value.reshape(total, *value.shape[2:])[keep] for key, value in quantities.items()
        }
        rng = np.random.default_rng([int(provenance["seed"]), 1])
        known, local = known_of(table, flat, told, model, rng)
        return cls(
            names,
            known,
            table.centre + flat["shown"] / flat["slope_mean"][:, None],
            local,
            told,
            model,
            _diagnostics(quantities, divergences),
            provenance,
        )

    def save(self, path: str | Path) -> Path:
        """Write one .npz file that `load` reads, whole or not at all; return its path."""
        return storage.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> TaskHistory:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is no history of a format this version reads.
        """
        return cls(*storage.load(Path(path)))

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
        n, length = len(known), known.table.eval_level - known.table.centre
        evals = np.unique(known.table.eval_of[runs.task])
        prior = newcomer.prior_of(known.draws, evals, length)
        effective = 1.0
        if len(runs):
            own, start, order = grouped(runs.task)
            kind, ln = runs.kind[order], runs.ln[order]
            read = dict(known.arguments)
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
        local = newcomer.everywhere(known.draws, of, points, evals, length, rng)
        capability = known.table.centre + points[:, 0] / known.draws["slope_mean"][of]
        return Forecast(known, of, capability, local, runs, effective=effective)


def _diagnostics(quantities: Mapping[str, Array], divergences: int) -> Diagnostics:
    """R-hat and effective sample sizes of the reported quantities."""
    from evalbayes.model import sampling  # loads PyMC: only where something was sampled

    labels: list[str] = []
    columns = []
    for key in REPORTED:
        values = quantities[key].reshape(*quantities["slope_mean"].shape, -1)
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
