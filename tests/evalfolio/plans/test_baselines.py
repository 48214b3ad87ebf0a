"""Plain plans spend what they are given, and what is promised or bound by hours is told as such."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest

import evalfolio as ef
from evalbayes import Menu
from evalfolio.examples import sharing_menu, small_menu
from evalfolio.limits import Mandatory
from evalfolio.plans.outlook import way_out
from evalfolio.plans.rivals import HALF, even_split, filled, information_size, rival_plans
from evalfolio.search.question import Question

BUDGETS: list[Mapping[str, float]] = [
    {"usd": 2_000.0},
    {"usd": 9_000.0, "staff_hours": 60.0},
    {"usd": 18_000.0, "staff_hours": 98.0},
    {"usd": 50.0},
    {},
]


def more_fits(menu: Menu, chosen: tuple[str, ...], budget: Mapping[str, float]) -> list[str]:
    """Return options more informative than their eval's that the rest of the budgets pays for."""
    size = dict(zip(menu.options.index, information_size(menu), strict=True))
    eval_of = menu.options["eval"].to_dict()
    found = []
    for option, worth in size.items():
        mine = [o for o in chosen if eval_of[o] == eval_of[option]]
        if worth > max([size[o] for o in mine], default=0.0):
            spend = ef.evaluate(menu, [*(set(chosen) - set(mine)), option]).spend
            if all(spend[name] <= amount for name, amount in budget.items()):
                found.append(str(option))
    return found


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("make", [small_menu, sharing_menu])
def test_plain_plans_spend_until_nothing_more_fits(
    make: Callable[[], Menu], budget: Mapping[str, float]
) -> None:
    menu = make()
    for chosen in (even_split(menu, budget), filled(menu, (), budget)):
        spend = ef.evaluate(menu, chosen).spend
        assert all(spend[name] <= amount for name, amount in budget.items())
        assert more_fits(menu, chosen, budget) == []
        evals = menu.options.loc[list(chosen), "eval"]
        assert not evals.duplicated().any()


def test_an_even_split_leaves_no_eval_out_that_equal_shares_pay_for() -> None:
    menu = small_menu()
    cheapest = menu.options.groupby("eval")["usd"].min()
    chosen = even_split(menu, {"usd": float(cheapest.max() * len(cheapest))})
    assert set(menu.options.loc[list(chosen), "eval"]) == set(cheapest.index)


def test_half_of_every_budget_stands_beside_the_plan_unless_it_cannot_be() -> None:
    question = Question(small_menu(), {"usd": 4_000.0, "staff_hours": 40.0})
    halved = Question(small_menu(), {"usd": 2_000.0, "staff_hours": 20.0})
    best = ef.optimise(halved.menu, budget=halved.budget, gap=1e-2)
    value = ef.evaluate(question.menu, rival_plans(question)[HALF]).value
    assert value == pytest.approx(best.value, rel=1e-2)
    prices: dict[str, float] = question.menu.options["usd"].to_dict()  # type: ignore[assignment]
    dear = max(prices, key=lambda option: prices[option])
    bound = Question(question.menu, {"usd": 1.5 * prices[dear]}).under(Mandatory(dear))
    assert HALF not in rival_plans(bound)


def test_nobody_is_told_to_drop_what_is_promised_or_to_pay_where_hours_bind() -> None:
    menu = small_menu()
    domain = str(menu.options["domain"].iloc[0])
    free = ef.optimise(menu, budget={"usd": 3_000.0})
    assert way_out(free, [domain]) == "fund it to there, or drop it"
    promised = ef.optimise(
        menu, budget={"usd": 3_000.0}, constraints=[Mandatory(str(menu.options["eval"].iloc[0]))]
    )
    assert "it stays, as a is mandatory" in way_out(promised, [domain])
    hours = dataclasses.replace(free, shadow_prices={"usd": 0.0, "staff_hours.bio": 0.1})
    assert way_out(hours, [domain]) == "what holds it back is staff hours (bio), not money"


def test_information_checked_once_is_not_trusted_when_it_is_another() -> None:
    menu = small_menu()
    part = menu.subset(np.arange(len(menu)) > 0)
    assert len(dataclasses.replace(part, skewed=())) == len(menu) - 1
    bad = menu.information.copy()
    bad[1] -= 2 * np.abs(bad).max() * np.eye(len(menu.states))
    with pytest.raises(ef.InputError, match="must be symmetric positive semi-definite"):
        dataclasses.replace(menu, information=bad)
    half = bad[1:]
    with pytest.raises(ef.InputError, match="must be symmetric positive semi-definite"):
        dataclasses.replace(part, information=half)
