"""The cheapest choice within all limits, and the fewest targets to give up."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from evalbayes import Menu
from evalbayes.arrays import Array, Flags
from evalfolio.errors import EvalfolioError, InfeasibleError
from evalfolio.limits import Rows
from evalfolio.limits.infeasible import explain_infeasible
from evalfolio.limits.stack import Unfinished
from evalfolio.limits.target import CLOSER, Target, nearly
from evalfolio.search import Question

LAST = 1.0  # seconds that the bound is given where the choice took all


def cheapest_within(
    question: Question, cost: Array, *, gap: float, seconds: float | None = None
) -> tuple[Array, float]:
    """Return a choice of least cost within all limits, and a bound below every such cost.

    The cost is of every option and then every shared purchase, (n_options + n_shared,); the gap,
    relative, and the time limit are of every programme; the question's objective is not looked at.
    InfeasibleError if no choice meets all limits; a smallest clash is named; SolverError if the
    solver ends without an answer.
    """
    stack = question.stack
    wide = np.pad(cost, (0, stack.n_variables - len(cost)))
    found = stack.least(wide, gap=gap, seconds=seconds)
    if found is None:
        raise InfeasibleError(explain_infeasible(stack).text)
    x = found[0][: stack.n_options]
    return x, min(found[1], float(cost @ question.menu.with_shared(x)))


def least_programme(
    question: Question, cost: Array, *, gap: float, seconds: float | None = None
) -> tuple[Array, float]:
    """Return what `cheapest_within` does, with a bound that holds where a gap is skewed too.

    There what meets a target is no convex set. The choice is first the least of one within it; a
    second search, in which a choice that misses a target excludes only what tells no more than it,
    gives the bound and may find a better one. It ends after `CLOSER` of these, at the gap, or when
    the time is up.
    """
    menu, start = question.menu, time.monotonic()
    limits = nearly(menu, question.limits)
    if limits == tuple(question.limits):
        return cheapest_within(question, cost, gap=gap, seconds=seconds)
    x: Array | None = None
    least = np.inf
    clash: EvalfolioError = InfeasibleError()
    try:
        x = cheapest_within(question, cost, gap=gap, seconds=seconds)[0]
        least = float(cost @ menu.with_shared(x))
    except (InfeasibleError, Unfinished) as error:
        clash = error
    stack = replace(question, limits=limits).stack
    wide = np.pad(cost, (0, stack.n_variables - len(cost)))
    left = None if seconds is None else max(start + seconds - time.monotonic(), LAST)
    try:
        found = stack.least(wide, gap=gap, seconds=left, tries=CLOSER, until=least * (1 - gap))
    except Unfinished as error:
        found, bound = None, error.bound
    else:
        bound = least if found is None else found[1]
    if found is not None:
        closer = found[0][: stack.n_options]
        x = closer if x is None or cost @ menu.with_shared(closer) < least else x
    if x is None:
        raise clash
    return x, max(min(bound, float(cost @ menu.with_shared(x))), 0.0)


def fewest_waived(
    question: Question, targets: Sequence[Target], weights: Array
) -> tuple[Array, Flags]:
    """Return a choice and the targets it may miss, of least total weight.

    InfeasibleError if the question's own limits cannot be met; SolverError if the solver ends
    without an answer.
    """
    waivable = [_Waivable(target) for target in targets]
    menu, stack = question.menu, question.under(*waivable).stack
    n, own = stack.n_choice, np.cumsum([each.rows(menu).n_extra for each in waivable])
    free = stack.n_binaries - own[-1] + own - 1  # limits' binaries come in their order
    cost = np.zeros(stack.n_variables)
    # at equal weight the smaller programme: so little that it decides nothing else
    use = menu.costs_with_shared / np.maximum(menu.costs.sum(axis=0), 1e-300)
    cost[:n] = use.sum(axis=1) * 1e-4 * float(weights.min()) / max(len(menu.resources), 1)
    cost[free] = weights
    found = stack.least(cost)
    if found is None:
        raise InfeasibleError(explain_infeasible(stack).text)
    return found[0][: stack.n_options], found[0][free] > 0.5


@dataclass(frozen=True)
class _Waivable:
    """A target that a binary z frees: every row is given what it may be short of at z = 1."""

    target: Target

    def __str__(self) -> str:
        return str(self.target)

    def rows(self, menu: Menu) -> Rows:
        """Return the target's first rows, freed."""
        return self._freed(self.target.rows(menu))

    def cuts(self, menu: Menu, x: Array) -> Rows | None:
        """Return the rows that a choice breaks where it may not miss the target, or None."""
        found = self.target.cuts(menu, x)
        return None if found is None else self._freed(found)

    def _freed(self, rows: Rows) -> Rows:
        least = np.minimum(rows.matrix.toarray(), 0.0).sum(axis=1)  # of a row, over binaries
        short = sparse.csr_matrix(np.maximum(rows.lower - least, 0.0)[:, None])
        matrix = sparse.hstack([rows.matrix, short], format="csr")
        return replace(rows, matrix=matrix, n_extra=rows.n_extra + 1)
