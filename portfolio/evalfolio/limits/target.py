r"""Targets on what is left uncertain: a posterior sd, or the probability of a wrong call.

A target holds where what is left after the results is at most an amount, by the very figures that
a plan's outlook tells, skew included. Most choices that meet one let so much be known, t(x) ≥ t*
with t of `Known`: t is concave, so its tangents are rows that every such choice meets. Two things
are not concave and are settled where a whole choice comes up. Who knows too little to change a call
may be wrong less often than after some results: a target that holds with nothing known may be met
that way too, by a binary of its own. And on a skewed belief chances are no function of t but of a
matrix: there `level_set` says what is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from scipy import optimize

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits.group import refuse_other
from evalfolio.limits.level_set import level_set
from evalfolio.limits.limit import Limit
from evalfolio.limits.rows import Row, Rows, stack
from evalfolio.value.known import Known, known
from evalfolio.value.sample_information import DecisionValue

MET = 1e-9  # relative; what a choice may miss by rounding
N_PROBES = 201  # variances at which a probability of a wrong call is looked at
NEVER = 2.0  # a t that nothing reaches
CLOSER = 12  # choices that miss a target on a skewed belief before a search without loss ends


@dataclass(frozen=True)
class Target:
    """What is left of one decision after the results is at most so much."""

    decision: str
    at_most: float

    share: ClassVar[bool] = False  # whether the amount is a probability

    def left(self, menu: Menu, x: Array) -> float:
        """Return what a choice, whole or in part, leaves."""
        raise NotImplementedError

    def known(self, menu: Menu) -> Known:
        """Return what choices let one know of the decision."""
        return known(menu, decision_of(menu, self.decision))

    def least(self, menu: Menu) -> float:
        """Return the t from which on the target holds."""
        raise NotImplementedError

    def rows(self, menu: Menu) -> Rows:
        """Return the tangents at no option and at all of them."""
        calm = self.calm(menu)
        rows = [self._row(menu, x, calm) for x in (np.zeros(len(menu)), np.ones(len(menu)))]
        if calm:
            telling = (one for one in np.eye(len(menu)) if self.left(menu, one) > self.at_most)
            rows += [Row(-each, -1.0, np.inf, str(self), {0: -1.0}) for each in telling]
        return stack(menu, rows, n_extra=int(calm))

    def cuts(self, menu: Menu, x: Array, *, firm: bool = True) -> Rows | None:
        """Return the rows that a choice breaks that misses the target, or None.

        On a skewed belief a row asks of all what a whole choice lacks by itself; where not `firm`
        it only excludes that choice, and what tells no more than it.
        """
        if self.left(menu, x) <= self.at_most * (1 + MET):
            return None
        whole, calm = bool((np.minimum(x, 1.0 - x) < 1e-6).all()), self.calm(menu)
        run = np.round(x) if whole else x
        row = self._row(menu, run, calm, firm=firm and whole)
        rows = [row] if float(row.coefficients @ run) < row.lower else []
        if whole and not rows:
            rows = [Row(1.0 - _within(menu, run), 1.0, np.inf, str(self), {0: 1.0} if calm else {})]
        if whole and calm:  # whoever runs all of it, or more, is no longer calm
            rows.append(Row(-run, -run.sum(), np.inf, str(self), {0: -1.0}))
        return stack(menu, rows, n_extra=int(calm)) if rows else None

    def calm(self, menu: Menu) -> bool:
        """Whether the target may be met by knowing little, as it holds with nothing known."""
        return False

    def _row(self, menu: Menu, x: Array, calm: bool, firm: bool = False) -> Row:
        """Return the row of all x' that know enough by the tangent at x, or are calm."""
        short, gradient = self._short(menu, x, firm)
        lower = short + float(gradient @ x)
        return Row(gradient, lower, np.inf, str(self), {0: max(lower, 0.0)} if calm else {})

    def _short(self, menu: Menu, x: Array, firm: bool) -> tuple[float, Array]:
        """Return what a choice lacks, of something concave, and the gradient of that."""
        t, gradient = self.known(menu).tangent(x)
        return self.least(menu) - t, gradient


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

    def left(self, menu: Menu, x: Array) -> float:
        """Return the sd left."""
        own = self.known(menu)
        return float(np.sqrt(own.value.variance * max(1.0 - own.at(x), 0.0)))

    def least(self, menu: Menu) -> float:
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

    def left(self, menu: Menu, x: Array) -> float:
        """Return the probability left."""
        found = self.known(menu).outcome(x)
        return float(sum((found.p_missed, found.p_needless)[kind] for kind in self.kinds))

    def least(self, menu: Menu) -> float:
        """Return the t from which on the probability stays at or below the target."""
        return _enough(self.known(menu).value, self.kinds, self.at_most)

    def _short(self, menu: Menu, x: Array, firm: bool) -> tuple[float, Array]:
        calls = self.known(menu).calls
        if calls is None:
            return super()._short(menu, x, firm)
        enough = level_set(menu, calls, self.kinds, self.at_most)
        return (NEVER, np.zeros(len(menu))) if enough.empty else enough.row(x, firm=firm)

    def calm(self, menu: Menu) -> bool:
        """Whether the target holds with nothing known."""
        return self.left(menu, np.zeros(len(menu))) <= self.at_most


