"""What every family must satisfy, ours and a user's own: checked by numbers, not by trust."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from evalbayes.arrays import Array
from evalbayes.curves.families.family import FAMILIES, Family
from evalbayes.curves.families.family_curve import FamilyCurve
from evalbayes.curves.law import STACKED, WIDTHS
from evalbayes.errors import InputError

POINTS = 4001  # of the grid on which integrals and derivatives are taken
LOCATIONS = (0.0, 11.5)  # spends around 1 (USD, hours) and around 1e5 (tokens)


def check_family(family: Family, shapes: Iterable[tuple[float, ...]] | None = None) -> None:
    """Hold a family to the contract of a curve of spends.

    F rises from 0 to 1; its derivative is the density; F and the survival add to 1; the quantile
    inverts F, the median is e^location, a shift of the location is a change of unit; E[min(T, c)]
    is the integral of the survival; the elasticity is the slope of ln success in ln expected spend,
    and the sweet spot its argmax of success per unit of spend. InputError names the first rule that
    does not hold, where, and by how much. Shapes are values of the parameters after the location;
    by default the middle of every prior, and two sds to either side of it.
    """
    for location in LOCATIONS:
        for shape in shapes if shapes is not None else _prior_shapes(family):
            _check(family, (location, *shape))


def _prior_shapes(family: Family) -> list[tuple[float, ...]]:
    return [
        tuple(float(np.exp(p["mean_ln"] + k * p["sd_ln"])) for p in family.priors.values())
        for k in (-2.0, 0.0, 2.0)
    ]


def _check(family: Family, parameters: tuple[float, ...]) -> None:
    def hold(rule: str, got: Array | float, wanted: Array | float, tolerance: float) -> None:
        error = float(np.max(np.abs(np.asarray(got) - np.asarray(wanted))))
        if not error <= tolerance:  # a NaN fails too
            at = ", ".join(
                f"{name} {value:.4g}"
                for name, value in zip(("location", *family.shapes), parameters, strict=True)
            )
            raise InputError(
                f"the family {family.name!r} must keep the rule '{rule}'; at {at} it is off by "
                f"{error:.2g} (at most {tolerance:.0e}): correct its function"
            )

    curve = FamilyCurve(family, 0.6, parameters, (parameters[0] + 1.0, 1.0))
    law = curve.law
    low, high = (float(law.quantile(share)) for share in (1e-6, 1.0 - 1e-6))
    x = np.linspace(low, high, POINTS)
    share, survival = curve.levelled(x), np.exp(law.log_survival(x))
    hold("F never falls", np.minimum(np.diff(share), 0.0), 0.0, 1e-14)
    hold("F goes from 0 to 1", share[[0, -1]], np.array([1e-6, 1.0 - 1e-6]), 1e-9)
    hold("F and the survival add to 1", share + survival, 1.0, 1e-10)

    step = 1e-4 * (high - low) / 10.0
    slope = (curve.levelled(x + step) - curve.levelled(x - step)) / (2.0 * step)
    density = np.exp(law.log_density(x))
    hold("the derivative of F is the density", slope / density.max(), density / density.max(), 1e-5)

    shares = np.array([0.01, 0.5, 0.9, 0.999])
    hold("the quantile inverts F", curve.levelled(law.quantile(shares)), shares, 1e-9)
    middle = float(law.quantile(0.5))
    hold("half of the runs end within e^location", middle, parameters[0], 1e-8)
    moved = family.log_cdf(x + 3.0, parameters[0] + 3.0, *parameters[1:])
    hold("a shift of the location is a change of unit", np.exp(moved), share, 1e-9)

    caps = np.linspace(float(law.quantile(0.02)), float(law.quantile(0.98)), 9)
    wanted = [_integral_of_survival(law, cap) for cap in caps]
    mean = np.asarray(law.limited_mean(caps))
    hold("E[min(T, c)] is the integral of the survival", mean / wanted, 1.0, 1e-5)

    width = 1e-4
    success = curve.success_within(caps + width) / curve.success_within(caps - width)
    spend = curve.expected_spend(caps + width) / curve.expected_spend(caps - width)
    ratio = np.log(success) / np.log(spend)
    hold("the elasticity is a slope of logarithms", curve.elasticity(caps) / ratio, 1.0, 1e-4)
    # In the far tails of heavy families E[min] has no inner trade-off: stay within the body.
    top = float(law.quantile(0.999))
    spot = curve.sweet_spot(top)
    if np.isfinite(spot):
        grid = np.linspace(low, top, POINTS)
        per_unit = curve.success_within(grid) / curve.expected_spend(grid)
        own = curve.success_within(spot) / curve.expected_spend(spot)
        more = np.maximum(per_unit / own, 1.0)
        hold("the sweet spot has most success per unit of spend", more, 1.0, 1e-9)
        hold("the elasticity is 1 at the sweet spot", float(curve.elasticity(spot)), 1.0, 1e-6)


def _integral_of_survival(law: Any, ln_cap: float) -> float:
    """∫ S(t) dt over (0, c) by Simpson's rule in ln t, from where S is 1."""
    from scipy.integrate import simpson

    x = np.linspace(min(float(law.quantile(1e-9)), ln_cap), ln_cap, POINTS)
    return float(np.exp(x[0]) + simpson(np.exp(x + law.log_survival(x)), x=x))


NEAR = 1e-9  # relative
SHARES = (np.arange(20_000) + 0.5) / 20_000  # whose quantiles give the spread of ln spend


def add_family(family: Family) -> None:
    """Let every fit from now on weigh a family of spend beside those there are.

    It is held to the contract of `check_family` first. Its one shape is named scale: ln T =
    location + scale · Z, with Z of median 0 and a finite spread, in units of which the fit's common
    width of ln spend is told. A posterior that gives it weight can be read where it was added.

    InputError if its name is taken, its shapes are not scale alone, or it breaks a rule of the
    contract.

    Parameters
    ----------
    family
        With a plateau and a name of its own.
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
