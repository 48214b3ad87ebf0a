"""The tangents of the explained variances that a search has found, held as one growing table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.arrays import Array, Flags


class Tangents:
    """Rows ``weights · x + v_of <= limits``; a row of no quantity (-1) speaks of the choice alone.

    `rows` are the weights on options and then shared purchases, (n_rows, n_choice), `of` the
    position of each row's quantity, and `idle` counts the programmes since it last had a price.
    """

    rows: Array
    limits: Array
    of: NDArray[np.int_]
    idle: NDArray[np.int_]

    def __init__(self, n_choice: int) -> None:
        none = np.zeros(64, dtype=np.int_)
        self._room: list[Any] = [np.zeros((64, n_choice)), np.zeros(64), none, none.copy()]
        self._show(0)

    def _show(self, n: int) -> None:
        self.rows, self.limits, self.of, self.idle = (table[:n] for table in self._room)

    def __len__(self) -> int:
        return len(self.limits)

    def add(self, rows: Array, limits: Array, of: NDArray[np.int_]) -> None:
        """Add rows; room doubles when it runs out, as copying all for every row would not do."""
        start, end = len(self), len(self) + len(limits)
        while end > len(self._room[1]):
            self._room = [np.concatenate([table, np.zeros_like(table)]) for table in self._room]
        for table, fresh in zip(self._room, (rows, limits, of, 0), strict=True):
            table[start:end] = fresh
        self._show(end)

    def keep(self, which: Flags) -> None:
        """Drop all other rows."""
        kept = int(which.sum())
        for table in self._room:
            table[:kept] = table[: len(which)][which]
        self._show(kept)

    def used(self, priced: Flags) -> None:
        """Note which rows had a price in a programme."""
        self.idle += 1
        self.idle[priced] = 0

    def priced(self, prices: Array, reduced: Array, first_quantity: int) -> float:
        """Take prices · rows off the reduced costs, in place, and return prices · limits.

        Prices are 0 or more, (n_rows,); columns are options first, then quantities.
        """
        used = np.flatnonzero(prices)
        if not len(used):
            return 0.0
        price = prices[used]
        reduced[: self.rows.shape[1]] -= price @ self.rows[used]
        of = self.of[used]
        np.subtract.at(reduced, first_quantity + of[of >= 0], price[of >= 0])
        return float(price @ self.limits[used])
