"""Commands about capability, horizons and repeats run as documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


def write_runs(path: str = "runs.csv", n: int = 60) -> None:
    """Two attempts at each of n tasks of ctf by A, some failures reviewed."""
    rng = np.random.default_rng(0)
    minutes = np.repeat(2.0 ** rng.uniform(1, 9, n), 2)
    won = rng.random(2 * n) < 1 / (1 + np.exp(np.log2(minutes) - 5))
    pd.DataFrame(
        {
            "eval": "ctf",
            "task": np.repeat([f"t{k}" for k in range(n)], 2),
            "attempt": np.tile([1, 2], n),
            "ai_model": "A",
            "outcome": np.where(won, "success", "gave_up"),
            "spend": (2e3 * minutes).round(),
            "cap": 5e6,
            "human_minutes": minutes,
            "reviewed": 1,
        }
    ).to_csv(path, index=False)


def test_capability_says_horizons_distance_and_buffers(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    result = run("capability", files[0], "--posterior", posterior_file)
    assert result.code == 0, result.err
    for words in ("elicitation gap", "50% horizon, shown", "completion of 8 h tasks", "buffer"):
        assert words in result.out
    assert "No observation was elicited" in result.out
    told = json.loads(run("capability", files[0], "--posterior", posterior_file, "--json").out)
    assert {"domain", "figure", "unit", "median", "low", "high"} == set(told["capability"][0])
    assert told["pairs"] is None
    assert told["gap_learned"] is False


def test_repeats_say_the_best_split(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    arguments = ("repeats", files[0], "--posterior", posterior_file, "--eval", "ctf")
    result = run(*arguments, "--spend", 400000)
    assert result.code == 0, result.err
    assert "Best split of 400,000 tokens per task: " in result.out
    told = json.loads(run(*arguments, "--spend", 400000, "--json").out)
    refused = run(*arguments, "--spend", "inf")
    assert refused.code == 2
    assert "must be a finite number above 0, got inf" in refused.err
    assert told["best"]["spend_ceiling"] <= 400000 * (1 + 1e-9)
    fits = [row["solved"] for row in told["splits"] if row["spend_ceiling"] <= 400000 * (1 + 1e-9)]
    assert told["best"]["solved"] == pytest.approx(max(fits))
    assert run("repeats", files[0], "--posterior", posterior_file).code == 2


def test_horizons_need_no_fit(run: Run, files: tuple[Path, Path]) -> None:
    write_runs()
    result = run("horizons", files[0], files[1], "runs.csv", "--ai-model", "A")
    assert result.code == 0, result.err
    assert "80% horizon" in result.out
    told = json.loads(
        run("horizons", files[0], files[1], "runs.csv", "--ai-model", "A", "--json").out
    )
    assert told[0]["domain"] == "cyber"
    assert len(told[0]["by_cap"]) == 12
    missing = run("horizons", *files)
    assert missing.code == 2
    assert "20 or more runs" in missing.err


def test_check_tells_of_reviewed_failures(run: Run, files: tuple[Path, Path]) -> None:
    write_runs()
    result = run("check", files[0], files[1], "runs.csv")
    assert "failures as they come were reviewed, and 0 of those were spurious" in result.out
