"""The cheapest choice within convex targets, by outer approximation with whole variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from evalbayes import Menu
from evalfolio.errors import InfeasibleError, SolverError
from evalfolio.limits import PosteriorSd, WrongCall
from evalfolio.limits.cutting import Cut, CutLimit, other_than
from evalfolio.limits.feasibility import LimitSystem
from evalfolio.limits.infeasible import explain_infeasible
from evalfolio.limits.rows import LinearLimits

Floats = NDArray[np.float64]

MAX_ROUNDS = 500
SETTLED = 1e-4  # relative growth of the fractional optimum below which its cuts stop


def cheapest_within(
    menu: Menu,
    cost: Floats,
    budget: Mapping[str, float],
    constraints: Sequence[object],
    *,
    gap: float,
) -> tuple[Floats, float]:
    """Return a choice of least cost within all limits, and a bound below every such cost.

    Tangents are added where a choice misses a limit with cuts: first at fractional optima, which
    are quick, then at whole ones. Each is met by every choice within the limits, so each optimum
    is a bound.

    Parameters
    ----------
    menu
        The menu.
    cost
        Cost of every option, of shape (n_options,).
    budget
        Ceilings on the expected use of resources.
    constraints
        Constraints, with cuts or without.
    gap
        Relative gap of the whole programme.

    Raises
    ------
    InfeasibleError
        If no choice meets all limits; a smallest clash is named.
    SolverError
        If the solver ends without an answer or the rounds run out.
    """
    programme = _Programme(menu, cost, budget, constraints)
    cutting = [c for c in constraints if isinstance(c, CutLimit)]
    before = -1.0
    for _ in range(MAX_ROUNDS):
        answer = programme.solve(whole=False, gap=0.0)
        fresh = programme.cut(cutting, answer[0]) if answer else 0
        if answer is None or not fresh or answer[1] - before <= SETTLED * abs(answer[1]):
            break
        before = answer[1]
    seen: list[Floats] = []
    for _ in range(MAX_ROUNDS):
        answer = programme.solve(whole=True, gap=gap)
        if answer is None:
            raise InfeasibleError(_why_not(menu, budget, constraints, programme.cuts))
        x, bound = answer
        if not programme.cut(cutting, x):
            return x, min(bound, float(cost @ x))
        if any((x == other).all() for other in seen):
            # the solver's tolerance let a choice through that its cut excludes: name it
            programme.add(Cut(other_than(menu, x, "a choice that misses a target")))
        seen.append(x)
    raise SolverError(f"{MAX_ROUNDS} rounds of tangents did not meet the targets; ask for less")


def fewest_waived(
    menu: Menu,
    budget: Mapping[str, float],
    targets: Sequence[PosteriorSd | WrongCall],
    weights: Floats,
    constraints: Sequence[object],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return a choice and the targets it may miss, of least total weight.

    A tangent of v never falls below 0, so ``tangent(x) + floor·z >= floor`` frees a target of
    variance `floor` at z = 1.

    Raises
    ------
    InfeasibleError
        If the constraints alone do not fit the budget.
    SolverError
        If the solver ends without an answer or the rounds run out.
    """
    programme = _Programme(menu, np.zeros(len(menu)), budget, constraints, weights)
    for k, target in enumerate(targets):
        for row in _freed(menu, target, target.limits(menu)):
            programme.add_freed(row, k)
    seen: list[Floats] = []
    for _ in range(MAX_ROUNDS):
        answer = programme.solve(whole=True, gap=0.0)
        if answer is None:
            raise InfeasibleError(explain_infeasible(menu, budget, constraints).text)
        x, given_up = answer[0], programme.waived > 0.5
        fresh = 0
        for k, target in enumerate(targets):
            cut = None if given_up[k] else target.cuts(menu, x)
            if cut is not None:
                fresh += 1
                for row in _freed(menu, target, cut):
                    programme.add_freed(row, k)
        if not fresh and not programme.cut([c for c in constraints if isinstance(c, CutLimit)], x):
            return x, given_up
        state = np.concatenate([x, given_up])
        if any((state == other).all() for other in seen):
            programme.exclude(state)
        seen.append(state)
    raise SolverError(f"{MAX_ROUNDS} rounds of tangents did not settle what to waive")


