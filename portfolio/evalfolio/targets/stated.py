"""Targets on decisions as people state them, turned into constraints."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits import PosteriorSd, WrongCall
from evalfolio.limits.group import nearest

Targets = Mapping[str, float] | float | None
"""A target per decision, or one for all decisions."""


def targets_of(
    menu: Menu, posterior_sd: Targets, wrong_call: Targets
) -> list[PosteriorSd | WrongCall]:
    """Return the targets as constraints, after checking the names of the decisions."""
    names = [decision.name for decision in menu.decisions]
    found: list[PosteriorSd | WrongCall] = []
    for kind, stated in ((PosteriorSd, posterior_sd), (WrongCall, wrong_call)):
        if stated is None:
            continue
        each = stated if isinstance(stated, Mapping) else dict.fromkeys(names, stated)
        check_decisions(menu, each)
        found += [kind(name, float(most)) for name, most in each.items()]
    return found


def check_decisions(menu: Menu, stated: Mapping[str, float]) -> None:
    """Refuse a name that is no decision of the menu."""
    names = [decision.name for decision in menu.decisions]
    for name in stated:
        if name in menu.no_anchor:
            raise InputError(menu.no_anchor[name])
        if name not in names:
            raise InputError(
                f"a target must be on a decision of the menu, got {name!r}; {nearest(name, names)}"
            )


def names_of(menu: Menu, x: NDArray[np.float64]) -> tuple[str, ...]:
    """Return the ids of the options chosen."""
    return tuple(str(name) for name in menu.options.index[x > 0.5])


def spend_of(menu: Menu, x: NDArray[np.float64]) -> dict[str, float]:
    """Return the use of every resource."""
    return dict(zip(menu.resources, menu.use_of(x).tolist(), strict=True))
