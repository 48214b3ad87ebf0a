r"""Sampling variance s² of a reading of so many runs at a cap, matched under every curve draw."""

from __future__ import annotations

import math

import numpy as np

from evalbayes.arrays import Array, Flags
from evalbayes.curves import Curve
from evalbayes.menus.fisher import margin_information
from evalbayes.menus.matching import explained_variance, margin_grid, sampling_variance


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
    turn out to lie below nearly all successes explains half of what it does if it does not.

    Parameters
    ----------
    curve
        The eval's curve at the reading's effort; locations and scales of shape (n_draws,).
    mean, variance
        Moments of the margin before the runs.
    slope
        a, logits per unit: its error is a state and stays out of here.
    cap
        In spend units.
    n_runs
        Effective number of runs.
    halves
        Which draws each half holds, of shape (n_halves, n_draws); none without it.
    """
    margin, weights = margin_grid(mean, math.sqrt(variance))
    column = (slice(None), None)
    information = margin_information(
        margin[None, :],
        slope,
        math.log(cap),
        np.asarray(curve.success_location)[column],
        np.asarray(curve.success_scale)[column],
        np.asarray(curve.gave_up_location)[column],
        np.asarray(curve.gave_up_scale)[column],
        _location_covariance(curve),
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


def _location_covariance(curve: Curve) -> Array:
    """Covariance of the two locations over the draws, of shape (2, 2)."""
    locations = np.stack([curve.success_location, curve.gave_up_location])
    return np.cov(locations, bias=True)
