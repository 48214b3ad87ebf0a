"""A catalogue as it was written: tables of keys, each with the place to name when it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evalbayes.errors import InputError
from evalbayes.names import plain_name, refuse_control, refuse_unknown


@dataclass(frozen=True)
class Table:
    """One table: what it is called, where it was found, and its keys."""

    label: str
    where: str
    entries: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tables:
    """All tables of a catalogue, before any default is filled in."""

    source: str
    portfolio: Table
    budget: Table
    domains: tuple[Table, ...]
    evals: tuple[Table, ...]
    ai_models: tuple[Table, ...]
    domain_defaults: Table
    eval_defaults: Table


SINGLE = ("portfolio", "budget", "domain_defaults", "eval_defaults")
MANY = ("domain", "eval", "ai_model")
TASKS = "task_names"  # a sheet of its own in a workbook


def labelled(source: str, kind: str, entries: Mapping[str, Any], row: int) -> Table:
    """Return a row of a table of several, named after its name or, lacking one, its number."""
    name = entries.get("name")
    label = repr(name.strip()) if isinstance(name, str) and name.strip() else f"number {row}"
    return Table(f"{kind} {label}", f"{source}: {kind} {label}", entries)


def plain(value: Any, where: str) -> Any:
    r"""Return text, also inside lists and tables, without odd spaces and invisible characters.

    Raises
    ------
    InputError
        If there is a control character in it.

    Examples
    --------
    >>> plain({"name": "cyb\u200bench", "tasks": 3}, "catalogue.toml")
    {'name': 'cybench', 'tasks': 3}
    """
    if isinstance(value, str):
        refuse_control(where, value)
        return plain_name(value)
    if isinstance(value, Mapping):
        return {plain(key, where): plain(each, where) for key, each in value.items()}
    return [plain(each, where) for each in value] if isinstance(value, list) else value


def tables_of(data: Mapping[str, Any], source: str) -> Tables:
    """Sort nested tables, as TOML gives them, into `Tables`.

    Raises
    ------
    InputError
        If a table is not known, or has the wrong form.
    """
    data = plain(data, source)
    refuse_unknown(source, data, (*SINGLE, *MANY), what="table")
    for name in SINGLE:
        if not isinstance(data.get(name, {}), Mapping):
            raise InputError(
                f"{source}: [{name}] must be a table of keys, got {data[name]!r}; "
                f"write [{name}] on a line of its own above its keys"
            )
    rows: dict[str, tuple[Table, ...]] = {}
    for name in MANY:
        given = data.get(name, [])
        if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
            raise InputError(
                f"{source}: {name} must be a list of tables, got a single one; "
                f"write [[{name}]], with two brackets, above each of them"
            )
        rows[name] = tuple(labelled(source, name, row, i + 1) for i, row in enumerate(given))
    single = {
        name: Table(f"[{name}]", f"{source}: [{name}]", data.get(name, {})) for name in SINGLE
    }
    return Tables(
        source=source,
        domains=rows["domain"],
        evals=rows["eval"],
        ai_models=rows["ai_model"],
        **single,
    )
