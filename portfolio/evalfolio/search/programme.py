"""The linear programme of one box: an over-estimate of every choice's value inside it.

max Σ_d t_d over shares x, with v_d under its tangents in x, t_d under the concave hull of G on the
box's interval of v_d, and x within all limits; v_d is on the scale of `Scales`. Tangents hold
everywhere and are kept; the hull's segments enter as the costs and widths of columns, so that going
from box to box changes no matrix and the simplex method starts warm. Of many options the solver
has those only that can pay: whatever it has not is priced after each of its solutions, the best of
every eval joins while any would pay, what no box left can have leaves, and a bound is of all.

A tail, the mean of the worst share α of n draws, is max η − Σ_s u_s/(αn) over η − u_s ≤ Σ_d t_ds
(Rockafellar & Uryasev 2000). There the segments' slopes stand in the draws' rows, whose prices are
how much each draw weighs. Draws without a tangent yet are over-estimated and weigh nothing.

HiGHS's word is not taken for the bound: with any row prices y, Σ_i y_i·rhs_i + Σ_j max over the
column's range of (c − Aᵀy)_j z_j bounds the programme, whatever the solver's tolerances.
"""

import contextlib
import functools
import os
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalbayes.arrays import Array, Flags, Positions
from evalfolio.search.box import Box
from evalfolio.search.odds import Scales
from evalfolio.search.overestimate import N_SEGMENTS, Overestimate, Segments
from evalfolio.search.problem import Problem
from evalfolio.search.tangents import Tangents

# Weights of a tangent below this are left out and their sum over evals added to its constant.
SMALL = 1e-9
MOST_PER_DECISION = 12  # tangents kept before idle ones are dropped
PATIENCE = 6
FEW = 100  # options; of more the solver has but a part
PAYS = 1e-9  # scaled; a reduced cost above this lets an option in
FEWER = 0.2  # of the options that it has: fewer that are no longer free stay
MANY = 0.1  # of the columns: with more new ones the simplex method starts anew
DUAL, PRIMAL = 1, 4  # HiGHS's numbers of the simplex method's variants
OPTIONS = {
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "presolve": "off",  # boxes start from the last one's basis
}
STEEP = 1e12  # of a segment; HiGHS refuses columns with entries above 1e15
NEVER = 1e-7  # reduced costs of columns without upper end are zero to the solver's tolerance


def quiet_highs() -> highspy.Highs:
    """Return a solver that prints nothing, also the first of the process.

    >>> quiet_highs().getOptionValue("output_flag")[1]
    False
    """
    _greet()
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    return solver


