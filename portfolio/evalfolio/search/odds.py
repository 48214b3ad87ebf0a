r"""Odds: a share explained, measured so that its tangents are tight.

A quantity v that is concave in the choice and ends at W is searched as s ∝ v/(W − v). With v the
variance explained of W = cᵀΣc, v/(W − v) = W/(cᵀM⁻¹c) − 1, and 1/(cᵀM⁻¹c) = min {yᵀMy : cᵀy = 1}
is a minimum of linear functions of the choice: still concave. The same holds for the index of a
skewed gap, a weighted mean of Michaelis curves i/(i + h) of such odds i: 1/(1 − u) is a weighted
harmonic mean of 1 + i/h. As v is a concave function of its odds, an over-estimate of the odds by
their tangent is a tighter one of v than v's own tangent, and the concave hull of the worth over
the odds lies below its hull over v. With one state the tangent is exact.

A margin keeps W out of reach: v/(W(1 + ε) − v) is concave too, and never so steep that rounding
of v shows.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import ArrayLike

from evalbayes.arrays import Array
from evalfolio.search.problem import Problem
from evalfolio.value.sample_information import Bent
from evalfolio.value.worth import Worth

MARGIN = 1e-3  # ε


@dataclass(frozen=True)
class Measure:
    """The scale a quantity is searched on: s in [0, 1] for v in [0, top].

    >>> odds = Measure(0.8, 1.0)
    >>> round(odds.of(0.5), 12)  # odds of 1 where 4 can be reached
    0.25
    >>> odds.back([0.25, 1.0]).round(12).tolist()
    [0.5, 0.8]
    """

    top: float  # largest v the menu can reach
    ceiling: float  # W with its margin; infinite for v itself as the scale

    @cached_property
    def _ratio(self) -> float:
        return 1.0 if np.isinf(self.ceiling) else self.top / (self.ceiling - self.top)

    def of(self, v: Array | float) -> Array | float:
        """Return s."""
        if np.isinf(self.ceiling):
            return v / self.top
        return v / ((self.ceiling - v) * self._ratio)

    def back(self, s: ArrayLike) -> Array:
        """Return v."""
        s = np.asarray(s, dtype=np.float64)
        if np.isinf(self.ceiling):
            return np.asarray(s * self.top)
        odds = s * self._ratio
        return np.asarray(np.minimum(self.ceiling * odds / (1.0 + odds), self.top))

    def fall(self, s: ArrayLike) -> Array:
        """Return dv/ds."""
        s = np.asarray(s, dtype=np.float64)
        if np.isinf(self.ceiling):
            return np.full(s.shape, self.top)
        return np.asarray(self.ceiling * self._ratio / np.square(1.0 + s * self._ratio))


@dataclass(frozen=True, eq=False)  # eq=False: compared by what they are made for, not by value
class Measured(Bent):
    """A worth as a function of s; see `Worth`."""

    worth: Worth  # of v
    measure: Measure  # of v

    @property
    def evpi(self) -> float:
        """What knowing all of the quantity would be worth."""
        return self.worth.evpi

    @cached_property
    def inflections(self) -> tuple[float, ...]:
        """Where it turns between convex and concave, ascending in (0, 1)."""
        if np.isinf(self.measure.ceiling):
            turns = self.worth.inflections
        else:
            turns = self.worth.bends(self.measure.ceiling)
        return tuple(float(self.measure.of(v)) for v in turns if 0 < v < self.measure.top)

    def gain(self, v: ArrayLike) -> Array:
        """Return its value at s."""
        return self.worth.gain(self.measure.back(v))

    def slope(self, v: ArrayLike) -> Array:
        """Return its derivative in s."""
        return self.worth.slope(self.measure.back(v)) * self.measure.fall(v)

    def convex(self, low: float, high: float) -> bool:
        """Say whether it is convex between two neighbouring inflections."""
        if np.isinf(self.measure.ceiling):
            return self.worth.convex(*self.measure.back([low, high]).tolist())
        return super().convex(low, high)


class Scales:
    """The active quantities of a problem on the scales they are searched on.

    Shares are measured by their odds, or all quantities by themselves.
    """

    def __init__(self, problem: Problem, by_odds: bool = True) -> None:
        self.problem = problem
        tops, ceilings = problem.v_max.tolist(), problem.ceilings * (1 + MARGIN)
        far = (ceilings if by_odds else np.full_like(ceilings, np.inf)).tolist()
        made = cache(lambda value, top, ceiling: Measured(value, Measure(top, ceiling)))
        # Draws share their decision's.
        self.worths = [made(problem.values[d], tops[d], far[d]) for d in problem.active]
        measures = [worth.measure for worth in self.worths]
        self._ceiling = np.array([m.ceiling for m in measures])
        self._top = np.array([m.top for m in measures])
        self._linear = np.isinf(self._ceiling)
        self._ratio = np.array([m._ratio for m in measures])

    def at(self, x: Array) -> Array:
        """Return s of every active quantity, of shape (n_active,)."""
        return self._of(self.problem.explained.at(x)[self.problem.active])[0]

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return s and its gradient, of shapes (n_active,) and (n_active, n_options)."""
        v, gradient = self.problem.explained.tangent(x)
        s, rise = self._of(v[self.problem.active])
        return s, rise[:, None] * gradient[self.problem.active]

    def _of(self, v: Array) -> tuple[Array, Array]:
        left = np.where(self._linear, 1.0, self._ceiling - v)
        rise = np.where(self._linear, 1.0, self._ceiling / left) / (left * self._ratio)
        s = v / (left * self._ratio)
        over = np.where(self._linear, self._top, 1.0)
        return s / over, rise / over
