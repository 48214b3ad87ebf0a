"""Calls against rules and simulation, over one domain, levels of it and several domains at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks.calls import Drawn, looked_at, random_menu
from tests.evalfolio.value.skew.menus import left_by, skewed_menu

from evalbayes import Decision, Menu
from evalfolio.objectives.valuation import Valuation
from evalfolio.plans.evaluation import choice_vector, evaluate
from evalfolio.plans.outlook import decision_outlook
from evalfolio.plans.revalue import skewed_value
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.skew.calls import OneGap, SeveralGaps, calls_of
from evalfolio.value.skew.gap import gap_weights, skewness
from evalfolio.value.skew.stand_in import stand_in_of

MIX = ["a max-elicitation", "b plateau", "c plateau", "d max-elicitation"]
BOTH = np.array([0.6, 0.6, 0.4, 0.4, 0.0])


def told(menu: Menu, mix: list[str]) -> pd.DataFrame:
    return decision_outlook(Problem(Question(menu)), choice_vector(menu, mix))


def joint(menu: Menu, **changes: object) -> Menu:
    """Return the menu with one mitigation for both domains, 1.5 above what is believed of them."""
    decision = Decision("both", BOTH, float(BOTH @ menu.prior_mean) + 1.5, 20.0, 1.0, 0.0, 0.2)
    return replace(menu, decisions=(replace(decision, **changes),))  # type: ignore[arg-type]  # of a test


def test_no_call_contradicts_its_rule_and_wrong_calls_are_those_of_simulation() -> None:
    """A small version of benchmarks/calls.py: two menus, eight beliefs."""
    rng = np.random.default_rng(2)
    found = pd.concat([looked_at(random_menu(rng), rng, 1500) for _ in range(2)])
    assert not found["contradicted"].any()
    assert not found["against"].any()
    for key in ("exceeds", "missed", "needless"):
        assert (found[key].abs() < 4 * found[f"{key}_se"] + 0.005).all(), found[[key, f"{key}_se"]]


@pytest.mark.parametrize("above", [None, 0.05])
def test_a_decision_over_two_domains_equals_direct_simulation(above: float | None) -> None:
    menu = joint(skewed_menu(1), mitigate_above=above)
    row = told(menu, MIX).loc["both"]
    rng = np.random.default_rng(0)
    found = Drawn(menu, MIX, rng, 3000).of(menu.decisions[0], rng)
    for key, name in (
        ("p_exceeds", "exceeds"),
        ("p_missed_expected", "missed"),
        ("p_needless_expected", "needless"),
        ("p_call_changes", "turned"),
    ):
        assert row[key] == pytest.approx(found.means[name], abs=4 * found.errors[name] + 0.003)
    calls = calls_of(menu, menu.decisions[0])
    assert isinstance(calls, SeveralGaps)
    value = calls.after(left_by(menu, MIX)).value
    assert value == pytest.approx(found.means["value"], abs=4 * found.errors["value"])
    again = skewed_value(menu, MIX, n_draws=3000)
    assert again.value == pytest.approx(value, rel=0.05, abs=4 * again.standard_error)
    assert evaluate(menu, MIX).value == pytest.approx(value)
    stand_in, x = stand_in_of(menu, menu.decisions[0]), choice_vector(menu, MIX)
    assert stand_in is not None
    by_stand_in = Valuation(menu).gains(x)[0]
    assert by_stand_in == pytest.approx(value, abs=0.05 * calls.evpi)


def test_several_gaps_of_which_one_matters_are_that_one() -> None:
    menu = skewed_menu(0)
    one = menu.decisions[0]
    nearly = replace(one, contrast=one.contrast + np.array([0, 0, 0, 1e-6, 0]))
    single, several = calls_of(menu, one), calls_of(menu, nearly)
    assert isinstance(single, OneGap)
    assert isinstance(several, SeveralGaps)
    left = left_by(menu, ["a max-elicitation", "b plateau"])
    assert several.p_exceeds == pytest.approx(single.p_exceeds, abs=2e-3)
    assert several.quantile(0.95) == pytest.approx(single.quantile(0.95), abs=0.02)
    assert several.mitigates == single.mitigates
    ours, theirs = several.after(left), single.after(left)
    for key in ("p_turned", "p_missed", "p_needless"):
        assert getattr(ours, key) == pytest.approx(getattr(theirs, key), abs=0.01)
    assert ours.value == pytest.approx(theirs.value, rel=0.03)


def test_the_skewness_of_several_gaps_is_that_of_draws() -> None:
    menu = joint(skewed_menu(2))
    decision = menu.decisions[0]
    weights = gap_weights(menu, decision)
    assert weights is not None
    assert weights.tolist() == [0.0, 0.6, 0.0, 0.4, 0.0]
    rng = np.random.default_rng(0)
    mean, variance = menu.prior_mean[[1, 3]], np.diag(menu.prior_covariance)[[1, 3]]
    spread = np.sqrt(np.log1p(variance / mean**2))
    gaps = mean * np.exp(spread * rng.standard_normal((1_000_000, 2)) - spread**2 / 2)
    y = gaps @ decision.contrast[[1, 3]]
    rest = BOTH * [1, 0, 1, 0, 1]
    y = y + np.sqrt(rest @ menu.prior_covariance @ rest) * rng.standard_normal(len(y))
    y = y + decision.later_gain_sd * rng.standard_normal(len(y))
    drawn = float(((y - y.mean()) ** 3).mean() / y.std() ** 3)
    assert skewness(menu, decision, weights) == pytest.approx(drawn, rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_three_gaps_equal_direct_simulation(seed: int) -> None:
    """Of more than two gaps the values are points, not a grid."""
    menu = joint(skewed_menu(seed))
    third = np.pad(menu.prior_covariance, (0, 2))
    third[5, 5], third[6, 6] = 1.0, 0.8
    wider = replace(
        menu,
        states=(*menu.states, "chem.shown", "chem.gap"),
        skewed=(*menu.skewed, "chem.gap"),
        prior_mean=np.append(menu.prior_mean, [6.0, 1.0]),
        prior_covariance=third,
        information=np.pad(menu.information, ((0, 0), (0, 2), (0, 2))),
        decisions=(replace(menu.decisions[0], contrast=np.append(BOTH / 2, [0.5, 0.5])),),
    )
    left = left_by(wider, MIX)
    calls = calls_of(wider, wider.decisions[0])
    assert isinstance(calls, SeveralGaps)
    found = skewed_value(wider, MIX, n_draws=4000)
    assert calls.after(left).value == pytest.approx(
        found.value, rel=0.04, abs=0.02 * calls.evpi + 4 * found.standard_error
    )


def test_a_rule_is_followed_where_losses_would_call_otherwise() -> None:
    """P(exceeds) 0.1 with "mitigate above" a little more: a miss costs 30 times as much."""
    menu = skewed_menu(3)
    by_losses = told(menu, [])["call_now"]
    p = float(told(menu, [])["p_exceeds"].iloc[0])
    for above, call in ((1.02 * p, "do not mitigate"), (0.98 * p, "mitigate")):
        ruled = replace(menu.decisions[0], loss_missed=60.0, mitigate_above=above)
        row = told(replace(menu, decisions=(ruled,)), MIX).iloc[0]
        assert row["call_now"] == call
        assert row["p_missed_now"] == (0.0 if call == "mitigate" else pytest.approx(p))
        assert row["p_needless_now"] == (pytest.approx(1 - p) if call == "mitigate" else 0.0)
        for when in ("now", "expected"):
            whole = row[f"p_missed_{when}"] + row[f"p_needless_{when}"]
            assert row[f"p_wrong_call_{when}"] == pytest.approx(whole)
    freed = replace(menu.decisions[0], loss_missed=60.0)
    assert told(replace(menu, decisions=(freed,)), MIX)["call_now"].iloc[0] == "mitigate"
    assert len(by_losses) == 2
