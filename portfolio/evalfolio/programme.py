"""The linear programme of one box: an over-estimate of every choice's value inside it.

max Σ_d t_d over shares x, with v_d under its tangents in x, t_d under the concave hull of G on the
box's interval of v_d, and x within all limits. Tangents hold everywhere and are kept; the hull's
segments enter as the costs and widths of columns, so that going from box to box changes no matrix
and the simplex method starts warm.

HiGHS's word is not taken for the bound: with any row prices y, Σ_i y_i·rhs_i + Σ_j max over the
column's range of (c − Aᵀy)_j z_j bounds the programme, whatever the solver's tolerances.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalfolio.box import Box
from evalfolio.highs import quiet_highs
from evalfolio.overestimate import N_SEGMENTS, Overestimate
from evalfolio.problem import Problem

Floats = NDArray[np.float64]

# Weights of a tangent below this are left out and their sum over evals added to its constant.
SMALL = 1e-9
MOST_PER_DECISION = 30  # tangents kept before idle ones are dropped
PATIENCE = 15
NEVER = 1e-7  # reduced costs of columns without upper end are zero to the solver's tolerance


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Solution of one box's programme; `bound` is proved, `x` None when nothing fits."""

    bound: float
    x: Floats | None
    v: Floats
    estimate: Floats
    reduced: Floats
    prices: Floats


