"""Every family keeps the contract, and a broken one is told which rule it breaks."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from evalbayes.curves.families import FAMILIES, Family, FamilyCurve, check_family
from evalbayes.errors import InputError


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_keeps_the_contract(name: str) -> None:
    check_family(FAMILIES[name])


def test_a_users_own_family_is_held_to_it_too() -> None:
    hill = FAMILIES["hill"]

    def log_cdf(ln_spend: Any, location: Any, scale: Any) -> Any:
        return hill.log_cdf(ln_spend, location, scale)

    check_family(replace(hill, name="mine", log_cdf=log_cdf), shapes=[(0.7,)])


BREAKS: dict[str, tuple[str, Any]] = {
    "log_density": ("derivative of F", lambda x, location, scale: 0.0 * x - scale),
    "log_survival": ("add to 1", lambda x, location, scale: 0.0 * x - 0.1),
    "log_cdf": ("F goes from 0 to 1", lambda x, location, scale: -np.exp((location - x) / scale)),
    "quantile": ("inverts F|from 0 to 1", lambda p, location, scale: location + 2.0 * scale * p),
    "limited_mean": ("integral of the survival", lambda x, location, scale: np.exp(x)),
}


@pytest.mark.parametrize("function", BREAKS)
def test_a_broken_function_is_named(function: str) -> None:
    rule, broken = BREAKS[function]
    family = replace(FAMILIES["hill"], name="mine", **{function: broken})
    with pytest.raises(InputError, match=f"the family 'mine' must keep the rule '.*({rule})"):
        check_family(family)


def test_arguments_must_be_the_parameters_with_priors() -> None:
    with pytest.raises(InputError, match="location and the shapes that have priors, width"):
        replace(FAMILIES["hill"], name="mine", priors={"width": {"mean_ln": 0.0, "sd_ln": 1.0}})


@pytest.mark.parametrize("name", FAMILIES)
def test_symbolic_values_and_gradients_are_the_numeric_ones(name: str) -> None:
    from evalbayes.model.sampling import pt, pytensor

    family = FAMILIES[name]
    shapes = [float(np.exp(p["mean_ln"])) for p in family.priors.values()]
    points = np.array([-60.0, -9.0, -2.0, -0.3, 0.0, 0.3, 2.0, 9.0])
    x = pt.dvector()
    for function in (family.log_density, family.log_cdf, family.log_survival):
        value = function(x, pt.constant(0.2), *shapes)
        both = pytensor.function([x], [value, pt.grad(value.sum(), x)], mode="FAST_COMPILE")
        got, slope = both(points)
        np.testing.assert_allclose(got, function(points, 0.2, *shapes), rtol=1e-9, atol=1e-12)
        step = 1e-5
        wanted = (function(points + step, 0.2, *shapes) - function(points - step, 0.2, *shapes)) / (
            2 * step
        )
        np.testing.assert_allclose(slope, wanted, rtol=1e-4, atol=1e-6)


def test_burr_nests_hill_and_weibull() -> None:
    x = np.linspace(-8.0, 8.0, 33)
    burr = FAMILIES["burr"]
    for function in ("log_density", "log_cdf", "log_survival"):
        own = getattr(burr, function)
        np.testing.assert_allclose(
            own(x, 0.3, 0.8, 1.0), getattr(FAMILIES["hill"], function)(x, 0.3, 0.8), rtol=1e-9
        )
        near = x[x < 3.0]  # beyond, the Weibull's own tail is below 1e-13
        np.testing.assert_allclose(
            own(near, 0.3, 0.8, 1e-6),
            getattr(FAMILIES["weibull"], function)(near, 0.3, 0.8),
            rtol=1e-3,
        )


def test_limited_means_are_the_closed_forms() -> None:
    from scipy.special import betainc, betaln, hyp2f1

    scale, tail, cap = 0.6, 1.4, 7.0
    hill = cap * hyp2f1(1.0, scale, 1.0 + scale, -(cap ** (1.0 / scale)))
    assert FAMILIES["hill"].limited_mean(np.log(cap), 0.0, scale) == pytest.approx(hill, rel=1e-8)
    theta = 2.0**tail - 1.0
    w = theta * cap ** (1.0 / scale)
    b = 1.0 / tail - scale
    burr = scale * theta**-scale * np.exp(betaln(scale, b)) * betainc(scale, b, w / (1.0 + w))
    got = FAMILIES["burr"].limited_mean(np.log(cap), 0.0, scale, tail)
    assert got == pytest.approx(burr, rel=1e-8)


def test_a_constant_hazard_has_its_best_cap_nowhere() -> None:
    # Success per unit of spend is the hazard itself: the same at every cap.
    curve = FamilyCurve(FAMILIES["weibull"], 1.0, (0.0, 1.0))
    caps = np.linspace(-3.0, 1.5, 7)
    np.testing.assert_allclose(curve.elasticity(caps), 1.0, rtol=1e-9)


@pytest.mark.parametrize("narrow", [0.3, 1.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_sweet_spot_is_where_most_is_solved_per_unit_spent(name: str, narrow: float) -> None:
    """argmax of A·F(c)/E[min(T, c)] over a grid, the spend by summing up the survival."""
    family, plateau = FAMILIES[name], 0.6
    shapes = [float(np.exp(p["mean_ln"])) for p in family.priors.values()]
    shapes[0] *= narrow
    ln_cap = np.linspace(1.0, 16.0, 60_001)
    cap = np.exp(ln_cap)
    solved = plateau * np.exp(family.log_cdf(ln_cap, 11.0, *shapes))
    stopped = 1.0 - solved - (1.0 - plateau) * stats.norm.cdf((ln_cap - 12.0) / 0.9)
    steps = np.diff(cap) * (stopped[1:] + stopped[:-1]) / 2.0
    spend = cap[0] + np.concatenate([[0.0], np.cumsum(steps)])
    best = int(np.argmax(solved / spend))
    spot = FamilyCurve(family, plateau, (11.0, *shapes), (12.0, 0.9)).sweet_spot(16.0)
    if 0 < best < len(cap) - 1:
        assert spot == pytest.approx(ln_cap[best], abs=2e-3)
    else:  # success per unit falls all the way: no inner top
        assert np.isnan(spot)


def test_the_curve_is_the_lognormal_one() -> None:
    from evalbayes.curves import Curve

    reference = Curve(np.array(0.6), 11.0, 1.3, 12.5, 0.9)
    curve = FamilyCurve(FAMILIES["lognormal"], 0.6, (11.0, 1.3), (12.5, 0.9))
    assert curve.sweet_spot(15.0) == pytest.approx(float(reference.sweet_spot(15.0)), abs=1e-6)
    assert curve.saturation() == pytest.approx(float(reference.saturation()), abs=1e-6)
    assert curve.saturation_share() == pytest.approx(float(reference.saturation_share()))
    assert np.isnan(curve.sweet_spot(7.0))


def test_the_baseline_is_a_straight_line() -> None:
    line = FAMILIES["loglinear"]
    x = np.linspace(-1.2, 1.2, 9)
    np.testing.assert_allclose(np.exp(line.log_cdf(x, 0.0, 4.0)), 0.5 + x / 4.0, atol=1e-3)


def test_families_are_told_apart_from_names() -> None:
    assert isinstance(FAMILIES["burr"], Family)
    assert FAMILIES["burr"].shapes == ("scale", "tail")
