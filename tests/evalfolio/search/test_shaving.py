"""Shaving against a bound known in closed form, and its cuts against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from evalfolio.examples import small_menu
from evalfolio.search.box import Box, capped, shaved
from evalfolio.search.branching import Search
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question


def whole(bound: float) -> Box:
    one = np.ones(2)
    return Box(np.zeros(2), one, np.zeros(3), np.ones(3), one / 2, bound, np.zeros(3, dtype=bool))


@pytest.mark.parametrize("bend", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("target", [0.5, 0.75, 0.9, 0.97])
def test_caps_stay_below_the_true_one_and_come_near_it(target: float, bend: float) -> None:
    """The bound of a cap a is 1 - d - bend·d², d = 0.9 - a: concave, as programmes' bounds are."""

    def bound_of(part: Box) -> float:
        d = 0.9 - float(part.high[1])
        return 1 - d - bend * d**2

    caps = list(shaved(whole(1.0), 1, 0.9, target, bound_of))
    fall = 1 - target
    true = 0.9 - 2 * fall / (1 + np.sqrt(1 + 4 * bend * fall))
    assert caps == sorted(caps)
    assert caps[-1] <= true + 1e-12
    assert caps[-1] > true - 0.9 / 2**4


def test_nothing_is_shaved_where_no_cap_is_proved() -> None:
    assert list(shaved(whole(1.0), 0, 0.9, 0.5, lambda part: 1.0)) == []


def test_a_cap_leaves_the_box_as_it_was() -> None:
    box = whole(1.0)
    part = capped(box, 1, 0.3)
    assert part.high[1] == 0.3
    assert box.high[1] == 1.0


@pytest.mark.parametrize("money", [4_000.0, 10_000.0, 40_000.0])
def test_no_choice_worth_more_than_the_target_is_cut_off(money: float) -> None:
    menu = small_menu()
    problem = Problem(Question(menu, {"usd": money}))
    search = Search(problem, gap=1e-3, deadline=None, seed=0)
    search.n_boxes = 1
    box = search.relaxation.whole_menu()
    relaxed = search._relax(box, 60, True)
    assert relaxed is not None
    search.incumbent.round(relaxed, thorough=True)
    search._shave(box, relaxed)
    unit = problem.v_max[problem.active]
    for bits in product([0.0, 1.0], repeat=len(menu)):
        x = np.array(bits)
        if problem.met(x) and problem.value(x) / problem.scale > search._target + 1e-9:
            assert (problem.explained.at(x)[problem.active] / unit >= box.low - 1e-9).all()
