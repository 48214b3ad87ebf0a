"""How long does a certified plan take, and how does that grow with the menu?

    python -m pytest benchmarks/bench_optimise.py --benchmark-only

The budget is a tenth of what the deepest option of every eval uses; gaps of 0.1 %.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from menus import budget_share, random_menu  # path first

import evalfolio as ef  # path first
from evalfolio.search.certified import certify  # path first
from evalfolio.search.problem import Problem  # path first
from evalfolio.search.question import Question

SIZES = ((120, 3, 6), (300, 10, 6), (1000, 10, 10))
SHARE = 0.1


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_certified_search(benchmark: Any, size: tuple[int, int, int]) -> None:
    menu = random_menu(*size)
    budget = budget_share(menu, SHARE)
    found = benchmark.pedantic(
        lambda: certify(Problem(Question(menu, budget))), rounds=3, iterations=1
    )
    assert found.status == "certified"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_whole_plan_with_its_explanation(benchmark: Any, size: tuple[int, int, int]) -> None:
    menu = random_menu(*size)
    budget = budget_share(menu, SHARE)
    plan = benchmark.pedantic(lambda: ef.optimise(menu, budget=budget), rounds=3, iterations=1)
    assert plan.status == "certified"


def test_relaxation_compiled_once_for_a_sweep(benchmark: Any) -> None:
    menu = random_menu(120, 3, 6)
    programme = ef.Relaxation(Question(menu, budget_share(menu, 0.3)))
    programme.solve(budget_share(menu, 0.3))
    benchmark.pedantic(
        lambda: [programme.solve(budget_share(menu, share)) for share in (0.05, 0.1, 0.2)],
        rounds=1,
        iterations=1,
    )
