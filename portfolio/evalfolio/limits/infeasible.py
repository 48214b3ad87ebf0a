"""Why no choice meets all limits: a smallest clash, and the least change that mends it."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from evalbayes.arrays import Array, Flags
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits.amount import group_use
from evalfolio.limits.bounds import Bound
from evalfolio.limits.group import members
from evalfolio.limits.stack import Stack, Term
from evalfolio.limits.target import MET, Knowing, Target

MAX_RATIO_STEPS = 20  # of the search for the best share; it converges superlinearly
SHOWN_MENDS = 3
STEPS = (0.04, 0.02, 0.01, 1e-3)  # down from what a choice leaves on a skewed belief
JOINT_GAP = 1e-3  # of the least joint change
MOVED = 1e-7  # relative; what a limit is missed by where it has to give way
MAX_ROUNDS = 200  # of the search for a smallest clash, before an irreducible one is taken
LOOSE_GAP = 0.1  # where a good guess at what can be met saves solves and nothing hangs on it


@dataclass(frozen=True)
class Change:
    """One limit and what it must become."""

    limit: str  # the limit in words
    # unit of the amounts, blank where the limit names it, or None where it has to be dropped
    unit: str | None
    before: float  # before, after: amount that clashes and the nearest that does not
    after: float
    share: bool = False  # whether the amounts are shares of all that is used of the unit

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
        elif not self.unit:
            step = f"from {before:.4g} to {after:.4g}"
        else:
            by, to = (
                f"{each:,.2f}".rstrip("0").rstrip(".") if abs(each) >= 0.01 else f"{each:.2g}"
                for each in (abs(self.after - before), after)
            )
            step = f"by {by} to {to} {self.unit}"
        return f"{verb} {self.limit!r} {step}"


@dataclass(frozen=True)
class Clash:
    """A smallest set of limits that cannot be met together, and what mends it."""

    limits: tuple[str, ...]  # those that clash; leave out any one and the others can be met
    mends: tuple[tuple[Change, ...], ...]  # each lets all limits be met; the smallest first
    smallest: bool  # whether no clash has fewer limits; False where only irreducibility was shown
    reach: tuple[str, ...] = ()  # by the whole menu without other limits, of each target in it

    @property
    def text(self) -> str:
        """The clash and its mends in one message."""
        clash = "; ".join(self.limits)
        if len(self.limits) == 1:
            first = f"No choice meets this limit: {clash}."
        else:
            first = f"No choice meets these {len(self.limits)} limits at once: {clash}."
        if not self.mends:
            return " ".join([first, *self.reach])
        ways = "; or ".join(" and ".join(map(str, mend)) for mend in self.mends[:SHOWN_MENDS])
        return " ".join([first, f"The least change that mends it: {ways}.", *self.reach])

    def __str__(self) -> str:
        return self.text


def explain_infeasible(stack: Stack) -> Clash:
    """Return a smallest set of clashing limits and the least changes that mend it.

    The clash is a smallest unsatisfiable subset, found by hitting-set duality (Ignatiev and others
    2015, "Smallest MUS extraction with minimal hitting set dualization"): a smallest set of limits
    that meets every known set whose removal helps is tried; if it can be met, what it leaves out of
    a largest set that can be met joins the known ones. Mends are the least change of one limit with
    all others held, and, where none is enough, the least sum of relative changes. InputError if
    some choice does meet all limits, or a limit does not fit the menu; SolverError if a feasibility
    check ends without an answer.
    """
    if stack.point() is not None:
        raise InputError("some choice meets all limits, so there is no clash to explain")
    core, smallest = smallest_core(stack)
    mends = [mend for term in core if (mend := _single_mend(stack, term)) is not None]
    if not mends:
        mends = [_targets_mend(stack) or _joint_mend(stack)]
    mends.sort(key=lambda changes: sum(change.size for change in changes))
    reach, menu = [], stack.menu
    for target in (term.limit for term in core if isinstance(term.limit, Target)):
        most = most_known(Stack(menu, {}), target)
        if most is None:
            continue  # nothing forbids a choice, but a solver may give up
        left = min(target.left(menu, most), target.left(menu, np.zeros(len(menu))))
        amount = f"{100 * left:.3g} %" if target.share else f"{left:.3g}"
        reach.append(
            f"Everything on the menu, with no other limit, would reach {amount} on "
            f"{target.decision!r}."
        )
    return Clash(tuple(term.name for term in core), tuple(mends), smallest, tuple(reach))


def check_feasible(stack: Stack) -> Array:
    """Return some choice that meets all limits, of shape (n_options,).

    InfeasibleError if there is none: the text names a smallest clash and the least change that
    mends it.
    """
    point = stack.point()
    if point is None:
        raise InfeasibleError(explain_infeasible(stack).text)
    return point[: stack.n_options]


def _single_mend(stack: Stack, term: Term) -> tuple[Change, ...] | None:
    """Return the least change of one term that lets all be met, the others held as they are."""
    others = [other for other in stack.terms if other is not term]
    if isinstance(term.limit, Target):
        left = _least_left(stack, term.limit)
        return None if left is None else (_eased(term.limit, left),)
    if term.unit is None:
        if stack.point(others) is None:
            return None
        return (Change(term.name, None, term.amount, term.amount),)
    if term.share:
        after = _nearest_share(stack, term, others)
    else:
        point = stack.point(others, loose={term: 1.0})
        after = None if point is None else _reached(stack, term, point)
    if after is None:
        return None
    return (Change(term.name, term.unit, term.amount, after, term.share),)


def most_known(stack: Stack, target: Target, *, gap: float = 1e-6) -> Array | None:
    """Return the choice that lets most be known of a target's decision within all else, or None."""
    held = [limit for limit in stack.limits if limit is not target]
    inside = Stack(stack.menu, stack.budgets, [*held, Knowing(target)])
    cost = np.zeros(inside.n_variables)
    cost[-1] = -1.0  # the variable of `Knowing`, the last limit
    point = inside.point(cost=cost, gap=gap)
    return None if point is None else point[: stack.n_options].round()


