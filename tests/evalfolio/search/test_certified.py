"""The certified method against enumeration, on menus made to be awkward."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.batches import some

from evalbayes import Decision, Menu
from evalfolio.search.certified import Certified, certify
from evalfolio.search.convex.relaxation import Relaxation
from evalfolio.search.greedy import greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

KINDS = ("threshold", "near", "above", "below", "far")


def awkward_menu(seed: int) -> tuple[Menu, dict[str, float]]:
    """Return up to five evals on up to three correlated domains, and a budget that binds.

    Domains lie exactly at their indifference point, near, on either side of or far from the
    threshold; losses differ by up to 30:1 either way; some have later gains.
    """
    rng = np.random.default_rng(seed)
    n_domains, n_evals = int(rng.integers(1, 4)), int(rng.integers(2, 6))
    n_states = 2 * n_domains  # shown capability and elicitation gap
    rows, information = [], []
    for e in range(n_evals):
        domain = int(rng.integers(n_domains))
        for tier in range(int(rng.integers(1, 4))):
            loading = np.zeros(n_states)
            loading[2 * domain], loading[2 * domain + 1] = 1.0, 0.4 * tier
            if rng.random() < 0.3:
                loading[rng.integers(n_states)] += rng.uniform(0, 0.5)
            found = np.outer(loading, loading) * np.exp(rng.normal(-1, 1.5))
            if rng.random() < 0.3:
                other = rng.normal(size=n_states) / 2
                found = found + np.outer(other, other) * np.exp(rng.normal(-2, 1))
            information.append(found * (rng.random() > 0.05))  # some options say nothing
            usd, hours = np.exp(rng.normal(5, 1.5)), rng.uniform(1, 40)
            rows.append((f"e{e}.{tier}", f"e{e}", f"d{domain}", "plateau", usd, hours))
    columns = ["option", "eval", "domain", "tier", "usd", "staff_hours"]
    options = pd.DataFrame(rows, columns=columns).set_index("option")
    root = rng.normal(size=(n_states, n_states))
    covariance = root @ root.T / n_states + np.diag(rng.uniform(0.1, 1, n_states))
    mean = rng.normal(size=n_states)
    decisions = []
    for d in range(n_domains):
        contrast = np.zeros(n_states)
        contrast[2 * d] = contrast[2 * d + 1] = 1.0
        sd = float(np.sqrt(contrast @ covariance @ contrast))
        away = {
            "threshold": 0.0,
            "near": rng.uniform(-1, 1),
            "above": rng.uniform(1, 3),
            "below": -rng.uniform(1, 3),
            "far": rng.uniform(4, 6),
        }[KINDS[int(rng.integers(5))]]
        later = (rng.uniform(0, 1), rng.uniform(0, 1)) if rng.random() < 0.5 else (0.0, 0.0)
        ratio = 30 ** rng.uniform(-1, 1)
        threshold = float(contrast @ mean + later[0] - away * sd)
        size = 10 ** rng.uniform(-1, 1)
        decisions.append(
            Decision(
                f"d{d}", contrast, threshold, size * max(ratio, 1), size * max(1 / ratio, 1), *later
            )
        )
    menu = Menu(
        options,
        ("usd", "staff_hours"),
        np.array(information),
        tuple(f"s{i}" for i in range(n_states)),
        mean,
        covariance,
        tuple(decisions),
    )
    share = rng.uniform(0.1, 0.7, size=2)
    return menu, {
        "usd": float(share[0] * options["usd"].sum()),
        "staff_hours": float(share[1] * options["staff_hours"].sum()),
    }


def brute_force(problem: Problem) -> tuple[NDArray[np.float64], float]:
    """Return the best choice within the limits, of all there are, and its value."""
    own = [np.flatnonzero(problem.eval_codes == code) for code in range(len(problem.evals))]
    best, most = np.zeros(problem.n_options), -np.inf
    for picks in product(*[(-1, *options) for options in own]):
        x = np.zeros(problem.n_options)
        x[[pick for pick in picks if pick >= 0]] = 1.0
        if problem.met(x):
            value = problem.value(x)
            if value > most:
                best, most = x, value
    return best, most


def check(seed: int, gaps: tuple[float, ...]) -> None:
    """Hold the certified answers at several gaps to enumeration."""
    menu, budget = awkward_menu(seed)
    problem = Problem(Question(menu, budget))
    _, optimum = brute_force(problem)
    for gap in gaps:
        found = certify(problem, Certified(gap=gap))
        assert found.status == "certified", (seed, gap, found.status)
        assert found.bound >= optimum * (1 - 1e-12), (seed, gap)
        assert problem.met(found.x)
        assert found.value == pytest.approx(problem.value(found.x), rel=1e-12)
        assert optimum - found.value <= gap * found.bound
        if gap == 1e-6:
            assert found.value == pytest.approx(optimum, rel=2e-6, abs=1e-300)


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_certified_value_is_the_best_of_all_choices(start: int) -> None:
    for seed in range(start, start + 20):
        check(seed, (1e-6,))


@pytest.mark.parametrize("gap", [1e-3, 1e-5])
def test_wider_gaps_are_kept_and_never_falsely_claimed(gap: float) -> None:
    for seed in range(200, 260):
        check(seed, (gap,))


@pytest.mark.slow
@pytest.mark.parametrize("start", some(range(1000, 2000, 100)))
def test_certified_value_is_the_best_on_a_thousand_menus(start: int) -> None:
    for seed in range(start, start + 100):
        check(seed, (1e-6, 1e-5, 1e-3))


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_relaxation_is_never_below_the_best_choice(seed: int) -> None:
    menu, budget = awkward_menu(seed)
    problem = Problem(Question(menu, budget))
    _, optimum = brute_force(problem)
    bound = Relaxation(Question(menu, budget)).solve(budget).bound
    assert bound >= optimum - 1e-6 * problem.scale


@pytest.mark.parametrize("seed", range(300, 310))
def test_no_random_choice_beats_the_certified_one(seed: int) -> None:
    menu, budget = awkward_menu(seed)
    problem = Problem(Question(menu, budget))
    found = certify(problem, Certified(gap=1e-6))
    rng = np.random.default_rng(seed)
    for _ in range(200):
        x = np.zeros(len(menu))
        for option in rng.permutation(len(menu)):
            x[option] = 1.0
            if not problem.met(x):
                x[option] = 0.0
        assert problem.value(x) <= found.bound * (1 + 1e-12)
        assert problem.value(x) <= found.value * (1 + 2e-6) + 1e-300


@pytest.mark.parametrize("factor", [1e-6, 0.001, 1e6])
def test_currency_changes_no_choice(factor: float) -> None:
    for seed in range(400, 410):
        menu, budget = awkward_menu(seed)
        here = certify(Problem(Question(menu, budget)), Certified(gap=1e-6))
        options = menu.options.assign(usd=menu.options["usd"] * factor)
        decisions = tuple(
            Decision(
                d.name,
                d.contrast,
                d.threshold,
                d.loss_missed * factor,
                d.loss_false_alarm * factor,
                d.later_gain_mean,
                d.later_gain_sd,
            )
            for d in menu.decisions
        )
        there_menu = Menu(
            options,
            menu.resources,
            menu.information,
            menu.states,
            menu.prior_mean,
            menu.prior_covariance,
            decisions,
        )
        there = certify(
            Problem(Question(there_menu, {**budget, "usd": budget["usd"] * factor})),
            Certified(gap=1e-6),
        )
        np.testing.assert_array_equal(there.x, here.x)
        assert there.value == pytest.approx(here.value * factor, rel=1e-9)


def test_order_of_the_menu_changes_no_value() -> None:
    for seed in range(500, 508):
        menu, budget = awkward_menu(seed)
        order = np.random.default_rng(seed).permutation(len(menu))
        shuffled = Menu(
            menu.options.iloc[order],
            menu.resources,
            menu.information[order],
            menu.states,
            menu.prior_mean,
            menu.prior_covariance,
            menu.decisions,
        )
        here = certify(Problem(Question(menu, budget)), Certified(gap=1e-6))
        there = certify(Problem(Question(shuffled, budget)), Certified(gap=1e-6))
        assert there.value == pytest.approx(here.value, rel=2e-6, abs=1e-300)


def test_value_never_falls_with_the_budget() -> None:
    for seed in range(600, 604):
        menu, budget = awkward_menu(seed)
        values = [
            certify(
                Problem(Question(menu, {k: f * b for k, b in budget.items()})), Certified(gap=1e-6)
            ).value
            for f in (0.0, 0.3, 0.6, 1.0, 1.5, 10.0)
        ]
        assert values[0] == 0
        assert (np.diff(values) >= -2e-6 * np.array(values[1:])).all()


@pytest.mark.parametrize("sds", [37.0, 37.7, 38.2, 50.0])
def test_a_threshold_so_far_that_values_are_hardly_floats_ends_without_a_warning(
    sds: float,
) -> None:
    columns = {"eval": ["a"], "domain": "d", "tier": "plateau", "usd": [1.0]}
    options = pd.DataFrame(columns, index=pd.Index(["a plateau"], name="option"))
    decision = Decision("d", np.ones(1), sds * np.sqrt(0.5), 1.0, 1.0)
    told, prior = np.ones((1, 1, 1)), np.eye(1)
    menu = Menu(options, ("usd",), told, ("s",), np.zeros(1), prior, (decision,))
    found = Certified().find(Question(menu, {"usd": 2.0}))
    assert found.status == "certified"
    assert 0 <= found.value <= found.bound < 1e-290


def test_time_limit_gives_the_best_so_far_with_an_honest_bound() -> None:
    menu, budget = awkward_menu(3)
    problem = Problem(Question(menu, budget))
    _, optimum = brute_force(problem)
    found = certify(problem, Certified(gap=1e-6, time_limit=1e-9))
    assert found.status == "time limit"
    assert found.value <= optimum <= found.bound <= problem.scale  # not a box was looked at
    assert problem.met(found.x)


def test_a_search_cut_short_is_worth_no_less_than_greedy() -> None:
    for seed in range(700, 710):
        menu, budget = awkward_menu(seed)
        problem = Problem(Question(menu, budget))
        found = certify(problem, Certified(gap=1e-6, time_limit=1e-9))
        assert problem.met(found.x)
        assert problem.value(greedy(problem)) <= found.value <= found.bound


def test_greedy_keeps_the_limits_and_never_beats_the_bound() -> None:
    for seed in range(700, 730):
        menu, budget = awkward_menu(seed)
        problem = Problem(Question(menu, budget))
        x = greedy(problem)
        assert problem.met(x)
        assert problem.value(x) <= certify(problem, Certified(gap=1e-3)).bound * (1 + 1e-12)


def test_same_inputs_give_the_same_choice() -> None:
    menu, budget = awkward_menu(12)
    first, second = (
        certify(Problem(Question(menu, budget)), Certified(gap=1e-4)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.x, second.x)
    assert (first.bound, first.rounds) == (second.bound, second.rounds)
