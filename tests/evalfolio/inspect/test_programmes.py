"""Programmes run by Inspect itself: killed and carried on, and worth what simulation foretells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.batches import some
from tests.evalfolio.inspect.conftest import INSPECTS

pytest.importorskip("inspect_ai", reason="plans are run by the extra `inspect`")
pytestmark = [
    pytest.mark.slow,
    *(pytest.mark.filterwarnings(f"ignore:{each}") for each in INSPECTS),
]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="every life is a fork")
def test_killed_at_random_moments_it_ends_with_the_same_purchases_and_cost(
    small_plan: Path, tmp_path: Path
) -> None:
    command = [sys.executable, str(Path(__file__).with_name("killed.py"))]
    kills = len(some(range(20)))
    done = subprocess.run(
        [*command, str(small_plan), str(tmp_path), str(kills)],
        capture_output=True, text=True, check=False, timeout=580,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    alone, *killed = map(json.loads, done.stdout.splitlines())
    assert sum(end["kills"] for end in killed) >= kills
    assert alone["usd"] < 0.9 * alone["cap"]  # near a limit the order of samples decides
    for end in killed:
        assert end["bought"] == alone["bought"]
        assert end["usd"] == pytest.approx(alone["usd"])
        assert end["reason"] == alone["reason"]


def test_ten_programmes_are_worth_what_the_simulation_of_their_policy_foretells(
    tmp_path: Path,
) -> None:
    from benchmarks.run_by_inspect import QUICK, SEED, begun, plan_in, world

    from evalbayes import Menu
    from evalfolio.programmes.programme import Programme
    from evalfolio.programmes.stages import stages
    from evalfolio.recommendations.recommender import question_of

    catalogue, belief, truths = begun(tmp_path)
    plan = plan_in(tmp_path, catalogue, belief)
    rows = [world(plan, truths, k, tmp_path)[0] for k in range(10)]
    start = Programme.load(plan)
    asked = question_of(catalogue, Menu.load(plan / "menu"), contingency=start.kept_back)
    foretold = stages(asked, 2, at_once=QUICK.find(asked).chosen, seed=SEED)
    saved = np.array([row["saved"] for row in rows])
    error = np.hypot(saved.std(ddof=1) / np.sqrt(len(saved)), foretold.error)
    assert abs(saved.mean() - foretold.value) < 3.0 * error
    assert all(row["usd"] <= row["cap"] for row in rows)
    assert not any(row["twice"] for row in rows)
    held = np.array([row["covered"] for row in rows])
    assert held.mean() + 2.26 * held.std(ddof=1) / np.sqrt(10) >= 0.9  # of a 95 % interval
    assert np.mean([row["score"] for row in rows]) < np.mean([row["prior score"] for row in rows])


def test_the_example_without_a_key_runs_to_a_conclusion(tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "examples" / "running"
    plan, tasks = tmp_path / "plan", example / "tasks.py"
    for words in (
        ("recommend", example / "catalogue.toml", "--stages", "2", "--out", plan, "--quiet"),
        ("run", plan, "--tasks", tasks, "--model", "mockllm/model"),
    ):
        command = [sys.executable, "-m", "evalfolio", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=580)
        assert done.returncode == 0, done.stderr
    assert "Step 0 runs" in done.stdout
    assert "What the evals say of next:" in done.stdout
    assert (plan / "run" / "conclusion" / "conclusion.html").is_file()
