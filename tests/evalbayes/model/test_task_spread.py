"""Spread of tasks learned from runs of the same tasks, against brute force and known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats
from scipy.special import expit
from tests.evalbayes.model.simulated import observed

from evalbayes.model import priors
from evalbayes.model.evidence import evidence_of
from evalbayes.model.task_spread import GRID, log_likelihood, task_spreads


def runs_of(b: float, level: list[float], n_tasks: int, rng: np.random.Generator) -> pd.DataFrame:
    z = rng.standard_normal(n_tasks)
    won = rng.random((n_tasks, len(level))) < expit(np.array(level) - b * z[:, None])
    j, m = (k.reshape(-1) for k in np.indices(won.shape))
    outcome = np.where(won.reshape(-1), "success", "gave_up")
    table = pd.DataFrame({"eval": "e", "task": [f"t{k}" for k in j], "outcome": outcome})
    return table.assign(ai_model=[f"m{k}" for k in m], spend=1e4, cap=1e6)


def test_likelihood_is_the_integral_over_tasks() -> None:
    """Differences between two b against scipy's integral, at shares that fix the centres."""
    runs = np.array([[2.0, 1.0], [1.0, 3.0], [4.0, 0.0], [1.0, 2.0]])
    successes = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 0.0], [0.0, 1.0]])
    found = log_likelihood(runs, successes)
    share = (successes.sum(axis=0) + 0.5) / (runs.sum(axis=0) + 1.0)

    def exact(b: float) -> float:
        def mean(c: float) -> float:
            return integrate.quad(lambda z: expit(c - b * z) * stats.norm.pdf(z), -8, 8)[0]

        c = [optimize.brentq(lambda c, s=s: mean(c) - s, -30.0, 30.0) for s in share]
        total = 0.0
        for n, k in zip(runs, successes, strict=True):

            def task(z: float, n: np.ndarray = n, k: np.ndarray = k) -> float:
                p = expit(np.array(c) - b * z)
                return float(np.prod(p**k * (1 - p) ** (n - k)) * stats.norm.pdf(z))

            total += np.log(integrate.quad(task, -8, 8)[0])
        return total

    for low, high in ((10, 40), (30, 45)):
        expected = exact(GRID[high]) - exact(GRID[low])
        assert found[high] - found[low] == pytest.approx(expected, abs=2e-3)


def test_one_run_of_each_task_tells_nothing() -> None:
    """Its likelihood is all but flat, and draws of the prior stay as they are."""
    rng = np.random.default_rng(0)
    ones = np.ones((60, 1))
    flat = log_likelihood(ones, (rng.random((60, 1)) < 0.4).astype(float))
    assert np.ptp(flat) < 0.02
    plain = evidence_of(observed(runs_of(3.0, [0.5], 60, rng))).plain
    prior = np.exp(rng.normal(size=(50, 2)))
    drawn = task_spreads(plain, ("e", "other"), np.full((50, 2), 0.5), prior, rng)
    np.testing.assert_array_equal(drawn, prior)


@pytest.mark.parametrize("n", [50, pytest.param(150, marks=pytest.mark.slow)])
def test_truth_from_the_prior_has_uniform_ranks(n: int) -> None:
    """Over evals with b = a·τ from the prior, levels such that some tasks are solved."""
    rng = np.random.default_rng(1)
    slope = 0.5
    tau = np.exp(rng.normal(priors.TASK_SD.mean_ln, priors.TASK_SD.sd_ln, n))
    names = tuple(f"e{k:03}" for k in range(n))
    tables = [
        runs_of(slope * t, list(rng.normal(0.0, 2.0, 4)), 40, rng).assign(eval=name)
        for name, t in zip(names, tau, strict=True)
    ]
    plain = evidence_of(observed(pd.concat(tables))).plain
    drawn = task_spreads(plain, names, np.full((99, n), slope), np.ones((99, n)), rng)
    assert stats.kstest((drawn < tau).mean(axis=0), "uniform").pvalue > 0.01
    assert np.log(drawn).std(axis=0).mean() < 0.75 * priors.TASK_SD.sd_ln  # something was learned
