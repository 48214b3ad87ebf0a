"""The canaries of `doctor`: brute force has their optima, and a solver that errs is named."""

from __future__ import annotations

from itertools import product

import highspy
import numpy as np
import pytest
from scipy.optimize import linprog

from evalfolio.cli import doctor
from evalfolio.errors import SolverError


@pytest.mark.parametrize("canary", doctor.CANARIES)
def test_brute_force_finds_the_optimum_of_a_canary(canary: tuple[list[float], ...]) -> None:
    cost, rows, low, high, most, whole, least = map(np.array, canary)
    matrix = np.vstack([rows, -rows]).astype(float)
    ends = np.concatenate([high, -low])
    told = np.isfinite(ends)
    found = []
    for held in product(
        *(range(int(m) + 1) if w else [None] for m, w in zip(most, whole, strict=True))
    ):
        bounds = [(0, m) if h is None else (h, h) for h, m in zip(held, most, strict=True)]
        done = linprog(cost, A_ub=matrix[told], b_ub=ends[told], bounds=bounds, method="highs-ds")
        if done.status == 0:
            found.append(float(done.fun or 0.0))
    assert min(found) == pytest.approx(float(least))


def test_the_solvers_here_pass() -> None:
    assert "both optima" in doctor.whole_numbers()


def test_a_solver_that_calls_a_false_optimum_optimal_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Wrong:
        objective_function_value = 15.0

    monkeypatch.setattr(highspy.Highs, "getInfo", lambda solver: Wrong())
    with pytest.raises(SolverError, match="HiGHS calls 15 optimal where 9 is"):
        doctor.whole_numbers()
