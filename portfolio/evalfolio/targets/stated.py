"""Targets on decisions as people state them, turned into constraints."""

from collections.abc import Mapping

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Flags
from evalbayes.decision import parts_of
from evalfolio.errors import InputError
from evalfolio.limits import DangerMissed, NeedlessMitigation, PosteriorSd, WrongCall
from evalfolio.limits.group import nearest, refuse_other
from evalfolio.limits.target import Target
from evalfolio.narrative import STUDY

DEEP = "max-elicitation"
HALF = 0.5  # of the elicitation gap
WORKING = 5 / 7  # working days of calendar days

Targets = Mapping[str, float] | float | None
"""A target per decision, or one for all decisions."""

KINDS: dict[str, type[Target]] = {
    "posterior_sd": PosteriorSd,
    "wrong_call": WrongCall,
    "danger_missed": DangerMissed,
    "needless": NeedlessMitigation,
}


def targets_of(menu: Menu, stated: Mapping[str, Targets]) -> list[Target]:
    """Return the targets as constraints, after checking the names of the decisions.

    They are stated by the name of the argument: posterior_sd, wrong_call, danger_missed, needless.
    """
    for argument in stated:
        if argument not in KINDS:
            raise InputError(f"there is no target {argument!r}; {nearest(argument, KINDS)}")
    names = [decision.name for decision in menu.decisions]
    found: list[Target] = []
    for argument, kind in KINDS.items():
        amounts = stated.get(argument)
        if amounts is None:
            continue
        each = amounts if isinstance(amounts, Mapping) else dict.fromkeys(names, amounts)
        check_decisions(menu, each)
        found += [kind(name, float(most)) for name, most in each.items()]
    return found


def check_decisions(menu: Menu, stated: Mapping[str, float]) -> None:
    """Refuse a name that is no decision of the menu."""
    names = [decision.name for decision in menu.decisions]
    for name in stated:
        if name in menu.no_anchor:
            raise InputError(menu.no_anchor[name])
        refuse_other(name, names, "a target must be on a decision of the menu")


def names_of(menu: Menu, x: Array) -> tuple[str, ...]:
    """Return the ids of the options chosen."""
    return tuple(str(name) for name in menu.options.index[x > 0.5])


def spend_of(menu: Menu, x: Array) -> dict[str, float]:
    """Return the use of every resource."""
    return dict(zip(menu.resources, menu.use_of(x).tolist(), strict=True))


def deep_rows(menu: Menu) -> Flags:
    """Return which options are deep: at max elicitation, or a study of half of the gap."""
    tier, reached = menu.options["tier"], menu.options.get("effort", 0.0)
    return ((tier == DEEP) | ((tier == STUDY) & (reached >= HALF))).to_numpy(dtype=bool)


def deep_of(menu: Menu, x: Array) -> int:
    """Return how many of the options chosen are deep."""
    return int(deep_rows(menu)[x > 0.5].sum())


def gap_correlations(menu: Menu, domain: str) -> dict[str, float]:
    """Return how the gap that each eval of a domain would read goes with that at its thresholds.

    The correlation under the prior of the gap read by its most telling deep option (`deep_rows`)
    and that of the domain's decisions, the nearest of them; 1 where no decision has the gap.

    >>> from evalfolio.examples import small_menu
    >>> gap_correlations(small_menu(), "cyber")
    {'a': 1.0, 'b': 1.0}
    """
    own = parts_of(menu.states, "gap", domain)
    lines = [each.contrast * own for each in menu.decisions if (each.contrast * own).any()]
    options, found = menu.options, {}
    deep = (options["domain"] == domain) & deep_rows(menu)
    for name in dict.fromkeys(options["eval"][deep]):
        rows = np.flatnonzero(deep & (options["eval"] == name))
        read = menu.information[rows][:, own][:, :, own]
        most = read[read.trace(axis1=1, axis2=2).argmax()]
        line = np.zeros(len(own))
        line[own] = np.linalg.eigh(most)[1][:, -1]  # an elicited reading weighs gaps along one line
        both = np.array([line, *lines]) @ menu.prior_covariance @ np.array([line, *lines]).T
        sd = np.sqrt(np.diag(both))
        with_each = np.abs(both[0, 1:]) / (sd[0] * sd[1:])
        near = float(with_each.max(initial=0.0)) if lines else 1.0
        found[str(name)] = round(min(near, 1.0), 9)
    return found


def working_days_of(menu: Menu, x: Array) -> float | None:
    """Return the working days that the longest of the options chosen takes; None if not known."""
    if "days" not in menu.options:
        return None
    return WORKING * float(menu.options["days"][x > 0.5].max()) if (x > 0.5).any() else 0.0
