"""Boxes settled by listing their choices: nothing better is left out, and too many are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.limits import Limit, MinEvals
from evalfolio.search import enumeration
from evalfolio.search.branching import Search
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

GAP = 1e-3


def choices(problem: Problem) -> Iterator[NDArray[np.float64]]:
    codes = range(len(problem.evals))
    own = [np.append(-1, np.flatnonzero(problem.eval_codes == code)) for code in codes]
    for picked in product(*own):
        x = np.zeros(problem.n_options)
        x[[option for option in picked if option >= 0]] = 1.0
        yield x


def looked_through(
    menu: Menu, share: float, constraints: Sequence[Limit] = ()
) -> tuple[Search, bool]:
    budget = {n: share * float(menu.options.groupby("eval")[n].max().sum()) for n in menu.resources}
    search = Search(Problem(Question(menu, budget, constraints)), gap=GAP, deadline=None, seed=0)
    box = search.relaxation.whole_menu()
    search.programme.add_tangents(search.problem.evenly())
    search.programme.enter(box)
    relaxed = search.programme.solve()
    tangents = search.programme.tangents
    return search, search.enumeration.settled(box, relaxed, tangents, lambda: search._target)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("constraints", [(), (MinEvals("everything", at_least=2),)])
def test_the_best_of_a_settled_box_is_that_of_all_its_choices(
    make_menu: Callable[..., Menu],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    constraints: Sequence[Limit],
) -> None:
    monkeypatch.setattr(enumeration, "LOOKS", 1000)
    search, settled = looked_through(make_menu(seed, 4, 3, 2), 0.4, constraints)
    assert settled
    problem = search.problem
    best = max(problem.value(x) for x in choices(problem) if problem.met(x)) / problem.scale
    assert search.incumbent.value >= best * (1 - GAP)
    assert search.incumbent.value <= best * (1 + 1e-12)


def test_too_many_choices_are_left_to_be_split(
    make_menu: Callable[..., Menu], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enumeration, "MOST", 3)
    search, settled = looked_through(make_menu(1, 5, 3, 2), 0.4)
    assert not settled
    assert search.incumbent.value == 0.0  # nothing was looked at
