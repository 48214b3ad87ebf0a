"""Plans checked by a whole-number solver of another make: SCIP, through cvxpy.

Where every worth is concave the objective is a second-order cone programme in the choice, and SCIP
takes it with whole choices. It shares nothing with the search but the menu's numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from evalbayes import Menu
from evalfolio.limits import MinEvals
from evalfolio.objectives import Objective, evsi, variance
from evalfolio.search.certified import Certified, certify
from evalfolio.search.convex.expression import expression
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

pytest.importorskip("pyscipopt", reason="SCIP is not installed: pip install 'evalfolio[solvers]'")

GAP = 1e-4


def at_the_threshold(menu: Menu) -> Menu:
    """Return the menu with equal losses and means at the thresholds: worths are square roots."""
    means = [float(d.contrast @ menu.prior_mean) for d in menu.decisions]
    decisions = [
        replace(d, threshold=mean, loss_missed=2.0, loss_false_alarm=2.0)
        for d, mean in zip(menu.decisions, means, strict=True)
    ]
    return replace(menu, decisions=tuple(decisions))


@pytest.mark.parametrize("objective", [variance(), evsi()], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_the_best_choice_is_worth_the_same_by_another_solver(
    make_menu: Callable[..., Menu], seed: int, objective: Objective
) -> None:
    menu = at_the_threshold(make_menu(seed, 5, 2, 2))
    budget = {n: 0.35 * float(menu.options.groupby("eval")[n].max().sum()) for n in menu.resources}
    problem = Problem(
        Question(menu, budget, (MinEvals("everything", at_least=2),), objective=objective)
    )
    found = certify(problem, Certified(gap=GAP))
    assert found.status == "certified"

    x = cp.Variable(len(menu), boolean=True)
    worth, rows = expression(objective, menu, x, n_lines=200)
    evals = menu.options["eval"].to_numpy()
    rows += [menu.costs.T @ x <= np.array([budget[name] for name in menu.resources])]
    rows += [cp.sum(x[np.flatnonzero(evals == name)]) <= 1 for name in dict.fromkeys(evals)]
    other = cp.Problem(cp.Maximize(worth), [*rows, cp.sum(x) >= 2])
    other.solve(solver=cp.SCIP)
    assert other.status == "optimal"
    theirs = problem.value(np.round(np.asarray(x.value)))
    assert found.value >= theirs * (1 - GAP)
    assert found.bound >= theirs * (1 - 1e-9)
    assert other.value >= found.value * (1 - 1e-4)  # their tolerance
    assert other.value == pytest.approx(found.value, rel=1e-3)
