"""The best split with options bought in part, by cvxpy, and the mix that it rounds to.

max Σ_d t_d over shares x within the limits, t_d under the concave hull of G over the odds of what
is explained (`evalfolio.search.odds`), the odds under their tangents in x. Where a split shows a
tangent to be loose another is added there, as a limit's rows are where the split breaks it (Kelley
1960, The cutting-plane method for solving convex programs). A limit written in cvxpy goes to the
solver as it stands.

It is the relaxation that `Certified` starts from, by another road: programme, solver and prices
are cvxpy's. The bound is proved again from row prices, so that no tolerance of a solver can make it
false.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import cvxpy as cp
import numpy as np
from scipy import sparse

from evalbayes.arrays import Array
from evalfolio.errors import InputError, SolverError
from evalfolio.limits.affine import ConvexLimit
from evalfolio.search.answer import Answer, Status
from evalfolio.search.box import Box
from evalfolio.search.certified import TOLERANCE, certify
from evalfolio.search.convex.expression import summed
from evalfolio.search.convex.solvers import solve_convex
from evalfolio.search.greedy import greedy
from evalfolio.search.incumbent import Incumbent
from evalfolio.search.menu_relaxation import MenuRelaxation
from evalfolio.search.overestimate import N_SEGMENTS
from evalfolio.search.problem import Problem
from evalfolio.search.programme import Relaxed
from evalfolio.search.question import Question

NEAR = 0.01  # relative: a mix nearer to the bound than that is not searched further
EVERY = 256  # segments: about all of an envelope, where there are no draws to multiply them


@dataclass(frozen=True)
class Convex:
    """The split with options bought in part, its bound and its prices, by cvxpy; then a mix.

    The mix is the better of the split, rounded and improved by exchanges, and greedy's; it meets
    every limit. Bound and gap are honest and the gap is what it is: a second opinion on `Certified`
    and a plan for menus too large for it. `Answer.shares` has the split.

    InputError if the error is not strictly between 0 and 1, or (from `find`) the solver not
    installed.

    Parameters
    ----------
    error
        Relative looseness of the tangents at which the split is taken.
    solver
        One of `evalfolio.search.convex.solvers.convex_solvers()`; by default each in turn until
        one answers.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> found = Convex().find(Question(small_menu(), {"usd": 10_000, "staff_hours": 90}))
    >>> found.chosen, found.shares.round(2).tolist()
    (('a plateau', 'b max', 'c plateau'), [0.71, 0.29, 0.0, 1.0, 0.0])
    """

    error: float = 1e-4
    solver: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.error < 1:
            raise InputError(
                f"Convex: error must lie between 0 and 1, got {self.error:g}; 0.0001 is a "
                "hundredth of a percent"
            )

    def find(self, question: Question) -> Answer:
        """Return the mix near the best split, with the split's bound and prices; see `Method`.

        InfeasibleError if no choice meets all limits; SolverError if no solver ends with an answer.
        """
        problem = Problem(question)
        if not len(problem.active):
            return replace(certify(problem), shares=problem.start)
        incumbent = Incumbent(problem)  # first of all: it says which limits clash
        split = _Split(problem, self)
        at = split.settled()
        incumbent.round(at, thorough=True)
        if at.bound - incumbent.value > NEAR * at.bound and problem.met(quick := greedy(problem)):
            incumbent.learn(quick)
        status, bound = Status.CONVEX, at.bound
        if bound < incumbent.value - TOLERANCE:
            status, bound = Status.UNCERTIFIED, 1.0
        value, prices = problem.value(incumbent.x), problem.in_units(at.prices)
        assert at.x is not None  # a split was found
        bound, shares = max(bound * problem.scale, value), at.x[: problem.n_options]
        return Answer(problem, incumbent.x, value, bound, status, prices, shares=shares)

    def roughly(self, gap: float, seconds: float) -> Self:
        """Return it with looser tangents; see `Method`."""
        return replace(self, error=max(gap, self.error))


class _Split:
    """The programme of a problem in cvxpy; it grows by tangents and rows until they suffice."""

    def __init__(self, problem: Problem, method: Convex) -> None:
        self.problem, self.method = problem, method
        segments = N_SEGMENTS if problem.total.tails else EVERY
        self.relaxation = MenuRelaxation(problem, gap=method.error, n_segments=segments)
        self.relaxation.programme.add_tangents(problem.evenly())

    def settled(self) -> Relaxed:
        """Return the split once no tangent could lower its value by more than the error.

        Its bound is proved, its prices are of the budgets' rows, both scaled.
        """
        at = self.relaxation.settled(self.method.error, self._solved)
        assert at is not None  # `_solved` raises where there is none
        return self._proved(at)

    def _solved(self, box: Box) -> Relaxed:
        """Return the split by the tangents there are, its bound in the solver's words."""
        problem, programme = self.problem, self.relaxation.programme
        n_d, n_choice = len(self.relaxation.above), problem.n_choice
        z = cp.Variable(programme.n_x, nonneg=True)  # shares, purchases, the limits' own
        v, t = cp.Variable(n_d, nonneg=True), cp.Variable(n_d)
        ends = np.isfinite(box.x_high)
        rows: list[Any] = [z[ends] <= box.x_high[ends], v <= box.high]
        k = len(problem.resource_names)
        upper, lower = np.isfinite(problem.upper), np.isfinite(problem.lower)
        upper[:k] = False
        limited = np.flatnonzero(np.isfinite(problem.upper[:k]))
        budgets = problem.matrix[limited] @ z <= problem.upper[limited]
        rows += [budgets] if len(limited) else []
        rows.append(problem.matrix[upper] @ z <= problem.upper[upper])
        if lower.any():
            rows.append(problem.matrix[lower] @ z >= problem.lower[lower])
        table = programme.tangents
        quantity = table.of >= 0
        picks = sparse.csr_matrix(
            (np.ones(quantity.sum()), (np.flatnonzero(quantity), table.of[quantity])),
            (len(table), n_d),
        )
        rows.append(sparse.csr_matrix(table.rows) @ z[:n_choice] + picks @ v <= table.limits)
        owners, slopes, heights = self._lines(box)
        rows.append(t[owners] <= cp.multiply(slopes, v[owners]) + heights)
        for limit in problem.question.limits:
            if isinstance(limit, ConvexLimit):
                rows += limit.conic(z[: problem.n_options])
        worths: list[Any] = [cp.Constant(0.0)] * len(problem.values)
        for d, q in enumerate(problem.active):
            worths[q] = t[d]
        worth, draws = summed(problem.total, worths)
        rows += draws
        told = cp.Problem(cp.Maximize(worth), rows)
        if solve_convex(told, self.method.solver) == "infeasible":
            raise SolverError(
                "the split of the budget could not be found: a mix meets all limits, but the "
                "solver says that none does; state costs and amounts in units of like size"
            )
        weight = np.ones(n_d)
        weight[programme.draw_of >= 0] = np.concatenate(
            [np.atleast_1d(row.dual_value) for row in draws] or [np.zeros(0)]
        )[programme.draw_of[programme.draw_of >= 0]]
        prices = np.zeros(k)
        if len(limited):
            prices[limited] = np.maximum(np.atleast_1d(budgets.dual_value), 0.0)
        return Relaxed(
            bound=float(told.value) + problem.constant,
            x=np.clip(np.asarray(z.value), box.x_low, box.x_high),
            v=np.clip(np.asarray(v.value), box.low, box.high),
            weight=weight,
            reduced=np.zeros(programme.n_x),
            prices=prices,
        )

    def _lines(self, box: Box) -> tuple[Array, Array, Array]:
        """Return quantity, slope and height of the hulls' lines, finest near the last split."""
        owners, slopes, heights = [], [], []
        n_segments = self.relaxation.programme.n_segments
        for d, above in enumerate(self.relaxation.above):
            high, near = float(box.high[d]), float(box.near[d])
            part = above.hull(0.0, high).segments(near, n_segments)
            starts = np.concatenate([[part.low], part.low + np.cumsum(part.widths)])[:-1]
            slope, first = part.slopes, part.start
            if not len(slope):
                slope, starts = np.zeros(1), np.zeros(1)
            rises = np.concatenate([[0.0], np.cumsum(part.widths * part.slopes)])[: len(slope)]
            owners += [d] * len(slope)
            slopes.append(slope)
            heights.append(first + rises - slope * starts)
        return np.array(owners), np.concatenate(slopes), np.concatenate(heights)

    def _proved(self, at: Relaxed) -> Relaxed:
        """Return the split with a bound proved from row prices by the same tangents."""
        relaxation, problem = self.relaxation, self.problem
        x = np.asarray(at.x)[: problem.n_options]
        for limit in problem.question.limits:
            if isinstance(limit, ConvexLimit):
                own = limit.tangent(problem.menu, x)
                wide = np.pad(own.matrix.toarray(), ((0, 0), (0, problem.n_choice - len(x))))
                relaxation.programme.add_rows(wide, own.upper)
        relaxation.programme.enter(relaxation.whole_menu())
        proof = relaxation.programme.solve()
        reduced = proof.reduced if proof.x is not None else at.reduced
        return replace(at, bound=min(proof.bound, 1.0), reduced=reduced)
