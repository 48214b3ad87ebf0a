r"""Targets on what is left uncertain: a posterior sd, or the probability of a wrong call.

A target holds where what is left after the results is at most an amount, by the very figures that
a plan's outlook tells, skew included. Most choices that meet one let so much be known, t(x) ≥ t*
with t of `Known`: t is concave, so its tangents are rows that every such choice meets. Two things
are not concave and are settled where a whole choice comes up. Who knows too little to change a call
may be wrong less often than after some results: a target that holds with nothing known may be met
that way too, by a binary of its own. And on a skewed belief chances are not quite a function of t:
there t* is read off some dozens of mixes, and a choice that misses the target all the same is asked
to know a little more (`evalfolio.targets.least_cost` looks closer).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from evalbayes import Decision, Menu
from evalfolio.errors import InputError
from evalfolio.limits.group import nearest
from evalfolio.limits.rows import Row, Rows, stack
from evalfolio.value.known import Known, known
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.stand_in import mixes

Floats = NDArray[np.float64]

MET = 1e-9  # relative; what a choice may miss by rounding
N_PROBES = 201  # variances at which a probability of a wrong call is looked at
STEP = 0.0005  # of t: how much more is asked for than a choice knows that misses the target
NEVER = 2.0  # a t that nothing reaches


@dataclass(frozen=True)
class Target:
    """What is left of one decision after the results is at most so much."""

    decision: str
    at_most: float

    share: ClassVar[bool] = False  # whether the amount is a probability

    def left(self, menu: Menu, x: Floats) -> float:
        """Return what a choice, whole or in part, leaves."""
        raise NotImplementedError

    def known(self, menu: Menu) -> Known:
        """Return what choices let one know of the decision."""
        return known(menu, decision_of(menu, self.decision))

    def least(self, menu: Menu, x: Floats | None = None) -> float:
        """Return the t from which on the target holds, beyond a choice where it depends on that."""
        raise NotImplementedError

    def reach(self, menu: Menu) -> float:
        """Return the least that is left by nothing or everything on the menu together."""
        return min(self.left(menu, np.zeros(len(menu))), self.left(menu, np.ones(len(menu))))

    def rows(self, menu: Menu) -> Rows:
        """Return the tangents at no option and at all of them."""
        least, calm = self.least(menu), self.calm(menu)
        points = (np.zeros(len(menu)), np.ones(len(menu)))
        rows = [self.tangent(menu, x, least, calm) for x in points]
        if calm:
            rows += [Row(-each, -1.0, np.inf, str(self), {0: -1.0}) for each in self._telling(menu)]
        return stack(menu, rows, n_extra=int(calm))

    def cuts(self, menu: Menu, x: Floats) -> Rows | None:
        """Return the rows that a choice breaks that misses the target, or None."""
        if self.left(menu, x) <= self.at_most * (1 + MET):
            return None
        whole = bool((np.minimum(x, 1.0 - x) < 1e-6).all())
        least = self.least(menu, x if whole else None)
        if not whole and self.known(menu).at(x) >= least * (1 - MET):
            return None
        calm = self.calm(menu)
        rows = [self.tangent(menu, x, least, calm)]
        if calm and whole:  # whoever runs all of it, or more, is no longer calm
            run = np.round(x)
            rows.append(Row(-run, -run.sum(), np.inf, str(self), {0: -1.0}))
        return stack(menu, rows, n_extra=int(calm))

    def calm(self, menu: Menu) -> bool:
        """Whether the target may be met by knowing little, as it holds with nothing known."""
        return False

    def _telling(self, menu: Menu) -> list[Floats]:
        """Return options, as rows, of which none leaves one calm."""
        return []

    def tangent(self, menu: Menu, x: Floats, least: float, calm: bool) -> Row:
        """Return the row of all x' whose t, by its tangent at x, is at least so much, or calm."""
        t, gradient = self.known(menu).tangent(x)
        # t(x) + gradient·(x' - x) >= least, for the x' that meet the target knowing enough
        lower = least - t + float(gradient @ x)
        return Row(gradient, lower, np.inf, str(self), {0: max(lower, 0.0)} if calm else {})


