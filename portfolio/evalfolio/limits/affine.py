"""Any affine cvxpy constraint of the choice."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.rows import Rows

RELATIVE_ERROR = 1e-9  # of the extracted rows against the expression at random points
N_PROBES = 3


@dataclass(frozen=True, eq=False)  # eq=False: a cvxpy constraint has no truth value
class Affine:
    """A cvxpy constraint, affine in the choice: ``<=``, ``>=`` or ``==``.

    The constraint must have one variable, the choice, with one element per option in the menu's
    order; its parameters count at their value when the plan is made.

    Parameters
    ----------
    constraint
        Such as ``weights @ x <= 3`` with ``x = cvxpy.Variable(len(menu))``.
    name
        What messages call it; by default the constraint as cvxpy prints it.

    Raises
    ------
    InputError
        If it is not affine, or not of one variable of the menu's length (from `rows`).

    Examples
    --------
    >>> import cvxpy as cp
    >>> x = cp.Variable(3, name="x")
    >>> print(Affine(2 * x[0] + x[2] <= 2, name="lab seats"))
    lab seats
    """

    constraint: Any
    name: str = ""

    def __post_init__(self) -> None:
        import cvxpy as cp

        kinds = (
            cp.constraints.Inequality,
            cp.constraints.Equality,
            cp.constraints.NonPos,
            cp.constraints.NonNeg,
            cp.constraints.Zero,
        )
        if not isinstance(self.constraint, kinds):
            raise InputError(
                "Affine: the constraint must be a cvxpy <=, >= or ==, "
                f"got {type(self.constraint).__name__}; write it as expression <= number"
            )
        expression = self.constraint.expr
        if not expression.is_affine():
            raise InputError(
                f"Affine: {self} must be affine in the choice, got a "
                f"{expression.curvature.lower()} expression; bound it by linear pieces"
            )
        if len(self.constraint.variables()) != 1:
            raise InputError(
                f"Affine: {self} must have one variable, the choice, "
                f"got {len(self.constraint.variables())}; write it in terms of one x"
            )
        object.__setattr__(self, "name", self.name or str(self.constraint))

    def __str__(self) -> str:
        return self.name or str(self.constraint)

    def rows(self, menu: Menu) -> Rows:
        """Return the rows of the expression, read off its gradient and checked at random points."""
        (choice,) = self.constraint.variables()
        expression = self.constraint.expr
        if choice.shape not in ((len(menu),), (len(menu), 1)):
            raise InputError(
                f"Affine: {self}: the choice must have one element for each of the "
                f"{len(menu)} options of the menu, got shape {choice.shape}"
            )
        kept = choice.value
        try:
            choice.value = np.zeros(choice.shape)
            offset = _flat(expression.value)
            gradient = expression.grad[choice]  # (n_options, n_rows), scipy sparse or a number
            matrix = sparse.csr_matrix(gradient).T.tocsr()
            self._check_rows(choice, matrix, offset)
        finally:
            choice.value = kept
        lower, upper = self._sides(offset)
        names = (
            (str(self),)
            if len(offset) == 1
            else tuple(f"{self} [{row}]" for row in range(len(offset)))
        )
        return Rows(matrix=matrix, lower=lower, upper=upper, names=names, n_extra=0, n_continuous=0)

    def _sides(self, offset: Any) -> tuple[Any, Any]:
        """Return the bounds of ``matrix @ x``, given ``expression = matrix @ x + offset``."""
        import cvxpy as cp

        unbounded = np.full(len(offset), np.inf)
        if isinstance(self.constraint, (cp.constraints.Equality, cp.constraints.Zero)):
            return -offset, -offset
        if isinstance(self.constraint, cp.constraints.NonNeg):
            return -offset, unbounded
        return -unbounded, -offset

    def _check_rows(self, choice: Any, matrix: Any, offset: Any) -> None:
        """Refuse rows that differ from the expression at a random point."""
        rng = np.random.default_rng(0)
        for _ in range(N_PROBES):
            point = rng.uniform(size=choice.shape)
            choice.value = point
            want = _flat(self.constraint.expr.value)
            got = matrix @ point.ravel() + offset
            size = np.abs(matrix) @ np.abs(point.ravel()) + np.abs(offset)
            if not np.isfinite(want).all() or (np.abs(got - want) > RELATIVE_ERROR * size).any():
                raise InputError(
                    f"Affine: {self} could not be read as linear rows; "
                    "give its parameters finite values and write it as matrix @ x <= numbers"
                )


def _flat(value: Any) -> Any:
    """Return a cvxpy value as a vector, in cvxpy's (column-major) order."""
    if value is None:
        raise InputError(
            "Affine: every parameter must have a value before the plan is made, "
            "but one has none; set parameter.value"
        )
    dense = value.toarray() if hasattr(value, "toarray") else value  # sparse or not
    return np.asarray(dense, dtype=np.float64).ravel(order="F")
