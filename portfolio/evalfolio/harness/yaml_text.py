"""Run settings as YAML, written by hand: a plan needs no more than maps, lists and scalars."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalbayes.whole import whole_file

_NOT_PRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # YAML reads more into these


def yaml_text(value: Any) -> str:
    r"""Return maps, lists, text, numbers, booleans and None as YAML; all text is quoted.

    Examples
    --------
    >>> settings = {"runs": [{"eval": "a: b", "epochs": 4, "cap": 1e-5}], "notes": []}
    >>> print(yaml_text(settings), end="")
    runs:
      - eval: "a: b"
        epochs: 4
        cap: 1.0e-05
    notes: []
    """
    return "\n".join(_lines(value)) + "\n"


def write_inspect_yaml(settings: Mapping[str, Any], path: str | Path) -> Path:
    """Write the settings of all runs into one YAML file, whole or not at all.

    Every entry of `runs` holds under `run_config` what `inspect eval --run-config` takes.
    """
    with whole_file(path) as partial:
        partial.write_text(yaml_text(settings), encoding="utf-8")
    return Path(path)


def write_run_configs(settings: Mapping[str, Any], folder: str | Path) -> list[Path]:
    """Write one YAML file per run, for `inspect eval --run-config FILE`; return the files."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, run in enumerate(settings["runs"], start=1):
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", run["option"]).strip("-.")[:60] or "run"
        file = folder / f"{number:03d}-{name}.yaml"
        with whole_file(file) as partial:
            partial.write_text(yaml_text(run["run_config"]), encoding="utf-8")
        files.append(file)
    return files


def quoted(text: str) -> str:
    """Return text as a double-quoted scalar, valid in YAML and read back unchanged."""
    escaped = json.dumps(text, ensure_ascii=False)
    return _NOT_PRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)


def _lines(value: Any) -> list[str]:
    if isinstance(value, Mapping) and value:
        lines = []
        for key, item in value.items():
            name = str(key)
            name = name if _PLAIN.fullmatch(name) and name not in _TAKEN else quoted(name)
            if isinstance(item, Mapping | list | tuple) and item:
                lines += [f"{name}:", *(f"  {line}" for line in _lines(item))]
            else:
                lines.append(f"{name}: {_scalar(item)}")
        return lines
    if isinstance(value, list | tuple) and value:
        lines = []
        for item in value:
            first, *rest = _lines(item)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines
    return [_scalar(value)]


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = repr(value)
        # 1e-05 without a point is text to YAML 1.1
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence):
        return "[]"
    raise TypeError(f"cannot be written as YAML: {value!r}")
