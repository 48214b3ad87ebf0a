"""Small posteriors by adaptive importance sampling."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from evalbayes.arrays import Array
from evalbayes.errors import FitError

FREEDOM = 5.0  # of the t proposal: heavier than the posterior, so that weights stay bounded
ROUNDS = 8  # proposals; each takes its mean and covariance from the draws of the one before
ENOUGH = 0.3  # effective share of the draws from which no further round is needed
LEAST = 50.0  # effective draws below which there is no posterior to speak of
STEP = 1e-4


@dataclass(frozen=True, eq=False)
class SmallPosterior:
    """Draws, of shape (n_draws, n_parameters), and the logarithms of their normalised weights.

    `log_evidence` is the logarithm of the integral of exp(log_joint), up to a constant that hangs
    on the number of parameters alone.
    """

    draws: Array
    log_weights: Array
    log_evidence: float = 0.0

    @property
    def effective(self) -> float:
        """How many independent draws the weighted ones are worth, 1/Σw²."""
        return float(1.0 / np.exp(2.0 * self.log_weights).sum())

    def resampled(self, n: int, rng: np.random.Generator) -> Array:
        """Return n draws of equal weight, by systematic resampling, in random order."""
        points = (np.arange(n) + rng.random()) / n
        total = np.cumsum(np.exp(self.log_weights))
        index = np.minimum(np.searchsorted(total, points), len(total) - 1)
        return rng.permutation(self.draws[index])


def small_posterior(
    log_joint: Callable[[Array], Array],
    start: Array,
    *,
    seed: int = 0,
    n_draws: int = 4000,
    what: str = "the posterior",
) -> SmallPosterior:
    """Draw from exp(log_joint) by adaptive importance sampling from its mode.

    It is the log prior plus log likelihood, up to a constant, of every row of an array of shape
    (n, n_parameters), all parameters on the whole real line; the search for its mode begins at
    `start`. FitError, naming `what`, if fewer than 50 effective draws remain after the last round.

    >>> found = small_posterior(lambda x: -0.5 * (x[:, 0] - 3.0) ** 2 / 4.0, np.zeros(1))
    >>> mean = np.exp(found.log_weights) @ found.draws[:, 0]
    >>> bool(abs(mean - 3.0) < 0.15 and found.effective > 3000)
    True
    """
    rng = np.random.default_rng(seed)
    centre = _mode(log_joint, start)
    covariance = _inverse_of_curvature(log_joint, centre)
    for _ in range(ROUNDS):
        draws, log_proposal = _t_draws(centre, covariance, n_draws, rng)
        log_weights = log_joint(draws) - log_proposal
        possible = np.isfinite(log_weights)
        draws, log_weights = draws[possible], log_weights[possible]
        whole = np.logaddexp.reduce(log_weights)
        log_weights = log_weights - whole
        found = SmallPosterior(draws, log_weights, float(whole - np.log(n_draws)))
        if found.effective > ENOUGH * n_draws:
            break
        # No draw may carry the next proposal alone: weights are cut at 1/√n before they serve it.
        weights = np.minimum(np.exp(log_weights), n_draws**-0.5)
        weights = weights / weights.sum()
        centre = weights @ draws
        off = draws - centre
        covariance = (weights[:, None] * off).T @ off + 1e-8 * np.eye(len(centre))
    if not found.effective >= LEAST:
        raise FitError(
            f"{what} must be reached by importance draws around its mode; only "
            f"{found.effective:.0f} of {n_draws} are effective: give tighter priors or more data"
        )
    return found


def rough_evidence(log_joint: Callable[[Array], Array], start: Array) -> float:
    """Approximate `SmallPosterior.log_evidence` by Laplace's method, without a draw."""
    mode = _mode(log_joint, start)
    _, log_size = np.linalg.slogdet(_inverse_of_curvature(log_joint, mode))
    return float(log_joint(mode[None])[0] + 0.5 * log_size)


def _mode(log_joint: Callable[[Array], Array], start: Array) -> Array:
    def height(x: Array) -> float:
        return -float(log_joint(x[None])[0])

    def slope(x: Array) -> Array:
        return np.asarray(-_gradient(log_joint, x[None])[0])

    return np.asarray(optimize.minimize(height, start, jac=slope, method="BFGS", tol=1e-4).x)


def _gradient(log_joint: Callable[[Array], Array], points: Array) -> Array:
    """Central differences at every row, all in one call."""
    n, size = points.shape
    shifts = STEP * np.eye(size)
    both = np.concatenate([points[:, None] + shifts, points[:, None] - shifts])
    values = log_joint(both.reshape(-1, size)).reshape(2, n, size)
    return np.asarray((values[0] - values[1]) / (2.0 * STEP))


def _inverse_of_curvature(log_joint: Callable[[Array], Array], mode: Array) -> Array:
    """Inverse of minus the Hessian, with directions that are not curved given a sd of 2."""
    shifts = 10.0 * STEP * np.eye(len(mode))
    hessian = (_gradient(log_joint, mode + shifts) - _gradient(log_joint, mode - shifts)) / (
        20.0 * STEP
    )
    values, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2.0)
    return np.asarray((vectors / np.maximum(values, 0.25)) @ vectors.T)


def _t_draws(
    centre: Array, covariance: Array, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    size = len(centre)
    factor = np.linalg.cholesky(covariance)
    z = rng.standard_normal((n, size)) * np.sqrt(FREEDOM / rng.chisquare(FREEDOM, n))[:, None]
    log_density: Array = -0.5 * (FREEDOM + size) * np.log1p((z**2).sum(axis=1) / FREEDOM)
    log_density = log_density - np.log(np.diag(factor)).sum()
    return centre + z @ factor.T, log_density
