r"""Sampling noise of a reading, matched to what the runs really teach about an uncertain margin.

The information of a run changes with the plateau, and the plateau is what is not known: a plug-in
value is off by up to a quarter, and the expected information is always optimistic. So the noise s²
is chosen such that a normal reading m + N(0, s²) explains the same variance of m as the runs do:
with σ² the prior variance of m and v = Var(E[m | runs]), s² = σ²(σ² − v)/v.
"""

from __future__ import annotations

import numpy as np

from evalbayes.arrays import Array

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
    a sum over the grid.

    Parameters
    ----------
    margin, weights
        Grid of the margin and prior probabilities, of shape (n_nodes,).
    information
        Information of the runs about m at every node, of shape (n_curves, n_nodes).

    Returns
    -------
    Array
        Of shape (n_curves,), between 0 and the prior variance.
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

    Examples
    --------
    >>> float(sampling_variance(np.array(2.0), 4.0))
    4.0
    """
    explained = np.clip(explained, SMALLEST * variance, (1.0 - SMALLEST) * variance)
    return variance * (variance - explained) / explained
