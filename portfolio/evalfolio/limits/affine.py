"""Constraints written in cvxpy: affine ones are rows, convex ones give rows by need."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits.rows import Rows

RELATIVE_ERROR = 1e-9  # of the extracted rows against the expression at random points
N_PROBES = 3
MET, NEARLY = 1e-9, 1e-7  # relative; what whole choices, and those in part, may miss by rounding


@dataclass(frozen=True, eq=False)  # eq=False: a cvxpy constraint has no truth value
class Affine:
    """A cvxpy constraint, affine in the choice: ``<=``, ``>=`` or ``==``.

    The constraint must have one variable, the choice, with one element per option in the menu's
    order; its parameters count at their value when the plan is made.

    InputError if it is not affine, or not of one variable of the menu's length (from `rows`).

    Parameters
    ----------
    constraint
        Such as ``weights @ x <= 3`` with ``x = cvxpy.Variable(len(menu))``.
    name
        What messages call it; by default the constraint as cvxpy prints it.

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

        kind, kinds = type(self).__name__, cp.constraints
        one_sided = (kinds.Inequality, kinds.NonPos, kinds.NonNeg)
        if not isinstance(self.constraint, (*one_sided, kinds.Equality, kinds.Zero)):
            raise InputError(
                f"{kind}: the constraint must be a cvxpy <=, >= or ==, "
                f"got {type(self.constraint).__name__}; write it as expression <= number"
            )
        self._check_curvature(self.constraint.expr)
        if len(self.constraint.variables()) != 1:
            raise InputError(
                f"{kind}: {self} must have one variable, the choice, "
                f"got {len(self.constraint.variables())}; write it in terms of one x"
            )
        object.__setattr__(self, "name", self.name or str(self.constraint))

    def __str__(self) -> str:
        return self.name or str(self.constraint)

    def _check_curvature(self, expression: Any) -> None:
        if not expression.is_affine():
            raise InputError(
                f"Affine: {self} must be affine in the choice, got a "
                f"{expression.curvature.lower()} expression; bound it by linear pieces"
            )

    def rows(self, menu: Menu) -> Rows:
        """Return the rows of the expression, read off its gradient and checked at random points."""
        offset, matrix = self._read(menu, np.zeros(len(menu)))
        rng = np.random.default_rng(0)
        for point in rng.uniform(size=(N_PROBES, len(menu))):
            want = self._read(menu, point, slope=False)[0]
            got = matrix @ point + offset
            size = np.abs(matrix) @ np.abs(point) + np.abs(offset)
            if not np.isfinite(want).all() or (np.abs(got - want) > RELATIVE_ERROR * size).any():
                raise InputError(
                    f"Affine: {self} could not be read as linear rows; "
                    "give its parameters finite values and write it as matrix @ x <= numbers"
                )
        # of ``matrix @ x``, given ``expression = matrix @ x + offset``
        sign, free = self._sign, np.full(len(offset), np.inf)
        lower, upper = -free if sign > 0 else -offset, free if sign < 0 else -offset
        return self._as_rows(matrix, lower, upper)

    def _as_rows(self, matrix: Any, lower: Array, upper: Array) -> Rows:
        n = len(upper)
        names = (str(self),) if n == 1 else tuple(f"{self} [{row}]" for row in range(n))
        return Rows(matrix=matrix, lower=lower, upper=upper, names=names, n_extra=0, n_continuous=0)

    def _read(self, menu: Menu, point: Array, slope: bool = True) -> tuple[Array, Any]:
        """Return the expression and its gradient (n_rows, n_options) at a choice."""
        kind, (choice,) = type(self).__name__, self.constraint.variables()
        if choice.shape not in ((len(menu),), (len(menu), 1)):
            raise InputError(
                f"{kind}: {self}: the choice must have one element for each of the "
                f"{len(menu)} options of the menu, got shape {choice.shape}"
            )
        kept, expression = choice.value, self.constraint.expr
        try:
            choice.value = point.reshape(choice.shape)
            value = _flat(expression.value, kind)
            gradient: Any = expression.grad[choice] if slope else np.zeros((1, 1))
            if gradient is None:
                raise InputError(
                    f"{kind}: {self} must have a slope at every choice from 0 to 1, but it has "
                    "none at one; write it with functions that do not end or stand upright there"
                )
            # cvxpy's gradient is (n_options, n_rows), scipy sparse or a number
            return value, sparse.csr_matrix(gradient).T.tocsr()
        finally:
            choice.value = kept

    @property
    def _sign(self) -> Literal[1, 0, -1]:
        """1 where the expression is at most 0, -1 where it is at least 0, 0 where it is 0."""
        import cvxpy as cp

        if isinstance(self.constraint, (cp.constraints.Equality, cp.constraints.Zero)):
            return 0
        return -1 if isinstance(self.constraint, cp.constraints.NonNeg) else 1


