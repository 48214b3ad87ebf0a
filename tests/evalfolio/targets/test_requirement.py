"""The least programme for a target, and the fewest targets to waive: against enumeration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.evalfolio.value.skew.menus import skewed_menu

import evalfolio as ef
from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits import EveryDomain, Forbidden, PosteriorSd, WrongCall
from evalfolio.narrative import percent
from evalfolio.search.certified import Certified
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.targets.requirement import require, requirements
from evalfolio.targets.waiver import waive

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]
Array = NDArray[np.float64]


def left_sds(menu: Menu, choices: Array) -> Array:
    """Sd of every decision's y after each choice, by inverting the precision outright."""
    sds = np.empty((len(choices), len(menu.decisions)))
    prior = np.linalg.inv(menu.prior_covariance)
    for row, x in enumerate(choices):
        covariance = np.linalg.inv(prior + np.einsum("o,oij->ij", x, menu.information))
        for d, decision in enumerate(menu.decisions):
            variance = decision.contrast @ covariance @ decision.contrast
            sds[row, d] = np.sqrt(variance + decision.later_gain_sd**2)
    return sds


@pytest.mark.parametrize("resource", ["usd", "staff_hours"])
def test_the_least_programme_for_an_sd_is_the_enumerated_one(
    resource: str, make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(8):
        menu = make_menu(seed)
        choices = every_choice(menu)
        sds = left_sds(menu, choices)
        target = np.quantile(sds, 0.3, axis=0)
        cost = choices @ menu.options[resource].to_numpy()
        meets = (sds <= target * (1 + 1e-9)).all(axis=1)
        within = dict(zip(("cyber", "bio"), target.tolist(), strict=True))
        if not meets.any():
            with pytest.raises(InfeasibleError, match="sd of"):
                require(menu, posterior_sd=within, resource=resource)
            continue
        found = require(menu, posterior_sd=within, resource=resource, method=Certified(gap=1e-6))
        assert found.need == pytest.approx(cost[meets].min(), rel=1e-6)
        assert found.bound <= found.need
        assert found.gap <= 1e-6
        assert found.status == "certified"
        x = menu.options.index.isin(found.chosen)
        assert (left_sds(menu, x[None, :].astype(float)) <= target * (1 + 1e-9)).all()


def test_the_least_programme_for_a_wrong_call_and_with_limits(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(5):
        menu = make_menu(seed)
        choices = every_choice(menu)
        problem = Problem(Question(menu))
        risks = np.array(
            [
                [float(g.wrong_call(v)) for g, v in zip(problem.values, each, strict=True)]
                for each in (problem.explained.at(x) for x in choices)
            ]
        )
        target = {"cyber": float(np.quantile(risks[:, 0], 0.4))}
        meets = risks[:, 0] <= target["cyber"] * (1 + 1e-9)
        meets &= choices[:, (menu.options["domain"] == "bio").to_numpy()].sum(axis=1) >= 1
        hours = choices @ menu.options["staff_hours"].to_numpy()
        meets &= hours <= 25
        usd = choices @ menu.options["usd"].to_numpy()
        wanted: Any = {
            "wrong_call": target,
            "budget": {"staff_hours": 25.0},
            "constraints": [EveryDomain()],
        }
        if meets.any():
            found = require(menu, **wanted)
            assert found.need == pytest.approx(usd[meets].min(), rel=1e-3)
            expected: Any = found.domains["p_wrong_call_expected"]
            assert expected["cyber"] <= target["cyber"] + 1e-9
        else:
            with pytest.raises(InfeasibleError):
                require(menu, **wanted)


def test_the_least_budget_for_a_value_is_the_enumerated_one(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(2):
        menu = make_menu(seed, n_evals=4)
        choices = every_choice(menu)
        problem = Problem(Question(menu))
        values = np.array([problem.value(x) for x in choices])
        usd = choices @ menu.options["usd"].to_numpy()
        target = float(0.6 * values.max())
        found = require(menu, value=target)
        least = usd[values >= target].min()
        assert found.need == pytest.approx(least, rel=1e-3)
        assert found.bound <= least * (1 + 1e-9)
        assert found.value >= target
        if seed == 0:  # with a target on an sd besides
            sds = left_sds(menu, choices)
            sd = float(np.quantile(sds[:, 1], 0.4))
            both = require(menu, value=target, posterior_sd={"bio": sd})
            meets = (values >= target) & (sds[:, 1] <= sd * (1 + 1e-9))
            assert both.need == pytest.approx(usd[meets].min(), rel=1e-3)


def test_targets_are_limits_of_a_plan_too(make_menu: MakeMenu, every_choice: Choices) -> None:
    menu = make_menu(1)
    choices = every_choice(menu)
    sds = left_sds(menu, choices)
    usd = choices @ menu.options["usd"].to_numpy()
    target, budget = float(np.quantile(sds[:, 1], 0.3)), float(np.quantile(usd, 0.5))
    problem = Problem(Question(menu))
    meets = (sds[:, 1] <= target) & (usd <= budget)
    best = max(problem.value(x) for x in choices[meets])
    plan = ef.optimise(
        menu, budget={"usd": budget}, constraints=[PosteriorSd("bio", target)], gap=1e-5
    )
    assert plan.value == pytest.approx(best, rel=2e-5)


def test_targets_no_plan_meets_are_infeasible(make_menu: MakeMenu, every_choice: Choices) -> None:
    menu = make_menu(1)
    choices = every_choice(menu)
    usd = choices @ menu.options["usd"].to_numpy()
    budget = float(np.quantile(usd, 0.3))
    least = left_sds(menu, choices[usd <= budget])[:, 1].min()
    within: Any = {"menu": menu, "budget": {"usd": budget}}
    assert ef.optimise(constraints=[PosteriorSd("bio", least * (1 + 1e-6))], **within).chosen
    with pytest.raises(InfeasibleError, match=r"budget of .* usd; sd of bio is at most"):
        ef.optimise(constraints=[PosteriorSd("bio", least * (1 - 1e-6))], **within)


def test_fewest_targets_are_waived(make_menu: MakeMenu, every_choice: Choices) -> None:
    n_waived = []
    for seed in range(6):
        menu = make_menu(seed, n_evals=5, n_domains=3)
        choices = every_choice(menu)
        sds = left_sds(menu, choices)
        usd = choices @ menu.options["usd"].to_numpy()
        target = np.quantile(sds, 0.25, axis=0)
        budget = float(np.quantile(usd, 0.25))
        weights = {"cyber": 3.0, "bio": 1.0, "autonomy": 1.5}
        fits = usd <= budget * (1 + 1e-9)
        met = sds[fits] <= target * (1 + 1e-9)
        names = [d.name for d in menu.decisions]
        least = min(
            sum(w for name, w, out in zip(names, weights.values(), z, strict=True) if out)
            for z in product((False, True), repeat=3)
            if (met | np.array(z)).all(axis=1).any()
        )
        found = waive(
            menu,
            budget={"usd": budget},
            posterior_sd=dict(zip(names, target.tolist(), strict=True)),
            weights=weights,
        )
        lost = sum(weights[name] for name in names if any(name in text for text in found.waived))
        assert lost == pytest.approx(least)
        assert found.spend["usd"] <= budget * (1 + 1e-9)
        x = menu.options.index.isin(found.chosen).astype(float)
        after = left_sds(menu, x[None, :])[0]
        for name, sd, most in zip(names, after, target, strict=True):
            assert sd <= most * (1 + 1e-9) or any(name in text for text in found.waived)
        n_waived.append(len(found.waived))
        assert ("Waive" in str(found)) == bool(found.waived)
    assert min(n_waived) < max(n_waived)


def test_a_table_over_standards(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    table = requirements(
        menu,
        {
            "none": {"posterior_sd": 10.0},
            "basic": {"posterior_sd": 1.2},
            "strict": {"posterior_sd": 0.9},
            "impossible": {"posterior_sd": 1e-3},
        },
    )
    assert list(table.index) == ["none", "basic", "strict", "impossible"]
    rows: Any = table.to_dict("index")
    assert rows["none"]["need"] == 0
    assert rows["none"]["n_evals"] == 0
    assert rows["basic"]["need"] <= rows["strict"]["need"]
    assert np.isnan(rows["impossible"]["need"])
    assert "No choice meets" in rows["impossible"]["note"]
    assert {"usd", "staff_hours"} <= set(table.columns)


def test_nothing_is_required_where_the_target_holds(make_menu: MakeMenu) -> None:
    found = require(make_menu(0), posterior_sd=50.0)
    assert (found.need, found.gap, found.chosen) == (0.0, 0.0, ())
    assert "target holds already" in str(found)
    kept = waive(make_menu(0), budget={"usd": 1e6}, posterior_sd=1.2)
    assert "Nothing has to be waived" in str(kept)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_need_does_not_depend_on_the_currency(unit: float, make_menu: MakeMenu) -> None:
    menu = make_menu(3)
    scaled = replace(menu, options=menu.options.assign(usd=menu.options["usd"] * unit))
    a = require(menu, posterior_sd=1.1)
    b = require(scaled, posterior_sd=1.1)
    assert b.need == pytest.approx(a.need * unit)
    assert a.chosen == b.chosen


def test_refusals(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    with pytest.raises(InputError, match="give at least one target: value"):
        require(menu)
    with pytest.raises(InputError, match=r"resource must be one .* did you mean 'usd'"):
        require(menu, posterior_sd=1.0, resource="usdd")
    with pytest.raises(InputError, match=r"on a decision of the menu, got 'cybr'; did you mean"):
        require(menu, posterior_sd={"cybr": 1.0})
    with pytest.raises(InputError, match=r"on a decision of the menu, got 'boi'"):
        PosteriorSd("boi", 1.0).rows(menu)
    with pytest.raises(InputError, match="PosteriorSd: at_most must be a finite number above 0"):
        require(menu, posterior_sd=0.0)
    with pytest.raises(InputError, match="WrongCall: at_most must lie between 0 and 1"):
        require(menu, wrong_call=1.0)
    with pytest.raises(InfeasibleError, match=r"No programme within the limits is worth 1e\+09"):
        require(menu, value=1e9)
    with pytest.raises(InputError, match="waive: give at least one target"):
        waive(menu, budget={"usd": 1.0})
    with pytest.raises(InputError, match="weights must be above 0, got 0"):
        waive(menu, budget={"usd": 1.0}, posterior_sd=1.0, weights={"bio": 0.0})
    limits = [EveryDomain(), Forbidden("bio")]
    with pytest.raises(InfeasibleError, match="No choice meets these 2 limits"):
        waive(menu, budget={"usd": 1e6}, posterior_sd=1.0, constraints=limits)
    with pytest.raises(InfeasibleError, match="wrong call on cyber is at most 1e-06 %"):
        require(menu, wrong_call={"cyber": 1e-8})
    everything = left_sds(menu, np.ones((1, len(menu))))[0, 1]
    with pytest.raises(InfeasibleError, match=f"would reach {everything:.3g} on 'bio'"):
        require(menu, posterior_sd={"bio": everything * 0.9})
    for target in (PosteriorSd("bio", 0.5), WrongCall("bio", 0.1)):
        assert eval(repr(target), {"PosteriorSd": PosteriorSd, "WrongCall": WrongCall}) == target


def test_targets_say_where_they_take_a_skewed_gap_for_normal(
    make_menu: MakeMenu,
) -> None:
    menu = skewed_menu(3)
    found = require(menu, wrong_call=0.08)
    assert found.chosen
    assert "lognormal" in found.note
    for name, chance in found.domains["p_wrong_call_expected"].items():
        assert f"{percent(float(chance))} for {name}" in found.note
    assert found.note in str(found)
    table = requirements(menu, {"strict": {"wrong_call": 0.08}})
    assert table.loc["strict", "note"] == found.note
    assert require(make_menu(3), posterior_sd=1.9).note == ""
    plan = ef.optimise(menu, budget={"usd": 1e9})
    assert require(menu, value=0.9 * plan.value).note == ""  # value is of the lognormal itself
