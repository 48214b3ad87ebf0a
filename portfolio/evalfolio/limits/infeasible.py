"""Why no choice meets all limits: a smallest clash, and the least change that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits import Ceiling, Floor
from evalfolio.limits.amount import use
from evalfolio.limits.core import slacks_of, smallest_core
from evalfolio.limits.feasibility import LimitSystem, NamedLimit
from evalfolio.limits.group import members

MAX_RATIO_STEPS = 20  # of the search for the best share; it converges superlinearly
SHOWN_MENDS = 3
JOINT_GAP = 1e-3  # of the least joint change


@dataclass(frozen=True)
class Change:
    """One limit and what it must become.

    Parameters
    ----------
    limit
        The limit in words.
    unit
        Unit of the amounts, or None where the limit has to be dropped.
    before, after
        Amount that clashes and the nearest that does not.
    share
        Whether the amounts are shares of all that is used of the unit.
    """

    limit: str
    unit: str | None
    before: float
    after: float
    share: bool = False

    @property
    def size(self) -> float:
        """Relative change; 1 where a limit is dropped."""
        if self.unit is None or self.before == 0:
            return 1.0
        return abs(self.after - self.before) / abs(self.before)

    def __str__(self) -> str:
        if self.unit is None:
            return f"drop {self.limit!r}"
        verb = "raise" if self.after > self.before else "lower"
        before, after = self.before, _outward(self.after, up=self.after > self.before)
        if self.share:
            step = f"from {100 * before:.4g} % to {100 * after:.4g} %"
        else:
            shortfall = abs(self.after - before)
            step = f"by {_plain(shortfall)} to {_plain(after)} {self.unit}"
        return f"{verb} {self.limit!r} {step}"


@dataclass(frozen=True)
class Clash:
    """A smallest set of limits that cannot be met together, and what mends it.

    Parameters
    ----------
    limits
        The clashing limits in words; leave out any one and the others can be met.
    mends
        Sets of changes, each of which lets all limits be met; the smallest first.
    smallest
        Whether no clash has fewer limits; False where only irreducibility was shown.
    """

    limits: tuple[str, ...]
    mends: tuple[tuple[Change, ...], ...]
    smallest: bool

    @property
    def text(self) -> str:
        """The clash and its mends in one message."""
        clash = "; ".join(self.limits)
        if len(self.limits) == 1:
            first = f"No choice meets this limit: {clash}."
        else:
            first = f"No choice meets these {len(self.limits)} limits at once: {clash}."
        if not self.mends:
            return first
        ways = [" and ".join(map(str, mend)) for mend in self.mends[:SHOWN_MENDS]]
        return f"{first} The least change that mends it: {'; or '.join(ways)}."

    def __str__(self) -> str:
        return self.text


def explain_infeasible(
    menu: Menu, budget: Mapping[str, float], constraints: Sequence[object] = ()
) -> Clash:
    """Return a smallest set of clashing limits and the least changes that mend it.

    The clash is a smallest unsatisfiable subset, found by hitting-set duality (Ignatiev and
    others 2015, "Smallest MUS extraction with minimal hitting set dualization"): a smallest set
    of limits that meets every known set whose removal helps is tried; if it can be met, what it
    leaves out of a largest set that can be met joins the known ones. Mends are the least change
    of one limit with all others held, and, where none is enough, the least sum of relative
    changes.

    Parameters
    ----------
    menu
        The menu.
    budget
        Ceiling on the expected use of each resource.
    constraints
        Constraint objects or affine cvxpy constraints.

    Raises
    ------
    InputError
        If some choice does meet all limits, or a limit does not fit the menu.
    SolverError
        If a feasibility check ends without an answer.
    """
    system = LimitSystem(menu, budget, constraints)
    if system.point(system.limits) is not None:
        raise InputError("some choice meets all limits, so there is no clash to explain")
    core, smallest = smallest_core(system)
    mends = [
        mend
        for limit in core
        if (mend := _single_mend(system, limit, budget, constraints)) is not None
    ]
    if not mends:
        mends = [_joint_mend(system)]
    mends.sort(key=lambda changes: sum(change.size for change in changes))
    names = tuple(limit.name for limit in core)
    return Clash(names, tuple(mends), smallest)


def check_feasible(
    menu: Menu, budget: Mapping[str, float], constraints: Sequence[object] = ()
) -> NDArray[np.float64]:
    """Return some choice that meets all limits, of shape (n_options,).

    Raises
    ------
    InfeasibleError
        If there is none: the text names a smallest clash and the least change that mends it.
    """
    system = LimitSystem(menu, budget, constraints)
    point = system.point(system.limits)
    if point is None:
        raise InfeasibleError(explain_infeasible(menu, budget, constraints).text)
    return point[: len(menu)]


def _single_mend(
    system: LimitSystem,
    limit: NamedLimit,
    budget: Mapping[str, float],
    constraints: Sequence[object],
) -> tuple[Change, ...] | None:
    """Return the least change of one limit that lets all be met, the others held as they are."""
    others = [other for other in system.limits if other is not limit]
    if limit.unit is None:
        if system.point(others) is None:
            return None
        return (Change(limit.name, None, limit.amount, limit.amount),)
    if limit.share:
        after = _nearest_share(system, limit, others, constraints)
    else:
        after = _nearest_amount(system, limit)
    if after is None:
        return None
    return (Change(limit.name, limit.unit, limit.amount, after, limit.share),)


def _nearest_amount(system: LimitSystem, limit: NamedLimit) -> float | None:
    """Return the amount nearest to the limit's that can be met with all other limits."""
    row = limit.rows[0]
    sign = 1.0 if np.isfinite(system.lower[row]) else -1.0
    point = system.point(system.limits, slacks=[(row, sign, 1.0)])
    if point is None:
        return None
    return limit.amount - sign * _slack(system, limit, point)


