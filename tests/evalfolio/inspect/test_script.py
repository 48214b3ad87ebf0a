from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from evalfolio.inspect import inspect_script, inspect_settings, write_inspect_script

NASTY = "a'; touch hacked; echo '$(touch hacked) `touch hacked` \"x\" =cmd|' /C calc'!A0 🙂\n# b, c"


def settings(
    name: str = "ctf",
    model: str = "openai/gpt-5",
    ids: list[str] | None = None,
    **given: Any,
) -> dict[str, Any]:
    frame = pd.DataFrame(
        [
            {
                "option": f"{name} plateau",
                "eval": name,
                "tier": "plateau",
                "cap": 1e6,
                "cap_unit": "tokens",
                "attempts": 2,
                "tasks": 3,
                "effort": 0.0,
                **given,
            }
        ]
    )
    return inspect_settings(
        frame, model=model, sample_ids={name: ids} if ids else None, tasks={"short": "pkg/short"}
    )


def run(script: str, folder: Path, *arguments: str, status: int = 0, **env: str) -> list[list[str]]:
    """Run a script with a stand-in for `inspect` that notes its arguments."""
    stand_in = folder / "bin" / "inspect"
    stand_in.parent.mkdir(exist_ok=True)
    stand_in.write_text(
        "#!/bin/sh\n"
        'for a in "$@"; do printf \'%s\\0\' "$a"; done >> calls\n'
        "printf '\\1\\0' >> calls\n"
        f"exit {status}\n"
    )
    stand_in.chmod(0o755)
    file = folder / "plan.sh"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["sh", str(file), *arguments],
        cwd=folder,
        env={**os.environ, "PATH": f"{stand_in.parent}:{os.environ['PATH']}", **env},
        check=False,
    )
    assert done.returncode == (1 if status else 0)
    calls = (folder / "calls").read_text(encoding="utf-8").split("\1\0")
    return [call.split("\0")[:-1] for call in calls if call]


def test_a_script_calls_inspect_once_per_option(tmp_path: Path) -> None:
    both = settings()
    both["runs"] += settings("short")["runs"]
    first, second = run(inspect_script(both), tmp_path)
    assert first[:4] == ["eval", "--model", "openai/gpt-5", "--epochs"]
    pairs = dict(zip(first[1:-3:2], first[2:-3:2], strict=False))
    assert pairs["--token-limit"] == "1000000"
    assert pairs["--limit"] == "3"
    assert pairs["--sample-shuffle"] == "1"
    assert pairs["--epochs-reducer"] == "mean,pass_at_2"
    assert first[-2:] == ["--", "ctf"]
    assert second[-1] == "pkg/short"


def test_arguments_and_the_model_may_be_changed_at_the_call(tmp_path: Path) -> None:
    (call,) = run(inspect_script(settings()), tmp_path, "--log-dir", "my logs", MODEL="lab/x y")
    assert call[call.index("--log-dir") + 1] == "my logs"
    assert call[call.index("--model") + 1] == "lab/x y"


def test_a_command_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    both = settings()
    both["runs"] += settings("short")["runs"]
    assert len(run(inspect_script(both), tmp_path, status=3)) == 2


def test_names_are_only_text(tmp_path: Path) -> None:
    (call,) = run(inspect_script(settings(NASTY, model=NASTY)), tmp_path)
    assert not (tmp_path / "hacked").exists()
    assert call[-1] == NASTY
    assert call[call.index("--model") + 1] == NASTY
    key, _, value = call[call.index("--metadata") + 1].partition("=")
    assert key == "evalfolio"
    assert yaml.safe_load(value)["eval"] == NASTY


def test_sample_ids_are_listed_with_commas_matched(tmp_path: Path) -> None:
    both = settings(tasks=2, ids=["a, b", "x*"])
    (call,) = run(inspect_script(both), tmp_path)
    assert call[call.index("--sample-id") + 1] == "a? b,x[*]"
    assert "--limit" not in call


def test_a_limit_in_usd_comes_with_a_file_of_prices(tmp_path: Path) -> None:
    script = write_inspect_script(settings(cap=2.5, cap_unit="usd"), tmp_path / "plan.sh")
    (call,) = run(script.read_text(encoding="utf-8"), tmp_path)
    assert call[call.index("--cost-limit") + 1] == "2.5"
    prices = Path(call[call.index("--model-cost-config") + 1])
    assert yaml.safe_load(prices.read_text())["openai/gpt-5"]["output"] == 10.0


def test_the_script_may_be_executed_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    script = write_inspect_script(settings(), tmp_path / "plan.sh")
    assert os.access(script, os.X_OK)
    assert [p.name for p in tmp_path.iterdir()] == ["plan.sh"]


def test_task_arguments_are_yaml_on_one_line(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        [{"option": "o", "eval": "e", "tier": "plateau", "cap": 1e3, "cap_unit": "tokens",
          "attempts": 1, "tasks": 1}]
    )  # fmt: skip
    arguments = {"e": {"n": 3, "names": ["a", "b, c"], "deep": {"x": True}}}
    made = inspect_settings(frame, model="m", task_args=arguments)
    (call,) = run(inspect_script(made), tmp_path)
    given = [call[n + 1] for n, word in enumerate(call) if word == "-T"]
    assert given == ["n=3", 'names=[a, "b, c"]', "deep={x: true}"]
    assert yaml.safe_load(given[1].partition("=")[2]) == ["a", "b, c"]