def _least_left(stack: Stack, target: Target) -> float | None:
    """Return the least that a choice can leave; None where none keeps the other limits.

    On a skewed belief chances are no function of what is known alone, and a target is met up to
    some thousandths: there it is the least amount that was tried and is met, from the choice that
    knows most down.
    """
    x = most_known(stack, target)
    if x is None:
        return None
    left = target.left(stack.menu, x)
    if not target.share or left <= 0 or target.known(stack.menu).calls is None:
        return left
    held = [limit for limit in stack.limits if limit is not target]

    def kept(amount: float) -> float | None:
        eased = replace(target, at_most=amount)
        point = Stack(stack.menu, stack.budgets, [*held, eased]).point()
        return None if point is None else target.left(stack.menu, point[: stack.n_options].round())

    least = left
    for step in STEPS:
        while least > 0 and (found := kept(least * (1.0 - step))) is not None:
            least = found
    while least < left * (1.0 + STEPS[0]) and kept(least) is None:
        least *= 1.0 + STEPS[-1]
    return least


def _targets_mend(stack: Stack) -> tuple[Change, ...] | None:
    """Return every target eased to what it could have by itself, if all can be met together."""
    targets = [limit for limit in stack.limits if isinstance(limit, Target)]
    firm = [limit for limit in stack.limits if limit not in targets]
    alone = {each: _least_left(Stack(stack.menu, stack.budgets, firm), each) for each in targets}
    over = {t: left for t, left in alone.items() if left is not None and left > t.at_most}
    eased = {t: replace(t, at_most=over[t] * (1 + MET)) if t in over else t for t in targets}
    if Stack(stack.menu, stack.budgets, [*firm, *eased.values()]).point() is None:
        return None
    return tuple(_eased(t, eased[t].at_most) for t in over)


def _eased(target: Target, left: float) -> Change:
    return Change(str(target), "", target.at_most, left, target.share)


def _reached(stack: Stack, term: Term, point: Array) -> float:
    """Return the amount nearest to a term's that a point meets, in its unit."""
    row = term.rows[0]
    activity = float(np.asarray(stack.matrix[[row]] @ point)[0])
    short = max(stack.lower[row] - activity, 0.0) - max(activity - stack.upper[row], 0.0)
    return float(term.amount - short * stack.size[row])


def _nearest_share(stack: Stack, term: Term, others: list[Term]) -> float | None:
    """Return the share nearest to the term's that can be met, by Dinkelbach's method."""
    part = term.limit
    assert isinstance(part, Bound)  # only these have shares
    sign = 1.0 if part.side == "least" else -1.0
    every = group_use(stack.menu, np.ones(stack.n_options, dtype=bool), part.resource)
    group = group_use(stack.menu, members(stack.menu, part.of), part.resource)
    share = None
    for _ in range(MAX_RATIO_STEPS):
        # the first step looks for any choice, each next one for a better share than the last
        cost = np.zeros(stack.n_variables)
        to_beat = part.amount if share is None else share
        cost[: stack.n_choice] = -sign * (group - to_beat * every)
        point = stack.point(others, cost=cost)
        if point is None:
            return None
        x = point[: stack.n_choice]
        reached = float(group @ x / (every @ x))
        if share is not None and sign * (reached - share) <= 1e-12:
            break
        share = reached
    return share


