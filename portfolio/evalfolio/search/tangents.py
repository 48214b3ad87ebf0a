"""The tangents of the explained variances that a search has found, held as one growing table."""

import numpy as np
from numpy.typing import NDArray

from evalbayes.arrays import Array, Flags


class Tangents:
    """Rows ``weights · x + v_of <= limits``; a row of no quantity (-1) speaks of the choice alone.

    `idle` counts the programmes since a row last had a price.
    """

    def __init__(self, n_choice: int) -> None:
        self._n = 0
        self._rows = np.zeros((64, n_choice))
        self._limits = np.zeros(64)
        self._of = np.zeros(64, dtype=np.int_)
        self._idle = np.zeros(64, dtype=np.int_)

    def __len__(self) -> int:
        return self._n

    @property
    def idle(self) -> NDArray[np.int_]:
        """Programmes since a row last had a price, of shape (n_rows,)."""
        return self._idle[: self._n]

    @property
    def rows(self) -> Array:
        """Weights on options and then shared purchases, of shape (n_rows, n_choice)."""
        return self._rows[: self._n]

    @property
    def limits(self) -> Array:
        """Right-hand sides, of shape (n_rows,)."""
        return self._limits[: self._n]

    @property
    def of(self) -> NDArray[np.int_]:
        """Position of each row's quantity, or -1, of shape (n_rows,)."""
        return self._of[: self._n]

    def add(self, rows: Array, limits: Array, of: NDArray[np.int_]) -> None:
        """Add rows; room doubles when it runs out, as copying all for every row would not do."""
        end = self._n + len(limits)
        while end > len(self._limits):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._limits = np.concatenate([self._limits, np.zeros_like(self._limits)])
            self._of = np.concatenate([self._of, np.zeros_like(self._of)])
            self._idle = np.concatenate([self._idle, np.zeros_like(self._idle)])
        self._rows[self._n : end], self._limits[self._n : end] = rows, limits
        self._of[self._n : end], self._idle[self._n : end] = of, 0
        self._n = end

    def keep(self, which: Flags) -> None:
        """Drop all other rows."""
        kept = int(which.sum())
        for table in (self._rows, self._limits, self._of, self._idle):
            table[:kept] = table[: self._n][which]
        self._n = kept

    def used(self, priced: Flags) -> None:
        """Note which rows had a price in a programme."""
        self._idle[: self._n] += 1
        self._idle[: self._n][priced] = 0

    def priced(self, prices: Array, reduced: Array, first_quantity: int) -> float:
        """Take prices · rows off the reduced costs, in place, and return prices · limits.

        Prices are 0 or more, (n_rows,); columns are options first, then quantities.
        """
        used = np.flatnonzero(prices)
        if not len(used):
            return 0.0
        price = prices[used]
        reduced[: self._rows.shape[1]] -= price @ self._rows[used]
        of = self._of[used]
        np.subtract.at(reduced, first_quantity + of[of >= 0], price[of >= 0])
        return float(price @ self._limits[used])
