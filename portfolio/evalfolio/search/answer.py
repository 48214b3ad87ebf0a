"""What a search finds: a choice, a bound on every other, and what may be claimed of the two."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

import numpy as np

from evalbayes.arrays import Array
from evalfolio.search.box import Branch
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question


class Status(StrEnum):
    """How a search ended.

    Examples
    --------
    >>> print(Status.TIME_LIMIT, "-", Status.TIME_LIMIT.cure)
    time limit - give it more time, or ask for a wider gap
    """

    meaning: str
    """What it says of value, bound and gap."""
    cure: str
    """What to do about it; nothing where all is well."""

    def __new__(cls, value: str, meaning: str = "", cure: str = "") -> Self:
        """Return the status of these words."""
        made = str.__new__(cls, value)
        made._value_, made.meaning, made.cure = value, meaning, cure
        return made

    CERTIFIED = "certified", "no mix within the limits beats it by more than the gap asked for"
    TIME_LIMIT = (
        "time limit",
        "time ran out; bound and gap are honest, but the gap is wider than asked for",
        "give it more time, or ask for a wider gap",
    )
    STALLED = (
        "stalled",
        "the search could not close the gap; bound and gap are honest, but the gap is wider than "
        "asked for",
        "ask for a wider gap",
    )
    UNCERTIFIED = (
        "uncertified",
        "the bound failed its check against a known value, so no gap is claimed; the bound given "
        "is what running every option that fits by itself would be worth",
        "state costs and losses in units of like size, and report the case",
    )
    GREEDY = (
        "greedy",
        "no search for the best; the bound is what running every option that fits by itself would "
        "be worth",
        "search with the method certified",
    )
    CONVEX = (
        "convex",
        "a mix near the best split with options bought in part; bound and gap, which are that "
        "split's, are honest",
        "search with the method certified",
    )
    INFEASIBLE = "infeasible", "no choice meets all limits", "loosen one of the limits that clash"


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Answer:
    """A choice, its value, a bound on every choice's value, and how the search ended."""

    problem: Problem  # what was searched
    x: Array  # the choice, of zeros and ones, of shape (n_options,)
    value: float  # value, bound: in the unit of the objective
    bound: float
    status: Status  # how the search ended
    prices: dict[str, float]  # value of one more unit of each limited resource that can be spent
    rounds: int = 0  # boxes looked at
    shares: Array | None = None  # what `Convex` buys of every option, in part, (n_options,)
    tree: Branch | None = None  # of the parts of the menu that prove its bound

    @property
    def gap(self) -> float | None:
        """(bound − value)/max(|bound|, 1e-12·EVPI), 0 if both are 0; None without a certificate."""
        if self.status == Status.UNCERTIFIED:
            return None
        evpi = self.problem.evpi
        least = 1e-12 * evpi if np.isfinite(evpi) else 0.0
        return (self.bound - self.value) / max(abs(self.bound), least, 1e-300)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the chosen options, in the menu's order."""
        return tuple(str(name) for name in self.problem.menu.options.index[self.x > 0.5])


class Method(Protocol):
    """A way of searching, as a value: `Certified`, `Greedy`, `Convex`."""

    def find(self, question: Question) -> Answer:
        """Return the choice it finds.

        InfeasibleError if no choice meets all limits; the text names a smallest clash and what
        mends it.
        """

    def roughly(self, gap: float, seconds: float) -> Self:
        """Return it for plans that stand beside another: at least this gap, at most so long."""
