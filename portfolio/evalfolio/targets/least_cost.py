"""The cheapest choice within all limits, and the fewest targets to give up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalbayes import Menu
from evalfolio.errors import InfeasibleError
from evalfolio.limits import PosteriorSd, Rows, WrongCall
from evalfolio.limits.infeasible import explain_infeasible
from evalfolio.search.question import Question

Floats = NDArray[np.float64]


def cheapest_within(
    question: Question, cost: Floats, *, gap: float, seconds: float | None = None
) -> tuple[Floats, float]:
    """Return a choice of least cost within all limits, and a bound below every such cost.

    Parameters
    ----------
    question
        Menu, budgets and limits; its objective is not looked at.
    cost
        Cost of every option and then every shared purchase, of shape (n_options + n_shared,).
    gap, seconds
        Relative gap and time limit of every programme.

    Raises
    ------
    InfeasibleError
        If no choice meets all limits; a smallest clash is named.
    SolverError
        If the solver ends without an answer.
    """
    stack = question.stack
    wide = np.pad(cost, (0, stack.n_variables - len(cost)))
    found = stack.least(wide, gap=gap, seconds=seconds)
    if found is None:
        raise InfeasibleError(explain_infeasible(stack).text)
    x = found[0][: stack.n_options]
    return x, min(found[1], float(cost @ question.menu.with_shared(x)))


def fewest_waived(
    question: Question, targets: Sequence[PosteriorSd | WrongCall], weights: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return a choice and the targets it may miss, of least total weight.

    Raises
    ------
    InfeasibleError
        If the question's own limits cannot be met.
    SolverError
        If the solver ends without an answer.
    """
    waivable = [_Waivable(target) for target in targets]
    menu, stack = question.menu, question.under(*waivable).stack
    n, first = stack.n_choice, stack.n_binaries - len(targets)  # their binaries come last
    cost = np.zeros(stack.n_variables)
    # at equal weight the smaller programme: so little that it decides nothing else
    use = menu.costs_with_shared / np.maximum(menu.costs.sum(axis=0), 1e-300)
    cost[:n] = use.sum(axis=1) * 1e-4 * float(weights.min()) / max(len(menu.resources), 1)
    cost[first : stack.n_binaries] = weights
    found = stack.least(cost)
    if found is None:
        raise InfeasibleError(explain_infeasible(stack).text)
    return found[0][: stack.n_options], found[0][first : stack.n_binaries] > 0.5


@dataclass(frozen=True)
class _Waivable:
    """A target that a binary z frees: ``tangent(x) + floor·z >= floor``.

    No tangent of v falls below 0, so a target of variance `floor` holds nothing at z = 1.
    """

    target: PosteriorSd | WrongCall

    def __str__(self) -> str:
        return str(self.target)

    def rows(self, menu: Menu) -> Rows:
        """Return the target's first rows, freed."""
        return self._freed(menu, self.target.rows(menu))

    def cuts(self, menu: Menu, x: Floats) -> Rows | None:
        """Return the row that a choice breaks where it may not miss the target, or None."""
        found = self.target.cuts(menu, x)
        return None if found is None else self._freed(menu, found)

    def _freed(self, menu: Menu, rows: Rows) -> Rows:
        floor = sparse.csr_matrix(np.full((len(rows), 1), self.target.variance(menu)))
        return replace(rows, matrix=sparse.hstack([rows.matrix, floor], format="csr"), n_extra=1)
