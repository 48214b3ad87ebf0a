"""The seam between limits and search: linear rows over the choice and extra variables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from evalbayes import Menu
from evalbayes.arrays import Array, Positions
from evalfolio.errors import InputError


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Row:
    """``lower <= coefficients · x + sum_k extra[k] w_k <= upper``, with a name for messages."""

    coefficients: Array  # of every option, (n_options,), perhaps with every shared purchase after
    lower: float  # lower, upper: bounds; infinite where there is none
    upper: float
    name: str  # the limit in words
    extra: dict[int, float] = field(default_factory=dict)  # weights, by position after these


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Rows:
    """The rows of one limit: ``lower <= matrix @ [x; w; u] <= upper``.

    InputError if shapes do not agree or a weight is not finite.
    """

    # weights of the choice x (n_options binaries, and the shared purchases after them where the
    # limit speaks of these), the extra binaries w and the extra continuous variables u >= 0, in
    # this order; sparse rows, of shape (n_rows, n_choice + n_extra + n_continuous)
    matrix: sparse.csr_matrix
    # lower, upper: bounds of the rows, infinite where there is none, of shape (n_rows,)
    lower: Array
    upper: Array
    names: tuple[str, ...]  # what messages call each row
    n_extra: int = 0  # number of extra binaries
    n_continuous: int = 0  # number of extra continuous variables, 0 or more without upper bound

    def __post_init__(self) -> None:
        n_rows, n_columns = self.matrix.shape
        lengths = {len(self.lower), len(self.upper), len(self.names)}
        if lengths != {n_rows} or self.n_extra + self.n_continuous > n_columns:
            raise InputError(
                f"limits: lower, upper and names must have one entry for each of {n_rows} rows "
                f"and the matrix a column per variable, got lengths {sorted(lengths)} and "
                f"{n_columns} columns"
            )
        if not np.isfinite(self.matrix.data).all():
            row = int(np.argwhere(~np.isfinite(self.matrix.toarray()))[0][0])
            raise InputError(
                f"limits: the weights of {self.names[row]!r} must be finite; mend the limit"
            )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def n_choice(self) -> int:
        """Number of options, and of shared purchases if any, that the rows speak of."""
        return int(self.matrix.shape[1]) - self.n_extra - self.n_continuous


def stack(menu: Menu, rows: Sequence[Row], n_extra: int = 0, n_continuous: int = 0) -> Rows:
    """Return rows over [x; binaries; continuous] of the menu's options as one limit's."""
    n_choice = len(menu.whole)
    dense = np.zeros((len(rows), n_choice + n_extra + n_continuous))
    for position, row in enumerate(rows):
        dense[position, : len(row.coefficients)] = row.coefficients
        for variable, weight in row.extra.items():
            dense[position, n_choice + variable] = weight
    bounds = np.array([(row.lower, row.upper) for row in rows], dtype=np.float64).reshape(-1, 2)
    (lower, upper), names = bounds.T, tuple(row.name for row in rows)
    return Rows(sparse.csr_matrix(dense), lower, upper, names, n_extra, n_continuous)


def indicator(menu: Menu, positions: Positions) -> Array:
    """Return 1 at the given options and 0 elsewhere, of shape (n_options,)."""
    weights = np.zeros(len(menu))
    weights[positions] = 1.0
    return weights


def other_than(binaries: Array) -> tuple[Array, float]:
    """Return weights and lower bound of the row that only this whole choice breaks.

    >>> weights, least = other_than(np.array([1.0, 0.0]))
    >>> weights.tolist(), least
    ([-1.0, 1.0], 0.0)
    """
    ones = binaries > 0.5
    return np.where(ones, -1.0, 1.0), 1.0 - float(ones.sum())