def _slack(system: LimitSystem, limit: NamedLimit, point: NDArray[np.float64]) -> float:
    """Return by how much a point misses the amount of a limit, in its unit."""
    row = limit.rows[0]
    activity = float((system.matrix[[row]] @ point[: system.n_variables])[0])
    short = max(system.lower[row] - activity, activity - system.upper[row], 0.0)
    return float(short * system.size[row])


def _nearest_share(
    system: LimitSystem,
    limit: NamedLimit,
    others: list[NamedLimit],
    constraints: Sequence[object],
) -> float | None:
    """Return the share nearest to the limit's that can be met, by Dinkelbach's method."""
    part = next(c for c in constraints if str(c) == limit.name)
    assert isinstance(part, (Floor, Ceiling))  # only these have shares
    sign = 1.0 if isinstance(part, Floor) else -1.0
    every = use(system.menu, part.resource)
    group = np.where(members(system.menu, part.of), every, 0.0)
    share = None
    for _ in range(MAX_RATIO_STEPS):
        # the first step looks for any choice, each next one for a better share than the last
        cost = np.zeros(system.n_variables)
        cost[: len(system.menu)] = -sign * (group - _share_to_beat(part, share) * every)
        point = system.point(others, cost=cost / max(every.max(), 1e-300))
        if point is None:
            return None
        x = point[: len(system.menu)]
        reached = float(group @ x / (every @ x))
        if share is not None and sign * (reached - share) <= 1e-12:
            break
        share = reached
    return share


def _share_to_beat(part: Floor | Ceiling, share: float | None) -> float:
    """Return the share to beat: the limit's own at first."""
    if share is not None:
        return share
    return part.at_least if isinstance(part, Floor) else part.at_most


def _joint_mend(system: LimitSystem) -> tuple[Change, ...]:
    """Return the changes of least total relative size that let all limits be met together."""
    slacks: list[tuple[int, float, float]] = []
    owners: list[NamedLimit] = []
    for limit in system.limits:
        rows = limit.rows[:1] if limit.unit else limit.rows
        scale = (abs(limit.amount) or 1.0) if limit.unit else 1.0
        own = slacks_of(system, rows, float(system.size[rows[0]]) / scale)
        slacks += own
        owners += [limit] * len(own)
    point = system.point(system.limits, slacks=slacks, gap=JOINT_GAP)
    if point is None:
        raise InputError("no choice meets the limits even when every one of them is loosened")
    changes = []
    for limit in system.limits:
        moved = [
            (sign, point[system.n_variables + k])
            for k, (_, sign, _) in enumerate(slacks)
            if owners[k] is limit and point[system.n_variables + k] > 1e-7
        ]
        if not moved:
            continue
        unit = limit.unit
        if unit is None or limit.share:
            changes.append(Change(limit.name, None, limit.amount, limit.amount))
        else:
            sign = moved[0][0]
            after = limit.amount - sign * _slack(system, limit, point)
            changes.append(Change(limit.name, unit, limit.amount, after))
    return tuple(changes)


def _outward(value: float, *, up: bool) -> float:
    """Return the value rounded to 4 digits, away from the clash."""
    if value == 0:
        return 0.0
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 3)
    away = np.ceil if up else np.floor
    rounded = float(away(round(value / step, 6)) * step)
    return value if value.is_integer() and abs(value) < 1e6 else rounded


def _plain(value: float) -> str:
    """Return a number with thousands separators and no idle decimals."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 else f"{value:.2g}"
