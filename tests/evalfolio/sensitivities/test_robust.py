"""Regret, CVaR and stability against enumeration of every mix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import evalfolio as ef
from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.mixes import stability_over_assumptions, stability_over_draws
from evalfolio.sensitivities.robust import (
    Scenarios,
    at_costs_of,
    regret_table,
    robust_mix,
    scenarios_of,
)

BUDGET = {"usd": 40.0, "staff_hours": 30.0}
EveryChoice = Callable[[Menu], NDArray[np.float64]]


def scenarios(menu: Menu) -> Scenarios:
    wide = replace(menu, prior_covariance=menu.prior_covariance * 2.0)
    moved = replace(
        menu, decisions=tuple(replace(d, threshold=d.threshold + 1.5) for d in menu.decisions)
    )
    costly = replace(
        menu, decisions=(replace(menu.decisions[0], loss_missed=60.0), *menu.decisions[1:])
    )
    told = replace(menu, information=menu.information[::-1] * 0.5)
    return Scenarios(
        {"now": menu, "wide": wide, "moved": moved, "costly": costly, "told": told},
        (0.3, 0.2, 0.2, 0.2, 0.1),
    )


def feasible(menu: Menu, choices: NDArray[np.float64]) -> list[list[str]]:
    fits = (choices @ menu.costs <= np.array(list(BUDGET.values()))).all(axis=1)
    return [list(menu.options.index[x > 0.5]) for x in choices[fits]]


def test_the_weighted_menu_is_worth_the_weighted_sum(make_menu: Callable[..., Menu]) -> None:
    several = scenarios(make_menu(5, n_evals=4))
    weights = [0.1, 0.0, 0.4, 0.3, 0.2]
    together = several.weighted(weights)
    for mix in ([], ["a plateau"], ["a sweet-spot", "b plateau", "d plateau"]):
        value = ef.evaluate(together, mix).value
        assert value == pytest.approx(float(several.values(mix) @ weights), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", [2, 5])
def test_least_regret_is_certified_against_every_mix(
    seed: int, make_menu: Callable[..., Menu], every_choice: EveryChoice
) -> None:
    menu = make_menu(seed, n_evals=4)
    several = scenarios(menu)
    values = np.array([several.values(mix) for mix in feasible(menu, every_choice(menu))])
    true = float((values.max(axis=0) - values).max(axis=1).min())
    found = robust_mix(several, Question(menu, BUDGET), method=Certified(gap=1e-5))
    slack = 1e-4 * values.max()
    assert found.bound <= true + slack
    assert found.score >= true - slack
    assert found.score <= true + found.gap + slack
    own = several.values(found.options)
    assert found.score == pytest.approx(float((values.max(axis=0) - own).max()), abs=slack)
    assert sum(found.weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("tail", [0.2, 0.5, 1.0])
def test_the_best_tail_mean_is_certified_against_every_mix(
    tail: float, make_menu: Callable[..., Menu], every_choice: EveryChoice
) -> None:
    menu = make_menu(3, n_evals=4)
    several = scenarios(menu)
    values = np.array([several.values(mix) for mix in feasible(menu, every_choice(menu))])

    def cvar(row: NDArray[np.float64]) -> float:
        order, left, total = np.argsort(row), tail, 0.0
        for k in order:
            part = min(left, several.probabilities[k])
            total += part * row[k]
            left -= part
        return float(total / tail)

    true = max(cvar(row) for row in values)
    found = robust_mix(
        several, Question(menu, BUDGET), criterion="cvar", tail=tail, method=Certified(gap=1e-5)
    )
    slack = 1e-4 * values.max()
    assert found.score <= true + slack
    assert found.bound >= true - slack
    assert true <= found.score + found.gap + slack
    assert 0 <= found.price <= 1


def test_no_mix_regrets_less_than_its_scenarios_best(make_menu: Callable[..., Menu]) -> None:
    menu = make_menu(2, n_evals=4)
    several = scenarios(menu)
    table = regret_table(
        several, {"nothing": []}, Question(menu, BUDGET), method=Certified(gap=1e-5)
    )
    assert (table.drop(columns="largest") >= 0).all(axis=None)
    for name in several.names:
        assert table.loc[f"best for {name}", name] == pytest.approx(0.0, abs=1e-4)
    assert table.loc["nothing", "largest"] == table["largest"].max()


def test_scenarios_come_from_the_ends_of_figures() -> None:
    figures = [
        Assumed("threshold", "cyber", 8.0, 9.0, 10.0, True),
        Assumed("price", "", 0.5, 1.0, 2.0, False),
    ]
    several = scenarios_of(Basis(Question(small_menu(), BUDGET)), figures)
    assert several.names == (
        "as assumed",
        "cyber: danger threshold: low",
        "cyber: danger threshold: high",
    )


def test_scenarios_that_do_not_go_together_are_refused() -> None:
    menu = small_menu()
    with pytest.raises(InputError, match="scenario 'dear': all scenarios must have the same"):
        Scenarios({"now": menu, "dear": replace(menu, options=menu.options.assign(usd=1.0))})
    with pytest.raises(InputError, match="at least one, got none"):
        Scenarios({})
    with pytest.raises(InputError, match="one probability for each and they must sum to 1"):
        Scenarios({"now": menu}, (0.5,))
    with pytest.raises(InputError, match="criterion must be regret or cvar"):
        robust_mix(Scenarios({"now": menu}), Question(menu), criterion="hope")
    with pytest.raises(InputError, match="tail must be a probability above 0, got 0"):
        robust_mix(Scenarios({"now": menu}), Question(menu), criterion="cvar", tail=0.0)


def test_stability_over_draws_counts_the_mixes() -> None:
    menu = small_menu()
    factors = np.array([0.2, 0.6, 1.0, 3.0])
    draws = factors[:, None, None, None] * menu.information
    told = replace(menu, information_draws=draws)
    found = stability_over_draws(Question(told, {"usd": 9_500.0}))
    mixes = [
        ef.optimise(replace(menu, information=k * menu.information), budget={"usd": 9_500.0}).chosen
        for k in factors
    ]
    assert found.n_mixes == 4
    for option, share in found.options.items():
        assert share == np.mean([option in mix for mix in mixes])
    for name, row in found.evals.iterrows():
        there = [any(option.startswith(f"{name} ") for option in mix) for mix in mixes]
        assert row["included"] == np.mean(there)
        assert row["core"] == (np.mean(there) >= 0.9)
    assert "Over 4 mixes the core is" in str(found)


def test_stability_over_assumptions_is_seeded() -> None:
    figures = [Assumed("gap_sd", "cyber", 0.1, 1.0, 2.0, False)]
    basis = Basis(Question(small_menu(), BUDGET))
    one, two = (stability_over_assumptions(basis, figures, samples=8, seed=4) for _ in range(2))
    assert one.options.equals(two.options)
    assert one.deep[1] <= one.deep[0] <= one.deep[2]


def test_menus_of_fewer_options_are_held_at_the_costs_of_the_first_and_its_draws() -> None:
    menu = small_menu()
    drawn = replace(menu, resource_draws=np.stack([menu.costs, 3 * menu.costs]))
    fewer = menu.subset(np.arange(len(menu)) != 1)
    dearer = fewer.at_costs(fewer.options.assign(usd=2 * fewer.options["usd"]))
    for held in at_costs_of({"first": drawn, "dearer": dearer}).values():
        assert list(held.options.index) == list(fewer.options.index)
        np.testing.assert_array_equal(held.costs, fewer.costs)
        assert held.resource_draws is not None
        np.testing.assert_array_equal(held.resource_draws, [fewer.costs, 3 * fewer.costs])
