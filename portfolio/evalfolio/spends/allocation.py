"""An allocation: continuous spends, what they are worth, and the bound on what any would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Moment(NamedTuple):
    """What was known at a moment of a search: seconds since its start, best value, bound."""

    seconds: float
    value: float
    bound: float


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Allocation:
    """How the budget is split, and how good that is at best.

    Parameters
    ----------
    spend
        Spend of every item, of shape (n_items,).
    value, bound, gap
        Value of the spends, an upper bound on that of any split, and
        (bound - value)/max(|bound|, tiny).
    multiplier
        Value of one more unit of budget.
    n_evaluations
        How often the curves of all items were evaluated (value, slope or curvature).
    n_nodes
        Boxes of spends looked into; 1 where the curves are concave.
    trace
        How value and bound came together, a moment for every better answer; empty where the
        curves are concave, as the first answer then is the last. The first bounds are infinite.
    """

    spend: Array
    value: float
    bound: float
    multiplier: float
    n_evaluations: int
    n_nodes: int = 1
    trace: tuple[Moment, ...] = ()

    @property
    def gap(self) -> float:
        """Relative distance of the value from the bound."""
        return max(self.bound - self.value, 0.0) / max(abs(self.bound), 1e-300)
