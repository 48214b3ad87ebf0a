"""A question: what may be spent, and that the same words choose the same mix everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import evalfolio as ef
from evalbayes import Menu, parse_catalogue
from evalfolio.examples import small_menu
from evalfolio.limits.budget import parse_contingency
from evalfolio.limits.limit import Limit
from evalfolio.limits.rows import Row, Rows, stack

BUDGET = {"usd": 10_000.0, "staff_hours": 90.0}


@pytest.mark.parametrize(
    ("contingency", "usd", "hours"),
    [
        (0.0, 10_000.0, 90.0),
        (0.1, 9_000.0, 90.0),
        ({"usd": 0.1, "staff_hours": 0.5}, 9_000.0, 45.0),
        ({"staff_hours": 0.5}, 10_000.0, 45.0),
    ],
)
def test_contingency_is_of_the_money_unless_a_resource_is_named(
    contingency: float | dict[str, float], usd: float, hours: float
) -> None:
    question = ef.Question(small_menu(), BUDGET, contingency=contingency)
    assert question.spendable == pytest.approx({"usd": usd, "staff_hours": hours})
    plan = ef.answer(question)
    less = ef.optimise(small_menu(), budget=question.spendable)
    assert (plan.chosen, plan.value, plan.bound) == (less.chosen, less.value, less.bound)
    assert plan.budget == BUDGET
    assert plan.record.may_spend("usd") == pytest.approx(usd)
    for name, spent in plan.spend.items():
        assert spent <= question.spendable[name] * (1 + 1e-9)


def test_a_share_of_staff_hours_holds_for_every_skill_without_its_own() -> None:
    menu = small_menu()
    split = {"staff_hours.a": 0.6, "staff_hours.b": 0.4}
    options = menu.options.drop(columns="staff_hours")
    for name, share in split.items():
        options[name] = menu.options["staff_hours"] * share
    menu = replace(menu, options=options, resources=("usd", *split), resource_draws=None)
    budget = {"staff_hours.a": 50.0, "staff_hours.b": 50.0}
    kept = {"staff_hours": 0.1, "staff_hours.b": 0.2}
    assert ef.Question(menu, budget, contingency=kept).spendable == pytest.approx(
        {"staff_hours.a": 45.0, "staff_hours.b": 40.0}
    )


def test_the_words_of_catalogue_command_line_and_python_mean_the_same() -> None:
    assert parse_contingency([]) is None
    assert parse_contingency(["0.1"]) == 0.1
    both = parse_contingency(["usd=0.1", "staff_hours=0.5"])
    spec = {"usd": 10_000, "staff_hours": 90, "contingency": {"usd": 0.1, "staff_hours": 0.5}}
    catalogue = parse_catalogue(
        {
            "budget": spec,
            "domain": [{"name": "cyber", "threshold_human_time": "8 h"}],
            "eval": [{"name": "a", "domain": "cyber", "tasks": 9, "usd_per_run": 1}],
        }
    )
    assert catalogue.budget.contingency == both
    assert both is not None
    plans = [
        ef.optimise(small_menu(), budget=BUDGET, contingency=each)
        for each in (both, catalogue.budget.contingency)
    ]
    assert plans[0].to_json() == plans[1].to_json()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["much"], "--contingency must be a share or resource=share"),
        (["0.1", "usd=0.2"], "--contingency of usd must be given once"),
    ],
)
def test_words_that_are_no_contingency_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ef.InputError, match=message):
        parse_contingency(words)


@pytest.mark.parametrize(
    ("contingency", "message"),
    [
        (1.0, "contingency must be a share from 0 up to, but not, 1, got 1"),
        ({"staff_hour": 0.1}, "got 'staff_hour'; did you mean 'staff_hours'"),
        ({"usd": -0.1}, "contingency of usd must be a share from 0 up to, but not, 1, got -0.1"),
    ],
)
def test_shares_that_cannot_be_kept_back_are_refused(
    contingency: float | dict[str, float], message: str
) -> None:
    with pytest.raises(ef.InputError, match=message):
        ef.Question(small_menu(), BUDGET, contingency=contingency)


def test_ways_of_searching_are_values() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET, method=ef.Certified(gap=1e-4))
    assert plan.status is ef.Status.CERTIFIED
    assert plan.chosen == ef.optimise(small_menu(), budget=BUDGET, gap=1e-4).chosen
    quick = ef.optimise(small_menu(), budget=BUDGET, method=ef.Greedy())
    assert quick.status is ef.Status.GREEDY
    assert quick.bound >= plan.value - 1e-9
    with pytest.raises(ef.InputError, match="gap, seed and time_limit must be left out"):
        ef.optimise(small_menu(), budget=BUDGET, method=ef.Greedy(), gap=0.1)


def test_every_status_has_a_meaning_and_all_but_the_good_one_a_cure() -> None:
    assert all(status.meaning for status in ef.Status)
    assert [status for status in ef.Status if not status.cure] == [ef.Status.CERTIFIED]


def test_limits_travel_with_the_question() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET)
    asked = plan.question.under(ef.Forbidden(plan.chosen[0]))
    other = ef.answer(asked.within(usd=20_000.0))
    assert plan.chosen[0] not in other.chosen
    assert np.isclose(other.question.spendable["usd"], 20_000.0)


class Dearest:
    """A limit of a user's own, on what the dearest of the draws comes to."""

    def rows(self, menu: Menu) -> Rows:
        assert menu.resource_draws is not None
        worst = menu.resource_draws[:, :, 0].max(axis=0)
        return stack(menu, [Row(worst, -np.inf, 2_000.0, "dearest draw")])


@pytest.mark.parametrize("limit", [ef.ChanceLimit(2_000.0, 0.1), Dearest()])
def test_what_goes_to_another_process_keeps_the_draws_that_limits_are_of(limit: Limit) -> None:
    menu = small_menu()
    menu = replace(menu, resource_draws=np.repeat(menu.costs[None], 20, axis=0))
    question = ef.Question(menu, BUDGET, (limit,))
    assert ef.answer(question.lean).chosen == ef.answer(question).chosen
    assert ef.answer(question).chosen != ef.answer(ef.Question(menu, BUDGET)).chosen  # it binds
