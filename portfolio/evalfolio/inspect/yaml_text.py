"""Run settings as YAML whose text no reader takes for anything else."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evalbayes.whole import whole_file

_PLAIN = re.compile(r"(?!(y|n|yes|no|on|off|true|false|null)$)[a-z][a-z0-9_]*")


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # PyYAML ships no types
    """Quotes all text but plain words: YAML reads numbers, dates and "no" into what is not."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write what is met twice twice."""
        return True


def _represented(dumper: _Dumper, text: str) -> Any:
    style = None if _PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represented)


def yaml_text(value: Any, *, on_one_line: bool = False) -> str:
    r"""Return maps, lists, text, numbers, booleans and None as YAML.

    >>> settings = {"runs": [{"eval": "a: b", "epochs": 4, "cap": 1e-5}], "notes": []}
    >>> print(yaml_text(settings), end="")
    runs:
    - eval: "a: b"
      epochs: 4
      cap: 1.0e-05
    notes: []
    >>> yaml_text(settings["runs"], on_one_line=True)
    '[{eval: "a: b", epochs: 4, cap: 1.0e-05}]\n'
    """
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=on_one_line,
        allow_unicode=True,
        sort_keys=False,
        width=math.inf,
    )
    return text.removesuffix("...\n")  # that ends a document of one number


def write_yaml(value: Any, path: str | Path) -> Path:
    """Write `yaml_text` of a value, whole or not at all; return the path."""
    with whole_file(path) as partial:
        partial.write_text(yaml_text(value), encoding="utf-8")
    return Path(path)


def write_inspect_yaml(settings: Mapping[str, Any], path: str | Path) -> Path:
    """Write the settings of all runs into one YAML file, whole or not at all.

    Every entry of `runs` holds under `run_config` what `inspect eval --run-config` takes.
    """
    return write_yaml(settings, path)


def write_run_configs(settings: Mapping[str, Any], folder: str | Path) -> list[Path]:
    """Write one YAML file per run, for `inspect eval --run-config FILE`; return the files."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, run in enumerate(settings["runs"], start=1):
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", run["option"]).strip("-.")[:60] or "run"
        files.append(write_yaml(run["run_config"], folder / f"{number:03d}-{name}.yaml"))
    return files