@dataclass(frozen=True)
class DangerMissed(WrongCall):
    """The expected probability of danger missed is at most so much: see `WrongCall`.

    Danger is missed where the call after the results is not to mitigate and y is above the
    threshold.

    Parameters
    ----------
    decision, at_most
        As in `WrongCall`.

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
    decision, at_most
        As in `WrongCall`.

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

    def cuts(self, menu: Menu, x: Array) -> Rows | None:
        """Return the tangent at a choice."""
        return stack(menu, [self._row(menu, x)], n_continuous=1)

    def _row(self, menu: Menu, x: Array) -> Row:
        t, gradient = self.target.known(menu).tangent(x)
        return Row(gradient, float(gradient @ x) - t, np.inf, str(self), {0: -1.0})


@dataclass(frozen=True)
class Nearly:
    """A target that excludes of what misses it only what is sure to."""

    target: Target

    def __str__(self) -> str:
        return str(self.target)

    def rows(self, menu: Menu) -> Rows:
        """Return the target's first rows."""
        return self.target.rows(menu)

    def cuts(self, menu: Menu, x: Array) -> Rows | None:
        """Return the rows that a choice breaks and none that meets the target, or None."""
        return self.target.cuts(menu, x, firm=False)


def nearly(menu: Menu, limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """Return the limits, targets on skewed beliefs as `Nearly`: of these alone a hair is lost."""
    return tuple(
        Nearly(each) if isinstance(each, Target) and each.known(menu).calls else each
        for each in limits
    )


def _within(menu: Menu, x: Array) -> Array:
    """Return 1 for options that tell no more than the choice's own of their eval, else 0."""
    codes, _ = menu.options["eval"].factorize()
    out = np.zeros(len(menu))
    for chosen in np.flatnonzero(x > 0.5):
        for option in np.flatnonzero(codes == codes[chosen]):
            more = np.linalg.eigvalsh(menu.information[chosen] - menu.information[option])
            out[option] = more[0] >= -1e-9 * max(more[-1], 1e-300)
    return out


def decision_of(menu: Menu, name: str) -> Decision:
    """Return a decision by its name.

    InputError if the menu has none of that name.
    """
    names = [d.name for d in menu.decisions]
    refuse_other(name, names, "a target must be on a decision of the menu")
    return menu.decisions[names.index(name)]


@lru_cache(maxsize=256)
def _enough(value: DecisionValue, kinds: tuple[int, ...], at_most: float) -> float:
    """Return the share explained from which on the chance stays at or below: the normal model."""

    def over(v: float) -> float:
        return float(value.wrong_calls(v)[list(kinds)].sum()) - at_most

    grid = np.linspace(0.0, value.variance, N_PROBES)
    above = np.flatnonzero([over(v) > 0 for v in grid])
    if not len(above):
        return 0.0
    last = int(above[-1])
    if last == N_PROBES - 1:
        return NEVER
    return float(optimize.brentq(over, *grid[last : last + 2])) / value.variance