@dataclass(frozen=True, eq=False)  # eq=False: a cvxpy constraint has no truth value
class ConvexLimit(Affine):
    """A cvxpy constraint, convex in the choice, such as ``cvxpy.norm(matrix @ x) <= 3``.

    g(x) ≤ 0 with g convex asks g(a) + g′(a)·(x − a) ≤ 0 for every a: rows that every choice
    within it meets. They are added where a choice breaks it, so `Certified` keeps it exactly;
    `Convex` hands it to the solver as it stands.

    InputError if it is not convex by cvxpy's rules, not of one variable of the menu's length, or
    without a slope somewhere (from `rows` and `cuts`).

    Parameters
    ----------
    constraint
        A convex expression ``<=`` a concave one, of one variable; see `Affine`.
    name
        What messages call it; by default the constraint as cvxpy prints it.

    Examples
    --------
    >>> import cvxpy as cp
    >>> x = cp.Variable(3, name="x")
    >>> print(ConvexLimit(cp.norm(x) <= 1.5, name="not all at once"))
    not all at once
    """

    def _check_curvature(self, expression: Any) -> None:
        if not self.constraint.is_dcp():
            raise InputError(
                f"ConvexLimit: {self} must be convex in the choice by cvxpy's rules, got a "
                f"{expression.curvature.lower()} expression where it must be at most 0; write "
                "convex <= concave"
            )

    def rows(self, menu: Menu) -> Rows:
        """Return the tangent at one half of every option."""
        return self.tangent(menu, np.full(len(menu), 0.5))

    def cuts(self, menu: Menu, x: Array) -> Rows | None:
        """Return the tangent at a choice that breaks it, or None."""
        value = (self._sign or 1) * self._read(menu, x, slope=False)[0]
        whole = bool((np.minimum(x, 1.0 - x) <= MET).all())
        at_rest = np.abs(self._read(menu, np.zeros(len(menu)), slope=False)[0])
        over = value > (MET if whole else NEARLY) * np.maximum(at_rest, np.abs(value))
        return self.tangent(menu, x) if over.any() else None

    def tangent(self, menu: Menu, x: Array) -> Rows:
        """Return rows that every choice within it meets, exact at x."""
        (value, gradient), sign = self._read(menu, x), self._sign or 1
        upper = sign * (gradient @ x - value)
        return self._as_rows(sign * gradient, np.full(len(value), -np.inf), upper)

    def conic(self, x: Any) -> list[Any]:
        """Return it as cvxpy constraints of the choice `x`, of shape (n_options,)."""
        import cvxpy as cp

        (choice,) = self.constraint.variables()
        return [self.constraint, cp.vec(choice, order="C") == x]


def of_cvxpy(constraint: Any) -> Affine:
    """Return a cvxpy constraint as the limit it is, affine or convex."""
    expression = getattr(constraint, "expr", None)
    bent = expression is not None and not expression.is_affine()
    return (ConvexLimit if bent else Affine)(constraint)


def _flat(value: Any, kind: str) -> Any:
    """Return a cvxpy value as a vector, in cvxpy's (column-major) order."""
    if value is None:
        raise InputError(
            f"{kind}: every parameter must have a value before the plan is made, "
            "but one has none; set parameter.value"
        )
    dense = value.toarray() if hasattr(value, "toarray") else value  # sparse or not
    return np.asarray(dense, dtype=np.float64).ravel(order="F")
