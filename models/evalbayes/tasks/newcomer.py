"""What runs of an AI model that the history does not hold tell about it.

For every draw of the history the joint posterior of θ, ln slope, ψ, speed and the evals' levels and
locations is found by Newton steps, drawn from as a normal, and corrected by importance weights.
A draw of the history under which the new runs are more likely counts for more, as far as there are
draws enough to tell: many runs would single out one or two draws of a hundred, whose hundreds of
other figures are no likelier for it, and what is not known of the history would be lost. So their
likelihoods are raised to the largest power ≤ 1 that leaves `LEAST_DRAWS` of them effective.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Array = NDArray[np.float64]
Index = NDArray[np.int64]

GLOBALS = 4  # θ, ln a, ψ, speed
STEPS = 12
CLOSE = 0.02  # a Newton decrement at which the mode is near enough: weights do the rest
LEAST_DRAWS = 0.25  # share of the draws of the history that stay effective
WIDER = 1.1  # of the normal that is drawn from, so that weights stay bounded
# Returns log-likelihood, gradient and second derivatives in local parameters of the seen evals.
Likelihood = Callable[[Index, Array, bool], tuple[Array, Array, Array]]


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Prior:
    """Normal prior of an AI model's parameters for every draw of the history.

    Order: θ, ln a, ψ, speed, then level, location of success and of giving up of every eval.
    """

    mean: Array  # (n, size)
    precision: Array  # (n, size, size)
    log_determinant: Array  # of the precision, (n,)

    def log_density(self, of: Index, points: Array) -> Array:
        """Return it without the constant, for rows of parameters."""
        off = points - self.mean[of]
        quadratic = np.einsum("ri,rij,rj->r", off, self.precision[of], off)
        value: Array = 0.5 * (self.log_determinant[of] - quadratic)
        return value


def prior_of(history: Mapping[str, Array], evals: Index, length: Array) -> Prior:
    """Prior of a newcomer's parameters on some evals.

    Parameters
    ----------
    history
        Draws by name: shown_mean, shown_spread, slope_spread, length_slope_sd, speed_mean,
        speed_spread, all (n,); place (n, n_evals, 3): what an eval adds to level (minus its
        difficulty) and to locations; cell_sd (n, 3): sds of level and locations about that.
    evals
        Which.
    length
        log2 human minutes of every eval about the centre, of shape (n_evals,).
    """
    n, e = len(history["shown_mean"]), len(evals)
    size = GLOBALS + 3 * e
    mean = np.zeros((n, size))
    mean[:, 0] = history["shown_mean"]
    mean[:, 3] = history["speed_mean"]
    precision = np.zeros((n, size, size))
    log_determinant = np.zeros(n)
    own = ("shown_spread", "slope_spread", "length_slope_sd", "speed_spread")
    for k, name in enumerate(own):
        precision[:, k, k] = history[name] ** -2.0
        log_determinant -= 2.0 * np.log(history[name])
    # A level is normal about θ + ψ·length + place, a location about speed + place.
    parents = np.zeros((3, e, GLOBALS))
    parents[0, :, 0], parents[0, :, 2], parents[1:, :, 3] = 1.0, length[evals], 1.0
    for block in range(3):
        at = GLOBALS + block * e + np.arange(e)
        weight = history["cell_sd"][:, block] ** -2.0
        mean[:, at] = mean[:, :GLOBALS] @ parents[block].T + history["place"][:, evals, block]
        precision[:, at, at] = weight[:, None]
        across = -weight[:, None, None] * parents[block]
        precision[:, at, :GLOBALS] = across
        precision[:, :GLOBALS, at] = across.transpose(0, 2, 1)
        precision[:, :GLOBALS, :GLOBALS] += weight[:, None, None] * (
            parents[block].T @ parents[block]
        )
        log_determinant += e * np.log(weight)
    return Prior(mean, precision, log_determinant)


def local_of(points: Array, n_evals: int) -> Array:
    """Local parameters of every eval, (n, n_evals, 5), from rows of parameters."""
    local = np.empty((len(points), n_evals, 5))
    levels = points[:, GLOBALS:].reshape(len(points), 3, n_evals)
    local[:, :, 0] = levels[:, 0]
    local[:, :, 1] = points[:, [1]]
    local[:, :, 2] = points[:, [2]]
    local[:, :, 3] = levels[:, 1]
    local[:, :, 4] = levels[:, 2]
    return local


def _positions(n_evals: int) -> Index:
    """Position of every eval's five local parameters among all, (n_evals, 5)."""
    own = GLOBALS + np.arange(n_evals)
    one, two = np.full(n_evals, 1), np.full(n_evals, 2)
    return np.stack([own, one, two, own + n_evals, own + 2 * n_evals], axis=1).astype(np.int64)


