"""Targets on what is left uncertain: a posterior sd, or the probability of a wrong call.

Both are of the normal model, also where the elicitation gap is lognormal: a posterior sd then is
what is expected by second moments, and a probability of a wrong call may differ from the one a
plan's outlook shows, which is by quadrature under the lognormal gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.group import nearest
from evalfolio.limits.rows import Row, Rows, stack
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.sample_information import DecisionValue

MET = 1e-9  # of the variance to explain: what a choice may miss by rounding
N_PROBES = 201  # variances at which a probability of a wrong call is looked at


@dataclass(frozen=True)
class PosteriorSd:
    """The sd of a decision's y that results leave is at most so much.

    The variance to explain, ``S - at_most²``, is a floor on the concave v(x): a convex limit,
    whose tangents are added where a choice breaks it.

    Parameters
    ----------
    decision
        Name of the decision, usually its domain's.
    at_most
        Sd of y after the results, later gain included, in the domain's unit.

    Examples
    --------
    >>> print(PosteriorSd("cyber", 0.8))
    sd of cyber is at most 0.8
    """

    decision: str
    at_most: float

    def __post_init__(self) -> None:
        if not 0 < self.at_most < np.inf:
            raise InputError(
                f"PosteriorSd: at_most must be a finite number above 0, got {self.at_most!r}"
            )

    def __str__(self) -> str:
        return f"sd of {self.decision} is at most {self.at_most:.4g}"

    def variance(self, menu: Menu) -> float:
        """Return the variance that has to be explained."""
        value = _value(menu, self.decision)
        return max(value.variance - self.at_most**2, 0.0)

    def reach(self, menu: Menu) -> float:
        """Return the sd that everything on the menu together would leave: none can be less."""
        value = _value(menu, self.decision)
        return float(np.sqrt(max(value.variance - most_explained(menu, self.decision), 0.0)))

    def rows(self, menu: Menu) -> Rows:
        """Return the tangents at no option and at all of them."""
        return first_tangents(menu, self.decision, self.variance(menu), str(self))

    def cuts(self, menu: Menu, x: NDArray[np.float64]) -> Rows | None:
        """Return the tangent at a choice that misses the target, or None."""
        return tangent_cut(menu, self.decision, self.variance(menu), str(self), x)


@dataclass(frozen=True)
class WrongCall:
    """The expected probability of a wrong call of a decision is at most so much.

    Asked for as the least explained variance from which on the probability stays below: with
    very unequal losses it need not fall all the way.

    Parameters
    ----------
    decision
        Name of the decision, usually its domain's.
    at_most
        Probability, above 0 and below 1.

    Examples
    --------
    >>> print(WrongCall("cyber", 0.05))
    probability of a wrong call on cyber is at most 5 %
    """

    decision: str
    at_most: float

    def __post_init__(self) -> None:
        if not 0 < self.at_most < 1:
            raise InputError(f"WrongCall: at_most must lie between 0 and 1, got {self.at_most!r}")

    def __str__(self) -> str:
        share = 100 * self.at_most
        return f"probability of a wrong call on {self.decision} is at most {share:.4g} %"

    def variance(self, menu: Menu) -> float:
        """Return the variance that has to be explained; above all there is where never met."""
        value = _value(menu, self.decision)
        return _variance_for(value, self.at_most)

    def reach(self, menu: Menu) -> float:
        """Return the probability that everything on the menu together would leave."""
        value = _value(menu, self.decision)
        return float(value.wrong_call(most_explained(menu, self.decision)))

    def rows(self, menu: Menu) -> Rows:
        """Return the tangents at no option and at all of them."""
        return first_tangents(menu, self.decision, self.variance(menu), str(self))

    def cuts(self, menu: Menu, x: NDArray[np.float64]) -> Rows | None:
        """Return the tangent at a choice that misses the target, or None."""
        return tangent_cut(menu, self.decision, self.variance(menu), str(self), x)


def most_explained(menu: Menu, decision: str) -> float:
    """Return v of all options at once, more than any choice explains."""
    return float(explained(menu).at(np.ones(len(menu)))[_position(menu, decision)])


def first_tangents(menu: Menu, decision: str, variance: float, name: str) -> Rows:
    """Return the tangents of v(x) at no option and at all, at least the variance to explain."""
    points = (np.zeros(len(menu)), np.ones(len(menu)))
    return stack(menu, [_tangent(menu, decision, variance, name, x) for x in points])


def tangent_cut(
    menu: Menu, decision: str, variance: float, name: str, x: NDArray[np.float64]
) -> Rows | None:
    """Return the tangent of v at x where v(x) is short of the variance to explain, or None."""
    if explained(menu).at(x)[_position(menu, decision)] >= variance * (1 - MET):
        return None
    return stack(menu, [_tangent(menu, decision, variance, name, x)])


@lru_cache(maxsize=8)
def explained(menu: Menu) -> ExplainedVariance:
    """Return the explained variances of a menu, worked out once per menu."""
    return ExplainedVariance(menu)


def _tangent(menu: Menu, decision: str, variance: float, name: str, x: NDArray[np.float64]) -> Row:
    v, gradient = explained(menu).tangent(x)
    d = _position(menu, decision)
    # v(x) + gradient·(x' - x) >= variance, for the x' that meet the target
    least = variance - float(v[d]) + float(gradient[d] @ x)
    return Row(gradient[d], least, np.inf, name)


def _position(menu: Menu, decision: str) -> int:
    names = [d.name for d in menu.decisions]
    if decision not in names:
        raise InputError(
            f"a target must be on a decision of the menu, got {decision!r}; "
            f"{nearest(decision, names)}"
        )
    return names.index(decision)


def _value(menu: Menu, decision: str) -> DecisionValue:
    return DecisionValue.of(menu, menu.decisions[_position(menu, decision)])


@lru_cache(maxsize=256)
def _variance_for(value: DecisionValue, probability: float) -> float:
    """Return the least v from which on the probability of a wrong call stays at or below."""
    grid = np.linspace(0.0, value.variance, N_PROBES)
    above = np.flatnonzero(value.wrong_call(grid) > probability)
    if not len(above):
        return 0.0
    if above[-1] == N_PROBES - 1:
        return 2.0 * value.variance  # not even perfect information is enough
    low, high = grid[above[-1]], grid[above[-1] + 1]
    root = optimize.brentq(lambda v: float(value.wrong_call(v)) - probability, low, high)
    return float(root)