class _Programme:
    """The linear master over [x; binaries; continuous; waivers], with cuts added along the way."""

    def __init__(
        self,
        menu: Menu,
        cost: Floats,
        budget: Mapping[str, float],
        constraints: Sequence[object],
        weights: Floats | None = None,
    ) -> None:
        self.menu = menu
        self.cuts: list[Cut] = []
        self.waived: Floats = np.zeros(0 if weights is None else len(weights))
        self._system = LimitSystem(menu, budget, constraints)
        n, n_waivers = self._system.n_variables, len(self.waived)
        self._width = n + n_waivers
        self._unit = float(np.max(cost, initial=0.0)) or 1.0
        self._objective = np.zeros(self._width)
        self._objective[: len(menu)] = cost / self._unit
        if weights is not None:
            # at equal weight the smaller programme: so little that it decides nothing else
            use = menu.costs / np.maximum(menu.costs.sum(axis=0), 1e-300)
            small = 1e-4 * float(weights.min()) / max(len(menu.resources), 1)
            self._objective[: len(menu)] = small * use.sum(axis=1)
            self._objective[n:] = weights
        self._rows = [self._system.matrix, self._system.one_each]
        self._lower = [self._system.lower, np.full(self._system.one_each.shape[0], -np.inf)]
        self._upper = [self._system.upper, np.ones(self._system.one_each.shape[0])]

    def add(self, cut: Cut) -> None:
        """Add the rows of a cut, scaled to size 1."""
        limits = cut.rows
        matrix = limits.matrix.toarray()
        size = np.abs(matrix).max(axis=1, initial=0.0)
        size[size == 0] = 1.0
        self._rows.append(sparse.csr_matrix(matrix / size[:, None]))
        self._lower.append(limits.lower / size)
        self._upper.append(limits.upper / size)
        self.cuts.append(cut)

    def add_freed(self, row: tuple[Floats, float, float], waiver: int) -> None:
        """Add ``weights · x + floor·z >= least`` for one waiver z."""
        weights, floor, least = row
        wide = np.zeros(self._width)
        wide[: len(weights)] = weights
        wide[self._system.n_variables + waiver] = floor
        size = float(np.abs(wide).max()) or 1.0
        self._rows.append(sparse.csr_matrix(wide / size))
        self._lower.append(np.array([least / size]))
        self._upper.append(np.array([np.inf]))

    def exclude(self, state: Floats) -> None:
        """Forbid one joint choice of options and waivers."""
        ones = state > 0.5
        wide = np.zeros(self._width)
        n = len(self.menu)
        wide[:n] = np.where(ones[:n], -1.0, 1.0)
        wide[self._system.n_variables :] = np.where(ones[n:], -1.0, 1.0)
        self._rows.append(sparse.csr_matrix(wide))
        self._lower.append(np.array([1.0 - float(ones.sum())]))
        self._upper.append(np.array([np.inf]))

    def cut(self, cutting: Sequence[CutLimit], x: Floats) -> int:
        """Add the cuts that a choice breaks; return how many there were."""
        fresh = [rows for c in cutting if (rows := c.cuts(self.menu, x)) is not None]
        for rows in fresh:
            self.add(Cut(rows))
        return len(fresh)

    def solve(self, *, whole: bool, gap: float) -> tuple[Floats, float] | None:
        """Return the best choice and a bound on the cost, or None where there is no choice."""
        system = self._system
        integrality = np.zeros(self._width, dtype=np.int64)
        most = np.full(self._width, np.inf)
        most[: system.n_binaries] = 1.0
        most[system.n_variables :] = 1.0
        if whole:
            integrality[: system.n_binaries] = 1
            integrality[system.n_variables :] = 1
        rows = [
            sparse.hstack([row, sparse.csr_matrix((row.shape[0], self._width - row.shape[1]))])
            for row in self._rows
        ]
        result = optimize.milp(
            self._objective,
            constraints=optimize.LinearConstraint(
                sparse.vstack(rows, format="csr"),
                np.concatenate(self._lower),
                np.concatenate(self._upper),
            ),
            integrality=integrality,
            bounds=optimize.Bounds(0.0, most),
            options={"mip_rel_gap": gap},
        )
        if result.status == 2:
            return None
        if result.x is None or result.status != 0:
            raise SolverError(f"the least programme ended with {result.message!r}; try a wider gap")
        x = np.asarray(result.x[: len(self.menu)], dtype=np.float64)
        self.waived = np.asarray(result.x[system.n_variables :], dtype=np.float64)
        bound = float(result.fun)
        if whole:
            x = np.round(x)
            bound = min(bound, float(result.mip_dual_bound))
        return x, bound * self._unit


def _freed(
    menu: Menu, target: PosteriorSd | WrongCall, limits: LinearLimits
) -> list[tuple[Floats, float, float]]:
    """Return each row of a target's tangents with the weight of the waiver that frees it."""
    floor = target.variance(menu)
    matrix, lower = limits.matrix.toarray(), limits.lower
    return [(weights, floor, float(least)) for weights, least in zip(matrix, lower, strict=True)]


def _why_not(
    menu: Menu,
    budget: Mapping[str, float],
    constraints: Sequence[object],
    cuts: Sequence[Cut],
) -> str:
    """Return the clash, with the tangents found standing for the targets they belong to.

    What everything on the menu together would reach is told of each target in the clash.
    """
    clash = explain_infeasible(menu, budget, [*constraints, *cuts])
    reach = [
        f"Everything on the menu together would reach {c.reach(menu):.3g} on {c.decision!r}."
        for c in constraints
        if isinstance(c, (PosteriorSd, WrongCall)) and str(c) in clash.limits
    ]
    return " ".join([clash.text, *reach])
