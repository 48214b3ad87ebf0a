"""Greedy values few options a step, and comes to what valuing all would."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.evalfolio.search.test_shared import shared_case

from evalbayes import Menu
from evalfolio.search import greedy as greedy_module
from evalfolio.search.greedy import greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.explained import ExplainedVariance


def looked_at(
    problem: Problem, look: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[float, np.ndarray, int]:
    """Return value and choice of greedy at so many options a look, and how many were valued."""
    valued = 0
    exchanged = ExplainedVariance.exchanged

    def counted(
        self: ExplainedVariance, x: np.ndarray, without: np.ndarray, options: np.ndarray
    ) -> object:
        nonlocal valued
        valued += len(options)
        return exchanged(self, x, without, options)

    with monkeypatch.context() as patch:
        patch.setattr(ExplainedVariance, "exchanged", counted)
        patch.setattr(greedy_module, "LOOK", look)
        x = greedy(problem)
    return problem.value(x), x, valued


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_valuing_few_comes_to_what_valuing_all_does(
    seed: int, shared: bool, make_menu: Callable[..., Menu], monkeypatch: pytest.MonkeyPatch
) -> None:
    menu = shared_case(seed, make_menu) if shared else make_menu(seed, 8, 3, 3)
    budgets = dict(zip(menu.resources, menu.costs.sum(axis=0) * 0.3, strict=True))
    problem = Problem(Question(menu, budgets))
    most, _, each = looked_at(problem, 10_000, monkeypatch)
    value, x, few = looked_at(problem, 3, monkeypatch)
    assert problem.met(x)
    assert value == pytest.approx(most, rel=2e-3)
    if not shared and x.sum() > 3:
        assert few < each
