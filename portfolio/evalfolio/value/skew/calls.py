"""Calls on a skewed belief, now and after results: of one gap by integrals, of several by points.

A decision over several domains has several lognormal gaps, and a reading of one leaves the others'
tails as they were: what calls come to is no matter of their sum alone. Given the gaps all is
normal, so the belief after any results is a mixture over their values: a grid of two or three gaps,
points that fill their probabilities evenly (Sobol) of more. Results are such points too, the same
for every mix, more of them far out than their probability says, as little chances decide. This is
the direct value of a mix; what a search goes by is fitted to it (`evalfolio.value.skew.stand_in`).
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import TypeAlias

import numpy as np
from scipy.special import ndtr

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.value.sample_information import density
from evalfolio.value.skew.gap import (
    LEAST_SKEW,
    SMALL,
    SkewedBelief,
    SkewedGap,
    contrasts,
    even_normals,
    gap_weights,
    lognormals,
    skewness,
)
from evalfolio.value.skew.outcome import Outcome, outcome_of, value_of

# A grid of two gaps: its step and reach in sds, and the least probability over the largest.
STEP, REACH, LEAST_LIKELY = 1 / 3, 4.5, 1e-5
STEP_OF_THREE = 0.8  # of a grid of three gaps, whose values are within some 2 % of all known
MOST_ON_GRID, POINTS = 3, 11  # gaps that a grid serves; points of more, as a power of two
RESULTS = 12  # as a power of two
FITTING_STEP, FITTING_RESULTS = 1 / 2, 10  # where a stand-in is fitted to many mixes


def calls_of(menu: Menu, decision: Decision) -> Calls | None:
    """Return a decision's calls, or None where no skewed gap bears on it enough to matter."""
    weights = gap_weights(menu, decision)
    if weights is None:
        return None
    if np.count_nonzero(weights) > 1:
        skewed = skewness(menu, decision, weights) > LEAST_SKEW
        return SeveralGaps(menu, decision, weights) if skewed else None
    return OneGap.of(menu, decision)


class OneGap(SkewedGap):
    """Calls on one skewed gap, by quadrature."""

    @property
    def key(self) -> Hashable:
        """The belief and the stakes."""
        return self

    @property
    def weights(self) -> Array:
        """Weight of the gap in y, of shape (1,)."""
        return np.array([self.weight])

    @property
    def nodes(self) -> tuple[Array, Array, float]:
        """Values of (E(w | δ), δ), their probabilities, and the variance of w given δ."""
        gaps, chances = self.gaps
        shown = self.mean + self.slope * (gaps - self.gap_mean)
        return np.column_stack([shown, gaps]), chances, self.rest

    def after(self, covariance: Array, *, rough: bool = False) -> Outcome:
        """Return what results do that would leave the states this covariance, were all normal."""
        return outcome_of(self, self.contrasts @ covariance @ self.contrasts.T)

    def value(self, left: Array) -> float:
        """Return the value where (w, δ) are left this covariance."""
        return value_of(self, left)


