"""Budgets: how much of each resource there is, from the catalogue and the command line."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from evalbayes.tables.numerals import NotANumber, numeral
from evalfolio.errors import InputError

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue

HOURS_PER_DAY = 24.0


def parse_budgets(words: Iterable[str]) -> dict[str, float]:
    """Read budgets typed as `usd=250000` or `staff_hours=400`.

    Raises
    ------
    InputError
        If a word is not `name=number` or a name comes twice.

    Examples
    --------
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
            raise InputError(f"--budget must be name=number, got {word!r}; {cure}")
        if name in budgets:
            raise InputError(f"--budget {name} must be given once, got it twice; keep one")
        budgets[name] = amount
    return budgets


def catalogue_budget(catalogue: Catalogue) -> dict[str, float]:
    """Return the budgets the catalogue states, by the resource names of the menu.

    Calendar days do not add up over evals that run side by side, so they limit the agents' time:
    agent_hours = agents_in_parallel · 24 · calendar_days.
    """
    stated = catalogue.budget
    budget: dict[str, float] = {}
    if stated.usd is not None:
        budget["usd"] = float(stated.usd)
    if isinstance(stated.staff_hours, Mapping):
        budget |= {f"staff_hours.{skill}": float(h) for skill, h in stated.staff_hours.items()}
    elif stated.staff_hours is not None:
        budget["staff_hours"] = float(stated.staff_hours)
    if stated.agents_in_parallel is not None and stated.calendar_days is not None:
        budget["agent_hours"] = (
            float(stated.agents_in_parallel) * HOURS_PER_DAY * float(stated.calendar_days)
        )
    return budget


def check_budget(budget: Mapping[str, float], resources: Iterable[str]) -> dict[str, float]:
    """Return the budget as floats after checking names and amounts.

    Raises
    ------
    InputError
        If a resource is not on the menu, or an amount is negative or not a number.
    """
    known = tuple(resources)
    checked: dict[str, float] = {}
    for name, amount in budget.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "use one of these"
            raise InputError(
                f"budget: a resource must be one of {', '.join(sorted(known))}, "
                f"got {name!r}; {hint}"
            )
        if math.isnan(amount) or amount < 0:
            raise InputError(
                f"budget: {name} must be 0 or more, got {amount:g}; 0 means nothing may be spent"
            )
        checked[name] = float(amount)
    return checked
