"""A pilot first: what is expected to be learned does not change, what is chosen after does."""

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
from evalfolio.sensitivities.pilots import _candidates, moved, pilot_first

BUDGET = {"usd": 9_500.0, "staff_hours": 90.0}


def correlated_menu() -> Menu:
    """The small menu with domains that move together, so that a pilot moves two means."""
    menu = small_menu()
    covariance = menu.prior_covariance.copy()
    covariance[0, 2] = covariance[2, 0] = 0.7
    return replace(menu, prior_covariance=covariance)


@pytest.mark.parametrize("menu", [small_menu(), correlated_menu()])
def test_looking_early_teaches_fixed_mixes_nothing_more(menu: Menu) -> None:
    rests = (["a plateau"], ["a max", "c plateau"])
    menus, weights = moved(menu, "b max")
    assert weights.sum() == pytest.approx(1.0)
    after = [weights @ [ef.evaluate(m, rest).value for m in menus] for rest in rests]
    whole = [ef.evaluate(menu, ["b max", *rest]).value for rest in rests]
    assert after[1] - after[0] == pytest.approx(whole[1] - whole[0], rel=5e-3)


def test_results_spread_the_means_by_what_is_learned() -> None:
    menu = correlated_menu()
    menus, weights = moved(menu, "b max")
    contrasts = np.array([d.contrast for d in menu.decisions])
    means = np.array([contrasts @ m.prior_mean for m in menus])
    learned = contrasts @ (menu.prior_covariance - menus[0].prior_covariance) @ contrasts.T
    np.testing.assert_allclose(weights @ means, contrasts @ menu.prior_mean, atol=1e-12)
    centred = means - weights @ means
    np.testing.assert_allclose(
        (centred.T * weights) @ centred, learned, rtol=1e-2, atol=1e-2
    )  # less than 1 % is left out


@pytest.mark.parametrize("menu", [small_menu()])
def test_waiting_is_worth_what_enumeration_says(
    menu: Menu, every_choice: Callable[[Menu], NDArray[np.float64]]
) -> None:
    choices = every_choice(menu)
    fits = choices[(choices @ menu.costs <= np.array(list(BUDGET.values()))).all(axis=1)]
    mixes = [list(menu.options.index[x > 0.5]) for x in fits]
    best = max(ef.evaluate(menu, mix).value for mix in mixes)
    table = pilot_first(Question(menu, BUDGET), options=["b max"], method=Certified(gap=1e-6))
    for _, row in table.iterrows():
        pilot = row["option"]
        held = [mix for mix in mixes if pilot in mix]
        menus, weights = moved(menu, pilot, (121, 1))
        after = np.array([[ef.evaluate(m, mix).value for m in menus] for mix in held])
        # measured from the best fixed rest, as V itself has a corner in the result
        together = [ef.evaluate(menu, mix).value for mix in held]
        k = int(np.argmax(together))
        true = together[k] + float(weights @ (after.max(axis=0) - after[k])) - best
        assert row["worth"] == pytest.approx(true, abs=2e-3 * best)
        assert row["worth_low"] <= row["worth"] <= row["worth_high"] + 1e-12
        assert row["worth_high"] - row["worth_low"] < 1e-5


def test_a_pilot_can_decide_what_is_bought_next() -> None:
    """Two domains that move together: after one is seen, the other may no longer be worth it."""
    table = pilot_first(
        Question(correlated_menu(), {"usd": 3_000.0}),
        options=["b plateau"],
        method=Certified(gap=0.02),
    )
    assert 0 <= table["changes"].iloc[0] <= 1
    assert table["worth"].iloc[0] >= -0.05


def test_candidates_are_the_cheapest_deep_options_that_fit() -> None:
    assert set(_candidates(Question(small_menu(), BUDGET), 4)) == {"a max", "b max"}
    assert len(_candidates(Question(small_menu(), BUDGET), 1)) == 1
    assert _candidates(Question(small_menu(), {"usd": 8_000.0}), 4) == ["b max"]
    assert pilot_first(Question(small_menu(), {"usd": 100.0})).empty


def test_an_unknown_pilot_is_named() -> None:
    with pytest.raises(InputError, match="pilot must be an option of the menu, got 'z max'"):
        pilot_first(Question(small_menu(), BUDGET), options=["z max"])
