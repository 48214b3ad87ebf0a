"""The seam between limits and optimiser: linear rows over the choice and extra variables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalfolio.errors import InputError


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class LinearLimits:
    """``lower <= matrix @ [x; w; u] <= upper``.

    Parameters
    ----------
    matrix
        Weights of the choice x (n_options binaries), the extra binaries w and the extra
        continuous variables u >= 0, in this order; sparse rows, of shape
        (n_rows, n_options + n_extra + n_continuous).
    lower, upper
        Bounds of the rows, infinite where there is none, of shape (n_rows,).
    names
        What messages call each row.
    n_extra
        Number of extra binaries.
    n_continuous
        Number of extra continuous variables, 0 or more without upper bound.

    Raises
    ------
    InputError
        If shapes do not agree or a weight is not finite.
    """

    matrix: sparse.csr_matrix
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    names: tuple[str, ...]
    n_extra: int = 0
    n_continuous: int = 0

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
    def n_options(self) -> int:
        """Number of options the rows speak of."""
        return int(self.matrix.shape[1]) - self.n_extra - self.n_continuous
