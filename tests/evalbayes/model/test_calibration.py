"""Calibration by simulation: of the test itself, and of the whole model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.calibration import (
    BEST_OF_K,
    DESIGN,
    FALSE_ALARM,
    PAIRS,
    SEED,
    complete,
    design,
)
from benchmarks.ranks import (
    RANKED,
    Calibration,
    Simulator,
    calibrate,
    simulated_runs,
    uniformity,
)
from tests.batches import some

from evalbayes.errors import InputError
from evalbayes.model.likelihood import Curves


# 0.1 expected; binomial bounds at 1 in 1000.
@pytest.mark.parametrize(
    ("sets", "most"), [(40, 0.275), pytest.param(200, 0.17, marks=pytest.mark.slow)]
)
def test_uniform_ranks_are_called_not_uniform_as_rarely_as_stated(sets: int, most: float) -> None:
    rng = np.random.default_rng(5)
    p = np.array([uniformity(rng.integers(0, RANKED + 1, 60), RANKED) for _ in range(sets)])
    assert 0.0 < (p < 0.1).mean() <= most


@pytest.mark.parametrize(
    "shift", [lambda u: u**1.5, lambda u: 0.5 + 0.6 * (u - 0.5), lambda u: u**2 * (3 - 2 * u)]
)
def test_bias_and_wrong_width_are_seen(shift: object) -> None:
    assert callable(shift)
    u = np.random.default_rng(6).random(200)
    ranks = (shift(u) * (RANKED + 1)).astype(np.int64)
    assert uniformity(ranks, RANKED) < 0.01


def test_simulated_runs_are_those_of_the_runs_they_sum_up() -> None:
    one = np.ones(2)
    truth = Curves(0.4 * one, 11.0 * one, 1.2 * one, 12.0 * one, 0.8 * one)
    ended, n_stopped = simulated_runs(truth, 40_000, 11.8, np.random.default_rng(7))
    total = ended.n_success + ended.n_gave_up + n_stopped
    assert (total == 40_000).all()
    from evalbayes.curves import Curve

    curve = Curve(1 / (1 + np.exp(-0.4)) * one, 11.0 * one, 1.2 * one, 12.0 * one, 0.8 * one)
    assert ended.n_success / 40_000 == pytest.approx(curve.success_within(11.8), abs=0.01)
    assert n_stopped / 40_000 == pytest.approx(curve.stopped(11.8), abs=0.01)


def test_a_design_without_elicited_runs_is_refused() -> None:
    catalogue, observations = design()
    cells = observations.cells
    plain = type(observations)(cells=cells[cells["effort"] == 0.0])
    with pytest.raises(InputError, match="must hold results with effort above 0"):
        Simulator(catalogue, plain, data_sets=1)


def test_the_table_has_a_row_per_quantity() -> None:
    rng = np.random.default_rng(8)
    names = ["plateau", "gap"]
    ranks = pd.DataFrame({name: rng.integers(0, RANKED + 1, 100) for name in names})
    ess = pd.DataFrame({"plateau": 400.0, "gap": [90.0, 400.0] * 50})
    table = Calibration(ranks, 0, 1, ess).table()
    assert list(table.index) == names
    assert table["short"].tolist() == [0.0, 0.5]
    assert table["mean_rank"].between(0.4, 0.6).all()
    assert len(DESIGN) == 5


def test_every_kind_of_result_is_simulated_and_a_run_broken_off_goes_on(tmp_path: Path) -> None:
    catalogue, observations = complete()
    simulator = Simulator(catalogue, observations, data_sets=2, draws=120, tune=60, seed=1)
    first = calibrate(simulator, [0], tmp_path)
    assert {"plateau", "gap", "lineage", "general", "log_likelihood"} <= set(first.ranks)
    simulator.program = None  # so that nothing can be fitted again
    again = calibrate(simulator, [0], tmp_path)
    pd.testing.assert_frame_equal(first.ranks, again.ranks)
    assert len(simulator.evidence.nested) == 2
    assert len(simulator.evidence.betas) == 3


@pytest.mark.slow  # forty fits of a small design, one compilation: about two CPU-minutes
@pytest.mark.timeout(1800)
def test_ranks_of_the_truth_are_uniform() -> None:
    catalogue, observations = design()
    simulator = Simulator(catalogue, observations, data_sets=40, runs=20, seed=SEED + 1)
    found = calibrate(simulator, range(40))
    table = found.table()
    assert (table["p"] >= FALSE_ALARM / len(table)).all(), table
    assert found.divergences <= 0.01 * found.transitions


@pytest.mark.slow  # fits of a small design, one compilation: about half a CPU-minute
@pytest.mark.timeout(1800)
def test_the_gap_learned_from_best_of_k_and_elicited_pairs_is_calibrated() -> None:
    catalogue, observations = design(PAIRS, BEST_OF_K)
    sets = len(some(range(60)))
    simulator = Simulator(catalogue, observations, data_sets=sets, runs=20, seed=SEED + 2)
    found = calibrate(simulator, range(sets))
    table = found.table()
    assert (table["p"] >= FALSE_ALARM / len(table)).all(), table
    assert found.divergences <= 0.01 * found.transitions