def _joint_mend(stack: Stack) -> tuple[Change, ...]:
    """Return the changes of least total relative size that let all limits be met together."""
    units = {term: (abs(term.amount) or 1.0) if term.unit else 1.0 for term in stack.terms}
    prices = {term: float(stack.size[term.rows[0]]) / unit for term, unit in units.items()}
    point = stack.point((), loose=prices, gap=JOINT_GAP)
    if point is None:
        raise InputError("no choice meets the limits even when every one of them is loosened")
    changes = []
    for term in stack.terms:
        if stack.met(term, point, MOVED):
            continue
        if term.unit is None or term.share:
            changes.append(Change(term.name, None, term.amount, term.amount))
        else:
            after = _reached(stack, term, point)
            changes.append(Change(term.name, term.unit, term.amount, after))
    return tuple(changes)


def _outward(value: float, *, up: bool) -> float:
    """Return the value rounded to 4 digits, away from the clash."""
    if value == 0:
        return 0.0
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 3)
    away = np.ceil if up else np.floor
    rounded = float(away(round(value / step, 6)) * step)
    return value if value.is_integer() and abs(value) < 1e6 else rounded


class _Oracle:
    """Whether limits can be met together; answers that earlier ones settle cost no solve."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.terms = stack, stack.terms
        self._met: list[Flags] = []  # limits met by each point found
        self._clashes: list[Flags] = []

    def met_with(self, held: Flags, *, loosely: bool = False) -> Flags | None:
        """Return the limits met by some point that meets the held ones, or None.

        Where `loosely` it is a new one, which misses the others little.
        """
        if any((held >= clash).all() for clash in self._clashes):
            return None
        known = [] if loosely else [met for met in self._met if (met >= held).all()]
        if known:
            return known[0]
        loose, gap = (dict.fromkeys(self.those(~held), 1.0), LOOSE_GAP) if loosely else ({}, 0.0)
        point = self.stack.point(self.those(held), loose=loose, gap=gap)
        if point is None:
            self._clashes.append(held.copy())
            return None
        self._met.append(held | [self.stack.met(term, point) for term in self.terms])
        return self._met[-1]

    def those(self, which: Flags) -> list[Term]:
        """Return the terms of a mask."""
        return [term for term, chosen in zip(self.terms, which, strict=True) if chosen]


def smallest_core(stack: Stack) -> tuple[list[Term], bool]:
    """Return a smallest set of terms that cannot be met together, and whether it is proved so."""
    oracle = _Oracle(stack)
    known: list[Flags] = []  # sets of limits whose removal lets the rest be met
    for _ in range(MAX_ROUNDS):
        tried = _hitting_set(known, len(stack.terms))
        met = oracle.met_with(tried)
        if met is None:
            return oracle.those(tried), True
        known.append(~_largest(oracle, met))
    core = np.ones(len(oracle.terms), dtype=bool)  # no proof: an irreducible one, by deletion
    for position in range(len(core)):
        rest = core.copy()
        rest[position] = False
        if oracle.met_with(rest) is None:
            core = rest
    return oracle.those(core), False


def _hitting_set(known: list[Flags], n_limits: int) -> Flags:
    """Return a smallest set with a limit out of every known set; ties to the first limits."""
    if not known:
        return np.zeros(n_limits, dtype=bool)
    # 1 per limit, and so little for position that all of it together stays below 1
    cost = 1 + np.arange(n_limits) / (2.0 * n_limits**2)
    result = optimize.milp(
        cost,
        constraints=optimize.LinearConstraint(np.array(known, dtype=np.float64), 1.0, np.inf),
        integrality=np.ones(n_limits, dtype=np.int64),
        bounds=optimize.Bounds(0.0, 1.0),
        options={"mip_rel_gap": 0.0},
    )
    return np.asarray(result.x, dtype=np.float64) > 0.5


def _largest(oracle: _Oracle, start: Flags) -> Flags:
    """Return a set of limits, with `start`, that can be met and takes no other limit."""
    near = oracle.met_with(start, loosely=True)
    inside = start if near is None else near
    for position in range(len(inside)):
        if not inside[position]:
            more = inside.copy()
            more[position] = True
            met = oracle.met_with(more)
            if met is not None:  # whatever else the point meets comes in for free
                inside = inside | met
    return inside
