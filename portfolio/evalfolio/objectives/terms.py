"""The terms of an objective: which quantity of every decision each is of, and what that is worth.

The formulas stand with the functions that make objectives of them (`evalfolio.objectives`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from evalbayes import Decision, Menu
from evalbayes.arrays import Array, Positions
from evalfolio.errors import InputError
from evalfolio.limits.uncertain import spaced
from evalfolio.objectives.total import Tail
from evalfolio.value.explained import ExplainedVariance, InformationGain
from evalfolio.value.knowledge import Knowledge, knowledge
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.stand_in import StandIn, stand_in_of
from evalfolio.value.worth import FewerWrongCalls, Proportional, Worth


class Believed(NamedTuple):
    """What a term is told of a decision: its value, the variance of y, and a skewed gap's index."""

    value: DecisionValue
    variance: float
    stand_in: StandIn | None

    @classmethod
    def of(cls, menu: Menu, decision: Decision) -> "Believed":
        """Return what is believed of a menu's decision."""
        own = np.linalg.cholesky(menu.prior_covariance).T @ decision.contrast
        value = DecisionValue.of(menu, decision)
        return cls(value, float(own @ own), stand_in_of(menu, decision))


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

    def quantities(self, menu: Menu) -> ExplainedVariance:
        """Return the quantities it is of, one for each decision: v_d."""
        return ExplainedVariance(menu)

    def tail(self, places: Positions) -> Tail | None:
        """Return how worths become one figure where they are of draws, (n_draws, n_decisions)."""
        return None

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

    def quantities(self, menu: Menu) -> ExplainedVariance:
        """Return what values are functions of: u_d."""
        return knowledge(menu)


@dataclass(frozen=True)
class TailValue(Evsi):
    """The same over the worst share of `n_draws` draws (all by default): its mean there."""

    share: float = 1.0
    n_draws: int | None = None

    def quantities(self, menu: Menu) -> ExplainedVariance:
        """Return u_ds of every draw."""
        return Knowledge(menu, information_draws(menu, self.n_draws))

    def tail(self, places: Positions) -> Tail:
        """Return the mean of the worst draws."""
        return Tail(places, self.share)

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

    def quantities(self, menu: Menu) -> ExplainedVariance:
        """Return the log-determinant alone."""
        return InformationGain(menu)

    def worths(self, weights: Sequence[float], decisions: Sequence[Believed]) -> list[Worth]:
        """Return its weight, however decisions are weighted."""
        return [Proportional(self.weight)]


def information_draws(menu: Menu, n_draws: int | None = None) -> Array:
    """Return draws of the information, all or so many evenly spaced ones."""
    draws = menu.information_draws
    if draws is None or not len(draws):
        raise InputError(
            "the objective 'tail' needs a menu with information_draws, but this one has none; "
            "make the menu with draws, or choose 'evsi'"
        )
    return spaced(draws, n_draws)
