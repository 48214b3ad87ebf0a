"""Limits that are met through cuts: solve, cut off what breaks a limit, solve again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import SolverError
from evalfolio.limits.row import Row, stack
from evalfolio.limits.rows import LinearLimits

MAX_ROUNDS = 200

Solved = TypeVar("Solved")


@runtime_checkable
class CutLimit(Protocol):
    """A convex limit whose rows are added where a choice breaks it."""

    def limits(self, menu: Menu) -> LinearLimits:
        """Return rows that hold for every choice within the limit."""
        ...

    def cuts(self, menu: Menu, x: NDArray[np.float64]) -> LinearLimits | None:
        """Return rows that this choice breaks and every choice within the limit meets, or None."""
        ...


@dataclass(frozen=True, eq=False)  # eq=False: rows have no single truth value
class Cut:
    """Rows found along the way, as a constraint."""

    rows: LinearLimits

    def __str__(self) -> str:
        return self.rows.names[0]

    def limits(self, menu: Menu) -> LinearLimits:
        """Return the rows."""
        return self.rows


def solve_with_cuts(
    solve: Callable[[Sequence[object]], Solved],
    choice: Callable[[Solved], NDArray[np.float64]],
    menu: Menu,
    constraints: Sequence[object],
) -> Solved:
    """Return the answer of `solve` under constraints, cutting until it meets those with cuts.

    Every problem solved is a relaxation of the one asked, so the last one's bound holds for it,
    and its choice meets all limits: a certificate stays a certificate.

    Parameters
    ----------
    solve
        Takes constraints and returns an answer.
    choice
        Takes an answer and returns its choice x, of shape (n_options,).
    menu
        The menu.
    constraints
        All constraints, with cuts or without.

    Raises
    ------
    SolverError
        If 200 rounds of cuts are not enough.
    """
    cutting = [c for c in constraints if isinstance(c, CutLimit)]
    every: list[object] = list(constraints)
    seen: list[NDArray[np.float64]] = []
    for _ in range(MAX_ROUNDS):
        answer = solve(every)
        x = choice(answer)
        fresh = [rows for c in cutting if (rows := c.cuts(menu, x)) is not None]
        if not fresh:
            return answer
        every += [Cut(rows) for rows in fresh]
        if any((x == other).all() for other in seen):
            # the solver's tolerance let a choice through that its cut excludes: name it
            every.append(Cut(other_than(menu, x, fresh[0].names[0])))
        seen.append(x)
    raise SolverError(
        f"{MAX_ROUNDS} rounds of cuts did not settle {', '.join(map(str, cutting))}; "
        "use the limit by draws instead"
    )


def other_than(menu: Menu, x: NDArray[np.float64], name: str) -> LinearLimits:
    """Return the row that this whole choice breaks and every other one meets."""
    ones = x > 0.5
    weights = np.where(ones, -1.0, 1.0)
    return stack(menu, [Row(weights, 1.0 - float(ones.sum()), np.inf, name)])
