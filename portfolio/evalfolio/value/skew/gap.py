r"""A decision whose elicitation gap is lognormal: what is believed of it and what calls lose.

A decision over several domains has several gaps: see `evalfolio.value.skew.calls`.

Where a rule is stated, mitigate when P(y above the threshold) exceeds p*, the calls follow it under
this belief. Their losses, ψ(−z) to ψ(z) with z = Φ⁻¹(p*), are those of a normal belief's rule: the
value is what results save someone who loses least by them, and near p* that is not the same call.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.value.sample_information import density

REACH = 5.0  # sds that grids reach
GAPS = 61  # values of δ
LEAST_SKEW = 0.03  # of y; below it the normal model is as good
UNLIKELY = 1e-9  # chance of a D that no grid of r₁ need reach
SMALL = 1e-6  # of a prior variance: what counts as known


class SkewedBelief:
    """What is believed of y where gaps are skewed: normals of one sd, one for each value."""

    mitigate_above: float | None  # the stated rule, which the calls follow

    @property
    def now(self) -> tuple[Array, int]:
        """Expected losses of not mitigating and of mitigating now, and which is less."""
        raise NotImplementedError

    @property
    def mixture(self) -> tuple[Array, Array, float]:
        """Chances of the normals, their means less the threshold, and their sd."""
        raise NotImplementedError

    @cached_property
    def mitigates(self) -> bool:
        """Whether the call now is to mitigate: by the stated rule, else by what loses less."""
        if self.mitigate_above is None:
            return self.now[1] == 1
        return self.p_exceeds > self.mitigate_above

    @cached_property
    def evpi(self) -> float:
        """Expected value of perfect information, the later gain included.

        What is lost by the call that is best now, less nothing: min(L₀, L₁).
        """
        return float(self.now[0].min())

    @cached_property
    def p_exceeds(self) -> float:
        """Probability now that y is above the threshold."""
        return self._above(0.0)

    def quantile(self, level: float) -> float:
        """Return the quantile of y less the threshold at a level, now."""
        _, means, sd = self.mixture
        low, high = float(means.min() - 8.0 * sd), float(means.max() + 8.0 * sd)
        return float(brentq(lambda y: self._above(y) - (1.0 - level), low, high))

    def _above(self, level: float) -> float:
        chances, means, sd = self.mixture
        return float(chances @ ndtr((means - level) / max(sd, 1e-300)))


@dataclass(frozen=True)
class SkewedGap(SkewedBelief):
    """A decision about y = w + q·δ + later gain with a lognormal δ.

    >>> gap = SkewedGap(8.0, 1.4, 1.0, 0.9, 0.0, 1.0, -10.8, 0.2, 56.0, 2.0)
    >>> round(gap.p_exceeds, 2), gap.mitigates  # likely enough: a miss costs 28 times more
    (0.11, True)
    """

    mean: float  # mean, variance: of w, all of y but the gap and the later gain
    variance: float
    gap_mean: float  # gap_mean, gap_variance: of δ
    gap_variance: float
    covariance: float  # of w and δ
    weight: float  # q
    distance: float  # mean of the later gain less the threshold
    later_sd: float  # of the later gain, which no result resolves
    loss_missed: float  # loss_missed, loss_false_alarm: per unit of y
    loss_false_alarm: float
    mitigate_above: float | None = None  # the stated rule of the calls; None: what loses least
    # weights of w and of the gap on the states; left out, these are the states
    contrasts: Array = field(default_factory=lambda: np.eye(2), compare=False, repr=False)

    @classmethod
    def of(cls, menu: Menu, decision: Decision) -> Self | None:
        """Return a menu's decision with one gap, or None where that is hardly skewed."""
        gaps = gap_weights(menu, decision)
        if gaps is None or skewness(menu, decision, gaps) <= LEAST_SKEW:
            return None
        both = contrasts(decision, gaps)
        mean, gap_mean = (both @ menu.prior_mean).tolist()
        whole, (covariance, gap_variance) = (both @ menu.prior_covariance @ both.T).T.tolist()
        weight = float(decision.contrast[gaps > 0].sum())
        later = (decision.later_gain_mean - decision.threshold, decision.later_gain_sd)
        losses = (decision.loss_missed, decision.loss_false_alarm)
        belief = (mean, whole[0], gap_mean, gap_variance, covariance)
        return cls(*belief, weight, *later, *losses, decision.mitigate_above, both)

    @property
    def prior(self) -> Array:
        """Covariance of (w, δ), of shape (2, 2)."""
        return np.array([[self.variance, self.covariance], [self.covariance, self.gap_variance]])

    @property
    def log_sd(self) -> float:
        """Sd of ln δ."""
        return float(np.sqrt(np.log1p(self.gap_variance / self.gap_mean**2)))

    @property
    def slope(self) -> float:
        """Regression of w on δ."""
        return self.covariance / self.gap_variance

    @property
    def rest(self) -> float:
        """σ², the variance of w given δ."""
        least = SMALL * self.weight**2 * self.gap_variance
        return max(self.variance - self.slope * self.covariance, least)

    @cached_property
    def gaps(self) -> tuple[Array, Array]:
        """Values of δ, evenly spaced in the logarithm, and their probabilities."""
        z = np.linspace(-REACH, REACH, GAPS)
        weights = density(z)
        values = self.gap_mean * np.exp(self.log_sd * z - self.log_sd**2 / 2)
        return values, weights / weights.sum()

    @cached_property
    def now(self) -> tuple[Array, int]:
        """Expected losses of not mitigating and of mitigating now, and which is less."""
        gaps, weights = self.gaps
        losses, _ = self.calls(self.means(0.0, gaps), self.rest)
        expected = losses @ weights
        return expected, int(np.argmin(expected))

    @property
    def mixture(self) -> tuple[Array, Array, float]:
        """Chances of the normals, their means less the threshold, and their sd."""
        gaps, chances = self.gaps
        return chances, self.means(0.0, gaps), float(np.sqrt(self.rest + self.later_sd**2))

    def left_by(self, a: float, beta: float, c: float) -> Array:
        """Return the covariance of (w, δ) that two readings would leave, were δ normal.

        Of information a, of w given δ plus β·δ, and c, of δ alone.
        """
        back = np.array([[1.0, -self.slope], [0.0, 1.0]])
        information = back.T @ np.array([[a, a * beta], [a * beta, a * beta**2 + c]]) @ back
        left = np.linalg.inv(np.linalg.inv(self.prior) + information)
        return np.asarray((left + left.T) / 2)

    def means(self, moved: Array | float, gaps: Array | float) -> Array:
        """Return E(y | w moved by so much, δ) less the threshold."""
        start = self.mean - self.slope * self.gap_mean + self.distance
        return np.asarray(start + moved + (self.weight + self.slope) * gaps)

    def calls(self, means: Array, variance: float) -> tuple[Array, Array]:
        """Return losses of not mitigating and of mitigating, first axis, and P(y above)."""
        sd = float(np.sqrt(max(variance, 0.0) + self.later_sd**2))
        above, excess = above_by(means, sd)
        missed = self.loss_missed * excess
        return np.stack([missed, self.loss_false_alarm * (excess - means)]), above


