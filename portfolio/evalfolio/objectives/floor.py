"""An objective held at or above an amount, as a constraint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits.rows import Row, Rows, stack
from evalfolio.objectives.objective import Objective
from evalfolio.value.envelope import envelope_lines
from evalfolio.value.worth import Proportional

MET = 1e-9  # relative; what a choice may miss by rounding
WHOLE = 1e-9


@dataclass(frozen=True)
class ObjectiveFloor:
    """An objective is at least so much: ``variance() >= 1.5``, ``evsi() >= 100_000``.

    The objective's concave over-estimate (the envelope of an S-shaped value) gives linear rows that
    hold for every choice within the limit; they are added where a choice breaks it. A whole choice
    that the over-estimate lets through, but that is worth too little, is ruled out by name.
    InputError if the amount is negative or not a number.

    Parameters
    ----------
    objective
        What is held.
    at_least
        Amount in the objective's own unit, 0 or more.

    Examples
    --------
    >>> from evalfolio.objectives import evsi
    >>> print(evsi() >= 3)
    evsi is at least 3
    """

    objective: Objective
    at_least: float

    def __post_init__(self) -> None:
        if not 0 <= self.at_least < np.inf:
            raise InputError(
                f"an objective's floor must be a finite number, 0 or more, got {self.at_least!r}"
            )

    def __str__(self) -> str:
        return f"{self.objective} is at least {self.at_least:.6g}"

    def value(self, menu: Menu, x: Array) -> float:
        """Return the objective of a choice."""
        return _Estimate.of(self.objective, menu).value(x)

    def rows(self, menu: Menu) -> Rows:
        """Return the rows at no option and at all of them."""
        points = (np.zeros(len(menu)), np.ones(len(menu)))
        return stack(menu, [self._row(menu, x)[0] for x in points])

    def cuts(self, menu: Menu, x: Array) -> Rows | None:
        """Return a row that this choice breaks and every choice within the limit meets, or None."""
        row, estimate = self._row(menu, x)
        least = self.at_least * (1 - MET)
        if estimate < least:
            return stack(menu, [row])
        whole = np.abs(x - np.round(x)).max(initial=0.0) <= WHOLE
        if not whole or self.value(menu, np.round(x)) >= least:
            return None
        ones = x > 0.5
        weights = np.where(ones, -1.0, 1.0)
        return stack(menu, [Row(weights, 1.0 - float(ones.sum()), np.inf, str(self))])

    def _row(self, menu: Menu, x: Array) -> tuple[Row, float]:
        estimate, slope = _Estimate.of(self.objective, menu).tangent(x)
        least = self.at_least - estimate + float(slope @ x)
        return Row(slope, least, np.inf, str(self)), estimate


class _Estimate:
    """An objective's concave over-estimate and its tangents."""

    def __init__(self, objective: Objective, menu: Menu) -> None:
        self.values, self.quantities, self.total = objective.on(menu)
        top = self.quantities.at(np.ones(len(menu)))
        made: dict[int, tuple[Array, Array]] = {}
        for value in self.values:
            if id(value) not in made:
                alike = [t for v, t in zip(self.values, top, strict=True) if v is value]
                straight = isinstance(value, Proportional) or max(alike) <= 0
                if straight:
                    weight = value.weight if isinstance(value, Proportional) else 0.0
                    made[id(value)] = np.array([weight]), np.zeros(1)
                else:
                    made[id(value)] = envelope_lines(value, max(alike), 400)
        self.lines = [made[id(value)] for value in self.values]

    @staticmethod
    @lru_cache(maxsize=16)
    def of(objective: Objective, menu: Menu) -> _Estimate:
        return _Estimate(objective, menu)

    def value(self, x: Array) -> float:
        """Return the objective itself."""
        v = self.quantities.at(x)
        gains = [float(g.gain(part)) for g, part in zip(self.values, v, strict=True)]
        return float(self.total.of(np.array([gains]))[0])

    def tangent(self, x: Array) -> tuple[float, Array]:
        """Return the over-estimate at x and a supergradient there."""
        v, gradient = self.quantities.tangent(x)
        gains, slopes = np.zeros(len(v)), np.zeros(len(v))
        for q, (slope, height) in enumerate(self.lines):
            at = slope * v[q] + height
            least = int(at.argmin())
            gains[q], slopes[q] = at[least], slope[least]
        weight = self.total.weights(gains)
        return float(weight @ gains), (weight * slopes) @ gradient
