"""Budgets: how much of each resource there is, from the catalogue and the command line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

from evalbayes.tables.numerals import NotANumber, numeral
from evalfolio.errors import InputError
from evalfolio.limits.amount import in_words
from evalfolio.limits.group import nearest, refuse_other

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue

HOURS_PER_DAY = 24.0
MONEY = "usd"  # resources of this name, or that begin with it, are money


Contingency = float | Mapping[str, float]
"""A share of the money that is kept back, or the share of each resource named."""


@dataclass(frozen=True)
class Budget:
    """What is stated of a resource, and what is left of it to spend after contingency.

    >>> Budget(12_000.0, 0.1).spendable
    10800.0
    >>> print(Budget(12_000.0, 0.1).in_words("usd"))
    budget of 12,000 usd less 10 %
    """

    stated: float
    kept_back: float = 0.0

    @property
    def spendable(self) -> float:
        """What may be spent, in expectation."""
        return self.stated * (1.0 - self.kept_back)

    def stated_for(self, spend: float) -> float:
        """Return what must be stated so that so much may be spent."""
        return spend / (1.0 - self.kept_back)

    def in_words(self, resource: str) -> str:
        """Return the budget as messages name it."""
        less = f" less {100 * self.kept_back:.3g} %" if self.kept_back else ""
        return f"budget of {in_words(self.stated, resource)}{less}"


def budgets_of(
    stated: Mapping[str, float], contingency: Contingency, resources: Iterable[str]
) -> dict[str, Budget]:
    """Return the budget of every limited resource after checking names, amounts and shares.

    Stated is a ceiling on expected use, what is kept back included. The contingency is a share of
    the money (every resource whose name begins with `usd`), or shares by resource; that of
    `staff_hours` holds for every skill (`staff_hours.bio`) without its own. InputError if a
    resource is not on the menu, an amount is negative or not a number, or a share is not from 0 up
    to, but not, 1.

    >>> both = {"usd": 100.0, "staff_hours": 40.0}
    >>> [b.spendable for b in budgets_of(both, 0.1, both).values()]
    [90.0, 40.0]
    >>> [b.spendable for b in budgets_of(both, {"staff_hours": 0.25}, both).values()]
    [100.0, 30.0]
    """
    known = tuple(resources)
    checked = check_budget(stated, known)
    by_name = isinstance(contingency, Mapping)
    shares = dict(contingency) if isinstance(contingency, Mapping) else {MONEY: contingency}
    for name, share in shares.items():
        if by_name and not any(_is_part(each, name) for each in known):
            raise InputError(
                f"contingency: a resource must be one of {', '.join(sorted(known))}, "
                f"got {name!r}; {nearest(name, known)}"
            )
        if not 0 <= share < 1:
            where = f"contingency of {name}" if by_name else "contingency"
            raise InputError(
                f"{where} must be a share from 0 up to, but not, 1, got {share:g}; 0.1 keeps a "
                "tenth back"
            )

    def kept_back(name: str) -> float:
        if not by_name:
            return shares[MONEY] if name.startswith(MONEY) else 0.0
        own = [each for each in shares if _is_part(name, each)]
        return float(shares[max(own, key=len)]) if own else 0.0

    return {name: Budget(amount, kept_back(name)) for name, amount in checked.items()}


def _is_part(resource: str, of: str) -> bool:
    """Whether a resource is another, or a skill of it."""
    return resource == of or resource.startswith(f"{of}.")


def parse_budgets(words: Iterable[str], option: str = "--budget") -> dict[str, float]:
    """Read budgets typed as `usd=250000` or `staff_hours=400`; messages name the option.

    InputError if a word is not `name=number` or a name comes twice.

    >>> parse_budgets(["usd=250,000", "staff_hours=400"])
    {'usd': 250000.0, 'staff_hours': 400.0}
    """
    budgets: dict[str, float] = {}
    for word in words:
        name, _, number = word.partition("=")
        amount, cure = 0.0, "write for example usd=250000"
        try:
            amount = numeral(number)
        except NotANumber as error:
            name, cure = "", f"{error.cure}, for example usd=250000" if number else cure
        if not name:
            raise InputError(f"{option} must be name=number, got {word!r}; {cure}")
        if name in budgets:
            raise InputError(f"{option} {name} must be given once, got it twice; keep one")
        budgets[name] = amount
    return budgets


def parse_contingency(words: Iterable[str]) -> Contingency | None:
    """Read what is kept back, typed as `0.1` (of the money) or as `staff_hours=0.05`; None if not.

    InputError if a word is neither, or a resource comes twice.

    >>> parse_contingency(["0.1"]), parse_contingency(["0.1", "staff_hours=0.05"])
    (0.1, {'usd': 0.1, 'staff_hours': 0.05})
    """
    shares: dict[str, float] = {}
    bare = False
    for word in words:
        name, equals, number = word.rpartition("=")
        bare = bare or not equals
        try:
            share = numeral(number)
        except NotANumber as error:
            raise InputError(
                "--contingency must be a share or resource=share, such as 0.1 or "
                f"staff_hours=0.05, got {word!r}; {error.cure}"
            ) from None
        if (name or MONEY) in shares:
            raise InputError(f"--contingency of {name or MONEY} must be given once; keep one")
        shares[name or MONEY] = share
    return shares[MONEY] if bare and len(shares) == 1 else shares or None


def catalogue_budget(catalogue: Catalogue) -> dict[str, float]:
    """Return the budgets the catalogue states, by the resource names of the menu.

    Calendar days do not add up over evals that run side by side, so they limit the agents' time:
    agent_hours = agents_in_parallel · 24 · calendar_days.
    """
    stated, budget = catalogue.budget, {"usd": catalogue.budget.usd}
    if isinstance(stated.staff_hours, Mapping):
        budget |= {f"staff_hours.{skill}": hours for skill, hours in stated.staff_hours.items()}
    else:
        budget["staff_hours"] = stated.staff_hours
    if stated.agents_in_parallel is not None and stated.calendar_days is not None:
        days = HOURS_PER_DAY * float(stated.calendar_days)
        budget["agent_hours"] = float(stated.agents_in_parallel) * days
    return {name: float(amount) for name, amount in budget.items() if amount is not None}


def check_budget(budget: Mapping[str, float], resources: Iterable[str]) -> dict[str, float]:
    """Return the budget as floats after checking names and amounts.

    InputError if a resource is not on the menu, or an amount is negative or not a number.
    """
    known = tuple(resources)
    checked: dict[str, float] = {}
    for name, amount in budget.items():
        must = f"budget: a resource must be one of {', '.join(sorted(known))}"
        refuse_other(name, known, must, hint=_each_skill)
        if not isinstance(amount, Real) or isinstance(amount, bool):
            raise InputError(f"budget: {name} must be a number, got {amount!r}; write 250000")
        if math.isnan(amount) or amount < 0:
            raise InputError(
                f"budget: {name} must be 0 or more, got {amount:g}; 0 means nothing may be spent"
            )
        checked[name] = float(amount)
    return checked


def _each_skill(name: str, known: Iterable[str]) -> str:
    """Return how to mend a resource that is not known: hours are given skill by skill."""
    skills = [f"{each}=..." for each in known if each.startswith(f"{name}.")]
    return f"give each: {', '.join(skills)}" if skills else nearest(name, known)