def modes(prior: Prior, likelihood: Likelihood, n_evals: int) -> tuple[Array, Array]:
    """Mode of every draw of the history, (n, size), and the precision there, (n, size, size)."""
    n = len(prior.mean)
    middle = np.array([n // 2], dtype=np.int64)
    at, _ = _climb(prior, likelihood, n_evals, middle, prior.mean[middle], STEPS)
    every = np.arange(n, dtype=np.int64)
    # The middle draw's mode, moved by what the draw's own prior mean differs.
    start = np.repeat(at, n, axis=0)
    return _climb(prior, likelihood, n_evals, every, start, STEPS)


def _climb(
    prior: Prior, likelihood: Likelihood, n_evals: int, of: Index, start: Array, steps: int
) -> tuple[Array, Array]:
    """Newton steps, halved where they would go down."""
    positions = _positions(n_evals)
    points = start.copy()
    curvature = np.empty((len(of), points.shape[1], points.shape[1]))
    step = np.zeros_like(points)
    value = np.full(len(of), -np.inf)
    active = np.arange(len(of))
    trial = points.copy()
    for _ in range(steps):
        rows = of[active]
        log_l, first, second = likelihood(rows, local_of(trial[active], n_evals), True)
        new = log_l + prior.log_density(rows, trial[active])
        better = new >= value[active] - 1e-9
        good = active[better]
        points[good], value[good] = trial[good], new[better]
        if better.any():
            gradient, minus = _joint_derivatives(
                prior, of[good], points[good], first[better], second[better], positions
            )
            curvature[good] = minus
            step[good] = np.linalg.solve(minus, gradient[:, :, None])[:, :, 0]
            decrement = (step[good] * gradient).sum(axis=1)
            done = good[decrement < CLOSE]
            points[done] += step[done]  # the last step is too small to go wrong
        else:
            done = np.zeros(0, dtype=np.int64)
        step[active[~better]] *= 0.5
        active = np.setdiff1d(active, done, assume_unique=True)
        if not len(active):
            break
        trial[active] = points[active] + step[active]
    return points, curvature


def _joint_derivatives(
    prior: Prior, of: Index, points: Array, first: Array, second: Array, positions: Index
) -> tuple[Array, Array]:
    """Gradient of the log joint density and minus its second derivatives, made positive."""
    precision = prior.precision[of]
    gradient = -np.einsum("rij,rj->ri", precision, points - prior.mean[of])
    minus = precision.copy()
    for i, at in enumerate(positions):
        gradient[:, at] += first[:, i]
        minus[:, at[:, None], at[None, :]] -= second[:, i]
    try:
        np.linalg.cholesky(minus)
    except np.linalg.LinAlgError:
        # Mixtures of task effects are not log-concave everywhere: no direction may be looser
        # than a tenth of its prior precision.
        root = np.linalg.cholesky(precision)
        inverse = np.linalg.inv(root)
        whitened = inverse @ minus @ inverse.transpose(0, 2, 1)
        values, vectors = np.linalg.eigh(whitened)
        mended = (vectors * np.maximum(values, 0.1)[:, None, :]) @ vectors.transpose(0, 2, 1)
        minus = root @ mended @ root.transpose(0, 2, 1)
    return gradient, minus


def draws(
    prior: Prior,
    likelihood: Likelihood,
    n_evals: int,
    n_draws: int,
    per_draw: int,
    rng: np.random.Generator,
) -> tuple[Index, Array, float]:
    """Draw of the history and parameters of n_draws rows of equal weight; the effective share.

    Weights are cut at √n of their mean, so that no single one carries the result.
    """
    mode, precision = modes(prior, likelihood, n_evals)
    size = mode.shape[1]
    factor = np.linalg.cholesky(precision)
    of = np.repeat(np.arange(len(mode)), per_draw)
    z = rng.standard_normal((len(of), size))
    off = np.linalg.solve(factor.transpose(0, 2, 1)[of], z[:, :, None])[:, :, 0]
    points = mode[of] + WIDER * off
    log_proposal = np.log(np.einsum("rii->ri", factor)).sum(axis=1)[of] - 0.5 * (z**2).sum(axis=1)
    log_l, _, _ = likelihood(of, local_of(points, n_evals), False)
    log_weight = log_l + prior.log_density(of, points) - log_proposal
    weight = _weights(log_weight.reshape(len(mode), per_draw)).reshape(-1)
    weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
    weight /= weight.sum()
    effective = float(1.0 / (weight**2).sum() / len(weight))
    place = (np.arange(n_draws) + rng.random()) / n_draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), place), len(weight) - 1)
    chosen = rng.permutation(chosen)
    return of[chosen], points[chosen], effective


def _weights(log_weight: Array) -> Array:
    """Weights of points, (n, per_draw), those of the history's draws flattened where they must be.

    Examples
    --------
    >>> even = _weights(np.zeros((8, 2)))
    >>> bool(np.allclose(even, 1 / 16))
    True
    >>> one = _weights(np.array([[50.0, 50.0], [0.0, 0.0], [-50.0, -50.0], [-100.0, -100.0]]))
    >>> round(float(1.0 / (one.sum(axis=1) ** 2).sum()), 2)  # a quarter of four draws
    1.0
    """
    of_draw = logsumexp(log_weight, axis=1)

    def raised(power: float) -> Array:
        value = np.exp(power * (of_draw - of_draw.max()))
        shared: Array = value / value.sum()
        return shared

    low, high = 0.0, 1.0
    least = LEAST_DRAWS * len(of_draw)
    if 1.0 / (raised(1.0) ** 2).sum() < least:
        for _ in range(40):
            middle = (low + high) / 2.0
            enough = 1.0 / (raised(middle) ** 2).sum() >= least
            low, high = (middle, high) if enough else (low, middle)
    else:
        low = 1.0
    within: Array = np.exp(log_weight - of_draw[:, None])
    return raised(low)[:, None] * within


def everywhere(
    history: Mapping[str, Array],
    of: Index,
    points: Array,
    evals: Index,
    length: Array,
    rng: np.random.Generator,
) -> Array:
    """Local parameters on every eval, (n_rows, n_evals, 5); those without runs from the prior."""
    sd = history["cell_sd"][of][:, None, :]
    place = history["place"][of] + sd * rng.standard_normal((len(points), len(length), 3))
    local = np.empty((len(points), len(length), 5))
    local[:, :, 0] = points[:, [0]] + points[:, [2]] * length + place[:, :, 0]
    local[:, :, 1] = points[:, [1]]
    local[:, :, 2] = points[:, [2]]
    local[:, :, 3:] = points[:, [3], None] + place[:, :, 1:]
    local[:, evals] = local_of(points, len(evals))
    return local
