"""Floors and ceilings of a group, in any resource, as a share, or as a count."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from evalbayes import Menu
from evalfolio.limits.amount import OfResource, group_use, in_words
from evalfolio.limits.group import Group, describe, eval_rows, members
from evalfolio.limits.rows import Row, Rows, indicator, stack

Side = Literal["least", "most"]  # of an amount


class Bound(OfResource):
    """A floor or a ceiling on what a group gets of a resource."""

    of: Group
    share: bool
    side: ClassVar[Side]

    @property
    def amount(self) -> float:
        """What it gets at least, or at most."""
        return float(getattr(self, f"at_{self.side}"))

    def __str__(self) -> str:
        words = in_words(self.amount, self.resource, share=self.share)
        return f"{describe(self.of)} gets at {self.side} {words}"

    def rows(self, menu: Menu) -> Rows:
        """Return one row: the group's use, less the share of all use, on its side of the amount."""
        share, amount = (self.amount, 0.0) if self.share else (0.0, self.amount)
        every = group_use(menu, np.ones(len(menu), dtype=bool), self.resource)
        weights = group_use(menu, members(menu, self.of), self.resource) - share * every
        least, most = (amount, np.inf) if self.side == "least" else (-np.inf, amount)
        return stack(menu, [Row(weights, least, most, str(self))])


@dataclass(frozen=True)
class Floor(Bound):
    """A group gets at least so much of a resource.

    Parameters
    ----------
    of
        A domain, tier, eval, family, several names, ``"everything"`` or `Where(...)`.
    at_least
        In the resource's unit; with `share`, a share between 0 and 1 of all that is used of it.
    resource
        A resource of the menu, or ``"evals"`` for their number.
    share
        Whether `at_least` is a share.

    Examples
    --------
    >>> print(Floor("cyber", 50_000))
    cyber gets at least 50,000 usd
    >>> print(Floor("bio", 0.2, "staff_hours", share=True))
    bio gets at least 20 % of all staff_hours
    """

    of: Group
    at_least: float
    resource: str = "usd"
    share: bool = False
    side = "least"


@dataclass(frozen=True)
class Ceiling(Bound):
    """A group gets at most so much of a resource.

    Parameters
    ----------
    of, at_most, resource, share
        As in `Floor`.

    Examples
    --------
    >>> print(Ceiling("max-elicitation", 0.8, share=True))
    max-elicitation gets at most 80 % of all usd
    """

    of: Group
    at_most: float
    resource: str = "usd"
    share: bool = False
    side = "most"


@dataclass(frozen=True)
class ZeroOrAtLeast(OfResource):
    """A group is left out altogether, or gets at least so much.

    Parameters
    ----------
    of
        A domain, tier, eval, family, several names or `Where(...)`.
    at_least
        In the resource's unit.
    resource
        A resource of the menu, or ``"evals"`` for their number.

    Examples
    --------
    >>> print(ZeroOrAtLeast("bio", 40_000))
    bio gets nothing or at least 40,000 usd
    """

    of: Group
    at_least: float
    resource: str = "usd"

    def __str__(self) -> str:
        words = in_words(self.at_least, self.resource)
        return f"{describe(self.of)} gets nothing or at least {words}"

    def rows(self, menu: Menu) -> Rows:
        """Return ``use - amount·w >= 0`` and, for every eval, ``sum x - w <= 0``, w binary."""
        mask = members(menu, self.of)
        weights = group_use(menu, mask, self.resource)
        rows = [Row(weights, 0.0, np.inf, str(self), {0: -self.at_least})]
        rows += [
            Row(indicator(menu, row), -np.inf, 0.0, str(self), {0: -1.0})
            for row in eval_rows(menu, mask)
        ]
        return stack(menu, rows, n_extra=1)