@functools.cache
def _greet() -> None:
    """Let the first solver say to nobody who made it: it would stand in what `--json` prints."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a process without standard output has none to keep
            kept = os.dup(1)
            stack.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            os.dup2(nowhere, 1)
            stack.callback(os.dup2, kept, 1)
        highspy.Highs()


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Relaxed:
    """Solution of one box's programme; `bound` is proved, `x` None when nothing fits.

    No choice x in the box is worth more than `rest` + `reduced` · x either. `prices` are those of
    all rows, or where nothing fits those that show it.
    `weight` says how much every active quantity counts: 1, or what its draw weighs in its tail.
    """

    bound: float
    x: Array | None
    v: Array
    weight: Array
    reduced: Array
    prices: Array
    rest: float = np.inf


class Programme:
    """The programme over all boxes of one problem, in scaled units."""

    def __init__(
        self,
        problem: Problem,
        scales: Scales,
        above: list[Overestimate],
        seed: int = 0,
        n_segments: int = N_SEGMENTS,
    ) -> None:
        self.problem, self.scales, self.above = problem, scales, above
        self.n_segments = n_segments
        self.n_x = problem.n_options + problem.n_extra
        self.n_d = len(above)
        tails = problem.total.tails
        n_draws = sum(len(tail.quantities) for tail in tails)
        self.first_tail = self.n_x + self.n_d + self.n_d * self.n_segments
        self.n_columns = self.first_tail + len(tails) + n_draws
        self._wanted = np.zeros((3, self.n_columns))
        self.z_low, self.z_high, self.cost = self._wanted
        self.z_high[:] = 1.0
        rows = problem.matrix.shape[0]
        draws = sparse.lil_matrix((n_draws, self.n_columns))
        self.draw_of = np.full(self.n_d, -1)  # row of each quantity's draw among the draws' rows
        place = {int(q): k for k, q in enumerate(problem.active)}
        row, column = 0, self.first_tail
        for tail in tails:
            eta, column = column, column + 1
            self.cost[eta] = 1.0
            for quantities in tail.quantities:
                draws[row, eta], draws[row, column] = 1.0, -1.0
                self.cost[column] = -tail.most
                for q in quantities:
                    if int(q) in place:
                        self.draw_of[place[int(q)]] = row
                row, column = row + 1, column + 1
        # No value of a draw is above all of its worths together, in units of `scale`.
        ends = problem.gains_of(problem.v_max[None])[0] / problem.scale
        largest = [float(ends[tail.quantities].sum(axis=1).max()) for tail in tails]
        self.z_high[self.first_tail :] = max(largest, default=1.0) * (1 + 1e-9)
        self.first_draw = rows + self.n_d
        one = sparse.eye(self.n_d)
        links = sparse.hstack([one, -sparse.kron(one, np.ones((1, self.n_segments)))])
        rest = sparse.csr_matrix((0, self.n_columns - self.first_tail))
        blocks: list[Any] = [problem.matrix, links, rest]
        plain = sparse.block_diag(blocks)
        self.matrix = sparse.csr_matrix(sparse.vstack([plain, draws]))
        self._turned = sparse.csr_matrix(self.matrix.T)
        free = np.full(n_draws, -np.inf)
        self.row_low = np.concatenate([problem.lower, np.zeros(self.n_d), free])
        self.row_high = np.concatenate([problem.upper, np.zeros(self.n_d), np.zeros(n_draws)])
        # of the segments, as the solver has them
        self.slopes = np.zeros((self.n_d, self.n_segments))
        # A draw's quantities keep their widest segments until they have a tangent.
        self._held = self.draw_of < 0
        self._starts = np.zeros(self.n_d)
        self._first_eval = len(problem.resource_names)
        self._run = np.zeros(len(problem.evals), dtype=bool)
        self._entered: list[Segments | None] = [None] * self.n_d
        self.tangents = Tangents(problem.n_choice)
        self.points: list[Array] = []  # where they touch, of shape (n_options,)
        # A draw that weighs nothing needs no tangents: only about a tail's worth of draws does.
        share = [np.ceil(2 * tail.share * len(tail.quantities)) for tail in tails]
        held = sum(k * tail.quantities.shape[1] for k, tail in zip(share, tails, strict=True))
        self.most_tangents = MOST_PER_DECISION * int((self.draw_of < 0).sum() + held)
        self._solver = quiet_highs()
        for option, value in OPTIONS.items():
            self._solver.setOptionValue(option, value)
        self._solver.setOptionValue("random_seed", seed)
        # Costs perturbed far spoil a warm start; tails would stall without.
        far = 1.0 if tails else 1e-3
        self._solver.setOptionValue("dual_simplex_cost_perturbation_multiplier", far)
        self._known = np.zeros((3, self.n_columns))  # what is wanted, as far as it has it
        self._columns = np.zeros(0, dtype=np.int_)  # those the solver has, in its order
        self._place = np.full(self.n_columns, -1, dtype=np.int32)  # of every column among them
        high = scales.at(problem.allowed)
        for d, most in enumerate(high.tolist()):  # changed one by one, slopes take long
            self._enter_hull(d, above[d].hull(0.0, most).segments(0.5 * most, n_segments))
        m, none = self.matrix.shape[0], np.zeros(0)
        self._solver.addRows(m, self.row_low, self.row_high, 0, np.zeros(m), none, none)
        of, k = np.nonzero(self.slopes * (self.draw_of >= 0)[:, None])
        at = self.first_draw + self.draw_of[of], self.n_x + self.n_d + of * n_segments + k
        steep = sparse.csr_matrix((-self.slopes[of, k], at), self.matrix.shape)
        self._give(np.arange(problem.n_options, self.n_columns), self.matrix + steep)
        options = np.arange(problem.n_options)
        if len(options) > FEW:  # of every eval the one that uses least
            use = problem.matrix[: self._first_eval, options].sum(axis=0)
            options = self._one_each(np.argsort(np.asarray(use).ravel(), kind="stable"))
        self._give(options)

    def narrow(self, free: Flags) -> None:
        """Take from the solver the options that are free in no box left, where they are many."""
        columns, basis = self._columns, self._solver.getBasis()
        gone = np.isin(columns, np.flatnonzero(~free))
        if basis.valid:  # without what is not basic it still is one
            basic = [status == highspy.HighsBasisStatus.kBasic for status in basis.col_status]
            gone &= ~np.array(basic)
        if gone.sum() <= FEWER * (columns < len(free)).sum():
            return
        self._solver.deleteCols(int(gone.sum()), np.flatnonzero(gone).astype(np.int32))
        if basis.valid:
            status = zip(basis.col_status, gone, strict=True)
            basis.col_status = [each for each, out in status if not out]
            self._solver.setBasis(basis)
        self._columns = columns[~gone]
        self._place[:] = -1
        self._place[self._columns] = np.arange(len(self._columns))

    def _segments(self, d: int) -> slice:
        first = self.n_x + self.n_d + d * self.n_segments
        return slice(first, first + self.n_segments)

    def add_tangents(self, x: Array, wanted: Flags | None = None) -> None:
        """Make the over-estimate of v_d exact at x, for the wanted quantities."""
        problem = self.problem
        v, gradient = self.scales.tangent(x)
        of = np.flatnonzero(np.ones(self.n_d) if wanted is None else wanted)
        if wanted is not None:
            self._held |= wanted
        weights = gradient[of]
        limits, small = v[of] - weights @ x, weights < SMALL
        for k in np.flatnonzero(small.any(axis=1)):
            # At most one option per eval runs: the largest small weight is enough.
            largest = np.zeros(len(problem.evals))
            np.maximum.at(largest, problem.eval_codes, np.where(small[k], weights[k], 0.0))
            limits[k] += largest.sum()
        self._add(np.where(small, 0.0, -weights), limits, of, x)

    def add_rows(self, rows: Array, limits: Array) -> None:
        """Add rows · x <= limits that hold for every choice, rows of shape (n, n_choice)."""
        self._add(rows, limits, np.full(len(limits), -1), np.zeros(0))

    def _add(self, rows: Array, limits: Array, of: NDArray[np.int_], x: Array) -> None:
        wide = np.zeros((len(of), self.n_columns))
        wide[:, : rows.shape[1]] = rows
        own = np.flatnonzero(of >= 0)
        wide[own, self.n_x + of[own]] = 1.0
        part, free = wide[:, self._columns], np.full(len(of), -np.inf)
        row, place = np.nonzero(part)
        starts = np.searchsorted(row, np.arange(len(of)))
        entries = len(row), starts, place.astype(np.int32), part[row, place]
        self._solver.addRows(len(of), free, limits, *entries)
        self.tangents.add(wide[:, : self.problem.n_choice], limits, of)
        self.points += [x] * len(of)

    def _one_each(self, options: Positions) -> Positions:
        """Return the first of the options of every eval."""
        first = np.unique(self.problem.eval_codes[options], return_index=True)[1]
        return np.asarray(options[first])

    def _give(self, columns: Positions, matrix: Any = None) -> None:
        """Give the solver columns that it has not; of options, once there are tangents."""
        part = (self.matrix if matrix is None else matrix)[:, columns]
        if len(self.tangents):
            part = sparse.vstack([part, sparse.csr_matrix(self.tangents.rows[:, columns])])
        has, (low, high, cost) = part.tocsc(), self._wanted[:, columns]
        entries = has.nnz, has.indptr, has.indices, has.data
        self._solver.addCols(len(columns), -cost, low, high, *entries)
        self._known[:, columns] = self._wanted[:, columns]
        self._place[columns] = len(self._columns) + np.arange(len(columns))
        self._columns = np.concatenate([self._columns, columns])

    def _widened(self, found: Relaxed) -> bool:
        """Give the solver the options that would pay at its prices; say whether there are any.

        Where nothing fits without those that it has not, it is given all that are free.
        """
        n = self.problem.n_options
        options = np.flatnonzero((self._place[:n] < 0) & (self.z_high[:n] > 0))
        if found.x is not None:
            pays = found.reduced[options] > PAYS
            best = np.argsort(-found.reduced[options[pays]], kind="stable")
            options = self._one_each(options[pays][best])
        elif self._solver.getModelStatus() != highspy.HighsModelStatus.kInfeasible:
            return False
        if not len(options) or found.bound == -np.inf:
            return False
        if len(options) > MANY * (self._columns < n).sum():
            self._solver.clearSolver()
        else:
            self._solver.setOptionValue("simplex_strategy", PRIMAL)
        self._give(options)
        return True

    def forget(self) -> None:
        """Drop the tangents that have long had no price, once there are many.

        Only rows that are basic go, so the basis of what is left still is one.
        """
        tangents = self.tangents
        if len(tangents) < self.most_tangents:
            return
        basis = self._solver.getBasis()
        first = self.matrix.shape[0]
        status = np.array([int(s) for s in basis.row_status[first:]])
        basic = status == int(highspy.HighsBasisStatus.kBasic)
        drop = basic & (tangents.idle > PATIENCE)
        if not drop.any() or not basis.valid:
            return
        rows = (first + np.flatnonzero(drop)).astype(np.int32)
        keep = np.concatenate([np.ones(first, dtype=bool), ~drop])
        basis.row_status = [s for s, k in zip(basis.row_status, keep, strict=True) if k]
        self._solver.deleteRows(len(rows), rows)
        self._solver.setBasis(basis)
        tangents.keep(~drop)
        self.points = [x for x, out in zip(self.points, drop, strict=True) if not out]

    def rise(self, found: Relaxed) -> Array:
        """Return what every option adds at a solution, per share of it: by its tangents' slopes."""
        tangents, cut = self.tangents, found.prices[self.matrix.shape[0] :]
        cut = np.where(tangents.of[: len(cut)] >= 0, np.maximum(cut, 0.0), 0.0)
        return np.asarray(cut @ -tangents.rows[: len(cut), : self.problem.n_options])

    def set_budget(self, row: int, limit: float) -> None:
        """Set the amount of a budget row, in units of the problem's own."""
        self.row_high[row] = limit
        self._solver.changeRowBounds(row, -np.inf, limit)

    def enter(self, box: Box) -> None:
        """Set the programme to a box."""
        self.z_low[: self.n_x], self.z_high[: self.n_x] = box.x_low, box.x_high
        for code in np.flatnonzero(box.run != self._run):
            row = self._first_eval + int(code)
            self.row_low[row] = 1.0 if box.run[code] else -np.inf
            self._solver.changeRowBounds(row, self.row_low[row], 1.0)
        self._run = box.run
        for d in range(self.n_d):
            if self._held[d]:
                hull = self.above[d].hull(float(box.low[d]), float(box.high[d]))
                part = hull.segments(float(box.near[d]), self.n_segments)
                if part is not self._entered[d]:
                    self._enter_hull(d, part)
        plain = self.draw_of < 0
        self.constant = self.problem.constant + float(self._starts[plain].sum())
        if not plain.all():
            n_draws = self.matrix.shape[0] - self.first_draw
            starts = np.bincount(self.draw_of[~plain], self._starts[~plain], n_draws)
            self.row_high[self.first_draw :] = starts
        links = np.arange(self.problem.matrix.shape[0], self.matrix.shape[0], dtype=np.int32)
        low, high = self.row_low[links], self.row_high[links]
        self._solver.changeRowsBounds(len(links), links, low, high)
        if (missing := (self.z_low > 0) & (self._place < 0)).any():
            self._give(np.flatnonzero(missing))
        has = self._place >= 0
        moved = np.flatnonzero((self._wanted != self._known).any(axis=0) & has)
        at, (low, high, cost) = self._place[moved], self._wanted[:, moved]
        self._solver.changeColsBounds(len(moved), at, low, high)
        self._solver.changeColsCost(len(moved), at, -cost)
        self._known[:, moved] = self._wanted[:, moved]

    def _enter_hull(self, d: int, part: Segments) -> None:
        """Set the segments of a quantity."""
        at, draw = self._segments(d), int(self.draw_of[d])
        slopes, widths = np.zeros((2, self.n_segments))
        slopes[: len(part.slopes)], widths[: len(part.widths)] = part.slopes, part.widths
        steep = slopes > STEEP  # counted whole from the start: still an over-estimate
        self._entered[d], self._starts[d] = part, part.start + slopes[steep] @ widths[steep]
        slopes[steep] = 0.0
        self.z_high[at] = widths
        if draw < 0:
            self.cost[at] = slopes
        elif len(self._columns):
            for k in np.flatnonzero(slopes != self.slopes[d]):
                column = int(self._place[at.start + k])
                self._solver.changeCoeff(self.first_draw + draw, column, -slopes[k])
        self.slopes[d] = slopes
        link = self.problem.matrix.shape[0] + d
        self.row_low[link] = self.row_high[link] = part.low

    def solve(self, time_limit: float | None = None) -> Relaxed:
        """Solve the programme of the box entered last."""
        solver = self._solver
        # HiGHS counts the time of all its runs together.
        left = highspy.kHighsInf if time_limit is None else max(time_limit, 0.01)
        solver.setOptionValue("time_limit", solver.getRunTime() + left)
        found = self._solved()
        while self._widened(found):
            found = self._solved()
        solver.setOptionValue("simplex_strategy", DUAL)
        return found

    def _solved(self) -> Relaxed:
        """Solve the programme of the options that the solver has."""
        solver = self._solver
        solver.run()
        status = solver.getModelStatus()
        nothing = np.zeros(0)
        if status == highspy.HighsModelStatus.kInfeasible:
            ray = self._proved_empty()
            bound = np.inf if ray is None else -np.inf
            return Relaxed(bound, None, nothing, nothing, nothing, nothing if ray is None else ray)
        if status != highspy.HighsModelStatus.kOptimal:
            solver.clearSolver()
            return Relaxed(np.inf, None, nothing, nothing, nothing, nothing)
        solution = solver.getSolution()
        z = np.zeros(self.n_columns)
        z[self._columns] = solution.col_value
        prices = -np.asarray(solution.row_dual)
        self.tangents.used(prices[self.matrix.shape[0] :] > 0)
        total, reduced = self._dual(prices, self.cost)
        n = self.problem.n_options
        taken = np.maximum(reduced[:n] * self.z_low[:n], reduced[:n] * self.z_high[:n])
        weight = np.ones(self.n_d)
        by_draw = self.draw_of >= 0
        weight[by_draw] = np.maximum(prices[self.first_draw + self.draw_of[by_draw]], 0.0)
        return Relaxed(
            bound=total + self.constant,
            x=np.clip(z[: self.n_x], self.z_low[: self.n_x], self.z_high[: self.n_x]),
            v=np.clip(z[self.n_x : self.n_x + self.n_d], 0.0, 1.0),
            weight=weight,
            reduced=reduced[: self.n_x],
            prices=prices,
            rest=total + self.constant - float(taken.sum()),
        )

    def _dual(self, prices: Array, cost: Array) -> tuple[float, Array]:
        """Return the bound that row prices prove, and the reduced costs."""
        m = self.matrix.shape[0]
        base = prices[:m].copy()
        base[(base > 0) & ~np.isfinite(self.row_high)] = 0.0
        base[(base < 0) & ~np.isfinite(self.row_low)] = 0.0
        reduced = cost - self._turned @ base
        if len(base) > self.first_draw:  # slopes that only the solver's matrix holds
            price = np.where(self.draw_of >= 0, base[self.first_draw + self.draw_of], 0.0)
            reduced[self.n_x + self.n_d : self.first_tail] += (price[:, None] * self.slopes).ravel()
        cut = np.maximum(prices[m:], 0.0)
        cut_total = self.tangents.priced(cut, reduced, self.n_x)
        at = np.where(base > 0, self.row_high, np.where(base < 0, self.row_low, 0.0))
        total = float(base @ at) + cut_total
        free = ~np.isfinite(self.z_high)
        if (reduced[free] > NEVER).any():
            return np.inf, reduced
        high = np.where(free, 0.0, self.z_high)
        return total + float(np.maximum(reduced * self.z_low, reduced * high).sum()), reduced

    def _proved_empty(self) -> Array | None:
        """Return a ray of row prices that shows that no point meets all rows, or None."""
        found = self._solver.getDualRay()
        ray = np.asarray(found[-1], dtype=np.float64)
        if len(ray) != self.matrix.shape[0] + len(self.tangents) or not ray.any():
            return None
        nothing = np.zeros(self.n_columns)
        both = [sign * ray / np.abs(ray).max() for sign in (1.0, -1.0)]
        return next((each for each in both if self._dual(each, nothing)[0] < -1e-9), None)
