"""Modes: a newcomer's capability, departures and own slope at every draw of the history.

All draws take their Newton steps together. The mode under the mean of the draws is where they
start: that saves half of the steps.
"""

from dataclasses import replace

import numpy as np
from scipy.special import expit

from evalbayes.arrays import Array, Index
from evalbayes.responses.population import Population, Seen

STEPS, CLOSE = 25, 1e-4
LONGEST = 3.0  # of a Newton step, in any one parameter
FLOOR = 0.1  # of a task's information without what is not seen: keeps steps uphill


def modes(population: Population, seen: Seen, ln_odds: Array | None = None) -> tuple[Array, Array]:
    """Return mode and precision of standardised (θ, v, ψ) for every draw of the history.

    `ln_odds`, (n_draws, n_tasks), is ln P(still going | success)/P(still going | failure) on tasks
    with a run that its cap stopped.
    """
    first = None if ln_odds is None else ln_odds.mean(axis=0, keepdims=True)
    origin = np.zeros((1, population.loading.shape[1] + 2))
    start, _ = climb(middle_of(population), seen, first, origin)
    return climb(population, seen, ln_odds, np.repeat(start, len(population.mean), axis=0))


def middle_of(population: Population) -> Population:
    """Return the mean of the draws as the only one."""
    names = ("difficulty", "loading", "turn", "mean", "sd", "validity_sd", "tilt_sd")
    return replace(
        population, **{name: getattr(population, name).mean(axis=0)[None] for name in names}
    )


def climb(
    population: Population, seen: Seen, ln_odds: Array | None, point: Array
) -> tuple[Array, Array]:
    """Take Newton steps from a point, (n_draws, n_evals + 2)."""
    tasks = population.tasks
    n_draws, size = point.shape
    precision = np.tile(np.eye(size), (n_draws, 1, 1))
    own = np.flatnonzero(seen.attempts + seen.going > 0)
    if not len(own):
        return point, precision
    own = own[np.argsort(tasks.eval_of[own], kind="stable")]
    e = tasks.eval_of[own]
    shown, starts = np.unique(e, return_index=True)
    x = tasks.tilt[own]
    s, n, going = seen.successes[own], seen.attempts[own], seen.going[own]
    odds = np.zeros((1, len(own))) if ln_odds is None else ln_odds[:, own]
    by_capability = population.loading[:, shown] * population.sd[:, None]
    base = population.loading[:, e] * population.mean[:, None] - population.difficulty[:, own]
    turn = population.turn * population.sd
    base += (population.turn * population.mean)[:, None] * x
    node, weight = population.nodes()
    w, t = population.validity_sd[:, None], population.tilt_sd
    v = 1 + shown
    sizes = np.diff([*starts, len(own)])
    last = False
    for _ in range(STEPS):
        level = by_capability * point[:, [0]] + w * point[:, v]
        eta = (
            base
            + np.repeat(level, sizes, axis=1)
            + (t * point[:, -1] + turn * point[:, 0])[:, None] * x
        )
        first, second, told = pulls(eta, s, n, going, odds, node, weight)
        g0, g1 = _sums(first, starts), _sums(first * x, starts)
        gradient = -point.copy()
        gradient[:, 0] += (by_capability * g0).sum(axis=1) + turn * g1.sum(axis=1)
        gradient[:, v] += w * g0
        gradient[:, -1] += t * g1.sum(axis=1)

        def assembled(curved: Array) -> Array:
            h0, h1 = _sums(curved, starts), _sums(curved * x, starts)
            h2 = (curved * x**2).sum(axis=1)
            both = (by_capability * h1).sum(axis=1)
            by_eval = w * (by_capability * h0 + turn[:, None] * h1)
            h = np.tile(np.eye(size), (n_draws, 1, 1))
            h[:, 0, 0] += (by_capability**2 * h0).sum(axis=1) + 2.0 * turn * both + turn**2 * h2
            h[:, 0, v] += by_eval
            h[:, v, 0] += by_eval
            h[:, v, v] += w**2 * h0
            h[:, 0, -1] += t * (both + turn * h2)
            h[:, -1, 0] = h[:, 0, -1]
            h[:, v, -1] += w * t[:, None] * h1
            h[:, -1, v] = h[:, v, -1]
            h[:, -1, -1] += t**2 * h2
            return h

        if last:
            return point, _proper(assembled(second), assembled(np.maximum(second, FLOOR * told)))
        h = assembled(np.maximum(second, FLOOR * told))
        step = np.linalg.solve(h, gradient[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        point = point + step * np.minimum(1.0, LONGEST / np.maximum(longest, 1e-12))
        last = float(longest.max()) < CLOSE**0.5
    return point, assembled(np.maximum(second, FLOOR * told))


def pulls(
    eta: Array, s: Array, n: Array, going: Array, odds: Array, node: Array, weight: Array
) -> tuple[Array, Array, Array]:
    """Return each task's score, minus the second derivative, and that without what is not seen.

    The log-likelihood is s·η − n·ln(1 + e^η) + going·ln(1 − p + p·e^odds), averaged over nodes.
    """
    many = len(node) > 1
    if many:
        eta, s, n, going, odds = eta[..., None] + node, *(a[..., None] for a in (s, n, going, odds))
    p = expit(eta)
    told = (n + going) * p * (1.0 - p)
    first, second = s - n * p, told
    if going.any():
        after = expit(eta + odds)  # P(would have succeeded | still going)
        first = first + going * (after - p)
        second = told - going * after * (1.0 - after)
    if not many:
        return first, second, told
    r = weights_of(eta, s, n, going, odds, weight)
    mean = (r * first).sum(axis=-1)
    between = (r * (first - mean[..., None]) ** 2).sum(axis=-1)
    return mean, (r * second).sum(axis=-1) - between, (r * told).sum(axis=-1)


def weights_of(eta: Array, s: Array, n: Array, going: Array, odds: Array, weight: Array) -> Array:
    """Weights of nodes, along the last axis, given what was seen at each; they sum to 1."""
    log_w = np.log(weight) + s * eta - (n + going) * np.logaddexp(0.0, eta)
    log_w = log_w + going * np.logaddexp(0.0, eta + odds)
    found = np.exp(log_w - log_w.max(axis=-1, keepdims=True))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


def _proper(wanted: Array, safe: Array) -> Array:
    """Return the wanted precisions, safe ones where those are not positive definite."""
    least = np.linalg.eigvalsh(wanted)[:, 0]
    return np.where((least > FLOOR)[:, None, None], wanted, safe)


def _sums(values: Array, starts: Index) -> Array:
    return np.add.reduceat(values, starts, axis=1)
