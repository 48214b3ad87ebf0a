r"""Spends: how far a run that will succeed, and one that will not, has got when it ends.

ln s = μ_e + κ_e·(b_j − b̄_e) + t_j + a_m + u_em + ε,   t ~ N(0, τ_e²), a ~ N(0, A²), u ~ N(0, U²),
ε ~ N(0, σ_e²),

once for runs that succeed within the highest cap C and once for those that do not. b is the task's
difficulty: harder tasks take longer. A run that fails at C has a spend beyond it (censored), and a
success is one before it (truncated). With them a run stopped at a lower cap c is neither a success
nor a failure: it was going to succeed with the odds p·P(s > c | success) to (1 − p)·P(s > c |
failure). All is normal given the variances, which are found as those of `history` are; censored
spends are imputed by their mean and variance (EM).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import log_ndtr

from evalbayes.arrays import Array, Flags, Index
from evalbayes.responses.arrow import Arrow
from evalbayes.responses.table import Tasks, told_runs

LEVEL_SD, SLOPE_SD = 4.0, 0.3  # of μ about the mean of all spends, and of κ
SCALES = {"model": 0.5, "departure": 0.3, "task": 0.5, "noise": 0.8}  # prior guesses, ln units
PRIOR_COUNT = 4.0  # observations that each guess is worth
STEPS, CLOSE = 60, 5e-3
SUCCESS, FAILURE = 0, 1


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Spending:
    """Where the spend of a run of either kind lies, for a further AI model; axis 0 is the kind."""

    # mean, sd: of ln spend on every task before the AI model's own level, (2, n_tasks); the sd
    # holds the run's own chance and what is not known of the task
    mean: Array
    sd: Array
    # model_sd, departure_sd: of the AI model's own level, and of its departure from that on an
    # eval, (2,)
    model_sd: Array
    departure_sd: Array
    ln_cap: Array  # of the highest cap of every task, (n_tasks,)

    @classmethod
    def fit(
        cls, runs: pd.DataFrame, tasks: Tasks, difficulty: Array, models: tuple[str, ...]
    ) -> "Spending":
        """Fit the spends of runs with eval, task, ai_model, outcome, spend and cap."""
        told, task, model = told_runs(runs, tasks, models)
        ln_spend = np.log(told["spend"].to_numpy(np.float64))
        outcome = told["outcome"].to_numpy(object)
        ln_cap = np.full(len(tasks.evals), -np.inf)
        np.maximum.at(ln_cap, tasks.eval_of[task], np.log(told["cap"].to_numpy(np.float64)))
        kinds = []
        for kind in (SUCCESS, FAILURE):
            rows = (outcome == "success") == (kind == SUCCESS)
            # Where no run is of a kind, all that is known is where the others' spends lie.
            middle = float(ln_spend[rows if rows.any() else slice(None)].mean())
            kinds.append(
                _Fit(
                    tasks, difficulty, len(models), task[rows], model[rows], ln_spend[rows],
                    (outcome == "stopped_by_cap")[rows], middle,
                ).run()
            )  # fmt: skip
        return cls(
            np.stack([found.mean for found in kinds]),
            np.stack([found.sd for found in kinds]),
            np.array([found.scales["model"] for found in kinds]),
            np.array([found.scales["departure"] for found in kinds]),
            ln_cap[tasks.eval_of],
        )

    def ln_on(self, kind: int, ln_cap: Array, at: Index, shift: Array) -> Array:
        """Return ln P(a run of a kind is still going at a cap), the AI model's level shifted.

        `ln_cap` is of the tasks `at`; `shift`, (..., len(at)), is added to their means.
        """
        if kind == SUCCESS:
            return np.asarray(np.log(np.maximum(1.0 - self._came(ln_cap, at, shift), 1e-12)))
        mean, sd = self.mean[kind, at] + shift, self.sd[kind, at]
        return np.asarray(log_ndtr((mean - ln_cap) / sd))

    def ln_density(self, kind: int, ln_spend: Array, at: Index, shift: Array) -> Array:
        """Return the log-density of the ln spend of runs that ended, up to a constant."""
        mean, sd = self.mean[kind, at] + shift, self.sd[kind, at]
        found: Array = -0.5 * ((ln_spend - mean) / sd) ** 2
        if kind == SUCCESS:
            found = found - log_ndtr((self.ln_cap[at] - mean) / sd)
        return found

    def by_cap(self, cap: Array, at: Index) -> Array:
        """Return P(a success within the highest cap comes within a lower one), (len(at),).

        Nothing else is known of the AI model.
        """
        ln_cap = np.log(cap)
        return np.where(ln_cap >= self.ln_cap[at] - 1e-9, 1.0, self._came(ln_cap, at, 0.0))

    def _came(self, ln_cap: Array, at: Index, shift: Array | float) -> Array:
        """Φ(c)/Φ(C): a success comes within a cap, given that it comes within the highest."""
        mean, sd = self.mean[SUCCESS, at] + shift, self.sd[SUCCESS, at]
        share = log_ndtr((ln_cap - mean) / sd) - log_ndtr((self.ln_cap[at] - mean) / sd)
        return np.asarray(np.exp(np.minimum(share, 0.0)))


class _Fit:
    """One kind's spends: normal equations; variances and censored spends updated on the way."""

    def __init__(
        self,
        tasks: Tasks,
        difficulty: Array,
        n_models: int,
        task: Index,
        model: Index,
        ln_spend: Array,
        censored: Flags,
        middle: float,
    ) -> None:
        self.y, self.censored, self.from_ = ln_spend.copy(), censored, ln_spend
        self.eval_of = tasks.eval_of
        self.row_eval = tasks.eval_of[task]
        n, e, m = len(tasks.length), len(tasks.evals), n_models
        centre = np.bincount(tasks.eval_of, difficulty) / np.bincount(tasks.eval_of)
        self.harder = difficulty - centre[tasks.eval_of]
        sizes = {"level": e, "slope": e, "model": m, "departure": e * m, "task": n}
        self.span, self.size = spans_of(sizes)
        rows, s = np.arange(len(task)), self.span
        columns = [
            s["level"].start + self.row_eval,
            s["slope"].start + self.row_eval,
            s["model"].start + model,
            s["departure"].start + self.row_eval * m + model,
            s["task"].start + task,
        ]
        one = np.ones(len(task))
        values = np.concatenate([one, self.harder[task], one, one, one])
        self.design = sparse.csr_matrix(
            (values, (np.tile(rows, 5), np.concatenate(columns))),
            shape=(len(task), self.size),
        )
        self.scales = {name: SCALES[name] for name in ("model", "departure")}
        self.task_sd, self.noise = np.full(e, SCALES["task"]), np.full(e, SCALES["noise"])
        self.middle = middle

    def run(self) -> "_Fit":
        """Iterate to the empirical-Bayes fixed point."""
        s = self.span
        for _ in range(STEPS):
            precision = np.empty(self.size)
            precision[s["level"]] = LEVEL_SD**-2
            precision[s["slope"]] = SLOPE_SD**-2
            precision[s["model"]] = self.scales["model"] ** -2
            precision[s["departure"]] = self.scales["departure"] ** -2
            precision[s["task"]] = self.task_sd[self.eval_of] ** -2
            weight = self.noise[self.row_eval] ** -2
            normal = self.design.T @ sparse.diags(weight) @ self.design
            arrow = Arrow(sparse.csr_matrix(normal + sparse.diags(precision)), [s["task"]])
            point = arrow.solve(self.design.T @ (weight * (self.y - self.middle)))
            fitted = self.middle + self.design @ point
            unseen = self._impute(fitted)
            if self._update(point, arrow, fitted, unseen) < CLOSE:
                break
        self._foretell(point, arrow)
        return self

    def _impute(self, fitted: Array) -> Array:
        """Set censored spends to their mean beyond the cap; return their variance."""
        sd = self.noise[self.row_eval]
        u = (self.from_ - fitted) / sd
        ratio = np.exp(-0.5 * u**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(-u))  # inverse Mills
        self.y = np.where(self.censored, fitted + sd * ratio, self.from_)
        return np.where(self.censored, sd**2 * np.maximum(1.0 - ratio * (ratio - u), 1e-6), 0.0)

    def _update(self, point: Array, arrow: Arrow, fitted: Array, unseen: Array) -> float:
        """Set every sd to what the posterior says; return the largest relative move."""
        before = np.array([*self.scales.values(), *self.task_sd, *self.noise])
        second = point**2 + arrow.spread(sparse.identity(self.size, format="csr"))
        for name in self.scales:
            self.scales[name] = scaled(second[self.span[name]], SCALES[name])
        effects = second[self.span["task"]]
        residual = (self.y - fitted) ** 2 + arrow.spread(self.design) + unseen
        for e in range(len(self.noise)):
            self.task_sd[e] = scaled(effects[self.eval_of == e], SCALES["task"])
            self.noise[e] = scaled(residual[self.row_eval == e], SCALES["noise"])
        after = np.array([*self.scales.values(), *self.task_sd, *self.noise])
        return float(np.abs(after / before - 1.0).max())

    def _foretell(self, point: Array, arrow: Arrow) -> None:
        """Work out mean and sd of a further AI model's spend on every task, its level at 0."""
        s, n = self.span, len(self.eval_of)
        rows, one = np.arange(n), np.ones(n)
        columns = [s["level"].start + self.eval_of, s["slope"].start + self.eval_of]
        columns.append(s["task"].start + rows)
        values = np.concatenate([one, self.harder, one])
        at = (np.tile(rows, 3), np.concatenate(columns))
        parts = sparse.csr_matrix((values, at), shape=(n, self.size))
        self.mean = self.middle + parts @ point
        self.sd = np.sqrt(self.noise[self.eval_of] ** 2 + arrow.spread(parts))


def spans_of(sizes: Mapping[str, int]) -> tuple[dict[str, slice], int]:
    """Where each part lies along a vector of all, by name, and its length."""
    ends = np.cumsum(list(sizes.values())).tolist()
    parts = zip(sizes.items(), ends, strict=True)
    return {name: slice(end - size, end) for (name, size), end in parts}, ends[-1]


def scaled(moments: Array, guess: float, sd: float = 1.0) -> float:
    """Sd by empirical Bayes, from second moments (in units of an sd) and its prior guess."""
    total = sd**2 * moments.sum() + PRIOR_COUNT * guess**2
    return float(np.sqrt(total / (len(moments) + PRIOR_COUNT)))
