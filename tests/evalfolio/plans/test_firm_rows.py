"""Rows called firm or exchangeable, on menus whose Monte Carlo noise is made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalbayes import Decision, Menu
from evalbayes.halves import Replicates
from evalfolio.limits import Mandatory
from evalfolio.limits.limit import Limit
from evalfolio.narrative import two_digits
from evalfolio.plans.firm_rows import FirmRows, Replicated, firm_rows, rows_of
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question

TRUE = {"a": 1.0, "b": 1.0, "c": 1.0, "strong": 6.0}
COST = {"a": 100.0, "b": 100.0, "c": 100.0, "strong": 100.0, "weak": 1.0, "deep": 101.0}
BUDGET = {"usd": 201.0}


def noisy(rng: np.random.Generator, sd: float, true: dict[str, float] | None = None) -> Menu:
    """Return a menu as a fit would make it: true information times e to the noise."""
    true = true or TRUE
    known = np.array(list(true.values()))
    seen = known * np.exp(sd * rng.standard_normal(len(known)))
    again = seen * np.exp(sd * rng.standard_normal((31, len(known))))
    options = pd.DataFrame(
        {
            "eval": list(true),
            "domain": "cyber",
            "tier": "plateau",
            "usd": [COST[name] for name in true],
        },
        index=pd.Index([f"{name} plateau" for name in true], name="option"),
    )
    return Menu(
        options,
        ("usd",),
        seen[:, None, None],
        ("cyber.shown",),
        np.array([7.9]),
        np.array([[2.0]]),
        (Decision("cyber", np.array([1.0]), 8.9, 3.0, 1.0),),
        replicates=Replicates(
            again[:, :, None, None],
            np.full((31, 1), 7.9),
            np.full((31, 1, 1), 2.0),
            np.repeat(options[["usd"]].to_numpy()[None], 31, axis=0),
        ),
    )


def found(menu: Menu, *limits: Limit) -> FirmRows:
    result = firm_rows(Question(menu, BUDGET, limits), Certified())
    assert result is not None
    return result


def test_evals_alike_but_for_noise_are_any_one_of_three_and_the_strong_one_is_firm() -> None:
    plan = found(noisy(np.random.default_rng(0), 0.05))
    assert plan.firm == (("strong", "plateau"),)
    (row, ways), *_ = plan.instead.items()
    rest = {"a", "b", "c"} - {row[0]}
    assert {way[0][0] for way in ways if way} >= rest
    told = plan.sentence()
    assert f"Exchangeable, each by itself, with {'; or '.join(plan.ways(row))}: {row[0]}" in told
    assert "Firm, whatever the draws: strong (plateau)." in told
    assert f"± {two_digits(2.04 * plan.noise)} (95 %)" in told


def test_rows_of_which_the_same_is_said_share_a_sentence() -> None:
    plan = found(noisy(np.random.default_rng(0), 0.05))
    other = ((("e", "plateau"), ("f", "plateau")),)
    instead = {("a", "plateau"): other, ("b", "plateau"): other, ("c", "plateau"): ((),)}
    told = replace(plan, instead=instead).sentence()
    assert (
        "Exchangeable, each by itself, with e (plateau) and f (plateau): a (plateau) and "
        "b (plateau). May each be left out, as the draws cannot tell the difference: c (plateau)."
    ) in told


def test_without_noise_every_row_that_is_better_by_more_than_two_gaps_is_firm() -> None:
    true = {"a": 1.5, "b": 1.0, "c": 0.8, "strong": 6.0}
    plan = found(noisy(np.random.default_rng(0), 1e-9, true))
    assert set(plan.firm) == {("strong", "plateau"), ("a", "plateau")}
    assert plan.instead == {}
    assert plan.noise < 1e-6


def test_the_fewest_evals_are_taken_among_mixes_that_noise_cannot_tell_apart() -> None:
    true = {**TRUE, "weak": 0.6}
    calm, loud = (found(noisy(np.random.default_rng(1), sd, true)) for sd in (1e-9, 0.8))
    assert "weak plateau" in calm.answer.chosen
    assert "weak plateau" not in loud.answer.chosen
    assert 0 <= loud.given_up <= 3 * loud.noise


@pytest.mark.parametrize(
    ("sd", "worth", "tier"),
    [
        (1e-9, 7.0, "max-elicitation"),  # better, and nothing hides it
        (0.3, 7.0, "plateau"),  # as many evals, and noise hides what engineers' hours add
        (0.3, 60.0, "max-elicitation"),  # it does not hide this
    ],
)
def test_depth_whose_worth_noise_hides_is_not_bought(sd: float, worth: float, tier: str) -> None:
    menu = noisy(np.random.default_rng(5), sd, {"a": 1.0, "strong": 6.0, "deep": worth})
    tiers = ["plateau", "plateau", "max-elicitation"]
    own = menu.options.assign(eval=["a", "strong", "strong"], tier=tiers)
    plan = found(replace(menu, options=own))
    strong = "strong plateau" if tier == "plateau" else "deep plateau"
    assert strong in plan.answer.chosen
    assert 0 <= plan.given_up <= max(2.04 * plan.apart, 1e-3 * plan.answer.bound)


def test_of_mixes_as_good_fewest_deep_evals_come_before_fewest_evals() -> None:
    menu = noisy(np.random.default_rng(1), 1e-9, {"a": 2.0, "b": 2.0, "deep": 4.001})
    own = menu.options.assign(tier=["plateau", "plateau", "max-elicitation"])
    own.loc["deep plateau", "usd"] = 201.0  # all the money
    assert set(found(replace(menu, options=own)).answer.chosen) == {"a plateau", "b plateau"}


def test_another_mix_of_many_rows_is_told_by_its_first() -> None:
    plan = found(noisy(np.random.default_rng(0), 0.05))
    rows = tuple((name, "plateau") for name in "abcd")
    longer = replace(plan, instead={("e", "plateau"): (rows, rows[:2], rows[:1], ())})
    assert longer.ways(("e", "plateau")) == (
        "another mix, with a (plateau), b (plateau) and 2 more",
        "a (plateau) and b (plateau)",
        "a (plateau)",
        "nothing",
    )


@pytest.mark.parametrize("gap", [1e-3, 0.02, 0.1])
def test_every_row_of_a_search_that_ended_is_firm_or_names_what_may_stand_in_its_place(
    gap: float,
) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        true = {**TRUE, "a": rng.uniform(0.8, 1.5), "b": rng.uniform(0.8, 1.5), "weak": 0.05}
        plan = firm_rows(Question(noisy(rng, 0.02, true), BUDGET), Certified(gap=gap))
        assert plan is not None
        assert all(plan.ways(row) for row in plan.instead)


def test_without_work_to_prove_it_no_row_is_called_firm() -> None:
    menu = noisy(np.random.default_rng(0), 0.05)
    plan = firm_rows(Question(menu, BUDGET), Certified(), work=0.0)
    assert plan is not None
    assert plan.firm == ()
    assert plan.instead[("strong", "plateau")] == ()
    assert "Not proved firm: " in plan.sentence()


def test_rows_firm_by_searches_that_end_early_are_those_that_whole_searches_prove() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = {**TRUE, "a": rng.uniform(0.5, 3.0), "b": rng.uniform(0.5, 3.0), "weak": 0.3}
        menu = noisy(rng, 0.03, true)
        plan = found(menu)
        best = Certified(1e-6).find(Question(menu, BUDGET))
        again = Replicated(menu, best.prices, best.x)
        slack = 1e-3 * best.value
        for row in rows_of(menu, plan.answer.x):
            values = []
            for mask in range(1 << len(menu)):  # every choice without the row
                y = np.array([float(mask >> o & 1) for o in range(len(menu))])
                if row not in rows_of(menu, y) and menu.costs[:, 0] @ y <= BUDGET["usd"]:
                    sd = again.paired(y)
                    far = max(2.04 * sd, slack) + slack + 2.33 * sd
                    values.append(best.value - best.problem.value(y) - far)
            # nearer than the search's gap either is right
            assert row in plan.firm or min(values) <= slack
            assert row not in plan.firm or min(values) >= -slack


def test_a_mandatory_row_is_firm_and_no_replicates_or_no_mix_say_nothing() -> None:
    menu = noisy(np.random.default_rng(2), 0.05)
    assert ("c", "plateau") in found(menu, Mandatory("c")).firm
    assert firm_rows(Question(replace(menu, replicates=None), BUDGET), Certified()) is None
    assert firm_rows(Question(menu, {"usd": 0.0}), Certified()) is None


def test_a_row_whose_rival_just_misses_the_budget_is_firm_only_where_costs_have_no_noise() -> None:
    true = {"a": 3.0, "b": 4.0, "strong": 6.0}
    menu = noisy(np.random.default_rng(0), 1e-9, true)
    dear = menu.options.assign(usd=[100.0, 103.0, 100.0])  # b and strong together: 203 of 201
    signs = np.resize([1.0, -1.0], 31)[:, None]
    for swing, firm in ((1e-9, True), (0.02, False)):
        costs = dear["usd"].to_numpy() * (1.0 + swing * signs)
        again = replace(menu.replicates, costs=costs[:, :, None])  # type: ignore[type-var]
        plan = found(replace(menu, options=dear, replicates=again))
        assert (("a", "plateau") in plan.firm) == firm


def test_what_is_claimed_counts_the_noise_of_the_difference_to_rivals() -> None:
    calm, loud = (found(noisy(np.random.default_rng(0), sd)) for sd in (1e-9, 0.05))
    assert calm.gap is not None
    assert loud.gap is not None
    assert calm.gap == pytest.approx(calm.answer.gap or 0.0, abs=1e-6)
    assert loud.gap == pytest.approx(
        (loud.answer.bound - loud.answer.value + 2.04 * loud.apart) / loud.answer.bound
    )
    assert loud.apart > 0


def test_the_noise_of_a_value_is_that_of_the_same_mix_over_other_draws() -> None:
    rng = np.random.default_rng(4)
    menus = [noisy(rng, 0.1, {"strong": 6.0}) for _ in range(60)]
    x = np.ones(1)
    again = [Replicated(menu, {}, x) for menu in menus]
    values = np.array([each.of(x)[1] for each in again])
    told = np.sqrt(np.mean([each.noise(x) ** 2 for each in again]))
    assert told == pytest.approx(values.std(ddof=1), rel=0.25)  # 60 values: a tenth


def test_replicates_in_single_precision_tell_the_same_noise() -> None:
    menu = noisy(np.random.default_rng(4), 0.1)
    again = menu.replicates
    assert again is not None
    low: Any = again.information.astype(np.float32)
    single = replace(menu, replicates=replace(again, information=low))
    x, y = np.eye(4)[3], np.eye(4)[0]
    double, told = (Replicated(each, {}, x) for each in (menu, single))
    assert told.noise(x) == pytest.approx(double.noise(x), rel=1e-4)
    assert told.paired(y) == pytest.approx(double.paired(y), rel=1e-4)


@pytest.mark.parametrize("sd", [0.05, 0.2])
def test_firm_rows_are_in_nine_of_ten_plans_of_other_fits(sd: float) -> None:
    rng = np.random.default_rng(3)
    plans = [found(noisy(rng, sd)) for _ in range(10)]
    rows = [{name.split()[0] for name in plan.answer.chosen} for plan in plans]
    shares = [np.mean([row[0] in mix for mix in rows]) for plan in plans for row in plan.firm]
    assert min(shares) >= 0.9
    values = np.array([plan.answer.value for plan in plans])
    inside = np.abs(values - values.mean()) <= 2.5 * np.array([plan.noise for plan in plans])
    assert inside.mean() >= 0.8


def test_a_row_without_which_nothing_is_left_is_told_of_too() -> None:
    plan = found(noisy(np.random.default_rng(0), 0.05, {"strong": 6.0}))
    assert plan.firm == (("strong", "plateau"),)
    hardly = firm_rows(
        Question(noisy(np.random.default_rng(0), 2.0, {"weak": 1e-4}), BUDGET), Certified()
    )
    assert hardly is None or hardly.firm + tuple(hardly.instead) == (("weak", "plateau"),)
