"""A newcomer: an AI model that the history does not hold, inferred from a few runs in milliseconds.

For every draw of the history the mode of (θ, departures, own slope) is found by Newton steps, all
draws at once, and one point is drawn from the normal there. Draws of the history keep their equal
weights: what a few runs of one AI model would say of the history is little, and weights between
draws would hang on a handful of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from evalbayes.responses.table import LOST, Tasks

Array = NDArray[np.float64]
Index = NDArray[np.int64]

NODES = 7  # of the effect of task and AI model together
STEPS, CLOSE = 25, 1e-4
LONGEST = 3.0  # of a Newton step, in any one parameter


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Population:
    """Draws of tasks, and of the prior of a further AI model; axis 0 is the draw.

    Parameters
    ----------
    tasks
        The tasks.
    difficulty
        b of every task, (n_draws, n_tasks), logits.
    loading
        α of every eval, (n_draws, n_evals).
    mean, sd
        Of capability over AI models, (n_draws,).
    validity_sd, tilt_sd
        ω and σ_ψ, (n_draws,).
    pair_sd
        σ_ζ; 0 where no task was repeated.
    """

    tasks: Tasks
    difficulty: Array
    loading: Array
    mean: Array
    sd: Array
    validity_sd: Array
    tilt_sd: Array
    pair_sd: float

    def nodes(self) -> tuple[Array, Array]:
        """Nodes and weights of ζ."""
        if self.pair_sd == 0:
            return np.zeros(1), np.ones(1)
        z, w = np.polynomial.hermite_e.hermegauss(NODES)
        return self.pair_sd * z, w / w.sum()


@dataclass(frozen=True, eq=False)
class Newcomer:
    """Draws of one AI model.

    Parameters
    ----------
    population
        What the history teaches.
    capability, departure, own_slope
        θ (n_draws,), v (n_draws, n_evals), ψ (n_draws,).
    successes, attempts
        Seen, by task.
    """

    population: Population
    capability: Array
    departure: Array
    own_slope: Array
    successes: Array
    attempts: Array

    @classmethod
    def inferred(cls, population: Population, runs: pd.DataFrame | None, seed: int = 0) -> Newcomer:
        """Infer it from runs with eval, task and outcome; None: the prior."""
        n = len(population.tasks.length)
        successes, attempts = np.zeros(n), np.zeros(n)
        if runs is not None and len(runs):
            told = runs[~runs["outcome"].isin(LOST)]
            at = population.tasks.positions(told)
            won = (told["outcome"] == "success").to_numpy(np.float64)
            np.add.at(successes, at, won)
            np.add.at(attempts, at, 1.0)
        return cls.counted(population, successes, attempts, seed)

    @classmethod
    def counted(
        cls, population: Population, successes: Array, attempts: Array, seed: int = 0
    ) -> Newcomer:
        """Infer it from the number of successes and attempts on every task of the population."""
        point, precision = _modes(population, successes, attempts)
        rng = np.random.default_rng([seed, 4])
        z = rng.standard_normal((*point.shape, 1))
        factor = np.linalg.cholesky(precision)
        point = point + np.linalg.solve(factor.transpose(0, 2, 1), z)[:, :, 0]
        e = population.loading.shape[1]
        return cls(
            population,
            population.mean + population.sd * point[:, 0],
            population.validity_sd[:, None] * point[:, 1 : 1 + e],
            population.tilt_sd * point[:, 1 + e],
            successes,
            attempts,
        )

    @property
    def n_draws(self) -> int:
        """How many draws of equal weight."""
        return len(self.capability)

    def levels(self) -> Array:
        """Return what it shows on every eval, logits, (n_draws, n_evals)."""
        found: Array = self.population.loading * self.capability[:, None] + self.departure
        return found

    def logits(self, at: Index) -> Array:
        """Log-odds of an attempt at tasks, without the effect of the pair, (n_draws, len(at))."""
        tasks = self.population.tasks
        found: Array = (
            self.levels()[:, tasks.eval_of[at]]
            + self.own_slope[:, None] * tasks.tilt[at]
            - self.population.difficulty[:, at]
        )
        return found

    def completions(
        self, tasks: pd.DataFrame | Index, rng: np.random.Generator, *, attempts: int = 1
    ) -> NDArray[np.bool_]:
        """Draw whether each task is solved in any of some attempts, those seen included.

        Tasks are a table with eval and task, or positions in the population's.
        """
        held = self.population.tasks
        at = held.positions(tasks) if isinstance(tasks, pd.DataFrame) else tasks
        node, weight = self.population.nodes()
        eta = self.logits(at)
        if len(node) > 1:
            by_node = eta[..., None] + node
            s, n = self.successes[at][:, None], self.attempts[at][:, None]
            log_w = np.log(weight) + s * by_node - n * np.logaddexp(0.0, by_node)
            below = np.cumsum(np.exp(log_w - log_w.max(axis=2, keepdims=True)), axis=2)
            u = rng.random(eta.shape)[..., None] * below[..., -1:]
            eta = eta + node[np.minimum((u > below).sum(axis=2), len(node) - 1)]
        rest = np.maximum(attempts - self.attempts[at], 0.0)
        failing = np.exp(-rest * np.logaddexp(0.0, eta))
        failing[:, self.successes[at] > 0] = 0.0
        found: NDArray[np.bool_] = rng.random(eta.shape) >= failing
        return found


def _modes(population: Population, successes: Array, attempts: Array) -> tuple[Array, Array]:
    """Mode and precision of standardised (θ, v, ψ) for every draw of the history.

    The mode under the mean of the draws is where all of them start: that saves half of the steps.
    """
    middle = replace(
        population,
        **{
            name: getattr(population, name).mean(axis=0, keepdims=True)
            for name in ("difficulty", "loading", "mean", "sd", "validity_sd", "tilt_sd")
        },
    )
    start, _ = _climb(middle, successes, attempts, np.zeros((1, population.loading.shape[1] + 2)))
    return _climb(population, successes, attempts, np.repeat(start, len(population.mean), axis=0))


def _climb(
    population: Population, successes: Array, attempts: Array, point: Array
) -> tuple[Array, Array]:
    """Newton steps from a point, (n_draws, n_evals + 2)."""
    tasks = population.tasks
    n_draws, size = point.shape
    precision = np.tile(np.eye(size), (n_draws, 1, 1))
    own = np.flatnonzero(attempts > 0)
    if not len(own):
        return point, precision
    own = own[np.argsort(tasks.eval_of[own], kind="stable")]
    e = tasks.eval_of[own]
    seen, starts = np.unique(e, return_index=True)
    s, n, x = successes[own], attempts[own], tasks.tilt[own]
    by_capability = population.loading[:, seen] * population.sd[:, None]
    base = population.loading[:, e] * population.mean[:, None] - population.difficulty[:, own]
    node, weight = population.nodes()
    w, t = population.validity_sd[:, None], population.tilt_sd
    v = 1 + seen
    for _ in range(STEPS):
        level = by_capability * point[:, [0]] + w * point[:, v]
        eta = base + np.repeat(level, np.diff([*starts, len(own)]), axis=1)
        eta += (t * point[:, -1])[:, None] * x
        first, second = _pulls(eta, s, n, node, weight)
        g0, g1 = _sums(first, starts), _sums(first * x, starts)
        h0, h1 = _sums(second, starts), _sums(second * x, starts)
        h2 = (second * x**2).sum(axis=1)
        gradient = -point.copy()
        gradient[:, 0] += (by_capability * g0).sum(axis=1)
        gradient[:, v] += w * g0
        gradient[:, -1] += t * g1.sum(axis=1)
        h = np.tile(np.eye(size), (n_draws, 1, 1))
        h[:, 0, 0] += (by_capability**2 * h0).sum(axis=1)
        h[:, 0, v] += by_capability * w * h0
        h[:, v, 0] = h[:, 0, v]
        h[:, v, v] += w**2 * h0
        h[:, 0, -1] += t * (by_capability * h1).sum(axis=1)
        h[:, -1, 0] = h[:, 0, -1]
        h[:, v, -1] += w * t[:, None] * h1
        h[:, -1, v] = h[:, v, -1]
        h[:, -1, -1] += t**2 * h2
        step = np.linalg.solve(h, gradient[..., None])[..., 0]
        size_of = np.abs(step).max(axis=1, keepdims=True)
        point = point + step * np.minimum(1.0, LONGEST / np.maximum(size_of, 1e-12))
        precision = h
        if float(size_of.max()) < CLOSE**0.5:
            break
    return point, precision


def _pulls(eta: Array, s: Array, n: Array, node: Array, weight: Array) -> tuple[Array, Array]:
    """First derivative of each task's log-likelihood, and minus the second (never below 0)."""
    if len(node) == 1:
        p = expit(eta)
        return s - n * p, n * p * (1.0 - p)
    by_node = eta[..., None] + node
    log_w = np.log(weight) + s[:, None] * by_node - n[:, None] * np.logaddexp(0.0, by_node)
    r = np.exp(log_w - log_w.max(axis=2, keepdims=True))
    r /= r.sum(axis=2, keepdims=True)
    p = expit(by_node)
    pull = s[:, None] - n[:, None] * p
    first = (r * pull).sum(axis=2)
    curved = (r * n[:, None] * p * (1.0 - p)).sum(axis=2)
    between = (r * (pull - first[..., None]) ** 2).sum(axis=2)
    return first, np.maximum(curved - between, 0.1 * curved)


def _sums(values: Array, starts: Index) -> Array:
    found: Array = np.add.reduceat(values, starts, axis=1)
    return found
