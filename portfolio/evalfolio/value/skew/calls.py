"""Calls on a skewed belief, now and after results, by quadrature: of one gap, and of several.

A decision over several domains has several lognormal gaps, and a reading of one leaves the others'
tails as they were: what calls come to is no matter of their sum alone. Given the gaps all is
normal, so the belief after any results is a mixture over their values: a grid of two or three gaps,
points that fill their probabilities evenly (Sobol) of more. Readings of them are such points too,
the same for every mix, weighed by what the mixture makes of them; those of all else are integrated.
This is the direct value of a mix; a search's is fitted to it (`evalfolio.value.skew.stand_in`).
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import TypeAlias

import numpy as np

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.value.sample_information import density
from evalfolio.value.skew.gap import (
    LEAST_SKEW,
    REACH,
    SMALL,
    UNLIKELY,
    SkewedBelief,
    SkewedGap,
    above_by,
    contrasts,
    even_normals,
    gap_weights,
    lognormals,
    skewness,
)
from evalfolio.value.skew.outcome import (
    Outcome,
    calls_after,
    expected,
    information_of,
    outcome_of,
)

# Grids of two and three gaps: steps in sds, and the least probability over the largest.
STEPS, LEAST_LIKELY = {2: 1 / 3, 3: 0.7}, 1e-6
POINTS, RESULTS = 11, 10  # values of more gaps, and of D, as powers of two
WIDE = 1.5  # of the variance of the normals that D is drawn by
SHARPEST = 4.6  # Σ ln of what of D's sds is below those of the gaps: less would fall between nodes
READ, NARROWEST = 81, 1 / 150  # values of r₁, at least; its sd over what D moves it by, at least


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

    def after(self, covariance: Array) -> Outcome:
        """Return what results do that would leave the states this covariance, were all normal."""
        return outcome_of(self, self.contrasts @ covariance @ self.contrasts.T)

    def value(self, left: Array) -> float:
        """Return the value where (w, δ) are left this covariance."""
        chances, saved, _ = calls_after(self, left)
        return float((chances * np.maximum(saved, 0.0)).sum())


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
        chances, means, sd = self.mixture
        excess = above_by(means, sd)[1]
        lost = self._decision.loss_missed, self._decision.loss_false_alarm
        losses = np.array([lost[0] * chances @ excess, lost[1] * chances @ (excess - means)])
        return losses, int(losses.argmin())

    @cached_property
    def mixture(self) -> tuple[Array, Array, float]:
        """Chances of the normals, their means less the threshold, and their sd."""
        states, chances, rest = self.nodes
        distance = self._decision.later_gain_mean - self._decision.threshold
        return chances, states @ np.append(1.0, self.weights) + distance, self._sd(rest)

    def after(self, covariance: Array) -> Outcome:
        """Return what results do that would leave the states this covariance, were all normal."""
        left = self.contrasts @ covariance @ self.contrasts.T
        chances, exceeds, missed, needless = parts = self._after(left)
        value = self._saved(*parts)
        return expected(self, value, chances, missed - needless, exceeds)

    def value(self, left: Array) -> float:
        """Return the value where (w, δ) are left this covariance."""
        return self._saved(*self._after(left))

    def _saved(self, chances: Array, _: Array, missed: Array, needless: Array) -> float:
        """Return what calling after the results saves, from expected losses given each.

        What the other call would save is on average known: by how much its mean over the results
        is off says how much theirs is, by regression (a control variate).
        """
        now = float(self.now[0][1] - self.now[0][0])
        other, expected = (needless - missed, now) if now < 0 else (missed - needless, -now)
        saved, mean = np.maximum(other, 0.0), float((chances * other).sum())
        off = chances * (other - mean)
        slope = float((saved * off).sum()) / max(float((other * off).sum()), 1e-300)
        return max(float((chances * saved).sum()) + slope * (expected - mean), 0.0)

    @cached_property
    def nodes(self) -> tuple[Array, Array, float]:
        """Values of (E(w | δ), δ), their probabilities, and the variance of w given δ."""
        n_gaps = len(self.weights)
        if n_gaps in STEPS:
            z, chances = _grid(STEPS[n_gaps], n_gaps)
        else:  # more of them far out than is likely
            wide = 1.0 + 1.0 / n_gaps  # of the variance
            z = np.sqrt(wide) * even_normals(POINTS, n_gaps, seed=0)
            chances = np.exp(-0.5 * (1.0 - 1.0 / wide) * (z**2).sum(axis=1))
            chances /= chances.sum()
        gaps = lognormals(self._mean[1:], self.prior[1:, 1:], z)
        shown = self._mean[0] + (gaps - self._mean[1:]) @ self._slope
        return np.column_stack([shown, gaps]), chances, self._rest

    def _after(self, left: Array) -> tuple[Array, Array, Array, Array]:
        """Return chances of values of (D, r₁); P(y above) and both expected losses after each.

        As for one gap (`evalfolio.value.skew.outcome`), with a D of every gap: it decides alone
        what is believed of the gaps, so that one table of losses by r₁ serves every D.
        """
        (states, likely, _), (_, means, _) = self.nodes, self.mixture
        told, g, beta, sd = self._readings(left)
        shown = states[:, 1:] @ told.T
        signals, odds = self._signals(told)
        far = (signals**2).sum(axis=1)[:, None] + (shown**2).sum(axis=1) - 2 * signals @ shown.T
        nearest = far.min(axis=1, keepdims=True)
        belief = likely * np.exp(-0.5 * (far - nearest))
        total = belief.sum(axis=1, keepdims=True)
        belief /= total
        odds = np.log(total) - 0.5 * nearest + odds[:, None]  # of the mixture over that drawn by
        chances = np.exp(odds - odds.max())
        chances /= chances.sum()
        # a grid of E(w | r₁) for all D, steps within half an sd
        centre, means = g * (signals @ beta)[:, None], means - g * (shown @ beta)
        near = centre[chances > UNLIKELY]
        low, high = float(near.min()), float(near.max())
        sd = max(sd, NARROWEST * (high - low), 1e-9 * self._sd(self._rest))
        low, high = low - REACH * sd, high + REACH * sd
        moved = np.linspace(low, high, max(READ, int(2 * (high - low) / sd)))
        reads = density((moved - centre) / sd)
        chances = chances * reads / reads.sum(axis=1, keepdims=True).clip(min=1e-300)
        parts = above_by(moved[:, None] + means, self._sd(self._rest * (1.0 - g)))
        above, excess = (belief @ each.T for each in parts)
        short = np.maximum(excess - moved - (belief @ means)[:, None], 0.0)
        lost = self._decision
        return chances, above, lost.loss_missed * excess, lost.loss_false_alarm * short

    def _signals(self, told: Array) -> tuple[Array, Array]:
        """Return values of D = T·δ + N(0, 1), T told, and ln of one over their density."""
        # T·(δ(z) + N^½·z) of normals z, N = (TᵀT)⁻¹: what is in brackets rises with z
        n, of_gaps = len(told), np.diag(np.diag(self.prior)[1:])
        z = np.sqrt(WIDE) * even_normals(RESULTS, n, seed=1)
        gaps = lognormals(self._mean[1:], of_gaps, z)
        steep = gaps * np.sqrt(np.log1p(np.diag(of_gaps) / self._mean[1:] ** 2))  # dδ/dz
        sizes, axes = np.linalg.eigh(told.T @ told)
        noise = (axes / np.sqrt(sizes)) @ axes.T
        _, rise = np.linalg.slogdet(noise + steep[:, :, None] * np.eye(n))
        return (gaps + z @ noise) @ told.T, rise + 0.5 * (z**2).sum(axis=1) / WIDE

    def _readings(self, left: Array) -> tuple[Array, float, Array, float]:
        """Return T, g, β and sd of two readings that say as much as all do.

        D = T·δ + N(0, 1), and E(w | r₁) less what δ makes of it is g·β·D + N(0, sd²).
        """
        own = np.sqrt(np.diag(self.prior)[1:].clip(min=1e-300))
        information = information_of(self.prior, self._slope, left)
        a = max(float(information[0, 0]), 1e-9 / self._rest)
        beta = information[0, 1:] / a * (information[0, 0] >= a)
        whole = self._rest + 1.0 / a
        of_gaps = information[1:, 1:] - (a - 1.0 / whole) * np.outer(beta, beta)
        strength, axes = np.linalg.eigh(of_gaps * np.outer(own, own))
        root = np.sqrt(np.maximum(strength, 1e-9))
        sharp = np.log(root.clip(min=1.0))
        root = root * np.exp(sharp * (min(SHARPEST / max(float(sharp.sum()), 1e-300), 1.0) - 1.0))
        beta = (beta * own) @ axes / root
        g = self._rest / whole
        sd = g * float(np.sqrt(max(whole - beta @ beta, 0.0)))
        return root[:, None] * axes.T / own, g, beta, sd

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
