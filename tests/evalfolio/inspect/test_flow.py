"""Specs for Inspect Flow: what they hold, and that the tool itself runs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from evalfolio.inspect import flow_specs, inspect_settings, write_flow_specs

TOY = Path(__file__).parents[1] / "toy_task.txt"
COLUMNS = ["option", "eval", "tier", "cap", "cap_unit", "attempts", "tasks", "effort"]


def settings(*rows: tuple[Any, ...], **given: Any) -> dict[str, Any]:
    return inspect_settings(
        pd.DataFrame(rows, columns=COLUMNS), model="mockllm/model", seed=11, **given
    )


DEEP = ("deep", "toy", "max-elicitation", 1000, "tokens", 2, 2, 0.8)
WIDE = ("wide", "toy", "plateau", 400, "tokens", 1, 3, 0.0)
IDS = {"deep": ["quick", "long"], "wide": ["quick", "wrong", "long"]}


def test_named_samples_under_limits_of_their_own_are_one_spec() -> None:
    (spec,) = flow_specs(settings(DEEP, WIDE, sample_ids=IDS, max_samples=4))
    assert spec["log_dir"] == "logs"
    assert spec["options"] == {"max_samples": 4}
    deep, wide = spec["tasks"]
    assert deep["name"] == "toy"
    assert deep["epochs"] == {"epochs": 2, "reducer": ["mean", "pass_at_2"]}
    assert (deep["token_limit"], deep["sample_id"]) == (1000, ["quick", "long"])
    assert (wide["token_limit"], wide["epochs"]) == (400, 1)
    assert deep["metadata"]["evalfolio"]["option"] == "deep"


def test_what_flow_has_for_all_tasks_comes_apart() -> None:
    """Numbers of random samples are of a whole spec there, and runs alike are taken for one."""
    first, second = flow_specs(settings(DEEP, WIDE), "out/logs")
    assert (first["options"]["limit"], second["options"]["limit"]) == (2, 3)
    assert [first["log_dir"], second["log_dir"]] == ["out/logs-1", "out/logs-2"]
    again = ("again", *DEEP[1:])
    ids = {**IDS, "again": ["wrong", "long"]}
    specs = flow_specs(settings(DEEP, again, WIDE, sample_ids=ids))
    assert [len(spec["tasks"]) for spec in specs] == [2, 1]


def test_tasks_arguments_solver_and_prices_are_there(tmp_path: Path) -> None:
    from evalfolio.readers.prices import default_prices

    made = inspect_settings(
        pd.DataFrame([("a", "toy", "plateau", 2.5, "usd", 1, 3, 0.0)], columns=COLUMNS),
        model="openai/gpt-5", tasks={"toy": "x/toy"}, task_args={"toy": {"level": 2}},
        solvers={"plateau": "s.py@own"}, prices=default_prices(),
    )  # fmt: skip
    (file,) = write_flow_specs(made, tmp_path)
    assert file.name == "flow.yaml"
    spec = yaml.safe_load(file.read_text())
    (task,) = spec["tasks"]
    assert (task["name"], task["args"], task["solver"]) == ("x/toy", {"level": 2}, "s.py@own")
    assert task["cost_limit"] == 2.5
    assert set(spec["options"]["model_cost_config"]) == {"openai/gpt-5"}


def test_the_tool_itself_takes_and_runs_them(tmp_path: Path) -> None:
    pytest.importorskip("inspect_flow", reason="asks the tool itself: pip install inspect-flow")
    from inspect_ai.log import read_eval_log

    shutil.copy(TOY, tmp_path / "toy.py")
    again = ("again", *DEEP[1:])
    ids = {**IDS, "again": ["wrong", "long"]}
    made = settings(DEEP, again, WIDE, sample_ids=ids, tasks={"toy": "toy.py"})
    found = {}
    for file in write_flow_specs(made, tmp_path):
        command = [sys.executable, "-c", "from inspect_flow._cli.main import flow; flow()", "run"]
        done = subprocess.run(
            [*command, str(file), "--display", "none", "--store", "none"],
            cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        logs = (tmp_path / yaml.safe_load(file.read_text())["log_dir"]).glob("*.eval")
        for log in map(read_eval_log, map(str, logs)):
            found[log.eval.metadata["evalfolio"]["option"]] = log
    assert set(found) == {"deep", "again", "wide"}
    for name, log in found.items():
        assert log.status == "success"
        assert sorted({str(s.id) for s in log.samples}) == sorted(ids[name])
    config = found["deep"].eval.config
    assert (config.epochs, config.epochs_reducer) == (2, ["mean", "pass_at_2"])
    assert [s.limit.type for s in found["deep"].samples if s.id == "long"] == ["token"] * 2
