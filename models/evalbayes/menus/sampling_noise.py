r"""Sampling variance s² of a reading of so many runs at a cap, matched under every curve draw.

A run ends in success at spend t (likelihood A·f(t)), gives up at t ((1 − A)·h(t)) or is stopped at
the cap c (A(1 − F) + (1 − A)(1 − H)); its information is the expected Fisher information.

That changes with the plateau, and the plateau is what is not known: a plug-in value is off by up to
a quarter, and the expected information is always optimistic. So the noise s² is chosen such that a
normal reading m + N(0, s²) explains the same variance of m as the runs do: with σ² the prior
variance of m and v = Var(E[m | runs]), s² = σ²(σ² − v)/v.
"""

import math

import numpy as np
from scipy.special import ndtr

from evalbayes.arrays import Array, Flags
from evalbayes.curves import Curve
from evalbayes.curves.law import Law

TINY = 1e-300


def margin_information(
    margin: Array,
    slope: Array | float,
    ln_cap: Array | float,
    success_location: Array | float,
    success_scale: Array | float,
    gave_up_location: Array | float,
    gave_up_scale: Array | float,
    location_covariance: Array,
    n_runs: float,
    tail: Array | float = 1.0,
    weights: Array | None = None,
) -> Array:
    r"""Information of `n_runs` runs about the margin m, logit A = a·m, the curve half known.

    The runs tell about m and about the two locations of the curve at once. With J the 3 × 3 Fisher
    information of one run and P the prior covariance of the locations, what is left for m is

        n·J_mm − n·J_ml (n·J_ll + P⁻¹)⁻¹ n·J_lm.

    It is at most n·a²A(1 − A) and never falls as the cap or n grows, since J and n·J do not. In
    units of 1/margin², in the shape that the arguments broadcast to. `slope` is a, logits per unit;
    `location_covariance` P, of shape (2, 2), zeros where the curve is known; `n_runs` are effective
    ones; locations and scales are those of `evalbayes.curves.Curve`.
    """
    law = Law(success_location, success_scale, tail, weights)
    z_gave_up = (ln_cap - gave_up_location) / gave_up_scale
    plateau, missing = _plateau(slope * margin), _plateau(-slope * margin)
    ended, left = law.cdf(ln_cap), np.exp(law.log_survival(ln_cap))
    gave_up, going = ndtr(z_gave_up), ndtr(-z_gave_up)
    density = np.exp(law.log_density(ln_cap))
    gave_up_density = np.exp(-0.5 * z_gave_up**2) / np.sqrt(2.0 * np.pi)
    stopped = np.maximum(plateau * left + missing * going, TINY)

    # Scores of a stop with respect to m and to the two locations, times P(stop).
    by_margin = slope * plateau * missing * (gave_up - ended)
    by_success = plateau * density
    by_gave_up = missing * gave_up_density / gave_up_scale

    margin_margin = (
        slope**2 * (missing**2 * plateau * ended + plateau**2 * missing * gave_up)
        + by_margin**2 / stopped
    )
    margin_success = -slope * missing * plateau * density + by_margin * by_success / stopped
    margin_gave_up = (
        slope * plateau * missing * gave_up_density / gave_up_scale
        + by_margin * by_gave_up / stopped
    )
    success_success = plateau * law.location_information(ln_cap) + by_success**2 / stopped
    gave_up_gave_up = (
        missing * (gave_up - z_gave_up * gave_up_density) / gave_up_scale**2
        + by_gave_up**2 / stopped
    )
    success_gave_up = by_success * by_gave_up / stopped

    # n·J_mm − n²·J_ml (I + P n·J_ll)⁻¹ P J_lm, written so that P may be singular or 0.
    n = n_runs
    (p_ss, p_sg), (_, p_gg) = location_covariance
    a = 1.0 + n * (p_ss * success_success + p_sg * success_gave_up)
    b = n * (p_ss * success_gave_up + p_sg * gave_up_gave_up)
    c = n * (p_sg * success_success + p_gg * success_gave_up)
    d = 1.0 + n * (p_sg * success_gave_up + p_gg * gave_up_gave_up)
    shift_success = p_ss * margin_success + p_sg * margin_gave_up
    shift_gave_up = p_sg * margin_success + p_gg * margin_gave_up
    determinant = a * d - b * c
    lost = (
        margin_success * (d * shift_success - b * shift_gave_up)
        + margin_gave_up * (a * shift_gave_up - c * shift_success)
    ) / determinant
    information: Array = np.maximum(n * margin_margin - n**2 * lost, 0.0)
    return information


