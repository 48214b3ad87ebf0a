r"""What results are worth to one decision: G(v), the expected value of sample information.

The decision is about y with mean τ + d₀ and variance S before any option. Options that explain
the variance v leave it normal with variance S − v, around a mean that is itself N(τ + d₀, v) now.
Mitigating loses L_f(τ − y)⁺, not mitigating L_m(y − τ)⁺. Mitigate when the mean is more than
k·√(S − v) above the threshold, where L_m ψ(k) = L_f ψ(−k) and ψ(z) = φ(z) + zΦ(z).
Differentiating the least expected loss in v gives G′, and integrating it

    G(v) = κ ∫₀^√v φ((k·√(S − r²) − d₀)/r) dr,   κ = L_m Φ(k) + L_f Φ(−k).

Substituting r = √S·sin θ removes the root's singular end and leaves a function of v/S only. For
equal losses k = 0 and G = L·√v·Ψ(|d₀|/√v) with Ψ(z) = φ(z) − zΦ(−z) (Raiffa & Schlaifer 1961).

A stated rule, mitigate when P(y above the threshold) exceeds p*, is that of losses whose k is
Φ⁻¹(p*): for a normal belief whoever follows the rule and whoever loses least make the same calls.
For a skewed one they part near p* (`evalfolio.value.skew.gap`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

from evalbayes import Decision, Menu
from evalbayes.arrays import Array

# Panels that halve towards θ = 0, where the integrand changes on the scale of θ itself.
_PANELS = np.concatenate([[0.0], 0.5 ** np.arange(24.0, -1.0, -1.0)])
NEAR = 6.0  # sds to the threshold up to which values of G are summed up together
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


def density(z: ArrayLike) -> Array:
    """Return the standard normal density φ(z)."""
    z = np.asarray(z, dtype=np.float64)
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def expected_excess(z: ArrayLike) -> Array:
    r"""Return ψ(z) = φ(z) + zΦ(z), the mean of (z + ε)⁺ for a standard normal ε.

    Accurate far below 0 too, where the two terms nearly cancel: there the ratio
    ψ(z) = φ(z)·(1 − |z|·R(|z|)) with Mills' ratio R is expanded.

    >>> np.round(expected_excess([0.0, 10.0]), 6)
    array([ 0.398942, 10.      ])
    """
    z = np.asarray(z, dtype=np.float64)
    # Asymptotic series of 1 − t·R(t) for t = −z: t⁻² − 3t⁻⁴ + 15t⁻⁶ − 105t⁻⁸ + ...
    t2 = np.square(np.where(z < -12, z, 12.0))
    tail = (1 - 3 / t2 * (1 - 5 / t2 * (1 - 7 / t2 * (1 - 9 / t2)))) / t2
    near = np.clip(z, -12.0, 0.0)
    middle = 1 + near * np.exp(log_ndtr(near)) / density(near)
    lower = density(z) * np.where(z < -12, tail, middle)
    return np.where(z > 0, density(z) + z * ndtr(z), lower)


def indifference(loss_missed: float, loss_false_alarm: float) -> float:
    """Return k, the root of L_m ψ(k) = L_f ψ(−k): indifferent at a mean k sds above the threshold.

    >>> indifference(5.0, 5.0)
    0.0
    >>> indifference(9.0, 1.0) < 0  # a miss costs more: mitigate already below the threshold
    True
    """
    if loss_missed == loss_false_alarm:
        return 0.0
    ratio = np.log(loss_missed) - np.log(loss_false_alarm)

    def imbalance(k: float) -> float:
        return float(ratio + np.log(expected_excess(k)) - np.log(expected_excess(-k)))

    return float(brentq(imbalance, -30.0, 30.0, xtol=1e-14, rtol=1e-14))


def certain_call(share: Array, distance: float) -> Array:
    r"""Return 1/π ∫₀^θ exp(−distance/(2 sin²t)) dt with sin²θ = share, by the same panels as G.

    By how much the probability of calling the wrong side of the threshold falls when this share
    of the variance is explained; `distance` is d₀² in units of the variance.
    """
    end = np.arcsin(np.sqrt(share))
    return by_panels(end, lambda theta: np.exp(-distance / (2 * np.square(np.sin(theta))))) / np.pi


def by_panels(end: Array, integrand: Callable[[Array], Array]) -> Array:
    """Return ∫ of an integrand over θ from 0 to every end, of any shape; at 0 it is not asked."""
    width = np.diff(_PANELS)
    nodes = _PANELS[:-1, None] + width[:, None] * (_NODES + 1) / 2
    at = integrand(np.where(end > 0, end, 1.0)[..., None, None] * nodes)
    return np.asarray(end * ((at * _WEIGHTS).sum(axis=-1) * width / 2).sum(axis=-1))


class Bent:
    """A function that turns between convex and concave at its inflections alone."""

    def slope(self, v: ArrayLike) -> Array:
        """Return its derivative."""
        raise NotImplementedError

    def convex(self, low: float, high: float) -> bool:
        """Say whether it is convex on [low, high], which must hold no inflection inside."""
        first, second = self.slope(low + (high - low) * np.array([0.45, 0.55]))
        return bool(second > first)


@dataclass(frozen=True)
class DecisionValue(Bent):
    """The value G(v) of explaining the variance v of one decision's y.

    >>> at_threshold = DecisionValue(0.0, 1.0, 1.0, 1.0)
    >>> np.round(at_threshold.gain([0.0, 0.25, 1.0]), 4)
    array([0.    , 0.1995, 0.3989])
    """

    distance: float  # d₀ = mean of y less the threshold
    variance: float  # S, the whole variance of y, later gain included
    loss_missed: float  # loss_missed, loss_false_alarm: per unit of y
    loss_false_alarm: float
    mitigate_above: float | None = None  # the stated rule of the calls; None: what loses least

    @classmethod
    def of(cls, menu: Menu, decision: Decision) -> DecisionValue:
        """Return the value function of a menu's decision before any option."""
        contrast = decision.contrast
        return cls(
            float(contrast @ menu.prior_mean + decision.later_gain_mean - decision.threshold),
            float(contrast @ menu.prior_covariance @ contrast + decision.later_gain_sd**2),
            decision.loss_missed,
            decision.loss_false_alarm,
            decision.mitigate_above,
        )

    @cached_property
    def k(self) -> float:
        """Indifference point in sds above the threshold."""
        return indifference(self.loss_missed, self.loss_false_alarm)

    @cached_property
    def kappa(self) -> float:
        """κ = L_m Φ(k) + L_f Φ(−k)."""
        return float(self.loss_missed * ndtr(self.k) + self.loss_false_alarm * ndtr(-self.k))

    @cached_property
    def limit(self) -> float:
        """How many sds above the threshold the mean of y must be for the call to be to mitigate.

        Φ⁻¹(p*) of a stated rule, else k.
        """
        return self.k if self.mitigate_above is None else float(ndtri(self.mitigate_above))

    @property
    def mitigates(self) -> bool:
        """Whether the call before any result is to mitigate."""
        return bool(self.distance > self.limit * self.sd)

    @property
    def sd(self) -> float:
        """Sd of y before any option."""
        return float(np.sqrt(self.variance))

    def gain(self, v: ArrayLike) -> Array:
        """Return G(v), in the unit of the losses; v is clipped to [0, S]."""
        v = np.clip(np.asarray(v, dtype=np.float64), 0.0, self.variance)
        if self.variance == 0:
            return np.zeros_like(v)
        if self.k == 0:
            root = np.sqrt(v)
            z = np.divide(-abs(self.distance), root, out=np.full_like(v, -np.inf), where=root > 0)
            known = np.isfinite(z)
            excess = np.where(known, expected_excess(np.where(known, z, 0.0)), 0.0)
            return np.asarray(self.loss_missed * root * excess)
        end = np.arcsin(np.sqrt(v / self.variance)).ravel()
        # Far from the threshold the integrand is a thin layer at each end, with panels of its own.
        near = abs(self.distance) <= NEAR * self.sd
        many = near and len(end) > 1
        whole = self._summed(end) if many else by_panels(end, self._integrand)
        return np.asarray(self.kappa * self.sd * whole.reshape(v.shape))

    def _summed(self, end: Array) -> Array:
        """Return ∫ φ(z(θ)) cos θ dθ from 0 to every end, (n,), by what is between the ends.

        The integrand is one for all of them, so many values of G cost little more than one.
        """
        some = end[end > 0]
        if not len(some):
            return np.zeros_like(end)
        first, last = float(some.min()), float(some.max())
        doubled = first * 2.0 ** np.arange(1.0, np.ceil(np.log2(last / first)) + 1)
        edges = np.concatenate([first * _PANELS, doubled[doubled < last], some])
        edges = np.unique(edges)
        width = np.diff(edges)
        theta = edges[:-1, None] + width[:, None] * (_NODES + 1) / 2
        parts = self._integrand(theta) @ _WEIGHTS * width / 2
        whole = np.concatenate([[0.0], np.cumsum(parts)])
        return np.asarray(whole[np.searchsorted(edges, end)])

    def _integrand(self, theta: Array) -> Array:
        cosine = np.cos(theta)
        return density((self.k * cosine - self.distance / self.sd) / np.sin(theta)) * cosine

    def slope(self, v: ArrayLike) -> Array:
        """Return G′(v) = κ/(2√v)·φ((k·√(S − v) − d₀)/√v), infinite at v = 0 on the threshold."""
        v = np.clip(np.asarray(v, dtype=np.float64), 0.0, self.variance)
        root = np.sqrt(v)
        safe = np.where(root > 0, root, 1.0)
        z = (self.k * np.sqrt(self.variance - v) - self.distance) / safe
        start = np.inf if self.k * self.sd == self.distance else 0.0
        return np.where(root > 0, self.kappa / (2 * safe) * density(z), start)

    @cached_property
    def inflections(self) -> tuple[float, ...]:
        """Where G turns between convex and concave, ascending in (0, S).

        v = S − r² for the roots r in (0, √S) of
        r³ − d₀k r² + (k²S + d₀² − S) r − d₀k S.
        """
        if self.variance == 0:
            return ()
        d, k = self.distance / self.sd, self.k  # in units of √S, so that S = 1
        return self._turns(np.array([1.0, -d * k, k * k + d * d - 1.0, -d * k]))

    def bends(self, ceiling: float) -> tuple[float, ...]:
        """Return where G turns between convex and concave as a function of v/(ceiling − v).

        There G″/G′ = 2/(ceiling − v): v = S − r² for the roots r in (0, √S) of
        (ceiling − S + r²)·P(r) = 4r(S − r²)², P the polynomial of `inflections`.
        """
        if self.variance == 0:
            return ()
        d, k = self.distance / self.sd, self.k  # in units of √S, so that S = 1
        least = ceiling / self.variance - 1.0
        own = np.array([1.0, -d * k, k * k + d * d - 1.0, -d * k])
        far = np.convolve([1.0, 0.0, least], own)
        return self._turns(far - np.array([4.0, 0.0, -8.0, 0.0, 4.0, 0.0]))

    def _turns(self, polynomial: Array) -> tuple[float, ...]:
        """Return v = S − r² at the roots r in (0, √S) where the sign changes, ascending."""
        roots = np.roots(polynomial)
        real = roots.real[np.abs(roots.imag) < 1e-9]
        inside = real[(real > 1e-12) & (real < 1 - 1e-15)]
        # A double root only touches: the curvature keeps its sign, so it is no inflection.
        distinct = [r for r in inside if np.sum(np.abs(inside - r) < 1e-7) == 1]
        return tuple(sorted(float(self.variance * (1 - r * r)) for r in distinct))

    @cached_property
    def evpi(self) -> float:
        """Expected value of perfect information, all of y resolved: G(S)."""
        return float(self.gain(self.variance))

    def wrong_call(self, v: ArrayLike) -> Array:
        """Return the probability of a wrong call, of either kind: see `wrong_calls`."""
        return np.asarray(self.wrong_calls(v).sum(axis=0))

    def wrong_calls(self, v: ArrayLike) -> Array:
        r"""Return P(danger missed) and P(needless mitigation), first axis, once v is explained.

        Danger is missed where the call is not to mitigate and y is above the threshold; mitigation
        is needless where it is to mitigate and y is below. The call is made at `limit`. Before
        results (v = 0) one of the two is Φ(∓d₀/√S), the other 0.
        """
        from scipy.stats import multivariate_normal

        v = np.clip(np.asarray(v, dtype=np.float64), 0.0, self.variance)
        out = np.zeros((2, *v.shape))
        for index, explained in np.ndenumerate(v):
            rho = np.sqrt(explained / self.variance) if self.variance > 0 else 0.0
            left = self.limit * np.sqrt(max(self.variance - explained, 0.0))
            if explained <= 0:
                exceeds = ndtr(self.distance / self.sd) if self.variance > 0 else self.distance > 0
                kind = int(self.mitigates)
                out[(kind, *index)] = 1 - exceeds if self.mitigates else exceeds
                continue
            # m is the mean of y after the results, y its truth, both less the threshold.
            calm = (left - self.distance) / np.sqrt(explained)
            below = -self.distance / self.sd
            if rho > 1 - 1e-12:
                both = ndtr(min(calm, below))
            else:
                # What is nearly all explained leaves a covariance that rounding makes singular.
                cov = [[1.0, rho], [rho, 1.0]]
                both = float(multivariate_normal.cdf([calm, below], cov=cov, allow_singular=True))
            out[(0, *index)] = max(float(ndtr(calm)) - both, 0.0)
            out[(1, *index)] = max(float(ndtr(below)) - both, 0.0)
        return out
