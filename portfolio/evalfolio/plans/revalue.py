r"""The value of a plan again, with the elicitation gap as skewed as it really is.

The optimiser works on a stand-in (`evalfolio.value.skew`). Here the gap δ of every decision keeps
its lognormal shape: readings stay normal given the states, so given δ everything is normal, and the
posterior of y = contrast · z is a mixture over δ whose expected losses are known in closed form.
What is left, the average over what the readings may say, is simulated: a check on the stand-in,
and on the integrals it is fitted to, that shares nothing with either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, ndtr

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.value.skew.gap import even_normals, gap_weights, lognormals

MANY_NODES = 4096  # values of several gaps, at least


@dataclass(frozen=True)
class SkewedValue:
    """Value of a set of options with skewed gaps, and its Monte Carlo standard error."""

    value: float
    standard_error: float


def skewed_value(
    menu: Menu, options: Sequence[str], *, n_draws: int = 4000, n_nodes: int = 61, seed: int = 0
) -> SkewedValue:
    r"""Return the expected value of the options' information when δ is lognormal, not normal.

    For each decision, EVSI = E_t[L₀ − min_a E(loss_a | t)] with t the readings' sufficient
    statistic, L₀ the least expected loss before any reading. δ takes `n_nodes` values; several gaps
    of one decision take at least as many together. `n_draws` readings are simulated per decision,
    the same for a seed whatever the options, so that plans compare well. In the unit of the losses.
    """
    rows = menu.options.index.get_indexer(pd.Index(list(options)))
    information = menu.information[rows].sum(axis=0)
    values, variances = [], []
    for decision in menu.decisions:
        gain = _decision_gain(menu, decision, information, n_nodes, seed, n_draws)
        values.append(gain.mean())
        variances.append(gain.var(ddof=1) / n_draws)
    return SkewedValue(float(np.sum(values)), float(np.sqrt(np.sum(variances))))


def _given_gaps(menu: Menu, gaps: Array | None, n_nodes: int) -> tuple[Array, Array, Array]:
    """Return chances of each value of the gaps, the states' means there and their covariance.

    Values of one lognormal are evenly spaced in the logarithm, where the trapezoidal rule is as
    good as exact; of several they are points that fill the probabilities evenly (Sobol), tied as
    their covariance ties them. Without a gap there is one normal.
    """
    prior, covariance = menu.prior_mean, menu.prior_covariance
    if gaps is None:
        return np.ones(1), prior[None, :], covariance
    at = np.flatnonzero(gaps)
    if len(at) == 1:
        z = np.linspace(-6.0, 6.0, n_nodes)[:, None]
        chances = np.exp(-0.5 * z[:, 0] ** 2)
    else:
        z = even_normals(int(np.ceil(np.log2(max(n_nodes, MANY_NODES)))), len(at), seed=0)
        chances = np.ones(len(z))
    own = covariance[np.ix_(at, at)]
    nodes = lognormals(prior[at], own, z)
    slope = np.linalg.solve(own, covariance[at])  # (n_gaps, n_states)
    means = prior + (nodes - prior[at]) @ slope
    return chances / chances.sum(), means, covariance - covariance[:, at] @ slope


def _decision_gain(
    menu: Menu, decision: Decision, information: Array, n_nodes: int, seed: int, n_draws: int
) -> Array:
    """Return loss before minus loss after for every simulated reading, of shape (n_draws,)."""
    chances, means, covariance = _given_gaps(menu, gap_weights(menu, decision), n_nodes)
    rng = np.random.default_rng(seed)
    n_states = len(menu.states)
    # t = √K z + e with e standard normal carries all the information K.
    eigenvalues, vectors = np.linalg.eigh(information)
    keep = eigenvalues > 1e-12 * max(eigenvalues.max(initial=0.0), 1e-300)
    root = np.sqrt(eigenvalues[keep])[:, None] * vectors[:, keep].T  # (rank, n_states)
    standard = rng.standard_normal((n_draws, 2 * n_states))
    # every value of δ as often as its probability says, to within one draw
    levels = (np.arange(n_draws) + 0.5) / n_draws
    which = np.searchsorted(np.cumsum(chances), levels).clip(max=len(chances) - 1)
    scatter = np.linalg.cholesky(covariance + 1e-12 * np.trace(covariance) * np.eye(n_states))
    states = means[which] + standard[:, :n_states] @ scatter.T
    readings = states @ root.T + standard[:, n_states : n_states + root.shape[0]]

    spread = root @ covariance @ root.T + np.eye(root.shape[0])
    gain = np.linalg.solve(spread, root @ covariance)  # (rank, n_states)
    left = covariance - (root @ covariance).T @ gain
    whiten = np.linalg.cholesky(np.linalg.inv(spread))
    expected = means @ root.T  # readings of every node, (node, rank)
    seen, known = readings @ whiten, expected @ whiten
    distance = (seen**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2.0 * seen @ known.T
    weights = chances * np.exp(-0.5 * (distance - distance.min(axis=1, keepdims=True)))
    weights /= weights.sum(axis=1, keepdims=True)

    contrast = decision.contrast
    shift = decision.later_gain_mean - decision.threshold
    before = means @ contrast + shift
    pull = gain @ contrast
    after = before - expected @ pull + (readings @ pull)[:, None]
    sd_after, sd_before = (
        float(np.sqrt(max(float(contrast @ c @ contrast), 0.0) + decision.later_gain_sd**2))
        for c in (left, covariance)
    )
    losses = (decision.loss_missed, decision.loss_false_alarm)
    prior_loss = (_losses(before, sd_before, losses) * chances).sum(axis=-1).min()
    expected = _losses(after, sd_after, losses)  # (2, draw, node)
    posterior_loss = (expected * weights).sum(axis=-1).min(axis=0)
    return np.asarray(prior_loss - posterior_loss)


def _losses(distance: Array, sd: float, losses: tuple[float, float]) -> Array:
    """Return E[L_m (y−τ)⁺] (not mitigating) and E[L_f (τ−y)⁺] (mitigating), stacked first."""
    missed, false_alarm = losses
    return np.stack([missed * _excess(distance, sd), false_alarm * _excess(-distance, sd)])


def _excess(distance: Array, sd: float) -> Array:
    """Return E[(distance + sd·ε)⁺] for a standard normal ε, without cancellation far below 0."""
    if sd == 0.0:
        return np.maximum(distance, 0.0)
    z = distance / sd
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    upper = np.where(z > -5, ndtr(z), np.exp(log_ndtr(z)))
    return np.asarray(np.maximum(sd * (density + z * upper), 0.0))