class Programme:
    """The programme over all boxes of one problem, in scaled units."""

    def __init__(self, problem: Problem, above: list[Overestimate], seed: int = 0) -> None:
        self.problem, self.above = problem, above
        self.n_x = problem.n_options + problem.n_extra
        self.n_d = len(above)
        self.n_columns = self.n_x + self.n_d + self.n_d * N_SEGMENTS
        rows = problem.matrix.shape[0]
        links = sparse.lil_matrix((self.n_d, self.n_columns))
        for d in range(self.n_d):
            links[d, self.n_x + d] = 1.0
            links[d, self._segments(d)] = -1.0
        left = sparse.hstack(
            [problem.matrix, sparse.csr_matrix((rows, self.n_columns - self.n_x))], format="csr"
        )
        self.matrix = sparse.csr_matrix(sparse.vstack([left, links.tocsr()]))
        self.row_low = np.concatenate([problem.lower, np.zeros(self.n_d)])
        self.row_high = np.concatenate([problem.upper, np.zeros(self.n_d)])
        self.cuts = np.zeros((0, self.n_columns))  # cut · z <= limit
        self.limits = np.zeros(0)
        self.idle = np.zeros(0, dtype=np.intp)  # programmes since a cut last had a price
        self.cost = np.zeros(self.n_columns)
        self.z_low, self.z_high = np.zeros(self.n_columns), np.ones(self.n_columns)
        self._solver = self._start(seed)

    def _segments(self, d: int) -> slice:
        first = self.n_x + self.n_d + d * N_SEGMENTS
        return slice(first, first + N_SEGMENTS)

    def _start(self, seed: int) -> highspy.Highs:
        solver = quiet_highs()
        solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
        solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
        solver.setOptionValue("random_seed", seed)
        solver.setOptionValue("presolve", "off")  # boxes start from the last one's basis
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.n_columns, self.matrix.shape[0]
        lp.col_cost_ = -self.cost
        lp.col_lower_, lp.col_upper_ = self.z_low, self.z_high
        lp.row_lower_, lp.row_upper_ = self.row_low, self.row_high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = self.matrix.indptr
        lp.a_matrix_.index_ = self.matrix.indices
        lp.a_matrix_.value_ = self.matrix.data
        solver.passModel(lp)
        return solver

    def add_tangents(self, x: Floats, wanted: NDArray[np.bool_] | None = None) -> None:
        """Make the over-estimate of v_d exact at x, for the wanted decisions."""
        problem = self.problem
        v, gradient = problem.explained.tangent(x)
        added, limits = [], []
        for d, decision in enumerate(problem.active):
            if wanted is not None and not wanted[d]:
                continue
            top = self.above[d].v_max
            weights = gradient[decision] / top
            constant = float(v[decision] / top - weights @ x)
            small = weights < SMALL
            if small.any():  # at most one option per eval runs: the largest small weight is enough
                largest = np.zeros(len(problem.evals))
                np.maximum.at(largest, problem.eval_codes, np.where(small, weights, 0.0))
                constant += float(largest.sum())
                weights = np.where(small, 0.0, weights)
            row = np.zeros(self.n_columns)
            row[: problem.n_options] = -weights
            row[self.n_x + d] = 1.0
            added.append(row)
            limits.append(constant)
        self.add_rows(np.array(added).reshape(-1, self.n_columns), np.array(limits))

    def add_rows(self, rows: Floats, limits: Floats) -> None:
        """Add rows · z <= limits that hold for every choice."""
        for row, limit in zip(rows, limits, strict=True):
            used = np.flatnonzero(row)
            self._solver.addRow(-np.inf, limit, len(used), used.astype(np.int32), row[used])
        self.cuts = np.vstack([self.cuts, rows])
        self.limits = np.concatenate([self.limits, limits])
        self.idle = np.concatenate([self.idle, np.zeros(len(limits), dtype=np.intp)])

    def forget(self) -> None:
        """Drop the tangents that have long had no price, once there are many.

        Only rows that are basic go, so the basis of what is left still is one.
        """
        if len(self.limits) < MOST_PER_DECISION * self.n_d:
            return
        basis = self._solver.getBasis()
        first = self.matrix.shape[0]
        status = np.array([int(s) for s in basis.row_status[first:]])
        basic = status == int(highspy.HighsBasisStatus.kBasic)
        drop = basic & (self.idle > PATIENCE)
        if not drop.any() or not basis.valid:
            return
        rows = (first + np.flatnonzero(drop)).astype(np.int32)
        keep = np.concatenate([np.ones(first, dtype=bool), ~drop])
        basis.row_status = [s for s, k in zip(basis.row_status, keep, strict=True) if k]
        self._solver.deleteRows(len(rows), rows)
        self._solver.setBasis(basis)
        self.cuts, self.limits, self.idle = self.cuts[~drop], self.limits[~drop], self.idle[~drop]

    def enter(self, box: Box) -> None:
        """Set the programme to a box."""
        n, cost, high = self.problem.n_options, self.cost, self.z_high
        self.constant = self.problem.constant
        self.z_low[:n], high[:n] = box.x_low[:n], box.x_high[:n]
        self.z_low[n : self.n_x], high[n : self.n_x] = box.x_low[n:], box.x_high[n:]
        for d, above in enumerate(self.above):
            part = above.segments(float(box.low[d]), float(box.high[d]), float(box.near[d]))
            at = self._segments(d)
            cost[at], high[at] = 0.0, 0.0
            cost[at.start : at.start + len(part.slopes)] = part.slopes
            high[at.start : at.start + len(part.widths)] = part.widths
            link = self.problem.matrix.shape[0] + d
            self.row_low[link] = self.row_high[link] = part.low
            self.constant += part.start
            self._solver.changeRowBounds(link, part.low, part.low)
        columns = np.arange(self.n_columns, dtype=np.int32)
        self._solver.changeColsBounds(self.n_columns, columns, self.z_low, high)
        self._solver.changeColsCost(self.n_columns, columns, -cost)

    def solve(self, time_limit: float | None = None) -> Relaxed:
        """Solve the programme of the box entered last."""
        solver = self._solver
        # HiGHS counts the time of all its runs together.
        left = highspy.kHighsInf if time_limit is None else max(time_limit, 0.01)
        solver.setOptionValue("time_limit", solver.getRunTime() + left)
        solver.run()
        status = solver.getModelStatus()
        nothing = np.zeros(0)
        if status == highspy.HighsModelStatus.kInfeasible:
            bound = -np.inf if self._proved_empty() else np.inf
            return Relaxed(bound, None, nothing, nothing, nothing, nothing)
        if status != highspy.HighsModelStatus.kOptimal:
            solver.clearSolver()
            return Relaxed(np.inf, None, nothing, nothing, nothing, nothing)
        solution = solver.getSolution()
        z = np.asarray(solution.col_value)
        prices = -np.asarray(solution.row_dual)
        self.idle += 1
        self.idle[prices[self.matrix.shape[0] :] > 0] = 0
        total, reduced = self._dual(prices, self.cost)
        worth = np.array([self.cost[at] @ z[at] for at in map(self._segments, range(self.n_d))])
        return Relaxed(
            bound=total + self.constant,
            x=np.clip(z[: self.n_x], self.z_low[: self.n_x], self.z_high[: self.n_x]),
            v=np.clip(z[self.n_x : self.n_x + self.n_d], 0.0, 1.0),
            estimate=worth,
            reduced=reduced[: self.n_x],
            prices=prices,
        )

    def _dual(self, prices: Floats, cost: Floats) -> tuple[float, Floats]:
        """Return the bound that row prices prove, and the reduced costs."""
        m = self.matrix.shape[0]
        base = prices[:m].copy()
        base[(base > 0) & ~np.isfinite(self.row_high)] = 0.0
        base[(base < 0) & ~np.isfinite(self.row_low)] = 0.0
        cut = np.maximum(prices[m:], 0.0)
        used = np.flatnonzero(cut)
        reduced = cost - self.matrix.T @ base - cut[used] @ self.cuts[used]
        at = np.where(base > 0, self.row_high, np.where(base < 0, self.row_low, 0.0))
        total = float(base @ at + cut[used] @ self.limits[used])
        free = ~np.isfinite(self.z_high)
        if (reduced[free] > NEVER).any():
            return np.inf, reduced
        high = np.where(free, 0.0, self.z_high)
        return total + float(np.maximum(reduced * self.z_low, reduced * high).sum()), reduced

    def _proved_empty(self) -> bool:
        """Whether a ray of row prices shows that no point meets all rows."""
        found = self._solver.getDualRay()
        ray = np.asarray(found[-1], dtype=np.float64)
        if len(ray) != self.matrix.shape[0] + len(self.limits) or not ray.any():
            return False
        size = np.abs(ray).max()
        nothing = np.zeros(self.n_columns)
        return any(self._dual(sign * ray / size, nothing)[0] < -1e-11 for sign in (1.0, -1.0))