def _plateau(logit: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-np.clip(logit, -500.0, 500.0)))


SPAN = 4.5  # prior sd on either side of the mean
NODES = 121  # values of the margin
SPACING = 0.6  # of the readings, in units of their noise: sums of normal curves are exact by then
SMALLEST = 1e-9  # share of the variance explained below which runs say nothing


def margin_grid(mean: float, sd: float) -> tuple[Array, Array]:
    """Equally spaced values of a normal margin and their probabilities, both of shape (NODES,)."""
    steps = np.linspace(-SPAN, SPAN, NODES)
    weights = np.exp(-0.5 * steps**2)
    return mean + sd * steps, weights / weights.sum()


def explained_variance(margin: Array, weights: Array, information: Array) -> Array:
    r"""V = Var(E[m | runs]), for several curves at once.

    On the scale ψ(m) = ∫ √I(m) dm the runs read ψ with unit noise (for a binomial score ψ is the
    arcsine of the root of the share), whatever m is. The posterior of m given each reading is then
    a sum over the grid. Margin and prior probabilities are of shape (n_nodes,), information of
    (n_curves, n_nodes); the result, of shape (n_curves,), lies between 0 and the prior variance.
    """
    root = np.sqrt(information)
    step = np.diff(margin)
    scale = np.zeros_like(root)
    np.cumsum((root[:, 1:] + root[:, :-1]) / 2.0 * step, axis=1, out=scale[:, 1:])
    low, high = scale[:, :1] - 5.0, scale[:, -1:] + 5.0
    n_readings = int(np.ceil((high - low).max() / SPACING)) + 1
    readings = low + (high - low) * np.linspace(0.0, 1.0, n_readings)
    # Single precision halves time and memory.
    gap = readings.astype(np.float32)[:, :, None] - scale.astype(np.float32)[:, None, :]
    np.square(gap, out=gap)
    gap *= np.float32(-0.5)
    likelihood = np.exp(gap, out=gap)
    centred = margin - weights @ margin
    moments = np.stack([weights, weights * centred], axis=1).astype(np.float32)
    mass, first = (likelihood @ moments).astype(np.float64).transpose(2, 0, 1)
    explained = (first**2 / np.maximum(mass, 1e-30)).sum(axis=1) / mass.sum(axis=1)
    value: Array = np.clip(explained, 0.0, weights @ centred**2)
    return value


def sampling_variance(explained: Array, variance: float) -> Array:
    """s² = σ²(σ² − v)/v; a large but finite number where the runs say nothing.

    >>> float(sampling_variance(np.array(2.0), 4.0))
    4.0
    """
    explained = np.clip(explained, SMALLEST * variance, (1.0 - SMALLEST) * variance)
    return variance * (variance - explained) / explained


def matched_noise(
    curve: Curve,
    *,
    mean: float,
    variance: float,
    slope: float,
    cap: float,
    n_runs: float,
    halves: Flags | None = None,
) -> tuple[float, Array, Array]:
    """Return s² of the mean explained variance, under every draw of the curve, and from halves.

    The variance explained is averaged over the curve's draws, not the information: a cap that may
    turn out to lie below nearly all successes explains half of what it does if it does not. Mean
    and variance are the margin's before the runs, the slope is a in logits per unit (its error is a
    state and stays out of here), the cap in spend units and `n_runs` effective; locations and
    scales of the curve are of shape (n_draws,), `halves` of (n_halves, n_draws).
    """
    margin, weights = margin_grid(mean, math.sqrt(variance))
    column = (slice(None), None)
    # Covariance of the two locations over the draws, of shape (2, 2)
    locations = np.stack([curve.success_location, curve.gave_up_location])
    information = margin_information(
        margin[None, :],
        slope,
        math.log(cap),
        np.asarray(curve.success_location)[column],
        np.asarray(curve.success_scale)[column],
        np.asarray(curve.gave_up_location)[column],
        np.asarray(curve.gave_up_scale)[column],
        np.cov(locations, bias=True),
        n_runs,
        np.asarray(curve.tail)[column] if np.ndim(curve.tail) else curve.tail,
        None if curve.weights is None else curve.weights[:, None, :],
    )
    explained = explained_variance(margin, weights, information)
    within = float(weights @ (margin - mean) ** 2)  # the grid's own variance: tails are cut
    means = [explained.mean()]
    if halves is not None:
        means += [explained[held].mean() for held in halves]
    noise = sampling_variance(np.concatenate([explained, means]), within)
    n = len(explained)
    return float(noise[n]), noise[:n], noise[n + 1 :]
