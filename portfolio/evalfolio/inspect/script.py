"""Run settings as a shell script of `inspect eval` commands."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalbayes.whole import whole_file
from evalfolio.inspect.yaml_text import write_yaml, yaml_text

# Settings of eval_config that are flags of the same name.
_FLAGS = ("epochs", "token_limit", "cost_limit", "working_limit", "limit", "sample_shuffle")
_HEAD = """\
#!/bin/sh
# The runs of a plan, one `inspect eval` per reading. Arguments are handed on to every command,
# e.g. --log-dir logs/plan; MODEL=provider/name in the environment runs another model.
# A command that fails does not stop the others; the script then ends with status 1.
failed=0
if [ -z "${{MODEL:-}}" ]; then MODEL={model}; fi
"""
_TAIL = 'exit "$failed"\n'


def inspect_script(settings: Mapping[str, Any], costs_file: str | None = None) -> str:
    """Return a POSIX shell script that runs the settings; whatever names hold is only text.

    Parameters
    ----------
    settings
        As `inspect_settings` returns them.
    costs_file
        File with the model's prices, needed where a limit is in USD.
    """
    blocks = [_HEAD.format(model=shlex.quote(settings["model"]))]
    for run in settings["runs"]:
        words = " ".join(_words(run, costs_file if settings["model_costs"] else None))
        lines = (f"{run['eval']}, option {run['option']}", *run["notes"])
        # no text can end the comment it stands in
        told = ("".join(c if c.isprintable() else " " for c in line) for line in lines)
        blocks.append("".join(f"# {line}\n" for line in told) + f"{words} || failed=1\n")
    return "\n".join([*blocks, _TAIL])


def write_inspect_script(settings: Mapping[str, Any], path: str | Path) -> Path:
    """Write the script, and beside it the prices if a limit is in USD, whole or not at all."""
    path = Path(path)
    costs = path.with_name(f"{path.stem}.costs.yaml")
    if settings["model_costs"]:
        write_yaml(settings["model_costs"], costs)
    with whole_file(path) as partial:
        partial.write_text(inspect_script(settings, str(costs.resolve())), encoding="utf-8")
        partial.chmod(0o755)
    return path


def _words(run: Mapping[str, Any], costs_file: str | None) -> list[str]:
    """Return the words of one command, quoted for the shell."""
    config = run["run_config"]["eval_config"]
    task = run["run_config"]["task"]
    arguments = task["args"] if isinstance(task, Mapping) else {}
    words = ["inspect", "eval", "--model", '"$MODEL"']
    for key in (*_FLAGS, "max_samples"):
        if key in config:
            told = format(config[key], "" if isinstance(config[key], int) else ".12g")
            words += [f"--{key.replace('_', '-')}", told]
    if "epochs_reducer" in config:
        words += ["--epochs-reducer", ",".join(config["epochs_reducer"])]
    if "sample_id" in config:
        # In a list parted by commas `?` stands for any one character.
        listed = ",".join(each.strip().replace(",", "?") for each in config["sample_id"])
        words += ["--sample-id", shlex.quote(listed)]
    if config.get("fail_on_error") is False:
        words.append("--no-fail-on-error")
    if "cost_limit" in config and costs_file is not None:
        words += ["--model-cost-config", shlex.quote(costs_file)]
    if "solver" in run["run_config"]:
        words += ["--solver", shlex.quote(run["run_config"]["solver"])]
    # One map as the value: Inspect splits plain text at commas, but leaves maps alone.
    for flag, maps in (("-T", arguments), ("--metadata", run["run_config"]["metadata"])):
        for key, value in maps.items():
            words += [flag, shlex.quote(f"{key}={yaml_text(value, on_one_line=True).strip()}")]
    name = task["task"] if isinstance(task, Mapping) else task
    return [*words, '"$@"', "--", shlex.quote(name)]
