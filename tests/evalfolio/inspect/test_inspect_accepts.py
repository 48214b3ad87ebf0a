"""The exported settings, run by Inspect itself on a mock model: the limits arrive in the logs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalfolio.inspect import inspect_settings, write_inspect_script, write_run_configs
from evalfolio.readers import read_inspect_logs

TOY = Path(__file__).parents[1] / "toy_task.txt"
NAME = "toy, 'quoted' 🙂 $HOME"  # what Inspect must carry unchanged into the log


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    pytest.importorskip("inspect_ai", reason="a run needs the extra `inspect`")
    frame = pd.DataFrame(
        [
            ("deep", NAME, "max-elicitation", 1000, "tokens", 2, 2, 0.8),
            ("wide", NAME, "plateau", 0.0004, "usd", 1, 3, 0.0),
        ],
        columns=["option", "eval", "tier", "cap", "cap_unit", "attempts", "tasks", "effort"],
    )
    made = inspect_settings(
        frame,
        model="mockllm/model",
        tasks={NAME: "toy.py"},
        sample_ids={"deep": ["quick", "long"]},
        seed=11,
        prices=_mock_prices(),
    )
    # The mock model is not in Inspect's data base of models: the toy task brings its own price.
    return {**made, "model_costs": {}}


def _mock_prices() -> Any:
    from datetime import date

    from evalfolio.readers.prices import Price, Prices

    return Prices((Price("model", 1.0, 2.0, date(2026, 11, 1), "assumption"),))


@pytest.fixture(scope="module")
def logs(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from inspect_ai.log import read_eval_log

    folder = tmp_path_factory.mktemp("plan")
    shutil.copy(TOY, folder / "toy.py")
    script = write_inspect_script(settings, folder / "plan.sh")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", str(script), "--log-dir", "logs", "--display", "none"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    read = [read_eval_log(str(p)) for p in sorted((folder / "logs").glob("*.eval"))]
    found = {log.eval.metadata["evalfolio"]["option"]: log for log in read}
    assert set(found) == {"deep", "wide"}
    return {**found, "folder": folder}


def test_epochs_tokens_and_samples_arrive(logs: dict[str, Any]) -> None:
    config = logs["deep"].eval.config
    assert (config.epochs, config.token_limit) == (2, 1000)
    assert config.epochs_reducer == ["mean", "pass_at_2"]
    assert sorted({s.id for s in logs["deep"].samples}) == ["long", "quick"]
    assert len(logs["deep"].samples) == 4
    stopped = [s for s in logs["deep"].samples if s.id == "long"]
    assert [(s.limit.type, s.limit.limit) for s in stopped] == [("token", 1000)] * 2


def test_a_limit_in_usd_and_a_random_subset_arrive(logs: dict[str, Any]) -> None:
    config = logs["wide"].eval.config
    assert (config.cost_limit, config.limit, config.sample_shuffle) == (0.0004, 3, 11)
    assert len(logs["wide"].samples) == 3
    assert all(s.limit.type == "cost" for s in logs["wide"].samples if s.id == "long")


def test_a_sample_that_errs_does_not_end_the_eval(logs: dict[str, Any]) -> None:
    assert logs["wide"].eval.config.fail_on_error is False
    assert logs["wide"].status == "success"


def test_what_was_exported_is_read_back(logs: dict[str, Any]) -> None:
    result = read_inspect_logs(logs["folder"] / "logs")
    assert set(result.runs["eval"]) == {NAME}
    assert set(result.runs["option"]) == {"deep", "wide"}
    assert result.runs.groupby("tier")["effort"].first().to_dict() == {
        "max-elicitation": 0.8,
        "plateau": 0.0,
    }


def test_the_run_configs_are_accepted(settings: dict[str, Any], tmp_path: Path) -> None:
    from inspect_ai.log import read_eval_log

    shutil.copy(TOY, tmp_path / "toy.py")
    file = write_run_configs(settings, tmp_path / "runs")[0]
    command = [sys.executable, "-m", "inspect_ai._cli.main", "eval", "--run-config", str(file)]
    done = subprocess.run(
        [*command, "--display", "none", "--log-dir", "logs"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (log_file,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(log_file))
    assert (log.eval.config.epochs, log.eval.config.token_limit) == (2, 1000)
    assert log.eval.metadata["evalfolio"]["eval"] == NAME
    assert sorted({s.id for s in log.samples}) == ["long", "quick"]
