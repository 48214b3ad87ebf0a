"""Worths: what one quantity explained is worth, as functions of known curvature."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from evalbayes.arrays import Array
from evalfolio.value.sample_information import Bent, certain_call


class Curve(Protocol):
    """A nondecreasing function of known curvature."""

    @property
    def inflections(self) -> tuple[float, ...]:
        """Where it turns between convex and concave."""

    def gain(self, v: ArrayLike) -> Array:
        """Return its value, 0 at 0."""

    def slope(self, v: ArrayLike) -> Array:
        """Return its derivative."""

    def convex(self, low: float, high: float) -> bool:
        """Say whether it is convex between two neighbouring inflections."""


class Worth(Curve, Protocol):
    """What one quantity is worth."""

    @property
    def evpi(self) -> float:
        """What knowing all of the quantity would be worth."""

    def bends(self, ceiling: float) -> tuple[float, ...]:
        """Return where it turns as a function of v/(ceiling − v), these v ascending."""


@dataclass(frozen=True)
class Proportional:
    """weight · v."""

    weight: float
    largest: float = np.inf
    inflections: tuple[float, ...] = ()

    def bends(self, ceiling: float) -> tuple[float, ...]:
        """Return none: it is concave in the odds throughout."""
        return ()

    @property
    def evpi(self) -> float:
        """What knowing all of the quantity would be worth."""
        return self.weight * self.largest

    def gain(self, v: ArrayLike) -> Array:
        """Return weight · v."""
        return self.weight * np.asarray(v, dtype=np.float64)

    def slope(self, v: ArrayLike) -> Array:
        """Return the weight."""
        return np.full(np.shape(v), self.weight)

    def convex(self, low: float, high: float) -> bool:
        """Straight lines count as concave: tangents are exact."""
        return False


@dataclass(frozen=True)
class FewerWrongCalls(Bent):
    r"""How much less likely a wrong call is once v is explained, for calls made at even odds.

    With results the likelier side is called. Then P(wrong) falls by

    G(v) = 1/π ∫₀^θ exp(−d₀²/(2S sin²t)) dt,  sin²θ = v/S,  G′(v) = e^{−d₀²/(2v)}/(2π√(v(S − v))),

    with inflections at the roots of 2v² − (S + d₀²)v + d₀²S: none or two.

    >>> at_threshold = FewerWrongCalls(0.0, 1.0, 1.0)
    >>> round(float(at_threshold.gain(1.0)), 12)
    0.5
    """

    distance: float  # d₀ = mean of y less the threshold
    variance: float  # S, the whole variance of y
    weight: float  # worth of one wrong call avoided

    @property
    def inflections(self) -> tuple[float, ...]:
        """Where it turns between convex and concave, ascending in (0, S)."""
        if self.variance == 0:
            return ()
        s, d2 = self.variance, self.distance**2
        under = (s + d2) ** 2 - 8 * d2 * s
        if under <= 0:
            return ()
        roots = ((s + d2) + np.array([-1.0, 1.0]) * np.sqrt(under)) / 4
        return tuple(float(v) for v in roots if 1e-15 * s < v < s * (1 - 1e-15))

    def bends(self, ceiling: float) -> tuple[float, ...]:
        """Return where it turns as a function of v/(ceiling − v), ascending in (0, S).

        G″/G′ = 2/(ceiling − v) there: (d₀²(S − v) − v(S − v) + v²)(ceiling − v) = 4v²(S − v).
        """
        if self.variance == 0:
            return ()
        d2, far = self.distance**2 / self.variance, ceiling / self.variance  # S = 1
        left = np.polymul([2.0, -1.0 - d2, d2], [-1.0, far])
        roots = np.roots(np.polysub(left, [-4.0, 4.0, 0.0, 0.0]))
        real = roots.real[np.abs(roots.imag) < 1e-9]
        inside = real[(real > 1e-15) & (real < 1 - 1e-15)]
        distinct = [v for v in inside if np.sum(np.abs(inside - v) < 1e-9) == 1]
        return tuple(sorted(float(self.variance * v) for v in distinct))

    @property
    def evpi(self) -> float:
        """Probability of a wrong call now, times the weight."""
        return float(self.gain(self.variance))

    def gain(self, v: ArrayLike) -> Array:
        """Return the weighted fall of P(wrong call)."""
        v = np.clip(np.asarray(v, dtype=np.float64), 0.0, self.variance)
        if self.variance == 0:
            return np.zeros_like(v)
        return self.weight * certain_call(v / self.variance, self.distance**2 / self.variance)

    def slope(self, v: ArrayLike) -> Array:
        """Return its derivative, infinite where everything is explained."""
        v = np.clip(np.asarray(v, dtype=np.float64), 0.0, self.variance)
        inside = (v > 0) & (v < self.variance)
        safe = np.where(inside, v, self.variance / 2)
        under = 2 * np.pi * np.sqrt(safe * (self.variance - safe))
        rise = np.exp(-(self.distance**2) / (2 * safe)) / under
        start = np.inf if self.distance == 0 else 0.0
        edge = np.where(v > 0, np.inf, start)
        return np.asarray(self.weight * np.where(inside, rise, edge))
