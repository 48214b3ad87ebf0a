"""The cheapest choice within all limits, and the fewest targets to give up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalbayes import Menu
from evalfolio.errors import InfeasibleError
from evalfolio.limits import Rows
from evalfolio.limits.infeasible import explain_infeasible
from evalfolio.limits.rows import Row, stack
from evalfolio.limits.target import MET, Target
from evalfolio.search.question import Question

Floats = NDArray[np.float64]

CLOSER = 30  # choices that miss a target on a skewed belief before the bound stays


def cheapest_within(
    question: Question, cost: Floats, *, gap: float, seconds: float | None = None
) -> tuple[Floats, float]:
    """Return a choice of least cost within all limits, and a bound below every such cost.

    InfeasibleError if no choice meets all limits; a smallest clash is named; SolverError if the
    solver ends without an answer.

    Parameters
    ----------
    question
        Menu, budgets and limits; its objective is not looked at.
    cost
        Cost of every option and then every shared purchase, of shape (n_options + n_shared,).
    gap, seconds
        Relative gap and time limit of every programme.
    """
    stack = question.stack
    wide = np.pad(cost, (0, stack.n_variables - len(cost)))
    found = stack.least(wide, gap=gap, seconds=seconds)
    if found is None:
        raise InfeasibleError(explain_infeasible(stack).text)
    x = found[0][: stack.n_options]
    return x, min(found[1], float(cost @ question.menu.with_shared(x)))


def least_programme(
    question: Question, cost: Floats, *, gap: float, seconds: float | None = None
) -> tuple[Floats, float]:
    """Return what `cheapest_within` does, with a bound that looks closer where a gap is skewed.

    There a choice that misses a target excludes only itself and what tells no more than it; after
    `CLOSER` such choices the bound stays where it is and the choice is the one found at once.
    """
    menu = question.menu
    skewed = [t for t in question.limits if isinstance(t, Target) and t.known(menu).calls]
    rough = {target: Nearly(target) for target in skewed}
    bound = 0.0
    for _ in range(CLOSER if skewed else 0):
        limits = tuple(
            rough.get(each, each) if isinstance(each, Target) else each for each in question.limits
        )
        try:
            x, bound = cheapest_within(
                replace(question, limits=limits), cost, gap=gap, seconds=seconds
            )
        except InfeasibleError:
            break  # the targets as they are name the clash
        missed = [t for t in skewed if t.left(menu, x) > t.at_most * (1 + MET)]
        if not missed:
            return x, bound
        rough |= {t: replace(rough[t], missed=(*rough[t].missed, x)) for t in missed}
    x, most = cheapest_within(question, cost, gap=gap, seconds=seconds)
    return x, bound if skewed else most


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Nearly:
    """A target by what is known alone, and without choices that were seen to miss it."""

    target: Target
    missed: tuple[Floats, ...] = ()

    def __str__(self) -> str:
        return str(self.target)

    def rows(self, menu: Menu) -> Rows:
        """Return the target's first rows, and those that exclude what missed it."""
        first, calm = self.target.rows(menu), self.target.calm(menu)
        if not self.missed:
            return first
        more = []
        for x in self.missed:
            beyond = 1.0 - _within(menu, x)
            more.append(Row(beyond, 1.0, np.inf, str(self), {0: 1.0} if calm else {}))
            if calm:  # whoever runs all of it, or more, is no longer calm
                more.append(Row(-x, -x.sum(), np.inf, str(self), {0: -1.0}))
        own = stack(menu, more, n_extra=first.n_extra)
        return replace(
            first,
            matrix=sparse.vstack([first.matrix, own.matrix], format="csr"),
            lower=np.concatenate([first.lower, own.lower]),
            upper=np.concatenate([first.upper, own.upper]),
            names=first.names + own.names,
        )

    def cuts(self, menu: Menu, x: Floats) -> Rows | None:
        """Return the tangent at a choice that knows too little, or None."""
        least, calm = self.target.least(menu), self.target.calm(menu)
        if self.target.known(menu).at(x) >= least * (1 - MET):
            return None
        return stack(menu, [self.target.tangent(menu, x, least, calm)], n_extra=int(calm))


def _within(menu: Menu, x: Floats) -> Floats:
    """Return 1 for options that tell no more than the choice's own of their eval, else 0."""
    codes, _ = menu.options["eval"].factorize()
    out = np.zeros(len(menu))
    for chosen in np.flatnonzero(x > 0.5):
        for option in np.flatnonzero(codes == codes[chosen]):
            more = np.linalg.eigvalsh(menu.information[chosen] - menu.information[option])
            out[option] = more[0] >= -1e-9 * max(more[-1], 1e-300)
    return out


def fewest_waived(
    question: Question, targets: Sequence[Target], weights: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
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

    def cuts(self, menu: Menu, x: Floats) -> Rows | None:
        """Return the rows that a choice breaks where it may not miss the target, or None."""
        found = self.target.cuts(menu, x)
        return None if found is None else self._freed(found)

    def _freed(self, rows: Rows) -> Rows:
        least = np.minimum(rows.matrix.toarray(), 0.0).sum(axis=1)  # of a row, over binaries
        short = sparse.csr_matrix(np.maximum(rows.lower - least, 0.0)[:, None])
        matrix = sparse.hstack([rows.matrix, short], format="csr")
        return replace(rows, matrix=matrix, n_extra=rows.n_extra + 1)
