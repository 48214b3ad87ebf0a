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
from typing import TYPE_CHECKING, Any

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.draws import chosen_draws
from evalfolio.objectives.criteria import Criteria
from evalfolio.objectives.drawn import DrawnVariance
from evalfolio.objectives.knowledge import DrawnKnowledge, Knowledge
from evalfolio.objectives.terms import Believed, Evsi, TailValue, Term
from evalfolio.objectives.total import Tail, Total
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.stand_in import stand_in_of
from evalfolio.value.worth import Worth

if TYPE_CHECKING:
    from evalfolio.objectives.floor import ObjectiveFloor


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms (`evalfolio.objectives.terms`).

    Build it from `evsi()`, `variance()`, `wrong_calls()`, `log_determinant()`, `tail_value()`;
    objectives add and take a weight above 0, and ``objective >= amount`` is a constraint.

    Parameters
    ----------
    parts
        The terms, each with its weight.
    weights
        How much each decision counts, by name; 1 by default, 0 for not at all.

    Raises
    ------
    InputError
        If a weight is not above 0 and finite, objectives that add weight decisions otherwise, or
        an objective is asked to be at most an amount.

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
        from evalfolio.objectives.floor import ObjectiveFloor

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

        Raises
        ------
        InputError
            If a weight is of no decision, or a tail needs draws the menu has not.
        """
        stand_ins = [stand_in_of(menu, decision) for decision in menu.decisions]
        uneven = any(each is not None for each in stand_ins)
        # The second row of `Knowledge` is what values are functions of.
        explained = Knowledge(menu) if uneven else ExplainedVariance(menu)
        second = len(menu.decisions) if uneven else 0
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
        values = [DecisionValue.of(menu, decision) for decision in menu.decisions]
        believed = list(map(Believed, values, map(float, explained.prior), stand_ins))
        worths: list[Worth] = []
        rows: list[int] = []
        for term in self.parts:
            if not isinstance(term, TailValue):
                worths += term.worths(weights, believed)
                rows += term.rows(len(names), second)
        plain = np.arange(len(worths))
        drawn, tails = [], []
        for term in self.parts:
            if isinstance(term, TailValue):
                kind = DrawnKnowledge if uneven else DrawnVariance
                variances = kind(menu, information_draws(menu, term.n_draws))
                shape = (variances.n_draws, len(names))
                places = len(worths) + np.arange(shape[0] * shape[1]).reshape(shape)
                # One object per decision for all draws: its tables are made once.
                worths += term.worths(weights, believed) * variances.n_draws
                tails.append(Tail(places, term.share))
                drawn.append(variances)
        total = Total(plain, tuple(tails))
        if self.parts == (Evsi(),) and not self.weights and not uneven:
            return worths, explained, total
        return worths, Criteria(explained, np.array(rows, dtype=np.intp), tuple(drawn)), total


def information_draws(menu: Menu, n_draws: int | None = None) -> Any:
    """Return draws of the information, all or so many evenly spaced ones.

    InputError if the menu has none or too few.
    """
    draws = menu.information_draws
    if draws is None or not len(draws):
        raise InputError(
            "the objective 'tail' needs a menu with information_draws, but this one has none; "
            "make the menu with draws, or choose 'evsi'"
        )
    if n_draws is None:
        return draws
    if not 1 <= n_draws <= len(draws):
        raise InputError(f"n_draws must lie between 1 and the menu's {len(draws)}, got {n_draws}")
    return draws[chosen_draws(len(draws), n_draws)]
