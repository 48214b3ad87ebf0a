"""Presets: what grows how fast a year, each figure with its source, in a TOML file anyone edits."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.catalogue.interval import Interval
from evalbayes.names import refuse_unknown
from evalbayes.tables.toml import read_toml
from evalfolio.errors import InputError

EXPONENT = "exponent"
MAY_BE_0 = ("drift", "scatter", "overhead")
OPEN = ("scenario", "rule", "agent")  # tables that a file may add to
OWN = Path(str(files("evalfolio.outlook") / "presets.toml"))


@dataclass(frozen=True)
class Rate:
    """A rate a year, r + drift·W, r normal and W a Wiener process; and scatter about its path."""

    mean: float
    sd: float = 0.0
    drift: float = 0.0  # sd of the change of the rate in a year
    scatter: float = 0.0  # sd of what a year adds beside the rate

    def variance(self, years: Any) -> Any:
        """Return V(t) = sd²t² + drift²t³/3 + scatter²t, of what has come about by then."""
        return self.covariance(years, years)

    def covariance(self, one: Any, other: Any) -> Any:
        """Return the covariance of what has come about by either of two times."""
        t, later = np.minimum(one, other), np.maximum(one, other)
        own = self.sd**2 * t * later + self.scatter**2 * t
        return own + self.drift**2 * t**2 * (3 * later - t) / 6

    def paths(self, times: Array, draws: int, rng: np.random.Generator) -> Array:
        """Draw what has come about at even times from 0 on: of shape (draws, times).

        >>> rate, rng = Rate(1.0, 0.5, 0.6, 0.4), np.random.default_rng(0)
        >>> found = rate.paths(np.array([0.0, 1.0, 2.0]), 100_000, rng)
        >>> found.var(axis=0).round(1).tolist(), round(float(rate.variance(2.0)), 1)
        ([0.0, 0.5, 2.3], 2.3)
        """
        dt = times[1] - times[0]
        step = np.linalg.cholesky([[dt, dt**2 / 2], [dt**2 / 2, dt**3 / 3]])  # W and its integral
        w, gone = np.moveaxis(rng.standard_normal((draws, len(times) - 1, 2)) @ step.T, 2, 0)
        gone = self.drift * ((np.cumsum(w, axis=1) - w) * dt + gone)
        gone += self.scatter * np.sqrt(dt) * rng.standard_normal(gone.shape)
        path = np.pad(np.cumsum(gone, axis=1), ((0, 0), (1, 0)))
        return np.asarray(rng.normal(self.mean, self.sd, (draws, 1)) * times + path)


@dataclass(frozen=True)
class Driver:
    """What grows by a factor a year, low to high (90 %); its rate drifts by a share of itself."""

    driver: str
    low: float
    high: float
    drift: float
    source: str  # or the word assumption

    @property
    def log_rate(self) -> Rate:
        """The rate of its natural logarithm."""
        mean, sd = Interval(float(np.log(self.low)), float(np.log(self.high))).normal()
        return Rate(mean, sd, self.drift * abs(mean))


@dataclass(frozen=True)
class Presets:
    """The figures of a file under one of its scenarios; `read_presets` checks them.

    >>> presets = read_presets()
    >>> presets.driver("price_at_capability").low, len(presets.tables["scenario"])
    (0.1, 5)
    >>> presets.under("prices collapse").driver("price_at_capability").low
    0.0011
    """

    tables: Mapping[str, Any]
    scenario: str

    def under(self, scenario: str) -> Self:
        """Return the presets under a scenario; InputError if there is none of that name."""
        refuse_unknown("presets", (scenario,), self.tables["scenario"], "scenario")
        return type(self)(self.tables, scenario)

    def driver(self, name: str) -> Driver:
        """Return a driver as the scenario has it, or the exponent."""
        own = self.tables["scenario"][self.scenario]
        table = self.tables[EXPONENT] if name == EXPONENT else self.tables["driver"][name]
        low, high = own.get(name) or table["factor"]
        source = own.get("source", "assumption") if name in own else table["source"]
        return Driver(name, float(low), float(high), table.get("drift", 0.0), source)

    def sources(self) -> pd.DataFrame:
        """Return every driver with its 90 % interval a year and its source, a row each."""
        names = (*self.tables["driver"], EXPONENT)
        return pd.DataFrame([vars(self.driver(name)) for name in names])


def read_presets(path: str | Path | None = None, scenario: str | None = None) -> Presets:
    """Return the presets that come with evalfolio, with what a file says otherwise.

    InputError if a table, a driver, a figure or the scenario is not what it must be.

    Parameters
    ----------
    path
        TOML file with some of their tables, or all.
    scenario
        One of them; by default what the file calls `default`.
    """
    tables = read_toml(OWN, "presets", "install evalfolio again")
    where, known = str(path or "presets"), (*tables["driver"], EXPONENT)
    if path is not None:
        cure = "copy an outlook's presets.toml, change it"
        given = read_toml(Path(path), "presets in TOML", cure)
        refuse_unknown(where, given, tables)
        for name, own in given.items():
            place, table = f"{where}: [{name}]", tables[name]
            if name not in OPEN or not isinstance(own, Mapping):
                tables[name] = _over(place, table, own)
                continue
            like = {key: each for row in table.values() for key, each in row.items()}
            if name == "scenario":
                like |= {key: tables["driver"][key]["factor"] for key in tables["driver"]}
            for entry, row in own.items():
                shipped = table.get(entry, {})
                made = _over(f"{where}: [{name}.{entry!r}]", like | shipped, row)
                table[entry] = {key: made[key] for key in made if key in row or key in shipped}
    for name, table in tables["driver"].items():
        _check(f"{where}: [driver.{name}]", table, "factor")
    for name, table in tables["scenario"].items():
        table.setdefault("words", "as the file has it")
        for key in set(table) & set(known):
            _check(f"{where}: [scenario.{name!r}]", {"source": "assumption", **table}, key)
    for name, rule in tables["rule"].items():
        _check(f"{where}: [rule.{name!r}]", rule)
        grows = min(rule.get("factor", [0])) > 1 and rule.get("times", 0) > 1
        if "months" not in rule and not grows:
            raise InputError(
                f"{where}: [rule.{name!r}] must have months, or times and factor above 1, got "
                f"{sorted(rule)}; write for example months = 3"
            )
    for name, agent in tables["agent"].items():
        _check(f"{where}: [agent.{name!r}]", agent)
        if "tokens_per_second" not in agent:
            raise InputError(f"{where}: [agent.{name!r}] must have tokens_per_second; add it")
    _check(f"{where}: [{EXPONENT}]", tables[EXPONENT], "factor")
    _check(f"{where}: [composition]", tables["composition"], "published")
    _check(f"{where}: [capability]", tables["capability"], "growth_per_year")
    for name, feeds in tables["cost"].items():
        refuse_unknown(f"{where}: [cost] {name!r}", feeds, (*tables["driver"], *tables["words"]))
    return Presets(tables, "").under(scenario or tables["default"])


def _over(place: str, table: Any, own: Any) -> Any:
    """Return a table with what a file says of it: the same keys, each of the same kind."""
    if isinstance(table, Mapping) and isinstance(own, Mapping):
        refuse_unknown(place, own, table)
        return {**table, **{key: _over(f"{place} {key}", table[key], own[key]) for key in own}}
    kind, held = "a table", False
    if isinstance(table, str):
        kind, held = "text", isinstance(own, str) and bool(own.strip())
    elif isinstance(table, list):
        kind = "a list of names" if isinstance(table[0], str) else "a list of numbers above 0"
        held = isinstance(own, list) and bool(own) and all(_alike(table[0], x) for x in own)
    elif not isinstance(table, Mapping):
        kind = "a number above 0" + (", or 0" if (may := place.endswith(MAY_BE_0)) else "")
        held = _alike(table, own) or (may and own == 0)
    if not held:
        raise InputError(f"{place} must be {kind}, got {own!r}; write it as in presets.toml")
    return own


def _alike(ours: Any, own: Any) -> bool:
    if isinstance(ours, str):
        return isinstance(own, str)
    return isinstance(own, int | float) and not isinstance(own, bool) and 0 < own < np.inf


def _check(place: str, table: Mapping[str, Any], *keys: str) -> None:
    for key in keys:
        ends = table.get(key, [])
        if len(ends) != 2 or not 0 < ends[0] <= ends[1]:
            raise InputError(
                f"{place}: {key} must be [low, high], both above 0 and in this order, got "
                f"{table.get(key)!r}; write for example [1.2, 2.5]"
            )
    if not str(table.get("source", "")).strip():
        raise InputError(f"{place}: source must say whence it is, got none; write assumption")
