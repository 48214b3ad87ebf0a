r"""Stops: what runs still going at a lower cap say, the newcomer's own spends learnt with them.

With few successes seen at a low cap an AI model is weak or slow: the joint mode of capability and
spend levels is found at the mean of the history's draws, levels are drawn from the normal marginal
there, and every draw's capability is then inferred given its own levels (`modes`): together they
are draws of the joint Laplace approximation.
"""

import numpy as np
from scipy.special import log_expit, log_ndtr

from evalbayes.arrays import Array
from evalbayes.responses.modes import middle_of
from evalbayes.responses.population import Population, Seen
from evalbayes.responses.spending import FAILURE, SUCCESS, Spending

STEPS, CLOSE, HALVINGS = 40, 1e-3, 20
WIDTH = 1e-3  # of difference quotients in a task's own predictors
LEAST = 0.2  # eigenvalue of the precision; the prior's are 1


def ln_odds_of(population: Population, seen: Seen, pace: tuple[Array, Array]) -> Array:
    """Return ln P(going | success)/P(going | failure) of every task, (n_draws, n_tasks)."""
    spending = population.spends()
    at = np.flatnonzero(seen.going > 0)
    found = np.zeros((len(population.mean), len(population.tasks.length)))
    found[:, at] = spending.ln_on(SUCCESS, seen.ln_cap[at], at, pace[SUCCESS][:, at])
    found[:, at] -= spending.ln_on(FAILURE, seen.ln_cap[at], at, pace[FAILURE][:, at])
    return found


def spend_levels(
    population: Population, seen: Seen, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw what the newcomer adds to the ln spends of both kinds, each (n_draws, n_tasks)."""
    joint = _Joint(population, population.spends(), seen)
    mode, covariance = joint.climb()
    return joint.levels(mode, covariance, len(population.mean), rng)


class _Joint:
    """The joint posterior of (θ, v, ψ) and of the spend levels of both kinds, at the mean draw."""

    def __init__(self, population: Population, spending: Spending, seen: Seen) -> None:
        self.spending, self.seen = spending, seen
        middle, tasks = middle_of(population), population.tasks
        e, n = middle.loading.shape[1], len(tasks.length)
        self.abilities = e + 2
        self.size = self.abilities + 2 * (1 + e)
        rows = np.arange(n)
        ability = np.zeros((n, self.size))
        told = middle.loading[0][tasks.eval_of] + middle.turn[0] * tasks.tilt
        ability[:, 0] = told * middle.sd[0]
        ability[rows, 1 + tasks.eval_of] = middle.validity_sd[0]
        ability[:, 1 + e] = middle.tilt_sd[0] * tasks.tilt
        self.base = told * middle.mean[0] - middle.difficulty[0]
        spends = []
        for kind in (SUCCESS, FAILURE):
            part = np.zeros((n, self.size))
            start = self.abilities + kind * (1 + e)
            part[:, start] = spending.model_sd[kind]
            part[rows, start + 1 + tasks.eval_of] = spending.departure_sd[kind]
            spends.append(part)
        self.maps = np.stack([ability, *spends])  # predictors (η, two spend levels) by task
        self.own = np.flatnonzero(seen.attempts + seen.going > 0)
        self.at = np.flatnonzero(seen.going[self.own] > 0)
        place = np.full(n, -1)
        place[self.own] = np.arange(len(self.own))
        self.end_place = place[seen.end_task]

    def climb(self) -> tuple[Array, Array]:
        """Return the mode and its covariance."""
        point = np.zeros(self.size)
        maps = self.maps[:, self.own]
        value = self._value(point)
        for _ in range(STEPS):
            gradient, precision = self._derivatives(point, maps)
            step = np.linalg.solve(precision, gradient)
            scale = 1.0
            for _ in range(HALVINGS):
                new = self._value(point + scale * step)
                if new >= value - 1e-9:
                    break
                scale *= 0.5
            point, value = point + scale * step, new
            if float(np.abs(scale * step).max()) < CLOSE:
                break
        precision = self._derivatives(point, maps)[1]
        return point, np.asarray(np.linalg.inv(precision), dtype=np.float64)

    def levels(
        self, mode: Array, covariance: Array, draws: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Draw the spend levels of both kinds on every task, each (n_draws, n_tasks)."""
        part = slice(self.abilities, self.size)
        factor = np.linalg.cholesky(covariance[part, part])
        z = mode[part] + rng.standard_normal((draws, self.size - self.abilities)) @ factor.T
        success = z @ self.maps[1][:, part].T
        failure = z @ self.maps[2][:, part].T
        return success, failure

    def _value(self, point: Array) -> float:
        predictors = self.maps[:, self.own] @ point
        return float(self._tasks(predictors).sum() - 0.5 * (point**2).sum())

    def _tasks(self, predictors: Array) -> Array:
        """Log-likelihood by task, of predictors (3, n_own)."""
        seen, spending, own = self.seen, self.spending, self.own
        eta = self.base[own] + predictors[0]
        found = seen.successes[own] * log_expit(eta)
        found += (seen.attempts - seen.successes)[own] * log_expit(-eta)
        at = self.at
        on = [
            spending.ln_on(kind, seen.ln_cap[own[at]], own[at], predictors[1 + kind, at])
            for kind in (SUCCESS, FAILURE)
        ]
        going = np.logaddexp(log_expit(eta[at]) + on[SUCCESS], log_expit(-eta[at]) + on[FAILURE])
        found[at] += seen.going[own[at]] * going
        for kind in (SUCCESS, FAILURE):
            rows = np.flatnonzero(seen.end_kind == kind)
            place = self.end_place[rows]
            shift, task = predictors[1 + kind, place], seen.end_task[rows]
            told = spending.ln_density(kind, seen.end_ln[rows], task, shift)
            if kind == FAILURE:
                beyond = log_ndtr(
                    (spending.mean[kind, task] + shift - seen.end_ln[rows])
                    / spending.sd[kind, task]
                )
                told = np.where(seen.end_censored[rows], beyond, told)
            np.add.at(found, place, told)
        return np.asarray(found)

    def _derivatives(self, point: Array, maps: Array) -> tuple[Array, Array]:
        """Gradient, and a positive definite negative Hessian, by difference quotients per task."""
        predictors, h = maps @ point, WIDTH
        middle = self._tasks(predictors)
        steps = h * np.eye(3)[:, :, None]
        up = [self._tasks(predictors + s) for s in steps]
        down = [self._tasks(predictors - s) for s in steps]
        gradient, precision = -point, np.eye(self.size)
        for i in range(3):
            gradient = gradient + maps[i].T @ ((up[i] - down[i]) / (2.0 * h))
            for j in range(i, 3):
                if i == j:
                    curve = (up[i] - 2.0 * middle + down[i]) / h**2
                else:
                    both = self._tasks(predictors + steps[i] + steps[j])
                    curve = (both - up[i] - up[j] + middle) / h**2
                part = maps[i].T @ (curve[:, None] * maps[j])
                precision = precision - (part if i == j else part + part.T)
        values, vectors = np.linalg.eigh(0.5 * (precision + precision.T))
        return gradient, (vectors * np.maximum(values, LEAST)) @ vectors.T
