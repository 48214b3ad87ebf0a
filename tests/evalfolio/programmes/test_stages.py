"""Programmes in stages against enumeration, the bound, the plan at once, and simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from tests.batches import some

import evalfolio as ef
from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.examples import sharing_menu, small_menu
from evalfolio.objectives.valuation import direct_gains
from evalfolio.plans.evaluation import choice_vector, evaluate
from evalfolio.programmes.screening import programme_of
from evalfolio.programmes.simulation import Paths, play
from evalfolio.value.sample_information import DecisionValue

Make = Callable[..., Menu]

NODES = np.linspace(-3.5, 3.5, 41)  # sds of what the first stage says


def every_policy(menu: Menu, room: float, cap: float) -> float:
    """Worth of the best first mix and rule for a menu of a state per domain, by enumeration.

    For each first mix every rule, from means of both domains to what is bought next, lotteries
    included: the dual of that linear programme, whose only common row is the expected spend.
    """
    options, k = menu.options.reset_index(), [float(np.trace(i)) for i in menu.information]
    by_eval = [[-1, *own.index] for _, own in options.groupby("eval", sort=False)]
    usd, domain = options["usd"].to_numpy(), menu.options["domain"].to_numpy()
    values = [DecisionValue.of(menu, each) for each in menu.decisions]
    names, best = [each.name for each in menu.decisions], 0.0

    def explained(mix: tuple[int, ...], d: int) -> float:
        told = sum(k[o] for o in mix if o >= 0 and domain[o] == names[d])
        return float(4.0 - 1.0 / (0.25 + told))

    for first in product(*by_eval):
        now = sum(usd[o] for o in first if o >= 0)
        if now > room:
            continue
        v = [explained(first, d) for d in (0, 1)]
        base = sum(float(values[d].gain(v[d])) for d in (0, 1))
        choices: list[dict[float, Array]] = []
        for d in (0, 1):
            # what each continuation of the domain's evals gains at every node, by its cost
            mine = [i for i, own in enumerate(by_eval) if domain[own[1]] == names[d]]
            found: dict[float, Array] = {}
            for more in product(*(by_eval[i] for i in mine)):
                cost, mix = 0.0, list(first)
                for i, o in zip(mine, more, strict=True):
                    had = first[i]
                    if o < 0 or o == had:
                        continue
                    if had >= 0 and k[o] <= k[had]:
                        break
                    cost += usd[o] if had < 0 else max(usd[o] - usd[had], 0.0)
                    mix[i] = o
                else:
                    extra = explained(tuple(mix), d) - v[d]
                    means = values[d].distance + NODES * np.sqrt(v[d])
                    moved = [replace(values[d], distance=float(m)) for m in means]
                    moved = [replace(each, variance=each.variance - v[d]) for each in moved]
                    gain = np.array([float(each.gain(extra)) for each in moved])
                    found[cost] = np.maximum(found.get(cost, 0.0), gain)
            choices.append(found)
        chance = norm.pdf(NODES) / norm.pdf(NODES).sum()
        pairs = [(a, b) for a, b in product(*choices) if now + a + b <= cap]
        gains = np.array([choices[0][a][:, None] + choices[1][b][None, :] for a, b in pairs])
        costs = np.array([a + b for a, b in pairs])[:, None, None]

        def dual(price: float) -> float:
            most = (gains - price * costs).max(axis=0)  # noqa: B023  # used at once
            return float(chance @ most @ chance + price * (room - now))  # noqa: B023  # likewise

        rates = [float((g.max() / c).max()) for g, c in zip(gains, costs, strict=True) if c > 0]
        high = max(rates, default=1e-9)
        least = minimize_scalar(dual, bounds=(0.0, high), method="bounded")
        best = max(best, base + min(float(least.fun), dual(0.0)))
    return best


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "cap"), some([(s, cap) for cap in (0.55, 10.0) for s in range(3)])
)
def test_two_stages_are_within_a_percent_of_every_policy(
    make_menu: Make, seed: int, cap: float
) -> None:
    menu = make_menu(seed, n_evals=4)
    whole = float(menu.options.groupby("eval")["usd"].max().sum())
    expected = 0.35 * whole
    question = ef.Question(menu, {"usd": cap * whole})
    found = ef.stages(question, expected={"usd": expected})
    most = every_policy(menu, expected, cap * whole)
    worth = found.value if found.error == 0 else found.programme.value
    assert 0.99 * most <= worth <= most * 1.002
    assert found.value <= found.bound * 1.001 + 3 * found.error
    assert found.looks


@pytest.mark.parametrize("menu", [small_menu(), sharing_menu()])
@pytest.mark.parametrize("stages", [2, 3])
def test_never_below_the_plan_at_once_and_never_past_bound_or_budgets(
    menu: Menu, stages: int
) -> None:
    question = ef.Question(menu, {"usd": 10_000.0, "staff_hours": 90.0}, contingency=0.1)
    found = ef.stages(question, stages)
    assert found.at_once <= found.value <= found.bound + 3 * found.error
    assert found.plan == ef.answer(question).chosen
    spend = found.played.spend
    assert (spend <= np.array([10_000.0, 90.0]) * (1 + 1e-9)).all()  # on every path
    assert spend[:, 0].mean() <= 9_000.0 + 3 * spend[:, 0].std() / np.sqrt(len(spend))
    assert found.spend["expected"]["usd"] <= 9_000.0 * (1 + 1e-6)


def test_simulation_agrees_with_quadrature(make_menu: Make) -> None:
    menu = make_menu(3, n_evals=4)
    whole = float(menu.options.groupby("eval")["usd"].max().sum())
    question = ef.Question(menu, {"usd": 10 * whole})
    for stages in (2, 3):
        found = ef.stages(question, stages, expected={"usd": 0.3 * whole})
        assert found.error == 0  # everything fits: by quadrature
        programme = found.programme
        apart = []
        for seed in range(5):
            paths = Paths(menu, programme.frame.blocks, programme.first, 4096, seed)
            played = play(programme, paths)
            apart.append((played.value - found.value) / played.error)
            spent = played.spend[:, 0]
            error = spent.std() / np.sqrt(len(spent)) + 1e-9
            assert abs(spent.mean() - found.spend["expected"]["usd"]) < 4 * error
        assert abs(np.mean(apart)) < 3 / np.sqrt(5)


def test_three_stages_are_worth_no_less_than_two_and_less_than_looking_always() -> None:
    menu = small_menu()
    question = ef.Question(menu, {"usd": 40_000.0})
    two = ef.stages(question, expected={"usd": 7_000.0})
    three = ef.stages(question, 3, expected={"usd": 7_000.0})
    assert two.error == three.error == 0
    assert two.value <= three.value * (1 + 2e-3) <= three.bound * (1 + 2e-3)
    assert three.releases["stage"].isin([2, 3]).all()


def test_a_skewed_gap_is_played_by_its_own_belief() -> None:
    menu = replace(small_menu(), skewed=("cyber.gap",))
    question = ef.Question(menu, {"usd": 18_000.0, "staff_hours": 160.0})
    found = ef.stages(question)
    assert found.skewed == ("cyber",)
    assert found.value >= found.at_once
    assert "cyber by skewed beliefs" in str(found)
    frame = found.programme.frame
    for options in (["a plateau"], ["a max", "b plateau"], ["a max", "b max", "c plateau"]):
        programme = programme_of(frame, options, 1, 0)
        assert programme is not None
        direct = float(direct_gains(menu, choice_vector(menu, options)).sum())
        played = play(programme, Paths(menu, frame.blocks, programme.first, 2**14, 5))
        assert played.value == pytest.approx(direct, abs=3 * played.error + 2e-3 * direct)


def test_correlated_domains_and_levels_are_played_out() -> None:
    menu = small_menu()
    tied = menu.prior_covariance.copy()
    tied[0, 2] = tied[2, 0] = 0.6
    high = replace(menu.decisions[0], name="cyber, Critical", threshold=10.5)
    menu = replace(menu, prior_covariance=tied, decisions=(*menu.decisions, high))
    found = ef.stages(ef.Question(menu, {"usd": 10_000.0, "staff_hours": 90.0}))
    assert not found.looks  # the bound is perfect information
    assert found.bound == found.evpi
    assert found.at_once <= found.value <= found.evpi + 3 * found.error
    plan = evaluate(menu, found.plan).value
    assert found.plan_played.value == pytest.approx(plan, abs=4 * found.plan_played.error)


def test_calendar_and_limits_hold_in_every_outcome() -> None:
    menu = small_menu()
    menu = replace(menu, options=menu.options.assign(days=[3.0, 15.0, 3.0, 12.0, 4.0]))
    limits = (ef.MinEvals("cyber", 1), ef.Excludes("a max", "c plateau"))
    question = ef.Question(menu, {"usd": 20_000.0}, limits=limits)
    found = ef.stages(question, days=17.0, expected={"usd": 6_000.0})
    assert found.days["most"] <= 17.0
    assert any(name[0] in "ab" for name in found.now)
    made = set(found.now).union(*found.releases["options"])
    assert not {"a max", "c plateau"} <= made or found.programme.competing
    longer = ef.stages(question, expected={"usd": 6_000.0})
    assert longer.value >= found.value * (1 - 1e-3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"stages": 4}, "stages must be 2 or 3, got 4"),
        ({"expected": {"tokens": 1.0}}, "expected must be of one resource with a budget"),
        ({"expected": {"usd": 11_000.0}}, "from 0 to that budget, got {'usd': 11000.0}"),
        ({"expected": {"usd": 1.0, "staff_hours": 1.0}}, "expected must be of one resource"),
    ],
)
def test_what_cannot_be_asked_is_refused(words: dict[str, object], told: str) -> None:
    question = ef.Question(small_menu(), {"usd": 10_000.0, "staff_hours": 90.0})
    with pytest.raises(ef.InputError, match=told):
        ef.stages(question, **words)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ef.InputError, match="stages must be planned for evsi"):
        ef.stages(replace(question, objective="variance"))  # type: ignore[arg-type]  # a name


def test_nothing_to_learn_is_told() -> None:
    menu = small_menu()
    far = tuple(replace(each, threshold=60.0) for each in menu.decisions)
    found = ef.stages(ef.Question(replace(menu, decisions=far), {"usd": 5_000.0}))
    assert str(found).startswith("Run now: nothing")
    assert "No result would pay for more: stop there." in str(found)
    assert isinstance(far[0], Decision)
