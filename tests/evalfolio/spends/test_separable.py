"""The continuous split is the best one: closed forms, enumeration, and a bound that holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, special

from evalfolio.errors import InfeasibleError, InputError
from evalfolio.spends.curves import Hill, Logistic, MichaelisMenten, _ByDraw
from evalfolio.spends.separable import allocate

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Root:
    """weight · sqrt(spend): an infinite slope at 0, and spends in proportion to weight²."""

    weight: Array
    n_items: int
    concave: Any = None

    def value(self, spend: Array) -> Array:
        return self.weight * np.sqrt(spend)

    def slope(self, spend: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(0.5 * self.weight / np.sqrt(spend))


@dataclass(frozen=True, eq=False)
class SuccessWithinCap(_ByDraw):
    """``plateau · F(cap)``, ln spend of a success normal: S-shaped, with a bend of its own."""

    plateau: Array
    median: Array
    sd: Array

    def _jet(self, x: Array) -> tuple[Array, Array, Array]:
        safe = np.maximum(x, np.finfo(float).tiny)  # value and slope are 0 there, as at 0
        z = np.log(safe / self.median) / self.sd
        slope = self.plateau * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * self.sd * safe)
        return self.plateau * special.ndtr(z), slope, -slope * (1 + z / self.sd) / safe


def random_curves(family: str, seed: int, n_items: int, n_draws: int = 20) -> Any:
    rng = np.random.default_rng(seed)
    half = np.exp(rng.uniform(0, np.log(1e3), n_items)) * rng.lognormal(0, 0.3, (n_draws, n_items))
    scale = rng.lognormal(0, 0.5, (n_draws, n_items))
    if family == "logistic":
        return Logistic(scale, 2 / half)
    if family == "michaelis-menten":
        return MichaelisMenten(scale, half)
    if family == "hill":
        return Hill(scale, half, rng.uniform(1.5, 4, n_items) * np.ones_like(half))
    return SuccessWithinCap(rng.uniform(0.2, 1, half.shape), half, 0.5 + scale)


@pytest.mark.parametrize("concave", [None, np.ones(4, dtype=bool)])
def test_square_roots_are_split_by_squared_weight(concave: Any) -> None:
    weight = np.array([1.0, 2.0, 3.0, 0.5])
    found = allocate(Root(weight, 4, concave), 10.0)
    wanted = 10 * weight**2 / (weight**2).sum()
    np.testing.assert_allclose(found.spend, wanted, rtol=1e-7)
    assert found.multiplier == pytest.approx(0.5 * np.sqrt((weight**2).sum() / 10.0))
    assert found.gap < 1e-9


@pytest.mark.parametrize("family", ["logistic", "michaelis-menten"])
@pytest.mark.parametrize("n_items", [1, 2, 7, 40])
def test_concave_curves_reach_their_bound_and_spend_the_budget(family: str, n_items: int) -> None:
    for seed in range(5):
        curves = random_curves(family, seed, n_items)
        for budget in (0.01, 30.0, 5e3):
            found = allocate(curves, budget)
            assert found.gap < 1e-8
            assert found.spend.sum() == pytest.approx(budget, rel=1e-11)
            assert found.spend.sum() <= budget * (1 + 1e-15)
            assert (found.spend >= 0).all()


def test_a_local_solver_finds_nothing_better_on_concave_curves() -> None:
    curves = random_curves("michaelis-menten", 3, 6)
    found = allocate(curves, 400.0)
    local: Any = optimize.minimize(  # type: ignore[call-overload]  # curves are Any here
        lambda x: -curves.value(x).sum(),
        np.full(6, 400 / 6),
        jac=lambda x: -curves.slope(x),
        bounds=[(0, 400)] * 6,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 400},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert -local.fun <= found.bound * (1 + 1e-12)
    assert -local.fun == pytest.approx(found.value, rel=1e-7)


@pytest.mark.parametrize("family", ["logistic", "hill", "success"])
def test_no_random_split_is_above_the_bound_nor_better(family: str) -> None:
    rng = np.random.default_rng(0)
    for seed in range(4):
        curves = random_curves(family, seed, 6)
        budget = float(rng.uniform(50, 2000))
        found = allocate(curves, budget)
        shares = rng.dirichlet(np.full(6, 0.3), size=3000)
        best = curves.value(budget * shares).sum(axis=1).max()
        assert best <= found.bound
        assert best <= found.value * (1 + 2e-6)


@pytest.mark.parametrize("family", ["hill", "success"])
def test_s_shapes_against_every_split_on_a_grid(family: str) -> None:
    steps = 400
    for seed in range(6):
        curves = random_curves(family, seed, 4)
        budget = 10.0 ** np.random.default_rng(seed).uniform(1, 3)
        found = allocate(curves, budget)
        each = curves.value(np.linspace(0, budget, steps + 1)[:, None] * np.ones(4))
        best = each[:, 0]
        for item in range(1, 4):
            best = np.array([max(best[: k + 1] + each[k::-1, item]) for k in range(steps + 1)])
        assert found.value >= best[-1] * (1 - 1e-6)
        assert found.bound >= found.value
        assert found.gap <= 1e-6


def test_the_multiplier_is_the_value_of_one_more_unit() -> None:
    for family in ("logistic", "michaelis-menten"):
        curves = random_curves(family, 5, 10)
        more, less = allocate(curves, 300.5), allocate(curves, 299.5)
        assert allocate(curves, 300.0).multiplier == pytest.approx(
            more.value - less.value, rel=1e-4
        )


@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("worth", [1e-6, 1e6])
def test_the_split_does_not_change_with_the_units(unit: float, worth: float) -> None:
    plain = random_curves("michaelis-menten", 1, 8)
    other = MichaelisMenten(plain.scale * worth, plain.half_spend * unit)
    a, b = allocate(plain, 100.0), allocate(other, 100.0 * unit)
    np.testing.assert_allclose(b.spend / unit, a.spend, rtol=1e-6, atol=1e-8)
    assert b.value == pytest.approx(a.value * worth, rel=1e-10)
    shaped = random_curves("hill", 1, 8)
    scaled = Hill(shaped.scale * worth, shaped.half_spend * unit, shaped.exponent)
    a, b = allocate(shaped, 100.0), allocate(scaled, 100.0 * unit)
    assert b.value == pytest.approx(a.value * worth, rel=2e-6)


def test_bounds_on_spends_hold() -> None:
    curves = random_curves("logistic", 2, 5)
    low, high = np.array([10.0, 0, 5, 0, 0]), np.array([20.0, 8, 9, 100, 100])
    for shape in (curves, random_curves("hill", 2, 5)):
        found = allocate(shape, 60.0, low=low, high=high)
        assert (found.spend >= low).all()
        assert (found.spend <= high).all()
        assert found.spend.sum() <= 60 * (1 + 1e-12)
    plenty = allocate(curves, 1e3, low=low, high=high)
    np.testing.assert_allclose(plenty.spend, high)
    assert (plenty.multiplier, plenty.gap) == (0.0, 0.0)


def test_the_trace_ends_with_the_answer_and_its_bounds_hold_on_the_way() -> None:
    curves = random_curves("hill", 5, 12)
    found = allocate(curves, 40.0, gap=1e-8)
    seconds, values, bounds = np.array(found.trace).T
    assert (np.diff(seconds) >= 0).all()
    assert (np.diff(values) > 0).all()
    assert values[-1] == found.value
    assert (bounds >= found.value).all()  # the best split known is below every bound
    even = np.full(12, 40.0 / 12)
    assert values[0] == pytest.approx(curves.value(even).sum())


@pytest.mark.parametrize("seed", range(5))
def test_an_answer_to_work_with_comes_before_there_is_a_bound(seed: int) -> None:
    found = allocate(random_curves("hill", seed, 30), 60.0, gap=1e-8)
    early = [moment.value for moment in found.trace if np.isinf(moment.bound)]
    assert early[-1] > 0.99 * found.value


def test_the_search_says_how_far_it_got_when_it_runs_out_of_boxes() -> None:
    curves = random_curves("hill", 4, 4)
    full = allocate(curves, 80.0, gap=1e-7)
    short = allocate(curves, 80.0, gap=1e-7, max_nodes=1)
    assert short.value <= full.bound
    assert short.bound >= full.value
    assert short.gap >= full.gap


@pytest.mark.parametrize("family", ["logistic", "michaelis-menten", "hill", "success"])
def test_slopes_and_curvatures_are_derivatives(family: str) -> None:
    curves = random_curves(family, 0, 5)
    spend = np.array([0.5, 3.0, 20.0, 100.0, 900.0])
    step = 1e-5 * spend
    rise = (curves.value(spend + step) - curves.value(spend - step)) / (2 * step)
    np.testing.assert_allclose(curves.slope(spend), rise, rtol=1e-6, atol=1e-12)
    bend = (curves.slope(spend + step) - curves.slope(spend - step)) / (2 * step)
    jet = curves.jet(spend)
    np.testing.assert_allclose(jet[0], curves.value(spend), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(jet[1], curves.slope(spend), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(jet[2], bend, rtol=1e-6, atol=1e-13)
    assert (curves.value(np.zeros(5)) == 0).all()
    assert np.isfinite(curves.slope(np.zeros(5))).all()
    grid = np.geomspace(0.1, 100, 7)[:, None] * np.ones(5)
    np.testing.assert_allclose(curves.value(grid)[3], curves.value(grid[3]))


def test_refusals() -> None:
    curves = random_curves("logistic", 0, 3)
    with pytest.raises(InputError, match="budget must be a finite number above 0, got -1"):
        allocate(curves, -1)
    with pytest.raises(InputError, match=r"low must be a number or have one entry .* 3 items"):
        allocate(curves, 5.0, low=np.zeros(2))
    with pytest.raises(InputError, match="low must be finite, 0 or more"):
        allocate(curves, 5.0, low=-1.0)
    with pytest.raises(InputError, match="high must be numbers, infinite for no bound, got NaN"):
        allocate(curves, 5.0, high=[np.nan, 1, 1])
    with pytest.raises(InputError, match="low must not be above high, but item 0"):
        allocate(curves, 5.0, low=[1.0, 0, 0], high=[0.5, 1, 1])
    with pytest.raises(InfeasibleError, match=r"lower bounds add up to 9, above .* 5"):
        allocate(curves, 5.0, low=3.0)
    with pytest.raises(InputError, match="Logistic: rate must be finite and above 0"):
        Logistic(np.ones(2), np.array([1.0, 0.0]))

    class Nothing:
        def value(self, spend: Array) -> Array:
            return spend

        slope = value

    with pytest.raises(InputError, match="give them an attribute n_items"):
        allocate(Nothing(), 5.0)
