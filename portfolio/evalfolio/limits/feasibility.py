"""All limits on one choice as named rows, and whether some of them can be met together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from evalbayes import Menu
from evalfolio.errors import SolverError
from evalfolio.limits.amount import in_words, use
from evalfolio.limits.budget import check_budget
from evalfolio.limits.limit import as_constraint

TOLERANCE = 1e-9  # relative; a rounded choice that breaks a row by more does not meet it
MAX_RETRIES = 100  # choices a solver's looser tolerance let through, forbidden one by one
MAX_SECONDS = 60.0


@dataclass(frozen=True)
class NamedLimit:
    """One thing a planner could change: a budget, or one named part of a constraint.

    Parameters
    ----------
    name
        The limit in words.
    rows
        Its rows in the stacked matrix; the first carries the amount.
    unit
        Unit of the amount, or None where the limit holds or does not, with nothing between.
    amount
        The amount, in the unit.
    share
        Whether the amount is a share of all that is used of the unit.
    """

    name: str
    rows: tuple[int, ...]
    unit: str | None
    amount: float
    share: bool = False


class LimitSystem:
    """Budgets, constraints and "at most one option per eval", over [x; w; u].

    Parameters
    ----------
    menu
        The menu.
    budget
        Ceiling on the expected use of each resource; a resource left out is unlimited.
    constraints
        Constraint objects or affine cvxpy constraints.

    Raises
    ------
    InputError
        If a budget names no resource of the menu or is not a number, 0 or more.
    """

    def __init__(
        self, menu: Menu, budget: Mapping[str, float], constraints: Sequence[object] = ()
    ) -> None:
        self.menu = menu
        self.limits: list[NamedLimit] = []
        parts = [as_constraint(thing) for thing in constraints]
        blocks = [part.limits(menu) for part in parts]
        self.n_binaries = len(menu) + sum(block.n_extra for block in blocks)
        self.n_variables = self.n_binaries + sum(block.n_continuous for block in blocks)
        evals = menu.options["eval"].to_numpy(dtype=object)
        names = list(dict.fromkeys(evals))
        self.one_each = self._widen([(evals == name).astype(np.float64) for name in names])
        rows: list[NDArray[np.float64]] = []
        lower: list[float] = []
        upper: list[float] = []
        for resource, amount in check_budget(budget, menu.resources).items():
            row = np.zeros(self.n_variables)
            row[: len(menu)] = use(menu, resource)
            name = f"budget of {in_words(amount, resource)}"
            self.limits.append(NamedLimit(name, (len(rows),), resource, float(amount)))
            rows.append(row)
            lower.append(-np.inf)
            upper.append(float(amount))
        extra, continuous = len(menu), self.n_binaries
        for part, block in zip(parts, blocks, strict=True):
            n = block.n_options
            columns = [
                *range(n),
                *range(extra, extra + block.n_extra),
                *range(continuous, continuous + block.n_continuous),
            ]
            dense = np.zeros((len(block), self.n_variables))
            dense[:, columns] = block.matrix.toarray()
            for name in dict.fromkeys(block.names):
                own = [k for k, other in enumerate(block.names) if other == name]
                unit = getattr(part, "unit", None)
                amount = _amount(part, block.lower[own[0]], block.upper[own[0]])
                positions = tuple(len(rows) + k for k in own)
                share = getattr(part, "share", False) is True  # of all use, not of the draws
                self.limits.append(NamedLimit(name, positions, unit, amount, share))
            rows.extend(dense)
            lower.extend(block.lower)
            upper.extend(block.upper)
            extra += block.n_extra
            continuous += block.n_continuous
        matrix = np.array(rows).reshape(len(rows), self.n_variables)
        bounds = np.array([lower, upper]).reshape(2, -1)
        # every row to size 1, so that one tolerance serves dollars and counts alike
        finite = np.where(np.isfinite(bounds), np.abs(bounds), 0.0)
        self.size = np.maximum(np.abs(matrix).max(axis=1, initial=0.0), finite.max(axis=0))
        self.size[self.size == 0] = 1.0
        self.matrix = sparse.csr_matrix(matrix / self.size[:, None])
        self.lower, self.upper = bounds / self.size

    def met(self, limit: NamedLimit, point: NDArray[np.float64]) -> bool:
        """Whether a point [x; w; u] meets a limit."""
        rows = list(limit.rows)
        activity = self.matrix[rows] @ point
        return bool(
            (activity >= self.lower[rows] - TOLERANCE).all()
            and (activity <= self.upper[rows] + TOLERANCE).all()
        )

    def point(
        self,
        enforced: Iterable[NamedLimit],
        cost: NDArray[np.float64] | None = None,
        slacks: Sequence[tuple[int, float, float]] = (),
        gap: float = 0.0,
    ) -> NDArray[np.float64] | None:
        """Return a point [x; w; u; slacks] meeting the enforced limits, or None if there is none.

        Parameters
        ----------
        enforced
            Limits to hold.
        cost
            What to make least, of shape (n_variables,); nothing by default.
        slacks
            Enforced rows that may be broken: (row, sign, cost per unit of the scaled row); sign
            +1 lets the row fall below its lower bound, -1 lets it rise above its upper bound.
        gap
            Relative gap at which the cost is small enough.

        Raises
        ------
        SolverError
            If the solver neither finds a point nor shows that there is none.
        """
        held = sorted({row for limit in enforced for row in limit.rows})
        n, n_slacks = self.n_variables, len(slacks)
        objective = np.concatenate([np.zeros(n) if cost is None else cost, [s[2] for s in slacks]])
        loosen = sparse.lil_matrix((len(held), n_slacks))
        for column, (row, sign, _) in enumerate(slacks):
            loosen[held.index(row), column] = sign
        matrix = sparse.hstack([self.matrix[held], loosen.tocsr()], format="csr")
        blocks = [
            optimize.LinearConstraint(
                sparse.hstack(
                    [self.one_each, sparse.csr_matrix((self.one_each.shape[0], n_slacks))],
                    format="csr",
                ),
                -np.inf,
                1.0,
            )
        ]
        if held:
            blocks.append(optimize.LinearConstraint(matrix, self.lower[held], self.upper[held]))
        integrality = np.zeros(n + n_slacks, dtype=np.int64)
        integrality[: self.n_binaries] = 1
        most = np.full(n + n_slacks, np.inf)
        most[: self.n_binaries] = 1.0
        for _ in range(MAX_RETRIES):
            result = optimize.milp(
                objective,
                constraints=blocks,
                integrality=integrality,
                bounds=optimize.Bounds(0.0, most),
                options={"time_limit": MAX_SECONDS, "mip_rel_gap": gap},
            )
            if result.status == 2:
                return None
            if result.x is None or result.status != 0:
                raise SolverError(
                    f"the check of the limits ended with {result.message!r} after at most "
                    f"{MAX_SECONDS:g} s; try with fewer limits"
                )
            point = np.asarray(result.x, dtype=np.float64)
            point[: self.n_binaries] = np.round(point[: self.n_binaries])
            if self._meets(held, matrix, point):
                return point
            blocks.append(self._other_than(point))
        raise SolverError(
            f"the check of the limits met {MAX_RETRIES} choices that a limit misses by a "
            "hair's breadth; move the limits away from exact sums of costs"
        )

    def _meets(
        self, held: list[int], matrix: sparse.csr_matrix, point: NDArray[np.float64]
    ) -> bool:
        """Whether a rounded point meets the held rows; rows of continuous variables at 1e-6."""
        activity = matrix @ point
        soft = np.asarray(abs(matrix[:, self.n_binaries :]).sum(axis=1)).ravel() > 0
        slack = np.where(soft, 1e-6, TOLERANCE)
        below = (activity >= self.lower[held] - slack).all()
        return bool(below and (activity <= self.upper[held] + slack).all())

    def _other_than(self, point: NDArray[np.float64]) -> optimize.LinearConstraint:
        """Return the row that only this choice of the binaries breaks."""
        ones = point[: self.n_binaries] > 0.5
        row = np.zeros(len(point))
        row[: self.n_binaries] = np.where(ones, -1.0, 1.0)
        return optimize.LinearConstraint(row[None, :], 1.0 - ones.sum(), np.inf)

    def _widen(self, rows: list[NDArray[np.float64]]) -> sparse.csr_matrix:
        """Return rows over the options as rows over all variables."""
        wide = np.zeros((len(rows), self.n_variables))
        for position, row in enumerate(rows):
            wide[position, : len(row)] = row
        return sparse.csr_matrix(wide)


def _amount(part: object, lower: float, upper: float) -> float:
    """Return the amount of a limit: its first row's bound, or the constraint's own where 0."""
    bound = float(lower if np.isfinite(lower) else upper)
    if bound:
        return bound
    stated = (getattr(part, key, None) for key in ("at_least", "at_most"))
    return next((float(value) for value in stated if value is not None), bound)
