"""Floors and ceilings of a group, in any resource, as a share, or as a count."""

from dataclasses import dataclass

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.limits.amount import OfResource, group_use, in_words
from evalfolio.limits.group import Group, describe, eval_rows, members
from evalfolio.limits.rows import Row, Rows, indicator, stack


@dataclass(frozen=True)
class Floor(OfResource):
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

    def __str__(self) -> str:
        words = in_words(self.at_least, self.resource, share=self.share)
        return f"{describe(self.of)} gets at least {words}"

    def rows(self, menu: Menu) -> Rows:
        """Return one row: the group's use, less the share of all use, is at least the amount."""
        weights = _weights(menu, self.of, self.resource, self.at_least if self.share else 0.0)
        least = 0.0 if self.share else self.at_least
        return stack(menu, [Row(weights, least, np.inf, str(self))])


@dataclass(frozen=True)
class Ceiling(OfResource):
    """A group gets at most so much of a resource.

    Parameters
    ----------
    of
        A domain, tier, eval, family, several names, ``"everything"`` or `Where(...)`.
    at_most
        In the resource's unit; with `share`, a share between 0 and 1 of all that is used of it.
    resource
        A resource of the menu, or ``"evals"`` for their number.
    share
        Whether `at_most` is a share.

    Examples
    --------
    >>> print(Ceiling("max-elicitation", 0.8, share=True))
    max-elicitation gets at most 80 % of all usd
    """

    of: Group
    at_most: float
    resource: str = "usd"
    share: bool = False

    def __str__(self) -> str:
        words = in_words(self.at_most, self.resource, share=self.share)
        return f"{describe(self.of)} gets at most {words}"

    def rows(self, menu: Menu) -> Rows:
        """Return one row: the group's use, less the share of all use, is at most the amount."""
        weights = _weights(menu, self.of, self.resource, self.at_most if self.share else 0.0)
        most = 0.0 if self.share else self.at_most
        return stack(menu, [Row(weights, -np.inf, most, str(self))])


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


def _weights(menu: Menu, of: Group, resource: str, share: float) -> Array:
    """Return the group's use of the resource less `share` of everyone's; see `group_use`."""
    every = group_use(menu, np.ones(len(menu), dtype=bool), resource)
    return group_use(menu, members(menu, of), resource) - share * every
