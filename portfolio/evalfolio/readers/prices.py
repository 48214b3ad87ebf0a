"""Prices of AI models: a dated table anyone can edit, found by model name."""

import datetime
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from math import isfinite, nan
from pathlib import Path
from typing import Any

import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import plain_name
from evalbayes.tables.delimited import read_delimited
from evalbayes.tables.numerals import NotANumber, numeral
from evalbayes.tables.toml import read_toml
from evalfolio.readers.remarks import CLOUD, DATE

COLUMNS = ("model", "input", "output", "cache_read", "cache_write", "since", "date", "source")
LEAST = 1e-3  # USD per million tokens; the cheapest AI models cost ten times as much
_POINT = re.compile(r"(?<=\d)\.(?=\d)")


@dataclass(frozen=True)
class Price:
    """What one AI model costs, in USD per million tokens."""

    model: str  # name or pattern (`*`, `?`, `[ab]`), without provider and date suffix
    input: float  # tokens not read from a cache
    output: float  # tokens, reasoning included
    date: datetime.date  # day the price was looked up
    source: str  # where, or the word "assumption"
    cache_read: float | None = None  # tokens read from the cache; None: as input
    cache_write: float | None = None  # tokens written to it; None: as input
    since: datetime.date | None = None  # first day the price holds; None: always

    def usd(self, usage: Mapping[str, float]) -> float:
        """Cost of a usage with the keys input, output, cache_read and cache_write, in USD.

        >>> price = Price("m", 2.0, 8.0, datetime.date(2026, 11, 1), "assumption", cache_read=0.5)
        >>> price.usd({"input": 1e6, "output": 1e5, "cache_read": 2e6, "cache_write": 0})
        3.8
        """
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        return (
            usage["input"] * self.input
            + usage["output"] * self.output
            + usage["cache_read"] * read
            + usage["cache_write"] * write
        ) / 1e6


@dataclass(frozen=True)
class Prices:
    """A price table; earlier rows of equal precision win, so overrides stand first.

    >>> table = default_prices()
    >>> table.find("anthropic/claude-opus-4-1-20250805").output
    75.0
    >>> table.find("openai/gpt-99") is None
    True
    """

    rows: tuple[Price, ...]

    def find(self, model: str, on: datetime.date | None = None) -> Price | None:
        """Return the price of `model` on a day (None: the latest), or None if it has none.

        An exact name beats a pattern, a longer pattern a shorter one, an earlier table a later
        one; among rows of one pattern the last that had begun on the day holds.
        """
        names = _names(model)
        matching = [r for r in self.rows if any(fnmatchcase(n, r.model.lower()) for n in names)]
        if not matching:
            return None
        # Tables are tuples of rows joined in order of authority: the first row that matches
        # exactly, or else the longest pattern, decides which model row family is meant.
        best = max(matching, key=lambda r: (r.model.lower() in names, len(r.model)))
        family = [r for r in matching if r.model == best.model]
        begun = [r for r in family if r.since is None or on is None or r.since <= on]
        if not begun:
            return family[0]
        first = begun[0]
        return max(begun, key=lambda r: (r.since or datetime.date.min, r is first))

    def with_overrides(self, other: "Prices") -> "Prices":
        """Return a table in which the models of `other` go before those of this one."""
        kept = tuple(
            row
            for row in self.rows
            if not any(fnmatchcase(row.model.lower(), mine.model.lower()) for mine in other.rows)
        )
        return Prices(other.rows + kept)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per price, with the columns of a price file."""
        return pd.DataFrame(
            [[getattr(r, c) for c in COLUMNS] for r in self.rows], columns=list(COLUMNS)
        )


@cache
def default_prices() -> Prices:
    """Return the price table shipped with the package."""
    text = resources.files("evalfolio.readers").joinpath("prices.toml").read_text("utf-8")
    return Prices(_rows(tomllib.loads(text).get("price", []), "the shipped price table"))


def read_prices(path: str | Path, *, with_defaults: bool = True) -> Prices:
    """Read a price table from TOML (`[[price]]` tables) or CSV (one row per price).

    InputError if the file is not such a table; the row and the key at fault are named. Keys or
    columns are model, input, output (USD per million tokens), date, source and optionally
    cache_read, cache_write, since. `with_defaults` is whether models not in the file are looked up
    in the shipped table.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        entries: Any = [
            {str(k).strip(): _figure(v) for k, v in row.items() if v and str(v).strip()}
            for row in read_delimited(path).to_dict("records")
        ]
    else:
        kind = "a price table in TOML or CSV that can be read"
        entries = read_toml(path, kind, "mend it there").get("price", [])
    if not entries or not isinstance(entries, list):
        raise InputError(
            f"{path}: must hold at least one [[price]] row, got none; write [[price]], with two "
            "brackets, and below it model, input, output, date and source"
        )
    rows = _rows(entries, str(path), 2 if path.suffix.lower() == ".csv" else 1)
    seen: dict[tuple[str, object], int] = {}
    for n, row in enumerate(rows):
        first = seen.setdefault((row.model.lower(), row.since), n)
        if first != n:
            raise InputError(
                f"{path}: {row.model!r} must have one price from one day on, got {first + 1} and "
                f"{n + 1} of its rows; drop one, or give the later one its day in `since`"
            )
    mine = Prices(rows)
    return default_prices().with_overrides(mine) if with_defaults else mine


