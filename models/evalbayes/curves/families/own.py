"""Families of spend of your own, weighed by every fit beside those there are."""

import numpy as np

from evalbayes.curves.families.contract import check_family
from evalbayes.curves.families.family import FAMILIES, Family
from evalbayes.curves.law import STACKED, WIDTHS
from evalbayes.errors import InputError

NEAR = 1e-9  # relative
SHARES = (np.arange(20_000) + 0.5) / 20_000  # whose quantiles give the spread of ln spend


def add_family(family: Family) -> None:
    """Let every fit from now on weigh a family of spend beside those there are.

    It is held to the contract of `check_family` first. Its one shape is named scale: ln T =
    location + scale · Z, with Z of median 0 and a finite spread, in units of which the fit's common
    width of ln spend is told. A posterior that gives it weight can be read where it was added.

    Parameters
    ----------
    family
        With a plateau and a name of its own.

    Raises
    ------
    InputError
        If its name is taken, its shapes are not scale alone, or it breaks a rule of the contract.
    """
    if family.name in FAMILIES:
        raise InputError(
            f"a family must have a name of its own, got {family.name!r}; there are already "
            f"{', '.join(FAMILIES)}"
        )
    if family.shapes != ("scale",) or not family.plateau:
        raise InputError(
            f"the family {family.name!r} must have a plateau and the one shape scale, got "
            f"{', '.join(family.shapes) or 'none'}; compare it with `compare`, which takes any"
        )
    check_family(family)
    once, twice = (np.asarray(family.quantile(SHARES, 0.0, scale)) for scale in (1.0, 2.0))
    if (np.abs(twice - 2.0 * once) > NEAR * np.abs(once).max()).any():
        raise InputError(
            f"the family {family.name!r} must spread ln spend in proportion to its scale, and does "
            "not; write ln T = location + scale · Z"
        )
    FAMILIES[family.name] = family
    WIDTHS[family.name] = float(1.0 / once.std())
    STACKED.append(family.name)
