"""One linear row over the choice and its extra variables, and how rows become limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evalbayes import Menu
from evalfolio.limits.rows import LinearLimits


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Row:
    """``lower <= coefficients · x + sum_k extra[k] w_k <= upper``, with a name for messages.

    Parameters
    ----------
    coefficients
        Weight of every option, of shape (n_options,).
    lower, upper
        Bounds; infinite where there is none.
    name
        The limit in words.
    extra
        Weight of each extra variable, by its position after the options.
    """

    coefficients: NDArray[np.float64]
    lower: float
    upper: float
    name: str
    extra: dict[int, float] = field(default_factory=dict)


def stack(menu: Menu, rows: Sequence[Row], n_extra: int = 0, n_continuous: int = 0) -> LinearLimits:
    """Return the rows as limits over [x; binaries; continuous], of the menu's options."""
    n_options, n_variables = len(menu), len(menu) + n_extra + n_continuous
    dense = np.zeros((len(rows), n_variables))
    for position, row in enumerate(rows):
        dense[position, :n_options] = row.coefficients
        for variable, weight in row.extra.items():
            dense[position, n_options + variable] = weight
    return LinearLimits(
        matrix=sparse.csr_matrix(dense),
        lower=np.array([row.lower for row in rows], dtype=np.float64),
        upper=np.array([row.upper for row in rows], dtype=np.float64),
        names=tuple(row.name for row in rows),
        n_extra=n_extra,
        n_continuous=n_continuous,
    )


def indicator(menu: Menu, positions: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return 1 at the given options and 0 elsewhere, of shape (n_options,)."""
    weights = np.zeros(len(menu))
    weights[positions] = 1.0
    return weights
