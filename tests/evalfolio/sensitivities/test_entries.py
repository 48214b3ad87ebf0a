"""The amount from which something is worth its price, against enumeration of every mix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import evalfolio as ef
from evalbayes import Menu
from evalfolio.examples import small_menu
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.frontiers import NEAR, entries, groups
from evalfolio.sensitivities.sweep import Sweep

EveryChoice = Callable[[Menu], NDArray[np.float64]]


def best_values(menu: Menu, choices: NDArray[np.float64], amount: float) -> dict[str, float]:
    """The best value at an amount of usd, of all mixes and of those without each group."""
    from evalfolio.limits.group import members

    fits = choices[choices @ menu.costs[:, 0] <= amount]
    values = [ef.evaluate(menu, list(menu.options.index[x > 0.5])).value for x in fits]
    best = {"": max(values)}
    for name, group in groups(menu).items():
        without = fits @ members(menu, group).astype(float) == 0
        best[name] = max(v for v, kept in zip(values, without, strict=True) if kept)
    return best


def test_entries_are_where_enumeration_puts_them(every_choice: EveryChoice) -> None:
    menu = small_menu()
    choices = every_choice(menu)
    line = ef.frontier(Question(menu, {"usd": 9_000.0}), points=8, method=Certified(gap=1e-5))
    table = entries(line, method=Certified(gap=1e-5)).set_index("what").to_dict("index")
    assert set(groups(menu)) < set(table)
    for name in groups(menu):
        row = table[name]
        assert row["why"] == "pays"
        assert row["below"] == 0 or row["at"] <= row["below"] * NEAR
        above = best_values(menu, choices, row["at"])
        assert above[""] > above[name]
        assert row["adds"] == pytest.approx(1 - above[name] / above[""], abs=1e-4)
        if row["below"] > 0:
            under = best_values(menu, choices, row["below"])
            assert under[name] >= under[""] * (1 - 1e-4)
    whole = best_values(menu, choices, np.inf)[""]
    row = table["95% of what any amount can reach"]
    assert best_values(menu, choices, row["at"])[""] >= 0.95 * whole * (1 - 1e-4)
    assert best_values(menu, choices, row["below"])[""] <= 0.95 * whole * (1 + 1e-4)


def test_beyond_the_last_point_amounts_up_to_the_whole_menu_are_tried() -> None:
    line = ef.frontier(Question(small_menu(), {"usd": 900.0}), points=[300, 700, 900])
    row = entries(line).set_index("what").to_dict("index")["max elicitation anywhere"]
    assert row["below"] > 900
    assert row["why"] == "pays"


def test_what_a_limit_asks_for_and_what_never_pays_is_said() -> None:
    menu = small_menu()
    limits = (ef.Mandatory("c"), ef.Forbidden("max-elicitation"))
    line = ef.frontier(Question(menu, {"usd": 5_000.0}, limits), points=6)
    table = entries(line).set_index("what").to_dict("index")
    assert table["autonomy: any eval"]["why"] == "a limit asks for it"
    assert table["max elicitation anywhere"]["why"] == "never"
    assert np.isnan(table["max elicitation anywhere"]["at"])


def test_workers_do_not_matter() -> None:
    line = ef.frontier(Question(small_menu(), {"usd": 9_000.0}), points=4)
    assert entries(line).equals(entries(line, sweep=Sweep(workers=2)))
