"""Run settings as specs of Inspect Flow, which runs several tasks as one set."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalfolio.inspect.yaml_text import write_yaml

OF_ALL = ("limit", "sample_shuffle", "max_samples")  # Flow has these for all tasks of a spec only
OF_TASK = ("token_limit", "cost_limit", "working_limit", "sample_id", "fail_on_error")


def flow_specs(settings: Mapping[str, Any], log_dir: str = "logs") -> list[dict[str, Any]]:
    """Return the settings as maps that `inspect_flow.FlowSpec` takes: one, or as few as it takes.

    Flow draws as many random samples for all tasks of a spec, and takes runs of a task under the
    same limits for one: such runs come apart, each spec with logs of its own. A plan that names its
    samples, and runs no task twice alike, is one spec.

    Parameters
    ----------
    settings
        As `inspect_settings` returns them.
    log_dir
        Where the logs go; a number is added where there are several specs.
    """
    specs: list[dict[str, Any]] = []
    for run in settings["runs"]:
        asked = run["run_config"]
        config = asked["eval_config"]
        options = {key: config[key] for key in OF_ALL if key in config}
        if settings["model_costs"]:
            options["model_cost_config"] = settings["model_costs"]
        task = asked["task"] if isinstance(asked["task"], Mapping) else {"task": asked["task"]}
        made = {{"task": "name"}.get(key, key): value for key, value in task.items()}
        made |= {key: asked[key] for key in ("model", "solver", "metadata") if key in asked}
        made |= {key: config[key] for key in OF_TASK if key in config}
        made["epochs"] = config["epochs"]
        if "epochs_reducer" in config:  # Flow fails on epochs that are a map without one
            made["epochs"] = {"epochs": config["epochs"], "reducer": config["epochs_reducer"]}
        fits = (each for each in specs if each["options"] == options)
        spec = next((s for s in fits if _told(made) not in map(_told, s["tasks"])), None)
        if spec is None:
            specs.append(spec := {"log_dir": log_dir, "options": options, "tasks": []})
        spec["tasks"].append(made)
    for number, spec in enumerate(specs, start=1):
        spec["log_dir"] += f"-{number}" * (len(specs) > 1)
    return specs


def write_flow_specs(settings: Mapping[str, Any], folder: str | Path) -> list[Path]:
    """Write flow.yaml, or where it takes several flow-1.yaml and on, for `flow run FILE`."""
    specs = flow_specs(settings)
    marks = [f"-{number}" for number in range(1, len(specs) + 1)] if len(specs) > 1 else [""]
    paths = [Path(folder) / f"flow{mark}.yaml" for mark in marks]
    return [write_yaml(spec, path) for spec, path in zip(specs, paths, strict=False)]


def _told(task: Mapping[str, Any]) -> str:
    """Return what Inspect tells the tasks of a set apart by."""
    keys = ("name", "args", "model", "solver", *OF_TASK[:3])
    return json.dumps({key: task.get(key) for key in keys}, sort_keys=True)
