r"""An objective as (expression, constraints) in cvxpy: its concave over-estimate in the choice.

v(x) = cᵀΣc − cᵀM(x)⁻¹c enters as a second-order cone programme. With K_o = F_oF_oᵀ in whitened
states, cᵀM⁻¹c = min ‖y₀‖² + Σ_o ‖y_o‖²/x_o over y₀ + Σ_o F_o y_o = c (Boyd & Vandenberghe 2004,
§7.5, the dual form of a c-optimal design). G enters as the least of the lines of its concave
envelope, whose slopes and heights are parameters; an index of several v is a sum of concave
ratios; the log-determinant as it is; the mean of the
worst draws as max η − Σ_s (η − value_s)⁺/(αn) (Rockafellar & Uryasev 2000).
"""

from typing import Any

import cvxpy as cp
import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.objectives.criteria import Criteria
from evalfolio.objectives.objective import Objective
from evalfolio.objectives.total import Total
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.envelope import envelope_lines
from evalfolio.value.explained import ExplainedVariance, InformationGain
from evalfolio.value.knowledge import Knowledge
from evalfolio.value.skew.index import Index
from evalfolio.value.worth import Proportional, Worth

SMALL = 1e-10  # relative; columns of a factor below it say nothing


class ConcaveObjective:
    """The concave over-estimate of a problem's objective, in units of the problem's scale.

    The over-estimate is the largest value of `expression` under the `constraints`. Envelopes reach
    as far as the problem's budget can, with lines that are loose by less than 1e-4 of G if 120; `x`
    is a cvxpy expression of shape (n_options,) in [0, 1].
    """

    def __init__(self, problem: Problem, x: Any, n_lines: int = 120) -> None:
        self.problem, self.n_lines = problem, n_lines
        self.constraints: list[Any] = []
        self._cones: dict[tuple[int, int], Any] = {}
        # by function: a quantity of it, parameters
        self._lines: dict[int, tuple[int, Any, Any]] = {}
        n_quantities = len(problem.values)
        worths: list[Any] = [cp.Constant(0.0)] * n_quantities
        for q in np.flatnonzero(problem.v_max > 0):
            worths[q] = self._worth(int(q), x)
        self.expression, rows = summed(problem.total, worths)
        self.constraints += rows
        self.set_values(problem.values)

    def set_values(self, values: list[Any]) -> None:
        """Set the envelopes to other functions of the same quantities, without compiling anew."""
        problem = self.problem
        for q, slopes, heights in self._lines.values():
            top = float(problem.v_max[q])
            slope, height = _lines(values[q], top, self.n_lines)
            slopes.value, heights.value = slope * top / problem.scale, height / problem.scale

    def _worth(self, q: int, x: Any) -> Any:
        """Return a variable under the lines of quantity q, adding the rows it stands on."""
        v, worth = self._explained(q, x), cp.Variable()
        key = id(self.problem.values[q])
        if key not in self._lines:
            slopes = cp.Parameter(self.n_lines + 1, nonneg=True)
            self._lines[key] = q, slopes, cp.Parameter(self.n_lines + 1)
        _, slopes, heights = self._lines[key]
        self.constraints.append(worth <= cp.multiply(slopes, v) + heights)
        return worth

    def _explained(self, q: int, x: Any) -> Any:
        """Return a variable in [0, 1] below quantity q in units of its largest value."""
        top = float(self.problem.v_max[q])
        part, place = _source(self.problem.explained, q)
        if (id(part), place) in self._cones:
            return self._cones[id(part), place]
        v = cp.Variable(nonneg=True)
        self.constraints.append(v <= 1)
        if isinstance(part, InformationGain):
            n = part.n_states
            flat = part.information.reshape(part.n_options, n * n).T
            precision = cp.reshape(flat @ x, (n, n), order="C") + np.eye(n)
            self.constraints.append(top * v <= cp.log_det((precision + precision.T) / 2))
        else:
            draw, d = divmod(place, len(part.ceilings) // int(np.prod(part.draws)))
            factors = part.factors[draw] if part.draws else part.factors
            stand_in = part.indices.stand_ins[d] if isinstance(part, Knowledge) else None
            if stand_in is None or not isinstance(part, Knowledge):
                self._add_cone(part.contrasts[d], factors, v, top, x)
            else:
                contrasts = part.contrasts[part.indices.places[d]]
                indexed = self._indexed(contrasts, stand_in.index, factors, x)
                self.constraints.append(top * v <= indexed)
        self._cones[id(part), place] = v
        return v

    def _indexed(self, contrasts: Array, index: Index, factors: Array, x: Any) -> Any:
        """Return Σ ω_j·ρ(V_j; r_j), ρ(t; r) = (1 + r)(1 − r/(t + r)), over cones of its own."""
        total: Any = 0.0
        for j, contrast in enumerate(contrasts):
            if index.shares[j] <= 0:
                continue
            share, bend = cp.Variable(nonneg=True), index.bends[j]
            self._add_cone(contrast, factors, share, float(contrast @ contrast), x)
            rise = 1 - bend * cp.inv_pos(share + bend)
            total = total + index.shares[j] * (1 + bend) * rise
        return total

    def _add_cone(self, contrast: Array, factors: Array, v: Any, top: float, x: Any) -> None:
        """Add v·top ≤ cᵀc − min(‖y₀‖² + Σ ‖y_o‖²/x_o)."""
        columns = factors.transpose(0, 2, 1)  # (n_options, rank, n_states)
        size = np.square(columns).sum(axis=2)
        owners, ranks = np.nonzero(size > SMALL * max(float(size.max(initial=0.0)), 1e-300))
        stacked = columns[owners, ranks].T
        y0, y = cp.Variable(len(contrast)), cp.Variable(len(owners))
        share = cp.Variable(len(owners), nonneg=True)  # share_j ≥ y_j² / x_owner(j)
        part = x[owners]
        self.constraints += [
            y0 + stacked @ y == contrast,
            # The rotated cone ‖(2y, share − x)‖ ≤ share + x of every factor at once.
            cp.SOC(share + part, cp.vstack([2 * y, share - part]), axis=0),
            top * v <= float(contrast @ contrast) - cp.sum_squares(y0) - cp.sum(share),
        ]


def summed(total: Total, worths: list[Any]) -> tuple[Any, list[Any]]:
    """Return the objective of the worths of all quantities, and the rows of its tails' draws."""
    plain, rows = [worths[q] for q in total.plain], []
    worth = cp.sum(cp.hstack(plain)) if plain else cp.Constant(0.0)
    for tail in total.tails:
        eta, short = cp.Variable(), cp.Variable(len(tail.quantities), nonneg=True)
        sums = [cp.sum(cp.hstack([worths[q] for q in draw])) for draw in tail.quantities]
        rows.append(eta - short <= cp.hstack(sums))
        worth = worth + eta - tail.most * cp.sum(short)
    return worth, rows


def expression(
    objective: Objective, menu: Menu, x: Any, *, n_lines: int = 120
) -> tuple[Any, list[Any]]:
    """Return an objective's concave over-estimate as (expression, constraints).

    `x` is of shape (n_options,), kept in [0, 1] by the caller; `n_lines` are lines of each
    envelope. The expression is in the objective's own unit, to be made large; both follow the rules
    of disciplined (parametrised) convex programming.

    >>> from evalfolio.examples import small_menu
    >>> from evalfolio.objectives import variance
    >>> menu = small_menu()
    >>> x = cp.Variable(len(menu), nonneg=True)
    >>> worth, limits = expression(variance(), menu, x)
    >>> cp.Problem(cp.Maximize(worth), [*limits, x <= 1]).is_dcp(dpp=True)
    True
    """
    parts = ConcaveObjective(Problem(Question(menu, objective=objective)), x, n_lines)
    return parts.problem.scale * parts.expression, parts.constraints


def _lines(value: Worth, top: float, n_lines: int) -> tuple[Array, Array]:
    """Return n_lines + 1 lines whose least is the over-estimate, the last ones repeated."""
    if isinstance(value, Proportional):
        slopes, heights = np.array([value.weight]), np.zeros(1)
    else:
        slopes, heights = envelope_lines(value, top, n_lines)
    more = n_lines + 1 - len(slopes)
    return np.pad(slopes, (0, more), mode="edge"), np.pad(heights, (0, more), mode="edge")


def _source(explained: Criteria | ExplainedVariance, q: int) -> tuple[ExplainedVariance, int]:
    """Return the part that a quantity belongs to and its place there."""
    for part in explained.parts if isinstance(explained, Criteria) else [explained]:
        if q < len(part.ceilings):
            return part, q
        q -= len(part.ceilings)
    raise IndexError(f"no quantity {q}")  # they are as many as the functions