def above_by(means: Array, sd: float) -> tuple[Array, Array]:
    """Return P(y above) and by how much it is above on average, for normals of one sd."""
    z = means / max(sd, 1e-150)
    above = ndtr(z)
    return above, np.maximum(sd * (density(z) + z * above), 0.0) if sd > 0 else means.clip(min=0.0)


def gap_weights(menu: Menu, decision: Decision) -> Array | None:
    """Return the weights on the states of the decision's δ, summing to 1; None without a gap.

    Where one gap is far wider than the others it is nearly alone in what is skewed of y; all count.
    """
    able = [
        name in menu.skewed and weight > 0 and mean > 0
        for name, weight, mean in zip(menu.states, decision.contrast, menu.prior_mean, strict=True)
    ]
    weights = np.where(able, decision.contrast, 0.0)
    return weights / weights.sum() if weights.any() else None


def contrasts(decision: Decision, gaps: Array) -> Array:
    """Return the weights of w and of δ on the states, of shape (2, n_states)."""
    return np.stack([np.where(gaps > 0, 0.0, decision.contrast), gaps])


def lognormals(mean: Array, covariance: Array, z: Array) -> Array:
    """Return values of lognormals with these moments at standard normal z, of its shape.

    `z` is of shape (n_values, n); ties that no lognormals can have are taken as far as they can.

    >>> lognormals(np.array([2.0]), np.array([[0.0]]), np.array([[-1.0], [1.0]])).ravel().tolist()
    [2.0, 2.0]
    """
    logs = np.log(np.maximum(1.0 + covariance / np.outer(mean, mean), SMALL))
    values, vectors = np.linalg.eigh(logs)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return np.asarray(mean * np.exp(z @ root - np.diag(logs) / 2))


def even_normals(power: int, columns: int, *, seed: int) -> Array:
    """Return 2^power standard normals of shape (2^power, columns) that fill probability evenly.

    Of a scrambled Sobol sequence (Owen 1998).

    >>> even_normals(10, 2, seed=0).mean(axis=0).round(2).tolist()
    [0.0, 0.0]
    """
    from scipy.stats.qmc import Sobol  # half a second to load, for decisions over several domains

    return np.asarray(ndtri(Sobol(columns, seed=seed).random_base2(power)))


def skewness(menu: Menu, decision: Decision, gaps: Array) -> float:
    """Return the skewness that the gaps, and what of the rest goes with them, give to y.

    Each is lognormal and they are tied by their covariance: the third moment of Σ g_j δ_j is
    Σ g_i g_j g_k E(δ_i − m_i)(δ_j − m_j)(δ_k − m_k), where E δ_i δ_j δ_k is m_i m_j m_k times
    r_ij r_ik r_jk and r_ij = E δ_i δ_j/(m_i m_j).
    """
    at = np.flatnonzero(gaps)
    mean, covariance = menu.prior_mean[at], menu.prior_covariance[np.ix_(at, at)]
    towards = menu.prior_covariance @ decision.contrast
    spread = float(np.sqrt(decision.contrast @ towards + decision.later_gain_sd**2))
    if not spread > 0 or not (np.diag(covariance) > 0).all():
        return 0.0
    weight = np.linalg.solve(covariance, towards[at]) * mean  # y's regression on the gaps
    ratio = np.maximum(1.0 + covariance / np.outer(mean, mean), SMALL)
    third = np.einsum("ij,ik,jk->ijk", ratio, ratio, ratio)
    third = third - ratio[:, :, None] - ratio[:, None, :] - ratio[None, :, :] + 2.0
    return abs(float(np.einsum("i,j,k,ijk->", weight, weight, weight, third))) / spread**3
