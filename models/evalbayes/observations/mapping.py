"""A mapping: which columns of someone's table stand for which columns of observations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalbayes.errors import InputError
from evalbayes.names import cure, refuse_unknown
from evalbayes.observations.outcome import OUTCOMES
from evalbayes.observations.shape import SHAPES
from evalbayes.tables.numerals import NotANumber, numeral
from evalbayes.tables.toml import read_toml

FLAGS = ("success", "stopped_by_cap", "stopped_otherwise", "spurious", "excluded")
TARGETS = tuple(dict.fromkeys([c for shape in SHAPES for c in shape.columns] + list(FLAGS)))
_SCALED = re.compile(r"\s*(.+?)\s*([*/])\s*([0-9][0-9_.,eE+-]*)\s*")


@dataclass(frozen=True)
class TableMapping:
    """How to read someone's table.

    InputError if a column or an outcome is not known.

    Parameters
    ----------
    columns
        Known column to theirs, which may be scaled: {"spend": "wall_minutes / 60"}. Besides the
        columns of observations the flags success, stopped_by_cap, stopped_otherwise, spurious
        and excluded may be named; they make up `outcome`.
    constants
        Known column to the value it has in every row.
    outcomes
        Their word to ours, e.g. {"passed": "success"}.
    drop
        Their columns to leave out.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse_unknown("map", self.columns, TARGETS, what="column")
        refuse_unknown("set", self.constants, TARGETS, what="column")
        refuse_unknown("outcome", self.outcomes.values(), OUTCOMES, what="outcome")
        for column in self.constants:
            if column in self.columns:
                raise InputError(
                    f"{column}: must be mapped or set, got both {column}={self.columns[column]} "
                    f"and {column}={self.constants[column]}; drop one"
                )

    def source(self, target: str, columns: list[str]) -> tuple[str, float]:
        """Return their column for a known one, and the factor to multiply it by.

        Examples
        --------
        >>> mapping = TableMapping({"spend": "wall_minutes / 60", "cap": "limit"})
        >>> mapping.source("spend", ["wall_minutes", "limit"])[0]
        'wall_minutes'
        """
        name, factor = self.columns[target].strip(), 1.0
        scaled = _SCALED.fullmatch(name)
        if name not in columns and scaled:
            name, amount = scaled[1], _amount(target, scaled[3])
            factor = amount if scaled[2] == "*" else 1 / amount
        if name not in columns:
            raise InputError(
                f"map {target}={self.columns[target]}: must name a column of the table, got "
                f"{name!r}; {cure(name, columns)}"
            )
        return name, factor


def _amount(target: str, words: str) -> float:
    try:
        amount = numeral(words)
    except NotANumber as error:
        raise InputError(f"map {target}: the factor {error}") from None
    if amount <= 0:
        raise InputError(
            f"map {target}: the factor must be a number above 0, got {words!r}; "
            f"write for example {target}=column*1000"
        )
    return amount


def read_mapping(path: str | Path) -> TableMapping:
    """Read a mapping from TOML with tables [map], [set] and [outcome], and a list `drop`.

    InputError if the file cannot be read, or a table or column in it is not known.
    """
    path = Path(path)
    cure = 'write for example [map] and below it spend = "spend_tokens"'
    data = read_toml(path, "a mapping in TOML that can be read", cure)
    refuse_unknown(str(path), data, ("map", "set", "outcome", "drop"), what="table")
    for name in ("map", "set", "outcome"):
        if not isinstance(data.get(name, {}), dict):
            raise InputError(f"{path}: {name} must be a table, got {data[name]!r}; write [{name}]")
    drop = data.get("drop", [])
    if not isinstance(drop, list):
        raise InputError(f'{path}: drop must be a list of columns, got {drop!r}; write ["one"]')
    columns = {key: str(value) for key, value in data.get("map", {}).items()}
    return TableMapping(columns, data.get("set", {}), data.get("outcome", {}), tuple(drop))
