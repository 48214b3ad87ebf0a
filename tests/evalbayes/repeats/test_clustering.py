"""How many runs tasks and attempts are worth, against simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import expit

from evalbayes.repeats.clustering import attempt_correlation, effective_runs


def test_correlation_and_worth_agree_with_simulated_attempts() -> None:
    rng = np.random.default_rng(0)
    slope, task_sd, centre = 0.6, 2.5, 0.4
    shares = expit(slope * (centre - task_sd * rng.standard_normal((60_000, 10))))
    plateau = shares.mean()
    rho = attempt_correlation(np.array([plateau]), np.array([slope]), np.array([task_sd]))[0]
    assert rho == pytest.approx(shares.var() / (plateau * (1 - plateau)), rel=0.02)
    scores = rng.binomial(3, shares).mean(axis=1) / 3
    worth = plateau * (1 - plateau) / scores.var()
    assert effective_runs(10, 3, rho, of=40) == pytest.approx(worth, rel=0.03)


def test_correlation_with_an_elicited_attempt_agrees_with_simulated_tasks() -> None:
    rng = np.random.default_rng(1)
    slope, task_sd = 0.6, 2.5
    difficulty = task_sd * rng.standard_normal(400_000)
    p, q = expit(slope * (0.4 - difficulty)), expit(slope * (1.9 - difficulty))
    first, second = rng.random(len(p)) < p, rng.random(len(p)) < q
    rho = attempt_correlation(
        np.array([p.mean()]), np.array([slope]), np.array([task_sd]), np.array([q.mean()])
    )[0]
    assert rho == pytest.approx(np.corrcoef(first, second)[0, 1], abs=0.01)


@given(
    tasks=st.integers(1, 50),
    attempts=st.integers(1, 8),
    rho=st.floats(0, 1),
    already=st.integers(0, 200),
)
@example(tasks=50, attempts=1, rho=1 - 1e-16, already=82)  # rounding took it below 0
@example(tasks=50, attempts=7, rho=1.0, already=200)
def test_never_more_than_the_runs_and_never_less_with_more_of_them(
    tasks: int, attempts: int, rho: Any, already: int
) -> None:
    def worth(n: Any, k: Any) -> float:
        return effective_runs(n, k, rho, of=50, already=already)

    assert 0 <= worth(tasks, attempts) <= tasks * attempts * (1 + 1e-9)
    assert worth(tasks, attempts + 1) >= worth(tasks, attempts) - 1e-9
    if tasks < 50:
        assert worth(tasks + 1, attempts) >= worth(tasks, attempts) - 1e-9


def test_tasks_run_before_are_repeats() -> None:
    fresh = effective_runs(10, 1, 0.6, of=40, already=30)
    assert fresh == 10.0
    assert effective_runs(20, 1, 0.6, of=40, already=30) < 10.0 + 10 * 0.5
    both = effective_runs(40, 1, 0.6, of=40) + effective_runs(40, 1, 0.6, of=40, already=40)
    assert both == pytest.approx(effective_runs(40, 2, 0.6, of=40))
