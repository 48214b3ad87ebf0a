"""The spread of a mix's spend over the menu's cost draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.limits import Mandatory
from evalfolio.plans.plan import Plan
from evalfolio.plans.risk import money_spends

RUN = [Mandatory("a max"), Mandatory("c plateau")]


def forced(menu: ef.Menu, **budget: float) -> Plan:
    return ef.optimise(menu, budget=budget, constraints=RUN)


def test_spread_over_draws_is_that_of_the_sum() -> None:
    menu = small_menu()
    rng = np.random.default_rng(2)
    draws = menu.costs * np.exp(rng.normal(0, 0.5, size=(4000, len(menu), 1)))
    menu = replace(menu, resource_draws=draws)
    expected, spends = money_spends(menu, ["a max", "c plateau"])
    total = draws[:, [1, 4], 0].sum(axis=1)
    assert expected == pytest.approx(9_900.0)
    assert spends == pytest.approx(total)
    plan = forced(menu, usd=10_000.0)
    assert plan.chosen == ("a max", "c plateau")
    money = plan.record.money
    assert money.p90 == pytest.approx(np.quantile(total, 0.9))
    assert money.p_overspend == pytest.approx((total > 10_000).mean())
    assert forced(menu, staff_hours=90.0).record.money.p_overspend is None


def test_without_draws_the_spend_is_certain() -> None:
    expected, spends = money_spends(small_menu(), ["a max"])
    assert (expected, spends.tolist()) == (9_000.0, [9_000.0])
    money = forced(small_menu(), usd=10_000.0).record.money
    assert (money.p90, money.p_overspend) == (9_900.0, None)
