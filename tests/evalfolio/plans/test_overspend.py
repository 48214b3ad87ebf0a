"""The spread of a mix's spend over the menu's cost draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evalfolio.examples import small_menu
from evalfolio.plans.risk import overspend


def test_spread_over_draws_is_that_of_the_sum() -> None:
    menu = small_menu()
    rng = np.random.default_rng(2)
    draws = menu.costs * np.exp(rng.normal(0, 0.5, size=(4000, len(menu), 1)))
    menu = replace(menu, resource_draws=draws)
    result = overspend(menu, ["a max", "c plateau"], 10_000.0)
    total = draws[:, [1, 4], 0].sum(axis=1)
    assert result.expected == pytest.approx(9_900.0)
    assert result.p90 == pytest.approx(np.quantile(total, 0.9))
    assert result.probability == pytest.approx((total > 10_000).mean())


def test_without_draws_the_spend_is_certain() -> None:
    result = overspend(small_menu(), ["a max"], 9_000.0)
    assert (result.p90, result.probability) == (9_000.0, 0.0)


def test_without_a_budget_nothing_is_overspent() -> None:
    assert overspend(small_menu(), ["a max"], None).probability is None
