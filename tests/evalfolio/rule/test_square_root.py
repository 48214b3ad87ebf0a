"""The square-root law: its algebra, its whole numbers, and the optimiser's agreement."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import evalfolio as ef
from evalfolio.errors import InputError
from evalfolio.narrative import DEPTH
from evalfolio.rule.like_evals import RuleFigures, left_variance
from evalfolio.rule.square_root import depth_rule, least_gap_sd, priced_mix
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.phases import OneDomain
from evalfolio.sensitivities.sweep import solve


def like_evals(n: int, **figures: float) -> OneDomain:
    return OneDomain(prices=(1.0,) * n, **figures)


@pytest.mark.parametrize(("noise", "effort"), [(0.0, 1.0), (0.0, 0.5), (0.5, 0.8), (0.9, 0.6)])
def test_the_formula_is_the_variance_the_menu_leaves(noise: float, effort: float) -> None:
    figures = {"validity_sd": 0.8, "gap_sd": 0.9, "gap_spread": 0.4, "shown_sd": 1.5}
    figures |= {"noise_sd": noise, "effort": effort}
    menu = like_evals(6, cost_ratio=9, **figures).menu()
    for plateau, deep in ((0, 0), (4, 0), (0, 3), (3, 2), (1, 5)):
        names = [f"{i} deep" for i in range(deep)]
        names += [f"{i} plateau" for i in range(deep, deep + plateau)]
        explained = ef.evaluate(menu, names).explained["domain"]
        left = left_variance(plateau + deep, deep, RuleFigures(**figures))
        assert 1.5**2 + 0.9**2 - explained == pytest.approx(left, rel=1e-12)


def test_without_noise_it_is_the_sum_of_two_parts_whatever_the_effort() -> None:
    for effort in (0.4, 1.0):
        case = RuleFigures(0.8, 0.9, 0.4, 1.5, effort=effort)
        for n, q in ((4, 0), (5, 2), (7, 7)):
            parts = 0.64 / (0.64 / 1.5**2 + n) + 0.16 / (0.16 / 0.9**2 + q)
            assert left_variance(n, q, case) == pytest.approx(parts, rel=1e-12)


def test_with_noise_the_two_parts_are_near_and_never_promise_more() -> None:
    for noise, effort in ((0.2, 1.0), (0.5, 0.8), (0.8, 0.6)):
        case = RuleFigures(1.0, 0.8, 0.5, 2.0, noise, effort)
        w, d = 1 + noise**2, 0.25 + 2 * noise**2 / effort**2
        assert (w, d) == pytest.approx((case.breadth, case.depth))
        parts = w / (w / 4 + 9) + d / (d / 0.64 + 4)
        exact = left_variance(9, 4, case)
        assert exact <= parts * (1 + 1e-12)
        assert parts == pytest.approx(exact, rel=0.3)


@pytest.mark.parametrize("seed", range(40))
def test_the_whole_numbers_are_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ratio, spread = float(rng.uniform(2, 40)), float(rng.uniform(0.1, 1.5))
    validity, gap, shown = rng.uniform(0.3, 2, 3).tolist()
    budget, evals = float(rng.uniform(1, 300)), int(rng.integers(2, 60))
    noise, effort = float(rng.choice([0.0, rng.uniform(0, 1)])), float(rng.uniform(0.3, 1))
    rule = depth_rule(
        cost_ratio=ratio,
        validity_sd=validity,
        gap_sd=gap,
        gap_spread=spread,
        shown_sd=shown,
        noise_sd=noise,
        effort=effort,
        budget=budget,
        evals=evals,
    )
    assert rule.plateau is not None
    assert rule.deep is not None
    assert rule.plateau + ratio * rule.deep <= budget + 1e-6

    def left(n: int, q: int) -> float:
        return left_variance(n, q, RuleFigures(validity, gap, spread, shown, noise, effort))

    best = min(
        left(min(int(budget - (ratio - 1) * q + 1e-9), evals), q)
        for q in range(min(int(budget // ratio), evals) + 1)
    )
    assert left(rule.plateau + rule.deep, rule.deep) == pytest.approx(best, rel=1e-12)


def test_a_large_budget_follows_the_square_root() -> None:
    law = depth_rule(cost_ratio=25, validity_sd=1, gap_sd=0.7, gap_spread=0.5)
    assert law.evals_share == pytest.approx(0.5 / math.sqrt(24))
    assert law.plateau_first == pytest.approx(math.sqrt(24) * 0.5 / 0.49)
    counted = depth_rule(
        cost_ratio=25, validity_sd=1, gap_sd=0.7, gap_spread=0.5, shown_sd=1e9, budget=1e6
    )
    assert counted.evals_share == pytest.approx(law.evals_share, rel=1e-3)
    assert counted.budget_share == pytest.approx(law.budget_share, rel=1e-3)
    assert 25 * 0.5 / math.sqrt(24) / (1 + math.sqrt(24) * 0.5) == pytest.approx(law.budget_share)


@pytest.mark.parametrize(
    "figures",
    [
        {"cost_ratio": 6.0, "validity_sd": 1.0, "gap_spread": 0.5, "shown_sd": 2.0},
        {"cost_ratio": 10.0, "validity_sd": 0.6, "gap_spread": 0.3, "shown_sd": 1.5},
        {"cost_ratio": 4.0, "validity_sd": 1.5, "gap_spread": 1.0, "shown_sd": 3.0},
        {
            "cost_ratio": 6.0,
            "validity_sd": 0.8,
            "gap_spread": 0.4,
            "shown_sd": 2.0,
            "noise_sd": 0.6,
            "effort": 0.7,
        },
    ],
)
def test_the_optimisers_boundary_lies_where_the_closed_form_puts_it(
    figures: dict[str, float],
) -> None:
    n, budget = 20, 16.0

    def deep(gap_sd: float) -> bool:
        case = like_evals(n, gap_sd=gap_sd, **figures)
        plan = ef.optimise(case.menu(), budget={"usd": budget}, gap=1e-4)
        assert plan.status == "certified"
        return bool((plan.choices["tier"] == DEPTH).any())

    predicted = least_gap_sd(budget=budget, evals=n, **figures)
    assert not deep(predicted * 0.95)
    assert deep(predicted * 1.05)


def test_the_threshold_does_not_move_the_split() -> None:
    case = like_evals(12, cost_ratio=6, validity_sd=1.0, gap_sd=0.9, gap_spread=0.5, shown_sd=1.5)
    counts = set()
    for distance, loss in ((0.0, 1.0), (1.5, 1.0), (-1.5, 9.0)):
        other = replace(case, distance=distance, loss_missed=loss)
        chosen = solve(Question(other.menu(), {"usd": 25.0}), Certified(gap=1e-4)).options
        counts.add((len(chosen), sum(name.endswith("deep") for name in chosen)))
    assert len(counts) == 1


def boundary(budget: float, evals: int | None, noise: float = 0.0, effort: float = 1.0) -> float:
    return least_gap_sd(
        cost_ratio=5.0,
        validity_sd=1.2,
        gap_spread=0.6,
        shown_sd=2.0,
        budget=budget,
        evals=evals,
        noise_sd=noise,
        effort=effort,
    )


def test_at_the_boundary_one_deep_run_is_worth_what_it_displaces() -> None:
    w, d = 1.44, 0.36
    displaced = w / (w / 4 + 11) - w / (w / 4 + 15)
    closed = math.sqrt((displaced + math.sqrt(displaced**2 + 4 * displaced * d)) / 2)
    assert boundary(15.0, 30) == pytest.approx(closed, rel=1e-9)
    case = RuleFigures(1.2, boundary(15.0, 30, 0.5, 0.6), 0.6, 2.0, 0.5, 0.6)
    assert left_variance(15, 0, case) == pytest.approx(left_variance(11, 1, case), rel=1e-9)
    assert boundary(4.0, None) == math.inf
    assert boundary(100.0, 8) == 0.0


def test_with_equal_prices_the_price_list_says_what_the_law_says() -> None:
    figures = {"cost_ratio": 9.0, "validity_sd": 1.0, "gap_sd": 0.8, "gap_spread": 0.5}
    for budget in (3.0, 8.9, 9.0, 30.0, 90.0):
        rule = depth_rule(**figures, shown_sd=2.0, budget=budget, evals=20)
        plateau, deep = priced_mix([2.0] * 20, 2.0 * budget, **figures, shown_sd=2.0)
        assert (len(plateau), len(deep)) == (rule.plateau, rule.deep)


def test_a_cheap_eval_runs_deep_where_a_mean_one_would_not_fit() -> None:
    prices = [0.5, 1.0, 1.5]
    figures = {"cost_ratio": 9.0, "validity_sd": 0.5, "gap_sd": 1.5, "gap_spread": 0.3}
    assert depth_rule(**figures, shown_sd=1.0, budget=5.0, evals=3).deep == 0
    assert priced_mix(prices, 5.0, **figures, shown_sd=1.0)[1] == (0,)


def test_the_words_say_when_to_start_and_how_often() -> None:
    text = str(depth_rule(cost_ratio=25, validity_sd=1, gap_sd=0.7, gap_spread=0.5))
    assert text.startswith(
        "Run the first 5 evals at plateau level; of the rest run one in 9.8 deep"
    )
    assert "10 % of the evals are deep and take 74 % of the money" in text
    few = depth_rule(cost_ratio=25, validity_sd=1, gap_sd=0.7, gap_spread=0.5, budget=4)
    assert "4 at plateau level, none deep" in str(few)
    more = depth_rule(cost_ratio=5, validity_sd=1, gap_sd=2, gap_spread=0.5, budget=40)
    assert "Depth pays from the first eval on" in str(more)
    assert f"{more.plateau} at plateau level and {more.deep} deep" in str(more)
    assert "no gap to learn about" in str(
        depth_rule(cost_ratio=5, validity_sd=1, gap_sd=0, gap_spread=0.5)
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cost_ratio", 1.0, "cost_ratio must be above 1"),
        ("validity_sd", 0.0, "validity_sd must be above 0, got 0"),
        ("shown_sd", -1.0, "shown_sd must be above 0"),
        ("gap_sd", -0.1, "gap_sd must be 0 or more, got -0.1"),
        ("gap_spread", math.inf, "gap_spread must be 0 or more, got inf"),
        ("noise_sd", -1.0, "noise_sd must be 0 or more"),
        ("effort", 1.2, "effort must be above 0 and at most 1, got 1.2"),
        ("budget", -3.0, "budget must be 0 or more"),
        ("evals", 0, "evals must be 1 or more"),
    ],
)
def test_figures_out_of_range_are_refused(name: str, value: float, message: str) -> None:
    figures = {"cost_ratio": 25.0, "validity_sd": 1.0, "gap_sd": 0.7, "gap_spread": 0.5}
    with pytest.raises(InputError, match=message):
        depth_rule(**{**figures, name: value})  # type: ignore[arg-type]  # figures by name
