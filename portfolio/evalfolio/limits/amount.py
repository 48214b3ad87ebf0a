"""Amounts of a resource, of a count of evals, or as a share of what is spent."""

import math
from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from numbers import Integral, Real

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Flags
from evalbayes.menu.shared import needs_of
from evalfolio.errors import InputError
from evalfolio.limits.group import as_group, nearest

GROUPS, AMOUNTS = ("of", "needs", "other"), ("at_least", "at_most", "above")  # fields of limits
COUNT = "evals"  # the pseudo-resource of which every chosen option uses one


def use(menu: Menu, resource: str) -> Array:
    """Return what every option uses of a resource, or 1 for ``"evals"``; shape (n_options,).

    InputError if the menu has no such resource.
    """
    if resource in menu.resources:
        return menu.costs[:, menu.resources.index(resource)]
    if resource == COUNT:
        return np.ones(len(menu))
    raise InputError(
        f"resource must be one of the menu's or {COUNT!r}, got {resource!r}; "
        f"{nearest(resource, (*menu.resources, COUNT))}"
    )


def group_use(menu: Menu, mask: Flags, resource: str) -> Array:
    """Return what a group's options use, then its shared purchases and price steps, (n_choice,).

    A shared purchase is the group's where all options that need it are: one that others need too
    is nobody's part. So everything together pays for all purchases, and max elicitation for its
    scaffolds, but an eval not for what it shares; likewise with steps of a price.
    """
    each = np.where(mask, use(menu, resource), 0.0)
    if resource == COUNT:
        return np.pad(each, (0, len(menu.following)))
    own = ~(needs_of(menu.following, menu.options.index)[~mask] > 0).any(axis=0)
    shared = menu.costs_with_shared[len(menu) :, menu.resources.index(resource)]
    return np.concatenate([each, np.where(own, shared, 0.0)])


def tier_share(menu: Menu, chosen: Iterable[str], tier: str, resource: str | None = None) -> float:
    """Return the share of what a mix uses that a tier takes, its shared purchases included.

    Before steps of prices.

    Of the money by default, or of the menu's first resource where it has none.

    >>> from evalfolio.examples import sharing_menu
    >>> tier_share(sharing_menu(), ["a plateau", "b max"], "max-elicitation")  # 8,000 of 8,500
    0.9411764705882353
    """
    resource = resource or ("usd" if "usd" in menu.resources else menu.resources[0])
    x = menu.options.index.isin(list(chosen)).astype(np.float64)
    both = np.concatenate([x, menu.bought(x)])
    of_tier = group_use(menu, (menu.options["tier"] == tier).to_numpy(), resource)
    costs = menu.costs_with_shared[: len(both), menu.resources.index(resource)]
    total = float(costs @ both)
    return float(of_tier[: len(both)] @ both) / total if total > 0 else 0.0


def whole_number(rule: str, key: str, value: object) -> int:
    """Return `value` as a whole number, 0 or more."""
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0:
        return int(value)
    raise InputError(f"{rule}: {key} must be a whole number, 0 or more, got {value!r}")


def amount(rule: str, key: str, value: object, *, share: bool = False) -> float:
    """Return `value` as a number, finite and 0 or more; at most 1 where it is a share."""
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if share and 0 <= number <= 1:
            return number
        if not share and 0 <= number < math.inf:
            return number
    wanted = "a share between 0 and 1" if share else "a finite number, 0 or more"
    raise InputError(f"{rule}: {key} must be {wanted}, got {value!r}")


def evals(number: int) -> str:
    """Return "1 eval", "2 evals"."""
    return "1 eval" if number == 1 else f"{number} evals"


def in_words(value: float, resource: str, *, share: bool = False) -> str:
    """Return an amount with its unit.

    >>> in_words(50_000, "usd"), in_words(0.2, "usd", share=True)
    ('50,000 usd', '20 % of all usd')
    """
    if share:
        return f"{100 * value:.4g} % of all {resource}"
    # thousands separators with at most two decimals: what a planner would write
    return f"{value:,.2f}".rstrip("0").rstrip(".") + f" {resource}"


class Checked:
    """A limit, a dataclass, whose groups and figures are brought into form where it is made.

    An amount of the type int is a whole number; one beside a true `share` is a share.
    """

    def __post_init__(self) -> None:
        share, rule = getattr(self, "share", False) is True, type(self).__name__
        for each in fields(self):  # type: ignore[arg-type]  # every class under it is a dataclass
            value = getattr(self, each.name)
            if each.name in GROUPS:
                value = as_group(value)
            elif each.name in AMOUNTS:
                checked = whole_number if each.type is int else partial(amount, share=share)
                value = checked(rule, each.name, value)
            object.__setattr__(self, each.name, value)


class OfResource(Checked):
    """A limit on a resource."""

    resource: str

    @property
    def unit(self) -> str:
        """Unit of the amount, which a mend may change."""
        return self.resource
