"""The cost of a limit is what enumeration says it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import InfeasibleError
from evalfolio.limits import Forbidden, Limit, Mandatory, MaxEvals
from evalfolio.limits.amount import in_words
from evalfolio.plans.limit_costs import cost_of_limits
from evalfolio.search.certified import Certified
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question


def test_costs_are_the_enumerated_differences(
    make_menu: Callable[..., Menu], every_choice: Callable[[Menu], NDArray[np.float64]]
) -> None:
    menu = make_menu(3, n_evals=4)
    choices = every_choice(menu)
    problem = Problem(Question(menu))
    values = np.array([problem.value(x) for x in choices])
    usd, hours = choices @ menu.costs[:, 0], choices @ menu.costs[:, 1]
    budget = {"usd": 0.4 * float(usd.max()), "staff_hours": 1e6}
    deep = (menu.options["tier"] == "plateau").to_numpy()
    a = (menu.options["eval"] == "a").to_numpy()
    within = {
        f"budget of {in_words(budget['usd'], 'usd')}": usd <= budget["usd"],
        "budget of 1,000,000 staff_hours": hours <= 1e6,
        "at most 1 eval of plateau": choices[:, deep].sum(axis=1) <= 1,
        "forbidden: a": choices[:, a].sum(axis=1) == 0,
    }
    constraints: list[Limit] = [MaxEvals("plateau", 1), Forbidden("a")]
    table: Any = cost_of_limits(Question(menu, budget, constraints), method=Certified(gap=1e-6))
    best = values[np.all(list(within.values()), axis=0)].max()
    for name, row in table.iterrows():
        rest = [mask for other, mask in within.items() if other != name]
        assert len(rest) == len(within) - 1, (name, list(within))
        without = values[np.all(rest, axis=0)].max()
        assert row["cost"] == pytest.approx(without - best, abs=2e-6 * without)
        assert row["binds"] == ("yes" if without > best * (1 + 1e-5) else "no")
    assert set(table["binds"]) == {"yes", "no"}
    assert table["cost"].is_monotonic_decreasing


def test_limits_that_clash_have_no_cost(make_menu: Callable[..., Menu]) -> None:
    with pytest.raises(InfeasibleError, match="No choice meets these 2 limits"):
        cost_of_limits(Question(make_menu(0), {}, [Mandatory("a"), Forbidden("a")]))