@dataclass(frozen=True)
class PosteriorSd(Target):
    """The sd of a decision's y that results leave is at most so much.

    By second moments also where the gap is skewed, as the outlook tells it.

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

    def __post_init__(self) -> None:
        if not 0 < self.at_most < np.inf:
            raise InputError(
                f"PosteriorSd: at_most must be a finite number above 0, got {self.at_most!r}"
            )

    def __str__(self) -> str:
        return f"sd of {self.decision} is at most {self.at_most:.4g}"

    def known(self, menu: Menu) -> Known:
        """Return what choices let one know of the decision, by variances."""
        return known(menu, decision_of(menu, self.decision), skew=False)

    def left(self, menu: Menu, x: Floats) -> float:
        """Return the sd left."""
        own = self.known(menu)
        return float(np.sqrt(own.value.variance * max(1.0 - own.at(x), 0.0)))

    def least(self, menu: Menu, x: Floats | None = None) -> float:
        """Return the share of the variance that has to be explained."""
        whole = max(self.known(menu).value.variance, 1e-300)
        return max(1.0 - self.at_most**2 / whole, 0.0)


@dataclass(frozen=True)
class WrongCall(Target):
    """The expected probability of a wrong call of a decision is at most so much.

    Danger missed and needless mitigation together; `DangerMissed` and `NeedlessMitigation` hold
    one of the two down.

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

    share: ClassVar[bool] = True
    words: ClassVar[str] = "a wrong call"
    kinds: ClassVar[tuple[int, ...]] = (0, 1)  # danger missed, needless mitigation

    def __post_init__(self) -> None:
        if not 0 < self.at_most < 1:
            raise InputError(
                f"{type(self).__name__}: at_most must lie between 0 and 1, got {self.at_most!r}; "
                "0.05 allows one call in twenty"
            )

    def __str__(self) -> str:
        share = 100 * self.at_most
        return f"probability of {self.words} on {self.decision} is at most {share:.4g} %"

    def left(self, menu: Menu, x: Floats) -> float:
        """Return the probability left."""
        found = self.known(menu).outcome(x)
        return float(sum((found.p_missed, found.p_needless)[kind] for kind in self.kinds))

    def least(self, menu: Menu, x: Floats | None = None) -> float:
        """Return the t from which on the probability stays at or below the target."""
        own = self.known(menu)
        if own.calls is None:
            return _turns(own.value, self.kinds, self.at_most)[1]
        least = self._read_off(menu)
        return least if x is None else max(least, own.at(x) + STEP)

    def _read_off(self, menu: Menu) -> float:
        """Return the t below which no mix tried meets the target, were chances a function of t."""
        own = self.known(menu)
        tried = np.vstack([np.zeros(len(menu)), mixes(menu), np.ones(len(menu))])
        t = np.array([own.at(x) for x in tried])
        left = np.array([self.left(menu, x) for x in tried])
        beyond = t >= t[np.argmax(left)]  # of the hump: before it, who knows too little is calm
        held = t[beyond & (left <= self.at_most)]
        if not len(held):
            return NEVER
        return float(max(t[beyond & (t < held.min())], default=0.0))

    def calm(self, menu: Menu) -> bool:
        """Whether the target holds with nothing known."""
        return self.left(menu, np.zeros(len(menu))) <= self.at_most

    def _telling(self, menu: Menu) -> list[Floats]:
        return [one for one in np.eye(len(menu)) if self.left(menu, one) > self.at_most]


@dataclass(frozen=True)
class DangerMissed(WrongCall):
    """The expected probability of danger missed is at most so much: see `WrongCall`.

    Danger is missed where the call after the results is not to mitigate and y is above the
    threshold.

    Parameters
    ----------
    decision
        Name of the decision, usually its domain's.
    at_most
        Probability, above 0 and below 1.

    Examples
    --------
    >>> print(DangerMissed("cyber", 0.05))
    probability of danger missed on cyber is at most 5 %
    """

    words: ClassVar[str] = "danger missed"
    kinds: ClassVar[tuple[int, ...]] = (0,)


@dataclass(frozen=True)
class NeedlessMitigation(WrongCall):
    """The expected probability of needless mitigation is at most so much: see `WrongCall`.

    Mitigation is needless where the call after the results is to mitigate and y is below the
    threshold.

    Parameters
    ----------
    decision
        Name of the decision, usually its domain's.
    at_most
        Probability, above 0 and below 1.

    Examples
    --------
    >>> print(NeedlessMitigation("cyber", 0.2))
    probability of needless mitigation on cyber is at most 20 %
    """

    words: ClassVar[str] = "needless mitigation"
    kinds: ClassVar[tuple[int, ...]] = (1,)


@dataclass(frozen=True)
class Knowing:
    """A continuous variable of its own that is at most t(x): what to make large."""

    target: Target

    def __str__(self) -> str:
        return f"knowledge of {self.target.decision}"

    def rows(self, menu: Menu) -> Rows:
        """Return the tangents at no option and at all of them."""
        points = (np.zeros(len(menu)), np.ones(len(menu)))
        rows = [self._row(menu, x) for x in points]
        rows.append(Row(np.zeros(len(menu)), -np.inf, 1.0, str(self), {0: 1.0}))
        return stack(menu, rows, n_continuous=1)

    def cuts(self, menu: Menu, x: Floats) -> Rows | None:
        """Return the tangent at a choice."""
        return stack(menu, [self._row(menu, x)], n_continuous=1)

    def _row(self, menu: Menu, x: Floats) -> Row:
        t, gradient = self.target.known(menu).tangent(x)
        return Row(gradient, float(gradient @ x) - t, np.inf, str(self), {0: -1.0})


def decision_of(menu: Menu, name: str) -> Decision:
    """Return a decision by its name.

    InputError if the menu has none of that name.
    """
    names = [d.name for d in menu.decisions]
    if name not in names:
        raise InputError(
            f"a target must be on a decision of the menu, got {name!r}; {nearest(name, names)}"
        )
    return menu.decisions[names.index(name)]


@lru_cache(maxsize=256)
def _turns(value: DecisionValue, kinds: tuple[int, ...], at_most: float) -> tuple[float, float]:
    """Return up to which share explained the chance stays at or below, and from which on it does.

    By the normal model; the first is -1 where it does not hold now, infinite where it always does.
    """
    whole = value.variance

    def chance(v: float) -> float:
        return float(value.wrong_calls(v)[list(kinds)].sum())

    grid = np.linspace(0.0, whole, N_PROBES)
    above = np.flatnonzero([chance(v) > at_most for v in grid])
    if not len(above):
        return np.inf, 0.0

    def turn(first: int) -> float:
        return float(optimize.brentq(lambda v: chance(v) - at_most, *grid[first : first + 2]))

    first, last = int(above[0]), int(above[-1])
    calm = -1.0 if first == 0 else turn(first - 1) / whole
    return calm, NEVER if last == N_PROBES - 1 else turn(last) / whole
