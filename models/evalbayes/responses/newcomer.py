"""A newcomer: an AI model that the history does not hold, inferred from a few runs in milliseconds.

For every draw of the history the mode of (θ, departures, own slope) is found by Newton steps, all
draws at once, and one point is drawn from the normal there. Draws of the history keep their equal
weights: what a few runs of one AI model would say of the history is little, and weights between
draws would hang on a handful of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags, Index
from evalbayes.responses.modes import modes, weights_of
from evalbayes.responses.population import NODES, Population, Seen
from evalbayes.responses.stops import ln_odds_of, spend_levels


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Newcomer:
    """Draws of one AI model.

    Parameters
    ----------
    population
        What the history teaches.
    capability, departure, own_slope
        θ (n_draws,), v (n_draws, n_evals), γ·θ + ψ (n_draws,).
    seen
        Its runs.
    ln_odds
        Of `stops`, (n_draws, n_tasks); None where no cap stopped a run early.
    pace
        What it adds to the ln spends of successes and failures, each (n_draws, n_tasks), as
        `ln_odds` has it; None where that is.
    """

    population: Population
    capability: Array
    departure: Array
    own_slope: Array
    seen: Seen
    ln_odds: Array | None = None
    pace: tuple[Array, Array] | None = None

    @classmethod
    def inferred(
        cls, population: Population, runs: pd.DataFrame | None, seed: int = 0
    ) -> "Newcomer":
        """Infer it from runs with eval, task, outcome, and spend and cap if known; None: prior."""
        at = np.zeros(0, dtype=np.int64) if runs is None else population.tasks.positions(runs)
        return cls.given(population, Seen.runs(population, at, runs), seed)

    @classmethod
    def given(cls, population: Population, seen: Seen, seed: int = 0) -> "Newcomer":
        """Infer it from what is seen of it."""
        rng = np.random.default_rng([seed, 4])
        pace = spend_levels(population, seen, rng) if seen.going.any() else None
        ln_odds = None if pace is None else ln_odds_of(population, seen, pace)
        point, precision = modes(population, seen, ln_odds)
        z = rng.standard_normal((*point.shape, 1))
        factor = np.linalg.cholesky(precision)
        point = point + np.linalg.solve(factor.transpose(0, 2, 1), z)[:, :, 0]
        e = population.loading.shape[1]
        capability = population.mean + population.sd * point[:, 0]
        return cls(
            population,
            capability,
            population.validity_sd[:, None] * point[:, 1 : 1 + e],
            population.turn * capability + population.tilt_sd * point[:, 1 + e],
            seen,
            ln_odds,
            pace,
        )

    @property
    def n_draws(self) -> int:
        """How many draws of equal weight."""
        return len(self.capability)

    def levels(self) -> Array:
        """Return what it shows on every eval, logits, (n_draws, n_evals)."""
        return self.population.loading * self.capability[:, None] + self.departure

    def logits(self, at: Index) -> Array:
        """Log-odds of an attempt at tasks, without the effect of the pair, (n_draws, len(at))."""
        tasks = self.population.tasks
        return (
            self.levels()[:, tasks.eval_of[at]]
            + self.own_slope[:, None] * tasks.tilt[at]
            - self.population.difficulty[:, at]
        )

    def by_node(self, at: Index) -> tuple[Array, Array]:
        """Return log-odds of an attempt at tasks at every node of ζ, and the nodes' weights.

        Weights are ζ's posterior given the task's own runs, summing to 1 over nodes; both of shape
        (n_draws, len(at), n_nodes).
        """
        node, weight = self.population.nodes()
        eta = self.logits(at)[..., None] + node
        if len(node) == 1:
            return eta, np.ones_like(eta)
        seen, odds = self.seen, self.going_odds(at)[..., None]
        s, n, going = (a[at, None] for a in (seen.successes, seen.attempts, seen.going))
        return eta, weights_of(eta, s, n, going, odds, weight)

    def going_odds(self, at: Index) -> Array:
        """Return ln P(going | success)/P(going | failure) of tasks, (1 or n_draws, len(at))."""
        return np.zeros((1, len(at))) if self.ln_odds is None else self.ln_odds[:, at]

    def completions(
        self, tasks: pd.DataFrame | Index, rng: np.random.Generator, *, attempts: int = 1
    ) -> Flags:
        """Draw whether each task is solved in any of some attempts, those seen included.

        A run that a lower cap stopped counts as one of them, carried on to the highest cap. Tasks
        are a table with eval and task, or positions in the population's.
        """
        held = self.population.tasks
        at = held.positions(tasks) if isinstance(tasks, pd.DataFrame) else tasks
        by_node, weight = self.by_node(at)
        eta, odds = by_node[..., 0], self.going_odds(at)
        s, n, going = (a[at] for a in (self.seen.successes, self.seen.attempts, self.seen.going))
        if weight.shape[2] > 1:
            below = np.cumsum(weight, axis=2)
            node = np.minimum((rng.random(eta.shape)[..., None] > below).sum(axis=2), NODES - 1)
            eta = np.take_along_axis(by_node, node[..., None], axis=2)[..., 0]
        rest = np.maximum(attempts - n - going, 0.0)
        ln_failing = -rest * np.logaddexp(0.0, eta) - going * np.logaddexp(0.0, eta + odds)
        failing = np.exp(ln_failing)
        failing[:, s > 0] = 0.0
        return rng.random(eta.shape) >= failing
