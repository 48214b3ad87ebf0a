"""The problem all methods solve: which options to choose within all limits, in scaled units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from evalbayes import Menu
from evalfolio.limits import as_constraint
from evalfolio.limits.budget import check_budget
from evalfolio.objectives import Objective, evsi
from evalfolio.value.worth import Worth

Floats = NDArray[np.float64]

TOLERANCE = 1e-9  # relative; a choice that exceeds a limit by more breaks it
NEGLIGIBLE = 1e-8  # of the largest total value: decisions below it move into the bound as constants


class Problem:
    """maximise Σ_d G_d(v_d(x)) over whole choices x within budgets and constraints.

    Parameters
    ----------
    menu
        The menu.
    budget
        Ceiling on the expected use of each resource; a resource left out is unlimited.
    constraints
        Constraint objects or affine cvxpy constraints of the choice.
    objective
        What the choice is for; the expected value of the decisions by default.

    Attributes
    ----------
    matrix, lower, upper
        All limits as rows over [x; binaries; continuous]: first a row per budget (scaled to a
        limit of 1), then one per eval (at most one option), then the constraints'.
    costs
        Expected use of every resource by every option, of shape (n_options, n_resources).
    use
        The same of the limited resources only, in the order of `resource_names`.
    allowed
        1 for options that no budget rules out by themselves, 0 for the others.
    active
        Positions of the decisions whose value can matter.
    scale
        Largest total value the menu can reach, the unit of scaled values.
    constant
        Value of the decisions that cannot matter, as if explained whole, in scaled units.
    """

    def __init__(
        self,
        menu: Menu,
        budget: Mapping[str, float],
        constraints: Sequence[object] = (),
        objective: Objective | None = None,
    ) -> None:
        self.menu = menu
        self.budget = check_budget(budget, menu.resources)
        self.n_options = len(menu)
        self.values: list[Any] = []
        self.explained: Any
        self.values, self.explained, self.total = (objective or evsi()).on(menu)
        self.ceilings: Floats = self.explained.ceilings
        self._alike = _alike(self.values)
        gathered = [as_constraint(thing) for thing in constraints]
        self._gather_limits(gathered)
        self.curved: list[Any] = [limit for limit in gathered if hasattr(limit, "cuts")]
        tail = self.matrix[:, self.n_options :].tocsr()
        self.soft = np.diff(tail.indptr) > 0
        self._scale()

    def _gather_limits(self, constraints: Sequence[object]) -> None:
        self.costs, n = self.menu.costs, self.n_options
        self.resource_names = tuple(self.budget)
        amounts = np.array([self.budget[name] for name in self.resource_names])
        columns = [self.menu.resources.index(name) for name in self.resource_names]
        self.use = self.costs[:, columns]
        finite = np.isfinite(amounts)
        self.price_units = np.where((amounts > 0) & finite, amounts, 1.0)
        scaled = self.use.T / self.price_units[:, None]
        limit = np.where(finite, np.where(amounts > 0, 1.0, 0.0), np.inf)
        fits = (scaled <= limit[:, None] * (1 + TOLERANCE)).all(axis=0) if len(columns) else True
        self.allowed = np.where(fits, 1.0, 0.0) * np.ones(n)
        scaled = np.where(self.allowed > 0, scaled, 0.0)

        codes, self.evals = self.menu.options["eval"].factorize()
        self.eval_codes = np.asarray(codes)
        one_each = sparse.csr_matrix((np.ones(n), (codes, np.arange(n))), (len(self.evals), n))

        blocks = [constraint.limits(self.menu) for constraint in constraints]  # type: ignore[attr-defined]  # as_constraint returns the protocol
        n_binary = sum(block.n_extra for block in blocks)
        n_continuous = sum(block.n_continuous for block in blocks)
        self.n_extra = n_binary + n_continuous
        self.extra_whole = np.arange(self.n_extra) < n_binary
        self.extra_upper = np.where(self.extra_whole, 1.0, np.inf)
        width = n + self.n_extra
        rows = [
            sparse.csr_matrix(scaled, shape=(len(columns), n)),
            one_each,
        ]
        stacked = [
            sparse.hstack([row, sparse.csr_matrix((row.shape[0], self.n_extra))]) for row in rows
        ]
        lower = [np.full(len(columns), -np.inf), np.full(len(self.evals), -np.inf)]
        upper = [limit, np.ones(len(self.evals))]
        binary, continuous = n, n + n_binary
        for block in blocks:
            target = np.concatenate(
                [
                    np.arange(n),
                    np.arange(binary, binary + block.n_extra),
                    np.arange(continuous, continuous + block.n_continuous),
                ]
            )
            part = block.matrix.tocoo()
            size = np.maximum(
                abs(block.matrix).max(axis=1).toarray().ravel(),
                np.where(np.isfinite(block.upper), np.abs(block.upper), 0.0),
            )
            size[size == 0] = 1.0
            stacked.append(
                sparse.csr_matrix(
                    (part.data / size[part.row], (part.row, target[part.col])),
                    (len(block), width),
                )
            )
            lower.append(block.lower / size)
            upper.append(block.upper / size)
            binary += block.n_extra
            continuous += block.n_continuous
        self.matrix = sparse.csr_matrix(sparse.vstack(stacked))
        self.lower, self.upper = np.concatenate(lower), np.concatenate(upper)

    def _scale(self) -> None:
        reach = np.asarray(self.explained.at(self.allowed))
        # Quantities of one function share their unit, so that its tables are made once.
        self.v_max = np.array(reach)
        for same in self._alike:
            self.v_max[same] = reach[same].max()
        self.reach = np.divide(reach, self.v_max, out=np.ones_like(reach), where=self.v_max > 0)
        ends = self.gains_of(reach[None])[0]
        self.scale = float(self.total.of(ends[None])[0]) or 1.0
        share = self.gains_of(self.v_max[None])[0] / self.scale
        matters = (share > NEGLIGIBLE) & (self.v_max > 0)
        self.active = np.flatnonzero(matters)
        self.constant = self.total.most_of(np.where(matters, 0.0, share))

    def value(self, x: Floats) -> float:
        """Return the objective of a choice, for EVSI Σ_d G_d(v_d(x)) in the unit of the losses."""
        return float(self.values_of(self.explained.at(x)[None])[0])

    def gains_of(self, v: Floats) -> Floats:
        """Return G of every quantity, of the shape of v: (n, n_quantities)."""
        gains = np.empty(v.shape)
        for same in self._alike:
            gains[:, same] = self.values[same[0]].gain(v[:, same])
        return gains

    def values_of(self, v: Floats) -> Floats:
        """Return the objective for rows of quantities, of shape (n, n_quantities)."""
        return self.total.of(self.gains_of(v))

    def present(self, x: Floats) -> NDArray[np.intp]:
        """Return the option of every eval in a whole choice, or -1, of shape (n_evals,)."""
        found = np.full(len(self.evals), -1)
        inside = np.flatnonzero(x > 0.5)
        found[self.eval_codes[inside]] = inside
        return found

    @property
    def evpi(self) -> float:
        """What knowing every quantity to the end would be worth."""
        each = np.array([[value.evpi for value in self.values]])
        return float(self.total.of(each)[0])

    def evenly(self) -> Floats:
        """Return the same share of every option that fits by itself, as far as the budgets go."""
        each = np.bincount(self.eval_codes, weights=self.allowed, minlength=len(self.evals))
        x = self.allowed / np.maximum(each, 1.0)[self.eval_codes]
        used = np.asarray(self.matrix[: len(self.resource_names), : self.n_options] @ x)
        return np.asarray(x / max(1.0, float(used.max(initial=0.0))))

    def met(self, x: Floats, extra: Floats | None = None) -> bool:
        """Whether a whole choice, with its extra variables, meets all limits."""
        tail = np.zeros(self.n_extra) if extra is None else extra
        activity = self.matrix @ np.concatenate([x, tail])
        # Rows with extra variables carry a solver's tolerance; budgets and the like do not.
        loose = np.where(self.soft, 1e-6, TOLERANCE)
        return (
            bool((x <= self.allowed + TOLERANCE).all())
            and bool((activity >= self.lower - loose).all())
            and bool((activity <= self.upper + loose).all())
            and self.cuts(x) is None
        )

    def completed(self, x: Floats) -> Floats | None:
        """Return extra variables with which a whole choice meets all limits, or None."""
        if not self.n_extra:
            return np.zeros(0) if self.met(x) else None
        n = self.n_options
        used: Floats = np.asarray(self.matrix[:, :n] @ x)
        if not self.met_without_extra(x, used):
            return None
        rows = np.flatnonzero(self.soft)
        found = milp(
            np.zeros(self.n_extra),
            constraints=LinearConstraint(
                self.matrix[rows][:, n:], (self.lower - used)[rows], (self.upper - used)[rows]
            ),
            integrality=self.extra_whole.astype(int),
            bounds=Bounds(0.0, self.extra_upper),
        )
        if found.x is None:
            return None
        extra = np.where(self.extra_whole, np.round(found.x), found.x)
        return extra if self.met(x, extra) else None

    def met_without_extra(self, x: Floats, used: Floats) -> bool:
        """Whether a whole choice meets the limits that speak of the choice alone."""
        hard = ~self.soft
        return (
            bool((x <= self.allowed + TOLERANCE).all())
            and bool((used >= self.lower - TOLERANCE)[hard].all())
            and bool((used <= self.upper + TOLERANCE)[hard].all())
        )

    def cuts(self, x: Floats) -> tuple[Floats, Floats] | None:
        """Return rows · x <= limits that hold for every choice but not for x, or None.

        Limits that are curved (a second-order cone) are met through such rows.
        """
        rows: list[Floats] = []
        limits: list[float] = []
        for constraint in self.curved:
            found = constraint.cuts(self.menu, x)
            if found is None:
                continue
            weights = found.matrix.toarray()[:, : self.n_options]
            size = np.maximum(np.abs(weights).max(axis=1, initial=0.0), 1e-300)
            for sign, side in ((1.0, found.upper), (-1.0, found.lower)):
                for row in np.flatnonzero(np.isfinite(side)):
                    rows.append(sign * weights[row] / size[row])
                    limits.append(float(sign * side[row] / size[row]))
        return (np.array(rows), np.array(limits)) if rows else None


def _alike(values: Sequence[Worth]) -> list[NDArray[np.intp]]:
    """Return the positions of the quantities that share one function."""
    groups: dict[int, list[int]] = {}
    for position, value in enumerate(values):
        groups.setdefault(id(value), []).append(position)
    return [np.array(group, dtype=np.intp) for group in groups.values()]
