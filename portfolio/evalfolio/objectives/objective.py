"""What a choice is for: objectives that add, scale and compare.

Every objective is made of nondecreasing functions of quantities that are concave in the choice
(the variance explained of each decision's y, at mean information or by draw, or the
log-determinant of the information): their sum, or the mean over the draws where that sum is
worst. Where a decision's elicitation gap is skewed its value is of an index of what is known
instead (`evalfolio.value.skew`). The certified method, greedy and `evaluate` treat them all alike;
`evalfolio.search.convex.expression` gives the concave over-estimate that convex solvers take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.draws import chosen_draws
from evalfolio.objectives.criteria import LOG_DETERMINANT, Criteria
from evalfolio.objectives.drawn import DrawnVariance
from evalfolio.objectives.knowledge import DrawnKnowledge, Knowledge
from evalfolio.objectives.total import Tail, Total
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.stand_in import StandIn, stand_in_of
from evalfolio.value.worth import FewerWrongCalls, Proportional, Worth

if TYPE_CHECKING:
    from evalfolio.objectives.floor import ObjectiveFloor


@dataclass(frozen=True)
class Part:
    """One term of an objective: a name, its weight and, for a tail, which draws it is of."""

    name: str
    weight: float = 1.0
    share: float = 1.0
    n_draws: int | None = None

    def __str__(self) -> str:
        name = self.name
        if name == "tail":
            name = f"tail({self.share:g})"
        return name if self.weight == 1 else f"{self.weight:g} * {name}"


@dataclass(frozen=True)
class Objective:
    """A weighted sum of parts: "evsi", "variance", "wrong-calls", "log-determinant", "tail".

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

    parts: tuple[Part, ...]
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
        scaled = (Part(p.name, p.weight * factor, p.share, p.n_draws) for p in self.parts)
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
        worths: list[Worth] = []
        rows: list[int] = []
        for part in self.parts:
            if part.name == "log-determinant":
                worths.append(Proportional(part.weight))
                rows.append(LOG_DETERMINANT)
            elif part.name != "tail":
                worths += self._worths(part, menu, explained, stand_ins)
                first = second if part.name == "evsi" else 0
                rows += range(first, first + len(names))
        plain = np.arange(len(worths))
        drawn, tails = [], []
        for part in self.parts:
            if part.name != "tail":
                continue
            kind = DrawnKnowledge if uneven else DrawnVariance
            variances = kind(menu, information_draws(menu, part.n_draws))
            shape = (variances.n_draws, len(names))
            first = len(worths)
            # One object per decision for all draws: its tables are made once.
            worths += self._worths(part, menu, explained, stand_ins) * variances.n_draws
            tails.append(Tail(first + np.arange(shape[0] * shape[1]).reshape(shape), part.share))
            drawn.append(variances)
        total = Total(plain, tuple(tails))
        if self.parts == (Part("evsi"),) and not self.weights and not uneven:
            return worths, explained, total
        return worths, Criteria(explained, np.array(rows, dtype=np.intp), tuple(drawn)), total

    def _worths(
        self,
        part: Part,
        menu: Menu,
        explained: ExplainedVariance,
        stand_ins: Sequence[StandIn | None],
    ) -> list[Worth]:
        """Return the part's function of every decision, its weight inside."""
        found: list[Worth] = []
        for d, decision in enumerate(menu.decisions):
            weight = part.weight * self.weights.get(decision.name, 1.0)
            if weight == 0:  # a decision that does not count
                found.append(Proportional(0.0, 0.0))
                continue
            value = DecisionValue.of(menu, decision)
            if part.name == "wrong-calls":
                found.append(FewerWrongCalls(value.distance, value.variance, weight))
            elif part.name == "variance":
                found.append(Proportional(weight, float(explained.prior[d])))
            elif (stand_in := stand_ins[d]) is not None:
                found.append(stand_in.worth.scaled(weight))
            else:
                missed, false_alarm = weight * value.loss_missed, weight * value.loss_false_alarm
                found.append(DecisionValue(value.distance, value.variance, missed, false_alarm))
        return found


def information_draws(menu: Menu, n_draws: int | None = None) -> Any:
    """Return draws of the information, all or so many evenly spaced ones.

    Raises
    ------
    InputError
        If the menu has none or too few.
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
