"""Writing a catalogue back out, and a commented one to start from: as TOML and as a workbook."""

import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.interval import Interval
from evalbayes.catalogue.tables import Spec
from evalbayes.catalogue.workbook import flat, workbook_of
from evalbayes.errors import InputError
from evalbayes.names import plural
from evalbayes.whole import write_whole

WRITTEN = ("domain", "level", "decision", "eval", "elicitation", "study", "tariff", "ai_model")
UNREAD = {"mitigate_above": ("loss_missed", "loss_false_alarm")}  # worked out from the key


def tables(catalogue: Catalogue) -> dict[str, Any]:
    """Return the catalogue as nested tables that read back as it, defaults written out."""
    found: dict[str, Any] = {
        name: _entries(getattr(catalogue, name)) for name in ("portfolio", "budget")
    }
    for name in WRITTEN:
        specs = catalogue.joint if name == "decision" else getattr(catalogue, plural(name))
        found[name] = [_entries(spec) for spec in specs]
    found["limit"] = list(catalogue.limits)
    return {name: given for name, given in found.items() if given}


def catalogue_to_toml(catalogue: Catalogue) -> str:
    """Return the catalogue as TOML, every default written out."""
    parts = []
    for name, given in tables(catalogue).items():
        for row in given if isinstance(given, list) else [given]:
            head = f"[[{name}]]" if isinstance(given, list) else f"[{name}]"
            parts.append("\n".join([head, *(f"{k} = {_toml(v)}" for k, v in row.items())]))
    return "\n\n".join(parts) + "\n"


def catalogue_to_workbook(catalogue: Catalogue) -> bytes:
    """Return the catalogue as a workbook, every default written out."""
    return workbook_of(tables(catalogue), {})


def _entries(spec: Spec) -> dict[str, Any]:
    """Return what was given or filled in, without empty entries and what is worked out."""
    values = {key: getattr(spec, key) for key in type(spec).model_fields}
    hidden = [k for key, keys in UNREAD.items() if values.get(key) is not None for k in keys]
    return {k: v for k, v in values.items() if v is not None and v != "" and k not in hidden}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Interval):
        return _toml(value.low) if value.exact else f"[{value.low!r}, {value.high!r}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string


def toml_template() -> str:
    """Return the commented catalogue as TOML.

    >>> toml_template().splitlines()[0]
    '# A catalogue for evalfolio: what could be run, what it takes, and what is at stake.'
    """
    return (files("evalbayes.catalogue") / "template.toml").read_text(encoding="utf-8")


def write_template(path: str | Path) -> Path:
    """Write the template to a file ending in .toml or .xlsx, whole or not at all; return its path.

    InputError if the ending is another one, or the file cannot be written.

    Parameters
    ----------
    path
        File to write.
    """
    return write_commented(toml_template(), path)


def write_commented(text: str, path: str | Path) -> Path:
    """Write a commented catalogue as it is, or as a workbook, whole or not at all.

    In a workbook what each key means is a comment on its head, and tables that may be left out are
    sheets with a header alone. InputError if the ending is another one than .toml or .xlsx, or the
    file cannot be written.
    """

    def as_workbook() -> bytes:
        data, own = tomllib.loads(text), toml_template()
        empty = {
            name: [{column: None for row in rows for column in flat(row)}]
            for name, rows in commented(own).items()
            if name not in data
        }
        return workbook_of(data | empty, explanations(own))

    return write_either(text, Path(path), as_workbook)


def write_either(text: str, path: Path, as_workbook: Callable[[], bytes]) -> Path:
    """Write TOML, or what stands for it in a workbook, by the ending; return the path."""
    ending = path.suffix.lower()
    if ending not in (".toml", ".xlsx"):
        raise InputError(
            f"{path}: a catalogue must be written to a file ending in .toml or .xlsx, got "
            f"{path.suffix or 'no ending'!r}; name it so"
        )
    return write_whole(path, text.encode("utf-8") if ending == ".toml" else as_workbook())


def commented(text: str) -> dict[str, Any]:
    """Return the tables of a catalogue that are there as comments, read as if they were not.

    >>> sorted(commented(toml_template()))
    ['ai_model', 'decision', 'elicitation', 'level', 'limit', 'study', 'tariff']
    """
    blocks = [block for block in text.split("\n\n") if block.startswith("# [[")]
    lines = [line.removeprefix("# ") for block in blocks for line in block.splitlines()]
    return tomllib.loads("\n".join(lines))


def explanations(text: str) -> Mapping[str, str]:
    """Return what each key of a commented catalogue means: the first comment beside it.

    >>> explanations(toml_template())["tasks"]
    'how many tasks it has'
    """
    said: dict[str, str] = {}
    for line in text.splitlines():
        assignment, hash_, comment = line.lstrip("# ").partition("  # ")
        key, equals, _ = assignment.partition(" = ")
        if hash_ and equals and key.isidentifier():
            said.setdefault(key, comment.strip())
    return said
