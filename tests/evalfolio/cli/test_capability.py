"""Commands about capability, horizons and repeats run as documented."""

from __future__ import annotations

import json
from dataclasses import replace
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
    assert "--spend must be a number, got 'inf'" in refused.err
    assert told["best"]["spend_ceiling"] <= 400000 * (1 + 1e-9)
    fits = [row["solved"] for row in told["splits"] if row["spend_ceiling"] <= 400000 * (1 + 1e-9)]
    assert told["best"]["solved"] == pytest.approx(max(fits))
    assert run("repeats", files[0], "--posterior", posterior_file).code == 2


def test_repeats_say_the_same_from_a_stored_posterior(
    run: Run,
    files: tuple[Path, Path],
    posterior_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from evalbayes.observations import attempts_of, read_observations
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.cli import inputs

    write_runs()
    seen = attempts_of(read_observations([files[1], Path("runs.csv")]))
    fit = replace(Posterior.load(posterior_file), attempts=seen)
    monkeypatch.setattr(inputs, "fitted", lambda *_, **__: fit)
    stored = fit.save(tmp_path / "with.nc")
    asked = ("--eval", "ctf", "--ai-model", "A", "--spend", 400000)
    told = run("repeats", files[0], files[1], "runs.csv", *asked)
    again = run("repeats", files[0], "--posterior", stored, *asked)
    assert (told.code, again.out) == (0, told.out)
    assert "It rests on 60 tasks that A ran 2 times (median)" in again.out
    assert "too few tasks" not in again.out


def test_guesses_are_told_apart(
    run: Run, files: tuple[Path, Path], posterior_file: Path, tmp_path: Path
) -> None:
    choice = tmp_path / "choice.toml"
    text = files[0].read_text()
    choice.write_text(text.replace('name = "ctf"\n', 'name = "ctf"\nguessing = 0.25\n', 1))
    result = run("repeats", choice, "--posterior", posterior_file, "--eval", "ctf")
    assert result.code == 0, result.err
    assert "a guess right in 25% of attempts (stated)" in result.out
    assert "of tasks in" in result.out
    assert "that part shows no capability" in result.out


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
    assert (told[0]["runs"], told[0]["tasks"]) == (120, 60)
    assert "120 runs of 60 tasks, 90 % intervals for more tasks of these evals" in result.out
    rows = {row["figure"]: row for row in told[0]["figures"]}
    last = told[0]["by_cap"][-1]  # both tables are one fit
    assert last["minutes"] == pytest.approx(rows["50% horizon (min)"]["median"])
    assert last["minutes_low"] == pytest.approx(rows["50% horizon (min)"]["low"])
    assert "caps that runs had" not in result.out
    runs = pd.read_csv("runs.csv")
    runs.loc[runs.index[:60], "cap"] = 8e6
    runs.to_csv("runs.csv", index=False)
    unlike = run("horizons", files[0], files[1], "runs.csv", "--ai-model", "A")
    assert "at the caps that runs had" in unlike.out
    assert "the last row of the second is at the least of them" in unlike.out
    missing = run("horizons", *files)
    assert missing.code == 2
    assert "20 or more runs" in missing.err


def test_check_tells_of_reviewed_failures(run: Run, files: tuple[Path, Path]) -> None:
    write_runs()
    result = run("check", files[0], files[1], "runs.csv")
    assert "failures as they come were reviewed, and 0 of those were spurious" in result.out
