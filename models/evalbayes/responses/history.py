r"""The history: who solves what, fitted by Newton steps and kept as draws of a normal.

η = α_e·θ_m + v_em + (γ·θ_m + ψ_m)·(x_j − x̄) − b_j + ζ_jm,   b_j = β_e + λ_e·(x_j − x̄_e) + ε_j,

success ~ Bernoulli(expit η), x = log2 human minutes; θ ~ N(0, 1) is the AI model's capability, v ~
N(0, ω²) its departure on an eval (validity error), γ how much longer tasks tell more able AI models
from others, ψ ~ N(0, σ_ψ²) the rest of its own slope in length, ε ~ N(0, τ_e²) the task's effect,
ζ ~ N(0, σ_ζ²) that of task and AI model together, told only by repeats. Variances are found by
empirical Bayes (MacKay 1992: each is the mean posterior second moment of what it is the variance
of, with four prior observations), all else by its joint mode; draws are of the normal there
(Laplace). A further AI model's θ ~ N(a + g·t, σ²), t its release date less the history's mean in
years; where dates are not told, N(a, σ²).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit

from evalbayes.arrays import Array, Index
from evalbayes.errors import InputError
from evalbayes.responses.arrow import Arrow
from evalbayes.responses.population import YEAR, Dates, Population
from evalbayes.responses.spending import PRIOR_COUNT as PRIOR_COUNT
from evalbayes.responses.spending import Spending, scaled, spans_of
from evalbayes.responses.table import Counts, Tasks, counts_of, tasks_of

LN_LOADING = (0.4, 0.5)  # ln of logits per sd of capability: mean and sd between evals
LEVEL_SD = 4.0  # of β, logits
TURN_SD = 0.1  # of γ, logits per doubling and sd of capability
PER_DOUBLING = (0.4, 0.3)  # of λ, logits per doubling of human time inside an eval
SCALES = {"validity": 0.7, "tilt": 0.1, "task": 1.5, "pair": 1.0}  # prior guesses of the sds
STEPS, LEAST_DATES = 60, 3  # of Newton; of AI models whose dates tell a trend
LINE_SD = np.array([1.0, 2.0])  # of level and growth a year, in sds between AI models


def fit_history(
    runs: pd.DataFrame,
    *,
    seed: int = 0,
    draws: int = 128,
    tasks: pd.DataFrame | None = None,
    released: Dates | None = None,
) -> Population:
    """Return draws of what a history teaches of tasks and of a further AI model.

    InputError if no run tells anything, a task has no human minutes or a date is none.

    Parameters
    ----------
    runs
        One row per run: eval, task, ai_model, outcome, human_minutes; repeats are rows. With
        spend and cap as well, a newcomer's runs may stop at lower caps.
    seed
        Same runs and seed, same draws.
    draws
        Of the normal at the mode.
    tasks
        Further tasks (eval, task, human_minutes) to be foretold, of the history's evals.
    released
        Dates of AI models, as far as known: from three on, `Population.at` knows the trend.
    """
    columns = ["eval", "task", "human_minutes"]
    known = runs[columns] if tasks is None else pd.concat([runs[columns], tasks[columns]])
    table = tasks_of(known)
    models = tuple(sorted(runs["ai_model"].astype(str).unique()))
    counts = counts_of(runs, table, models)
    if not len(counts.task):
        raise InputError("a history needs runs that succeeded, gave up or met their cap")
    try:
        days = {name: pd.Timestamp(day).toordinal() for name, day in (released or {}).items()}
    except (TypeError, ValueError) as error:
        raise InputError(f"released must be dates such as 2025-02-24: {error}") from error
    found = _Fit(table, counts, len(models)).run().drawn(models, draws, seed, days)
    if {"spend", "cap"} <= set(runs.columns):
        spending = Spending.fit(runs, table, found.difficulty.mean(axis=0), models)
        found = replace(found, spending=spending)
    return found


class _Fit:
    """Newton steps on the joint mode, with the variances updated on the way."""

    def __init__(self, tasks: Tasks, counts: Counts, n_models: int) -> None:
        self.tasks, self.counts, self.n_models = tasks, counts, n_models
        n, e, m, r = len(tasks.length), len(tasks.evals), n_models, len(counts.task)
        self.repeated = bool((counts.attempts > 1).any())
        sizes = {
            "capability": m,
            "loading": e,
            "turn": 1,
            "level": e,
            "per_doubling": e,
            "departure": e * m,
            "own_slope": m,
            "effect": n,
            "pair": r if self.repeated else 0,
        }
        self.span, self.size = spans_of(sizes)
        self.prior_mean, self.prior_sd = np.zeros(self.size), np.ones(self.size)
        for name, mean, sd in (
            ("loading", *LN_LOADING),
            ("turn", 0.0, TURN_SD),
            ("level", 0.0, LEVEL_SD),
            ("per_doubling", *PER_DOUBLING),
        ):
            self.prior_mean[self.span[name]] = mean
            self.prior_sd[self.span[name]] = sd
        self.point = self.prior_mean.copy()
        self.validity, self.tilt = SCALES["validity"], SCALES["tilt"]
        self.pair = SCALES["pair"] if self.repeated else 0.0
        self.task = np.full(e, SCALES["task"])
        self._start()

    def _start(self) -> None:
        """Begin where the shares of AI models and evals say: far starts find odd modes."""
        c, eval_of = self.counts, self.tasks.eval_of[self.counts.task]

        def share(of: Index, size: int) -> Array:
            solved, tried = np.bincount(of, c.successes, size), np.bincount(of, c.attempts, size)
            return (solved + 1.0) / (tried + 2.0)

        by_model = share(c.model, self.n_models)
        logit = np.log(by_model / (1 - by_model))
        spread = float(logit.std()) or 1.0
        self.point[self.span["capability"]] = (logit - logit.mean()) / spread
        by_eval = share(eval_of, len(self.tasks.evals))
        self.point[self.span["level"]] = -np.log(by_eval / (1 - by_eval))

    def run(self) -> "_Fit":
        """Climb to the mode, each step followed by an update of the variances."""
        for _ in range(STEPS):
            gradient, arrow = self._derivatives()
            step = arrow.solve(gradient)
            value, before, scale = self._value(), self.point.copy(), 1.0
            while scale > 1e-4:
                self.point = before + scale * step
                if self._value() >= value - 1e-9:
                    break
                scale *= 0.5
            moved = self._update(arrow.spread(sparse.identity(self.size, format="csr")))
            if float(np.abs(self.point - before).max()) < 1e-3 and moved < 1e-3:
                break
        return self

    def _parts(self) -> tuple[Array, sparse.csr_matrix]:
        """Linear predictor of every pair, and its Jacobian."""
        c, t, s, z = self.counts, self.tasks, self.span, self.point
        e, m, j = t.eval_of[c.task], c.model, c.task
        loading = np.exp(z[s["loading"]])[e]
        capability = z[s["capability"]][m]
        rows = np.arange(len(j))
        turn = float(z[s["turn"]][0])
        entries = [
            (s["capability"].start + m, loading + turn * t.tilt[j]),
            (s["level"].start + e, -np.ones(len(j))),
            (s["per_doubling"].start + e, -t.within[j]),
            (s["departure"].start + e * self.n_models + m, np.full(len(j), self.validity)),
            (s["own_slope"].start + m, self.tilt * t.tilt[j]),
            (s["effect"].start + j, -self.task[e]),
        ]
        if self.repeated:
            entries.append((s["pair"].start + rows, np.full(len(j), self.pair)))
        eta = sum(z[at] * value for at, value in entries)
        entries += [  # its products with capability are counted above
            (s["loading"].start + e, loading * capability),
            (np.full(len(j), s["turn"].start), t.tilt[j] * capability),
        ]
        jacobian = sparse.csr_matrix(
            (
                np.concatenate([value for _, value in entries]),
                (np.tile(rows, len(entries)), np.concatenate([at for at, _ in entries])),
            ),
            shape=(len(j), self.size),
        )
        return np.asarray(eta), jacobian

    def _value(self) -> float:
        eta, _ = self._parts()
        c = self.counts
        likelihood = (c.successes * eta - c.attempts * np.logaddexp(0.0, eta)).sum()
        return float(
            likelihood - 0.5 * (((self.point - self.prior_mean) / self.prior_sd) ** 2).sum()
        )

    def _derivatives(self) -> tuple[Array, Arrow]:
        """Gradient and Fisher information of the log posterior."""
        eta, jacobian = self._parts()
        p, c = expit(eta), self.counts
        gradient = jacobian.T @ (c.successes - c.attempts * p)
        gradient -= (self.point - self.prior_mean) / self.prior_sd**2
        weighted = sparse.diags(c.attempts * p * (1 - p)) @ jacobian
        information = sparse.csr_matrix(jacobian.T @ weighted + sparse.diags(self.prior_sd**-2))
        return gradient, Arrow(information, [self.span["pair"], self.span["effect"]])

    def _update(self, variance: Array) -> float:
        """Set every sd to what the posterior says; return the largest relative move."""
        second = self.point**2 + variance
        old = np.array([self.validity, self.tilt, self.pair, *self.task])

        self.validity = scaled(second[self.span["departure"]], SCALES["validity"], self.validity)
        self.tilt = scaled(second[self.span["own_slope"]], SCALES["tilt"], self.tilt)
        effects = second[self.span["effect"]]
        for i, sd in enumerate(self.task):
            self.task[i] = scaled(effects[self.tasks.eval_of == i], SCALES["task"], sd)
        if self.repeated:
            self.pair = scaled(second[self.span["pair"]], SCALES["pair"], self.pair)
        new = np.array([self.validity, self.tilt, self.pair, *self.task])
        rise = new / np.maximum(old, 1e-12)
        # Effects stay, in units of the new sds: where they jump with them, a climb can run away.
        for name, by in zip(("departure", "own_slope", "pair"), rise[:3], strict=True):
            self.point[self.span[name]] /= by
        self.point[self.span["effect"]] /= rise[3:][self.tasks.eval_of]
        return float(np.abs(rise - 1).max(where=old > 0, initial=0.0))

    def drawn(self, names: Sequence[str], draws: int, seed: int, day: dict[str, int]) -> Population:
        """Return draws of the normal at the mode."""
        rng = np.random.default_rng([seed, 3])
        points = (self.point[:, None] + self._derivatives()[1].draws(draws, rng)).T
        t, s, e = self.tasks, self.span, self.tasks.eval_of
        difficulty = (
            points[:, s["level"]][:, e]
            + points[:, s["per_doubling"]][:, e] * t.within
            + points[:, s["effect"]] * self.task[e]
        )
        capability = points[:, s["capability"]]
        m = self.n_models
        (mean,), sd = _line(capability, np.ones((1, m)), 1.0, rng)
        dates = {k: day[name] for k, name in enumerate(names) if name in day}
        trend = None  # a prior guess is that it tells half of the variance
        if len(dates) >= LEAST_DATES and len({*dates.values()}) > 1:
            middle = float(np.mean([*dates.values()]))  # where those without a date stand
            years = [(dates.get(k, middle) - middle) / YEAR for k in range(m)]
            trend = (middle, *_line(capability, np.array([np.ones(m), years]), 0.5, rng))

        def uncertain(sd: float, n: float) -> Array:
            return sd * np.sqrt(n / rng.chisquare(n, draws))

        pairs = float(m * len(t.evals))
        return Population(
            tasks=t,
            difficulty=difficulty,
            loading=np.exp(points[:, s["loading"]]),
            turn=points[:, s["turn"].start],
            mean=mean,
            sd=sd,
            validity_sd=uncertain(self.validity, pairs / 2 + PRIOR_COUNT),
            tilt_sd=uncertain(self.tilt, m / 2 + PRIOR_COUNT),
            pair_sd=self.pair,
            trend=trend,
        )


def _line(y: Array, x: Array, guess: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw coefficients, (k, n_draws), and sd, (n_draws,), of y (n_draws, n) on x (k, n).

    Normal with scaled inverse χ² (Gelman et al. 2013, §14.8): the variance has a guess that counts
    as four observations, coefficients in its units the prior sds `LINE_SD`.
    """
    precision = x @ x.T + np.diag(LINE_SD[: len(x)] ** -2.0)
    mean = np.linalg.solve(precision, x @ y.T)
    square = (y**2).sum(axis=1) - (mean * (precision @ mean)).sum(axis=0) + PRIOR_COUNT * guess
    sd = np.sqrt(square / rng.chisquare(y.shape[1] + PRIOR_COUNT, len(y)))
    luck = np.linalg.solve(np.linalg.cholesky(precision).T, rng.standard_normal(mean.shape))
    return mean + sd * luck, sd
