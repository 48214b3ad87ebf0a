"""Calls on a skewed belief, now and after results: of one gap by integrals, of several by points.

A decision over several domains has several lognormal gaps, and a reading of one leaves the others'
tails as they were: what calls come to is no matter of their sum alone. Given the gaps all is
normal, so the belief after any results is a mixture over their values; both these and the results
are points that fill their probabilities evenly (Sobol), the same for every mix.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from evalfolio.value.normal_loss import density
from evalfolio.value.skew.gap import (
    SMALL,
    SkewedGap,
    contrasts,
    even_normals,
    gap_weights,
    lognormals,
)
from evalfolio.value.skew.outcome import Outcome, outcome_of

if TYPE_CHECKING:
    from evalbayes import Decision, Menu

Floats = NDArray[np.float64]

NODES, RESULTS = 10, 12  # values of the gaps and results, as powers of two


class Calls(Protocol):
    """The calls of one decision, by the stated rule, else by what loses least."""

    @property
    def p_exceeds(self) -> float:
        """Probability now that y is above the threshold."""
        ...

    @property
    def mitigates(self) -> bool:
        """Whether the call now is to mitigate."""
        ...

    def quantile(self, level: float) -> float:
        """Return the quantile of y less the threshold at a level, now."""
        ...

    def after(self, covariance: Floats) -> Outcome:
        """Return what results do that would leave the states this covariance, were all normal."""
        ...


def calls_of(menu: Menu, decision: Decision) -> Calls | None:
    """Return a decision's calls, or None where no skewed gap bears on it enough to matter."""
    gap, weights = SkewedGap.of(menu, decision), gap_weights(menu, decision)
    if gap is None or weights is None:
        return None
    several = np.count_nonzero(weights) > 1
    return SeveralGaps(menu, decision, weights) if several else OneGap(decision, gap, weights)


class OneGap:
    """Calls on one skewed gap, by quadrature."""

    def __init__(self, decision: Decision, gap: SkewedGap, weights: Floats) -> None:
        self.gap, self._contrasts = gap, contrasts(decision, weights)

    @property
    def p_exceeds(self) -> float:
        """Probability now that y is above the threshold."""
        return self.gap.p_exceeds

    @property
    def mitigates(self) -> bool:
        """Whether the call now is to mitigate."""
        return self.gap.mitigates

    def quantile(self, level: float) -> float:
        """Return the quantile of y less the threshold at a level, now."""
        return self.gap.quantile(level)

    def after(self, covariance: Floats) -> Outcome:
        """Return what results do that would leave the states this covariance, were all normal."""
        return outcome_of(self.gap, self._contrasts @ covariance @ self._contrasts.T)