class SeveralGaps(SkewedBelief):
    r"""Calls on several skewed gaps: y = w + Σ_j q_j·δ_j + later gain.

    Given the δ_j, w is normal around its regression on them, with variance σ². The results hold
    the information J = RᵀR about (w, δ) that the normal model says: t = R·(w, δ) + N(0, 1).
    """

    def __init__(self, menu: Menu, decision: Decision, weights: Array) -> None:
        self._decision, self.mitigate_above = decision, decision.mitigate_above
        at = np.flatnonzero(weights)
        self.weights: Array = decision.contrast[at]
        rows = [contrasts(decision, weights)[0], np.eye(len(menu.states))[at]]
        self.contrasts: Array = np.vstack(rows)
        self.prior: Array = self.contrasts @ menu.prior_covariance @ self.contrasts.T
        self._mean = self.contrasts @ menu.prior_mean
        own = self.prior[1:, 1:]
        slope = np.linalg.solve(own, self.prior[1:, 0])
        floor = SMALL * float(self.weights @ own @ self.weights)
        self._rest = max(float(self.prior[0, 0] - slope @ self.prior[1:, 0]), floor)
        self._slope = slope
        self._fine = self._nodes(STEP)

    @property
    def key(self) -> Hashable:
        """The belief and the stakes."""
        decision = self._decision
        return (
            self.prior.tobytes(), self._mean.tobytes(), self.weights.tobytes(),
            decision.threshold, decision.later_gain_mean, decision.later_gain_sd,
            decision.loss_missed, decision.loss_false_alarm,
        )  # fmt: skip

    @cached_property
    def now(self) -> tuple[Array, int]:
        """Expected losses of not mitigating and of mitigating now, and which is less."""
        _, chances, means = self._fine
        _, missed, needless = self._calls(means, self._sd(self._rest))
        losses = np.array([chances @ missed, chances @ needless])
        return losses, int(losses.argmin())

    @property
    def mixture(self) -> tuple[Array, Array, float]:
        """Chances of the normals, their means less the threshold, and their sd."""
        return *self._fine[1:], self._sd(self._rest)

    @property
    def nodes(self) -> tuple[Array, Array, float]:
        """Values of (E(w | δ), δ), their probabilities, and the variance of w given δ."""
        return self._fine[0], self._fine[1], self._rest

    def after(self, covariance: Array, *, rough: bool = False) -> Outcome:
        """Return what results do that would leave the states this covariance, were all normal.

        From fewer points where `rough`, as the value of many mixes is.
        """
        left = self.contrasts @ covariance @ self.contrasts.T
        points = (self._rough, FITTING_RESULTS) if rough else (self._fine, RESULTS)
        chances, exceeds, missed, needless = self._after(left, *points)
        rule = self.mitigate_above
        mitigate = missed > needless if rule is None else exceeds > rule
        return Outcome(
            value=self._saved(chances, missed, needless),
            p_turned=float(chances @ (mitigate != self.mitigates)),
            p_missed=float(chances @ np.where(mitigate, 0.0, exceeds)),
            p_needless=float(chances @ np.where(mitigate, 1.0 - exceeds, 0.0)),
        )

    def value(self, left: Array) -> float:
        """Return the value where (w, δ) are left this covariance, from fewer points."""
        chances, _, missed, needless = self._after(left, self._rough, FITTING_RESULTS)
        return self._saved(chances, missed, needless)

    def _saved(self, chances: Array, missed: Array, needless: Array) -> float:
        """Return what calling after the results saves, from expected losses given each.

        What the other call would save is on average known: by how much its mean over the results
        is off says how much theirs is, by regression (a control variate).
        """
        now = float(self.now[0][1] - self.now[0][0])
        other, expected = (needless - missed, now) if now < 0 else (missed - needless, -now)
        saved, mean = np.maximum(other, 0.0), float(chances @ other)
        off = other - mean
        slope = float(chances @ (saved * off)) / max(float(chances @ off**2), 1e-300)
        return max(float(chances @ saved) + slope * (expected - mean), 0.0)

    @cached_property
    def _rough(self) -> tuple[Array, Array, Array]:
        return self._nodes(FITTING_STEP)

    def _nodes(self, step: float) -> tuple[Array, Array, Array]:
        """Return values of (w, δ) by value of the gaps, their probabilities and means of y."""
        n_gaps, decision = len(self.weights), self._decision
        if n_gaps <= MOST_ON_GRID:
            z, chances = _grid(step if n_gaps == 2 else STEP_OF_THREE, n_gaps)
        else:  # more of them far out than is likely
            wide = 1.0 + 1.0 / n_gaps  # of the variance
            z = np.sqrt(wide) * even_normals(POINTS, n_gaps, seed=0)
            chances = np.exp(-0.5 * (1.0 - 1.0 / wide) * (z**2).sum(axis=1))
            chances /= chances.sum()
        gaps = lognormals(self._mean[1:], self.prior[1:, 1:], z)
        shown = self._mean[0] + (gaps - self._mean[1:]) @ self._slope
        means = shown + gaps @ self.weights + decision.later_gain_mean - decision.threshold
        order = np.argsort(means, kind="stable")
        return np.column_stack([shown, gaps])[order], chances[order], means[order]

    def _after(
        self, left: Array, nodes: tuple[Array, Array, Array], results: int
    ) -> tuple[Array, Array, Array, Array]:
        """Return chances of 2^results t; P(y above) and both expected losses after each."""
        states, likely, means = nodes
        read = self._reader(left)
        shown = read[:, 0]
        share = self._rest / (1.0 + self._rest * float(shown @ shown))
        # a value of the gaps, far ones more often than their probability says, and t around it
        often = np.cumsum(likely ** (1.0 - 1.0 / (states.shape[1] - 1)))
        luck = even_normals(results, 1 + states.shape[1], seed=1)
        truth = np.searchsorted(often / often[-1], ndtr(luck[:, 0])).clip(max=len(often) - 1)
        chances = (likely / np.bincount(truth, minlength=len(likely)).clip(min=1))[truth]
        chances /= chances.sum()
        expected = states @ read.T
        spread, axes = np.linalg.eigh(np.eye(len(shown)) + self._rest * np.outer(shown, shown))
        root = (np.sqrt(spread) * axes) @ axes.T
        told = expected[truth] + luck[:, 1:] @ root
        # E = t − R·(w, δ) at every value of the gaps; its covariance is 1 + σ²·r·rᵀ, r = R's first
        along = (told @ shown)[:, None] - expected @ shown
        far = (told**2).sum(axis=1)[:, None] + (expected**2).sum(axis=1) - 2 * told @ expected.T
        far = far - share * along**2
        weights = likely * np.exp(-0.5 * (far - far.min(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        parts = self._calls(means + share * along, self._sd(share))
        exceeds, missed, needless = (np.einsum("tk,tk->t", weights, each) for each in parts)
        return chances, exceeds, missed, needless

    def _reader(self, left: Array) -> Array:
        """Return R for a covariance of (w, δ) that is left."""
        sd = np.sqrt(np.diag(self.prior).clip(min=1e-300))
        values, vectors = np.linalg.eigh(left / np.outer(sd, sd))
        inverse = (vectors / np.maximum(values, SMALL)) @ vectors.T / np.outer(sd, sd)
        strength, axes = np.linalg.eigh(inverse - np.linalg.inv(self.prior))
        return np.asarray((np.sqrt(np.maximum(strength, 0.0))[:, None] * axes.T)[::-1])

    def _calls(self, means: Array, sd: float) -> tuple[Array, Array, Array]:
        """Return P(y above), and expected losses of not mitigating and of mitigating."""
        z = means / max(sd, 1e-300)
        above = ndtr(z)
        excess = np.maximum(sd * (density(z) + z * above), 0.0)
        missed, needless = self._decision.loss_missed, self._decision.loss_false_alarm
        return above, missed * excess, needless * np.maximum(excess - means, 0.0)

    def _sd(self, variance: float) -> float:
        return float(np.sqrt(variance + self._decision.later_gain_sd**2))


def _grid(step: float, columns: int) -> tuple[Array, Array]:
    """Return standard normals at even steps, (n, columns), and their probabilities."""
    z = np.arange(-np.floor(REACH / step), np.floor(REACH / step) + 1) * step
    every = np.stack(np.meshgrid(*[z] * columns, indexing="ij"), axis=-1).reshape(-1, columns)
    likely = np.exp(-0.5 * (every**2).sum(axis=1))
    keep = likely > LEAST_LIKELY
    return every[keep], likely[keep] / likely[keep].sum()


Calls: TypeAlias = OneGap | SeveralGaps
"""The calls of one decision, by the stated rule, else by what loses least."""