def _rows(entries: Iterable[Mapping[str, Any]], where: str, start: int = 1) -> tuple[Price, ...]:
    return tuple(_row(entry, f"{where}, row {n}") for n, entry in enumerate(entries, start))


def _row(entry: Mapping[str, Any], where: str) -> Price:
    unknown = sorted(set(entry) - set(COLUMNS))
    if unknown:
        raise InputError(f"{where}: unknown key {unknown[0]!r}; allowed are {', '.join(COLUMNS)}.")
    for key in ("model", "input", "output", "date", "source"):
        if key not in entry:
            raise InputError(f"{where}: the key {key!r} is missing; a price needs a date and a "
                             "source (the word assumption will do).")  # fmt: skip
    values: dict[str, Any] = {
        "model": plain_name(str(entry["model"])),
        "source": str(entry["source"]),
        "date": _day(entry["date"], f"{where}: date"),
        "since": None if "since" not in entry else _day(entry["since"], f"{where}: since"),
    }
    for key in ("input", "output", "cache_read", "cache_write"):
        value = entry.get(key)
        if value is None:
            values[key] = None
            continue
        sound = isinstance(value, int | float) and not isinstance(value, bool)
        number = float(value) if sound else nan
        if not isfinite(number) or number < 0 or 0 < number < LEAST:
            per_token = "; it seems to be per token: multiply by 1,000,000" if number > 0 else ""
            raise InputError(
                f"{where}: {key} must be a price in USD per million tokens, got {value!r}"
                f"{per_token or '; write it in digits, with a point before decimals'}."
            )
        values[key] = number
    return Price(**values)


def _figure(cell: object) -> object:
    """Return a cell of text as the number it may be."""
    try:
        return numeral(str(cell), decimal=True)
    except NotANumber:
        return cell


def _day(value: object, where: str) -> datetime.date:
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise InputError(f"{where} must be a day such as 2026-11-01, got {value!r}.") from None


@cache
def _names(model: str) -> tuple[str, ...]:
    """Return the names a model may stand under: with and without provider and date suffix."""
    parts = model.lower().split("/")
    names: list[str] = []
    for start in range(len(parts)):
        name = "/".join(parts[start:])
        bare = CLOUD.sub("", CLOUD.sub("", name))
        names += [name, bare, DATE.sub("", bare)]
        names.append(_POINT.sub("-", names[-1]))  # claude-opus-4.1 is claude-opus-4-1
    return tuple(dict.fromkeys(names))
