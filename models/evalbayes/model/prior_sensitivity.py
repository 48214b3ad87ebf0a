"""Prior sensitivity: how far conclusions move when the priors weigh more or less.

The prior p(φ) of everything with a constant prior (typical values, spreads, gaps) is raised to a
power α, and the draws are weighed again by p(φ)^(α − 1): no new fit is needed (power scaling;
Kallioinen, Paananen, Bürkner & Vehtari 2023, Detecting and diagnosing prior and likelihood
sensitivity with power-scaling).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evalbayes.arrays import Array
from evalbayes.model.departures import PARTS, sampled
from evalbayes.model.layout import Layout

POWERS = (0.8, 1.25)  # of the prior: a fifth less, and as much more
NOTEWORTHY = 0.3  # sds per doubling of the prior's weight from which a conclusion rests on it


def prior_shift(values: Array, log_prior: Array) -> Array:
    """Shift of the mean, in posterior sds, per doubling of the weight of the prior.

    Parameters
    ----------
    values
        Draws of quantities, of shape (n_draws, n).
    log_prior
        Log prior density of every draw, up to a constant, of shape (n_draws,).

    Returns
    -------
    Array
        Of shape (n,), not negative; 0 where a quantity does not vary.

    Examples
    --------
    A normal mean with as much in its prior N(0, 2) as in the data, read at 1: precision α/2 + 1/2.
    From α = 0.8 to 1.25 its mean 1/(α + 1) falls by 0.111, 0.111 sds, over 0.644 doublings.

    >>> x = np.random.default_rng(0).normal(0.5, 1.0, (400_000, 1))
    >>> bool(abs(prior_shift(x, -x[:, 0] ** 2 / 4.0)[0] - 0.1725) < 0.005)
    True
    """
    sd = values.std(axis=0)
    means = []
    for power in POWERS:
        ln = (power - 1.0) * log_prior
        weights = np.exp(ln - ln.max())
        means.append(weights @ values / weights.sum())
    doublings = np.log2(POWERS[1] / POWERS[0])
    moved = np.abs(means[1] - means[0]) / np.maximum(sd, 1e-300) / doublings
    return np.where(sd > 0, moved, 0.0)


def log_prior_of(base: Layout, named: Mapping[str, Array]) -> Array:
    """Log density of all that has a constant prior, of shape (n_draws,), up to a constant.

    Parameters
    ----------
    base
        Layout of the base; offsets, whose spread is learned, are left out.
    named
        Draws by name, of shape (n_draws, ...).
    """
    total: Array | None = None
    logs = {name: np.log(named[name]) for name in base.logarithms & set(named)}
    if set(PARTS) <= set(named):
        logs |= sampled(named)
    for name, (start, stop, single) in base.spans.items():
        if base.sd_entry[start] >= 0 if stop > start else True:
            continue
        x = logs.get(name, named[name])
        x = x[:, None] if single else x
        z = (x - np.array(base.mean[start:stop])) / np.array(base.sd[start:stop])
        part: Array = -0.5 * (z**2).sum(axis=1)
        total = part if total is None else total + part
    assert total is not None  # slopes have a prior in every design
    return total
