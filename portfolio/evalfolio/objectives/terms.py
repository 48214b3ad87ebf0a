"""The terms of an objective: which quantity of every decision each is of, and what that is worth.

The formulas stand with the functions that make objectives of them (`evalfolio.objectives`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from evalfolio.objectives.criteria import LOG_DETERMINANT
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.stand_in import StandIn
from evalfolio.value.worth import FewerWrongCalls, Proportional, Worth


class Believed(NamedTuple):
    """What a term is told of a decision: its value, the variance of y, and a skewed gap's index."""

    value: DecisionValue
    variance: float
    stand_in: StandIn | None


@dataclass(frozen=True)
class Term:
    """A weighted sum over decisions of a nondecreasing function of v_d, the variance explained.

    One of your own gives `name` and `worth`, and is planned for by ``Objective((Own(),))``.
    """

    name: ClassVar[str]
    weight: float = 1.0

    def worth(self, weight: float, of: Believed) -> Worth:
        """Return the function of one decision's quantity, this weight inside."""
        raise NotImplementedError

    def rows(self, n_decisions: int, indices: int) -> Sequence[int]:
        """Return which quantities it is of; what values are functions of starts at `indices`."""
        return range(n_decisions)

    def worths(self, weights: Sequence[float], decisions: Sequence[Believed]) -> list[Worth]:
        """Return the function of every quantity; a decision of weight 0 does not count."""
        return [
            self.worth(self.weight * weight, of) if weight else Proportional(0.0, 0.0)
            for weight, of in zip(weights, decisions, strict=True)
        ]

    def __str__(self) -> str:
        return self.name if self.weight == 1 else f"{self.weight:g} * {self.name}"


class Evsi(Term):
    """Expected value of sample information, of v_d or of the index where a gap is skewed."""

    name = "evsi"

    def worth(self, weight: float, of: Believed) -> Worth:
        """Return G, or the stand-in for it."""
        if of.stand_in is not None:
            return of.stand_in.worth.scaled(weight)
        missed, false_alarm = weight * of.value.loss_missed, weight * of.value.loss_false_alarm
        return DecisionValue(of.value.distance, of.value.variance, missed, false_alarm)

    def rows(self, n_decisions: int, indices: int) -> Sequence[int]:
        """Return what values are functions of."""
        return range(indices, indices + n_decisions)


@dataclass(frozen=True)
class TailValue(Evsi):
    """The same over the worst share of `n_draws` draws (all by default): its mean there."""

    share: float = 1.0
    n_draws: int | None = None

    def __str__(self) -> str:
        return super().__str__().replace(self.name, f"tail({self.share:g})")


class Variance(Term):
    """Variance explained."""

    name = "variance"

    def worth(self, weight: float, of: Believed) -> Worth:
        """Return weight · v."""
        return Proportional(weight, of.variance)


class WrongCalls(Term):
    """Fall of the probability of a wrong call."""

    name = "wrong-calls"

    def worth(self, weight: float, of: Believed) -> Worth:
        """Return the fall as a function of v."""
        return FewerWrongCalls(of.value.distance, of.value.variance, weight)


class LogDeterminant(Term):
    """Log-determinant of the information, one quantity whatever the decisions."""

    name = "log-determinant"

    def rows(self, n_decisions: int, indices: int) -> Sequence[int]:
        """Return the place that stands for it."""
        return [LOG_DETERMINANT]

    def worths(self, weights: Sequence[float], decisions: Sequence[Believed]) -> list[Worth]:
        """Return its weight, however decisions are weighted."""
        return [Proportional(self.weight)]
