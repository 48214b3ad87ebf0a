"""What a choice is for: objectives that add, scale and compare.

Every objective is made of nondecreasing functions of quantities that are concave in the choice
(the variance explained of each decision's y, at mean information or by draw, or the
log-determinant of the information): their sum, or the mean over the draws where that sum is
worst. Where a decision's elicitation gap is skewed its value is of an index of what is known
instead (`evalfolio.value.skew`). The certified method, greedy and `evaluate` treat them all alike;
`evalfolio.search.convex.expression` gives the concave over-estimate that convex solvers take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits.rows import Row, Rows, other_than, stack
from evalfolio.objectives.criteria import Criteria
from evalfolio.objectives.terms import Believed, Term
from evalfolio.objectives.total import Total
from evalfolio.value.envelope import envelope_lines
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.worth import Proportional, Worth

MET = 1e-9  # relative; what a choice may miss by rounding
WHOLE = 1e-9


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms (`evalfolio.objectives.terms`).

    Build it from `evsi()`, `variance()`, `wrong_calls()`, `log_determinant()`, `tail_value()`;
    objectives add and take a weight above 0, and ``objective >= amount`` is a constraint.

    InputError if a weight is not above 0 and finite, objectives that add weight decisions
    otherwise, or an objective is asked to be at most an amount.

    Parameters
    ----------
    parts
        The terms, each with its weight.
    weights
        How much each decision counts, by name; 1 by default, 0 for not at all.

    Examples
    --------
    >>> from evalfolio.objectives import evsi, variance, wrong_calls
    >>> evsi() + 2 * wrong_calls()
    evsi + 2 * wrong-calls
    >>> print(variance() >= 1.5)
    variance is at least 1.5
    """

    parts: tuple[Term, ...]
    weights: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: object) -> Objective:
        if not isinstance(other, Objective):
            return NotImplemented
        if self.weights and other.weights and self.weights != other.weights:
            raise InputError(
                "objectives that add must weight decisions alike, "
                f"got {self.weights} and {other.weights}; give one set of weights"
            )
        return Objective(self.parts + other.parts, self.weights or other.weights)

    def __mul__(self, factor: object) -> Objective:
        if not isinstance(factor, (int, float)):
            return NotImplemented
        if not 0 < factor < np.inf:
            raise InputError(
                f"an objective's weight must be above 0 and finite, got {factor:g}; "
                "more information is never worse"
            )
        scaled = (replace(term, weight=term.weight * factor) for term in self.parts)
        return Objective(tuple(scaled), self.weights)

    __rmul__ = __mul__

    def __ge__(self, amount: object) -> ObjectiveFloor:
        if not isinstance(amount, (int, float)):
            return NotImplemented
        return ObjectiveFloor(self, float(amount))

    def __le__(self, amount: object) -> ObjectiveFloor:
        raise InputError(
            f"an objective can be asked to be at least an amount, not at most ({self} <= {amount}):"
            " more information is never worse; write objective >= amount, or limit what is spent"
        )

    __lt__ = __gt__ = __le__

    def __repr__(self) -> str:
        return " + ".join(map(str, self.parts))

    def __hash__(self) -> int:
        return hash((self.parts, tuple(sorted(self.weights.items()))))

    def on(self, menu: Menu) -> tuple[list[Worth], Criteria | ExplainedVariance, Total]:
        """Return the functions, the quantities they are of and how they add up, for a menu.

        InputError if a weight is of no decision, or a tail needs draws the menu has not.
        """
        wrong = [name for name, weight in self.weights.items() if not 0 <= weight < np.inf]
        if wrong:
            raise InputError(
                f"objective: the weight of {wrong[0]!r} must be 0 or more and finite, "
                f"got {self.weights[wrong[0]]!r}"
            )
        names = [decision.name for decision in menu.decisions]
        unknown = sorted(set(self.weights) - set(names))
        if unknown:
            raise InputError(
                f"objective: a weight must be of one of {', '.join(names)}, got {unknown[0]!r}"
            )
        weights = [self.weights.get(name, 1.0) for name in names]
        believed = [Believed.of(menu, decision) for decision in menu.decisions]
        worths: list[Worth] = []
        quantities, plain, tails = [], [np.zeros(0, dtype=np.intp)], []
        for term in self.parts:
            own, functions = term.quantities(menu), term.worths(weights, believed)
            # One object per decision for all draws: its tables are made once.
            copies = len(own.ceilings) // len(functions)
            places = len(worths) + np.arange(copies * len(functions)).reshape(copies, -1)
            worths += functions * copies
            quantities.append(own)
            tail = term.tail(places)
            if tail is None:
                plain.append(places[0])
            else:
                tails.append(tail)
        total = Total(np.concatenate(plain), tuple(tails))
        return worths, quantities[0] if len(quantities) == 1 else Criteria(quantities), total


@dataclass(frozen=True)
class ObjectiveFloor:
    """An objective is at least so much: ``variance() >= 1.5``, ``evsi() >= 100_000``.

    The objective's concave over-estimate (the envelope of an S-shaped value) gives linear rows that
    hold for every choice within the limit; they are added where a choice breaks it. A whole choice
    that the over-estimate lets through, but that is worth too little, is ruled out by name.
    InputError if the amount is negative or not a number.

    >>> from evalfolio.objectives import evsi
    >>> print(evsi() >= 3)
    evsi is at least 3
    """

    objective: Objective  # what is held
    at_least: float  # amount in the objective's own unit, 0 or more

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
        weights, least = other_than(x)
        return stack(menu, [Row(weights, least, np.inf, str(self))])

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