class SeveralGaps:
    r"""Calls on several skewed gaps: y = w + Σ_j q_j·δ_j + later gain.

    Given the δ_j, w is normal around its regression on them, with variance σ². The results hold
    the information J = RᵀR about (w, δ) that the normal model says: t = R·(w, δ) + N(0, 1).
    """

    def __init__(self, menu: Menu, decision: Decision, weights: Floats) -> None:
        self._decision = decision
        at = np.flatnonzero(weights)
        self._rows = np.vstack(
            [contrasts(decision, weights)[0], np.eye(len(menu.states))[at]]
        )  # of w and every δ on the states
        self._prior = self._rows @ menu.prior_covariance @ self._rows.T
        mean = self._rows @ menu.prior_mean
        own = self._prior[1:, 1:]
        slope = np.linalg.solve(own, self._prior[1:, 0])
        floor = SMALL * float(decision.contrast[at] @ own @ decision.contrast[at])
        self._rest = max(float(self._prior[0, 0] - slope @ self._prior[1:, 0]), floor)
        z = even_normals(NODES, len(at), seed=0)
        gaps = lognormals(mean[1:], own, z)
        shown = mean[0] + (gaps - mean[1:]) @ slope
        self._states = np.column_stack([shown, gaps])  # (n_nodes, 1 + n_gaps)
        self._means = shown + gaps @ decision.contrast[at]
        self._means = self._means + decision.later_gain_mean - decision.threshold

    @cached_property
    def p_exceeds(self) -> float:
        """Probability now that y is above the threshold."""
        return self._above(0.0)

    @cached_property
    def mitigates(self) -> bool:
        """Whether the call now is to mitigate."""
        if self._decision.mitigate_above is not None:
            return self.p_exceeds > self._decision.mitigate_above
        _, missed, needless = self._calls(self._means, self._sd(self._rest))
        return bool(missed.mean() > needless.mean())

    def quantile(self, level: float) -> float:
        """Return the quantile of y less the threshold at a level, now."""
        reach = 8.0 * self._sd(self._rest)
        low, high = float(self._means.min() - reach), float(self._means.max() + reach)
        return float(brentq(lambda y: self._above(y) - (1.0 - level), low, high))

    def after(self, covariance: Floats) -> Outcome:
        """Return what results do that would leave the states this covariance, were all normal."""
        read = self._reader(self._rows @ covariance @ self._rows.T)
        shown = read[:, 0]
        share = self._rest / (1.0 + self._rest * float(shown @ shown))
        n, size = 2**RESULTS, self._states.shape[1]
        # every value of the gaps as often as the others, with w and the noise of t; in another
        # order, as two Sobol sequences side by side are not independent
        luck = even_normals(RESULTS, 1 + size, seed=1)
        truth = np.random.default_rng(0).permutation(n) % len(self._states)
        expected = self._states @ read.T
        told = expected[truth] + np.sqrt(self._rest) * luck[:, :1] * shown + luck[:, 1:]
        # E = t − R·(w, δ) at every value of the gaps; its covariance is 1 + σ²·r·rᵀ, r = R's first
        along = (told @ shown)[:, None] - expected @ shown
        far = (told**2).sum(axis=1)[:, None] + (expected**2).sum(axis=1) - 2 * told @ expected.T
        far = far - share * along**2
        weights = np.exp(-0.5 * (far - far.min(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        means, sd = self._means + share * along, self._sd(share)
        exceeds, *losses = (np.einsum("tk,tk->t", weights, each) for each in self._calls(means, sd))
        missed, needless = losses
        least = missed > needless
        rule = self._decision.mitigate_above
        mitigate = least if rule is None else exceeds > rule
        now = bool(missed.mean() > needless.mean())
        saved = np.maximum(needless - missed if now else missed - needless, 0.0)
        return Outcome(
            value=float(saved.mean()),
            p_turned=float((mitigate != self.mitigates).mean()),
            p_missed=float(np.where(mitigate, 0.0, exceeds).mean()),
            p_needless=float(np.where(mitigate, 1.0 - exceeds, 0.0).mean()),
        )

    def _reader(self, left: Floats) -> Floats:
        """Return R for a covariance of (w, δ) that is left."""
        sd = np.sqrt(np.diag(self._prior).clip(min=1e-300))
        values, vectors = np.linalg.eigh(left / np.outer(sd, sd))
        inverse = (vectors / np.maximum(values, SMALL)) @ vectors.T / np.outer(sd, sd)
        strength, axes = np.linalg.eigh(inverse - np.linalg.inv(self._prior))
        return np.asarray(np.sqrt(np.maximum(strength, 0.0))[:, None] * axes.T)

    def _calls(self, means: Floats, sd: float) -> tuple[Floats, Floats, Floats]:
        """Return P(y above), and expected losses of not mitigating and of mitigating."""
        z = means / max(sd, 1e-300)
        above = ndtr(z)
        excess = np.maximum(sd * (density(z) + z * above), 0.0)
        missed, needless = self._decision.loss_missed, self._decision.loss_false_alarm
        return above, missed * excess, needless * np.maximum(excess - means, 0.0)

    def _above(self, level: float) -> float:
        return float(ndtr((self._means - level) / max(self._sd(self._rest), 1e-300)).mean())

    def _sd(self, variance: float) -> float:
        return float(np.sqrt(variance + self._decision.later_gain_sd**2))
