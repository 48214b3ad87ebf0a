"""A solver without the options that no box left can have proves the same."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.menus import budget_share, random_menu

from evalfolio.search import programme
from evalfolio.search.branching import Search
from evalfolio.search.certified import Certified
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question


@pytest.mark.parametrize("seed", range(3))
def test_without_options_that_are_not_free_bounds_stay(seed: int) -> None:
    menu = random_menu(30, 3, 3, seed=seed)
    problem = Problem(Question(menu, budget_share(menu, 0.1)))
    search = Search(problem, gap=1e-3, deadline=None, seed=0)
    box = search.relaxation.whole_menu()
    for _ in range(4):
        search.programme.enter(box)
        found = search.programme.solve()
        assert found.x is not None
        search.programme.add_tangents(found.x[: problem.n_options])
    free = np.arange(problem.n_options) % 3 > 0
    box.x_high = np.where(np.resize(free, len(box.x_high)), box.x_high, 0.0)
    search.programme.enter(box)
    whole, had = search.programme.solve(), len(search.programme._columns)
    search.programme.narrow(free)
    assert len(search.programme._columns) < had
    search.programme.enter(box)
    assert search.programme.solve().bound == pytest.approx(whole.bound, rel=1e-9)
    # What is free again comes back where it pays.
    search.programme.enter(search.relaxation.whole_menu())
    again = search.programme.solve()
    assert again.bound > whole.bound
    assert found.bound >= again.bound * (1 - 1e-9)


def test_a_search_that_narrows_finds_what_one_that_does_not_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    menu = random_menu(60, 3, 6, seed=1)
    question = Question(menu, budget_share(menu, 0.03))
    narrowed: list[int] = []
    narrow = programme.Programme.narrow

    def told(self: programme.Programme, free: np.typing.NDArray[np.bool_]) -> None:
        before = len(self._columns)
        narrow(self, free)
        narrowed.append(before - len(self._columns))

    monkeypatch.setattr(programme.Programme, "narrow", told)
    one = Certified(gap=1e-4).find(question)
    assert max(narrowed) > 0
    monkeypatch.setattr(programme, "FEWER", 2.0)
    other = Certified(gap=1e-4).find(question)
    assert one.status == other.status == "certified"
    assert one.value == pytest.approx(other.value, rel=1e-4)
    assert min(one.bound, other.bound) >= max(one.value, other.value) * (1 - 1e-12)
