"""A smallest set of limits that cannot be met together."""

import numpy as np
from scipy import optimize

from evalbayes.arrays import Flags
from evalfolio.limits.stack import Stack, Term

MAX_ROUNDS = 200  # of the search for a smallest clash, before an irreducible one is taken
LOOSE_GAP = 0.1  # where a good guess at what can be met saves solves and nothing hangs on it


class _Oracle:
    """Whether limits can be met together; answers that earlier ones settle cost no solve."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.terms = stack, stack.terms
        self._met: list[Flags] = []  # limits met by each point found
        self._clashes: list[Flags] = []

    def met_with(self, held: Flags) -> Flags | None:
        """Return the limits met by some point that meets the held ones, or None."""
        if any((held >= clash).all() for clash in self._clashes):
            return None
        for met in self._met:
            if (met >= held).all():
                return met
        point = self.stack.point(self.those(held))
        if point is None:
            self._clashes.append(held.copy())
            return None
        met = held | [self.stack.met(term, point) for term in self.terms]
        self._met.append(met)
        return met

    def loosely_met(self, held: Flags) -> Flags:
        """Return the limits met by a point that meets the held ones and misses others little."""
        loose = dict.fromkeys(self.those(~held), 1.0)
        point = self.stack.point(self.those(held), loose=loose, gap=LOOSE_GAP)
        if point is None:
            return held
        met: Flags = held | [self.stack.met(term, point) for term in self.terms]
        self._met.append(met)
        return met

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
    return _irreducible(oracle), False


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
    inside = start | oracle.loosely_met(start)
    for position in range(len(inside)):
        if not inside[position]:
            more = inside.copy()
            more[position] = True
            met = oracle.met_with(more)
            if met is not None:  # whatever else the point meets comes in for free
                inside = inside | met
    return inside


def _irreducible(oracle: _Oracle) -> list[Term]:
    """Return a clash from which no limit can be left out, by deletion."""
    core = np.ones(len(oracle.terms), dtype=bool)
    for position in range(len(core)):
        rest = core.copy()
        rest[position] = False
        if oracle.met_with(rest) is None:
            core = rest
    return oracle.those(core)
