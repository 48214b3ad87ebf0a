"""Assumptions: the value used for a key nobody gave, and why it is a sensible one.

Sources: the cyber task data of Lyptus Research (2026); METR's RE-Bench (arXiv 2411.15114) and
reports; a comment on METR's staff time per evaluation (25 to 60 hours), the only such figure found.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from evalbayes.catalogue.interval import Interval
from evalbayes.catalogue.population import effort_half, effort_of
from evalbayes.catalogue.quantities import hours_by_skill, positive, total_hours


@dataclass(frozen=True)
class Assumption:
    """One default that was used.

    >>> print(Assumption("eval 'cybench'", "effort_max", 0.6, "two to three engineer-weeks"))
    eval 'cybench': effort_max = 0.6 (assumption: two to three engineer-weeks)
    """

    where: str  # the table it stands in for, e.g. "eval 'cybench'"
    key: str  # key, value: the key that was not given, and what was used in its place
    value: Any
    reason: str  # why this value is a sensible one

    def __str__(self) -> str:
        return f"{self.where}: {self.key} = {self.text} (assumption: {self.reason})"

    @property
    def text(self) -> str:
        """The value as a person would write it."""
        if self.value is None:
            return "none"
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, float | int):
            return f"{self.value:g}" if abs(self.value) < 1e5 else f"{self.value:,.0f}"
        return str(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Plain text and numbers, for a record; an interval becomes [low, high]."""
        value = (
            [self.value.low, self.value.high] if isinstance(self.value, Interval) else self.value
        )
        return {"where": self.where, "key": self.key, "value": value, "reason": self.reason}


HOURS_PER_STAFF_DAY = 8.0


Choice = tuple[Any, str | None]  # a value, and why; no reason where it is no assumption


@dataclass(frozen=True)
class Default:
    """A value for a key and the reason for it, or a rule that finds both from the other keys."""

    key: str
    value: Any | Callable[[Mapping[str, Any]], Choice]
    reason: str = ""

    def of(self, entries: Mapping[str, Any]) -> Choice:
        """Return the value and the reason, given the other entries of the table."""
        if not callable(self.value):
            return self.value, self.reason
        value, reason = self.value(entries)
        return value, reason


def spend_unit(entries: Mapping[str, Any]) -> Choice:
    """Return the unit of spend where none is given, and why."""
    if "usd_per_run" in entries and "usd_per_unit" not in entries:
        return "usd", "only usd_per_run is given, so spend is money"
    return "tokens", "what most harnesses count"


def _usd_per_unit(entries: Mapping[str, Any]) -> Choice:
    prices: dict[str, Choice] = {
        "usd": (Interval(1, 1), None),
        "tokens": (Interval(1e-6, 1e-5), "$1 to $10 a million tokens, cached input included"),
        "hours": (Interval(5, 30), "an eight-hour run of RE-Bench took some $123 in tokens"),
    }
    unit = entries["spend_unit"]
    if unit not in prices:
        raise ValueError(
            f"must be given for spend in {unit!r}; write the USD that one unit costs, or use "
            f"one of the units with a usual price: {', '.join(sorted(prices))}"
        )
    return prices[unit]


def _max_cap(entries: Mapping[str, Any]) -> Choice:
    if entries.get("half_spend") is not None:
        high = positive(Interval.of(entries["half_spend"]).high)
        return 20 * high, "twenty times the upper end of half_spend"
    if entries.get("usd_per_run") is not None:
        price = positive(Interval.of(entries["usd_per_unit"]).mid)
        high = positive(Interval.of(entries["usd_per_run"]).high)
        return 10 * high / price, "ten times the upper end of usd_per_run"
    usual: dict[str, Choice] = {
        "tokens": (10_000_000.0, "gains are reported to this spend and beyond"),
        "hours": (32.0, "the longest runs of RE-Bench"),
    }
    if entries["spend_unit"] not in usual:
        raise ValueError(
            f"must be given for spend in {entries['spend_unit']!r}; write the largest spend per "
            "attempt worth considering, or give half_spend or usd_per_run to work it out from"
        )
    return usual[entries["spend_unit"]]


def _days_of(key: str) -> Callable[[Mapping[str, Any]], Choice]:
    """Return the rule that turns staff hours into days."""

    def days(entries: Mapping[str, Any]) -> Choice:
        hours = hours_by_skill(entries[key])
        number = total_hours(0.0 if hours is None else hours) / HOURS_PER_STAFF_DAY
        return number, "one engineer, eight hours a day"

    return days


def _effort_of(key: str, usual: float) -> Callable[[Mapping[str, Any]], Choice]:
    """Return the rule that turns staff hours into the share of the gap that they reach."""

    def effort(entries: Mapping[str, Any]) -> Choice:
        hours = hours_by_skill(entries[key])
        spent = total_hours(0.0 if hours is None else hours) or usual  # 0: paid for elsewhere
        return round(effort_of(spent), 2), effort_reason(spent)

    return effort


def effort_reason(hours: float, made_of: str = "") -> str:
    """Say what staff hours reach, and what they are made of where there is more to it."""
    return (
        f"what {hours:g} staff hours{f' ({made_of})' if made_of else ''} reach of the gap in "
        f"published measurements: half of it after {effort_half():.0f} hours, then less and less"
    )


def _validity_of_study(entries: Mapping[str, Any]) -> Choice:
    if entries.get("participants") is None:
        return None, None  # what is stated is all of its error
    return 1.1, "as far as an eval may depart from the capability it stands for"


RULES = {
    "spend_unit": spend_unit,
    "usd_per_unit": _usd_per_unit,
    "max_cap": _max_cap,
    "days_repair": _days_of("staff_hours_repair"),
    "days_elicitation": _days_of("staff_hours_elicitation"),
    "effort_repaired": _effort_of("staff_hours_repair", 16.0),
    "effort_max": _effort_of("staff_hours_elicitation", 100.0),
    "validity_sd": _validity_of_study,
}
TABLES = tomllib.loads(files(__package__).joinpath("defaults.toml").read_text("utf-8"))


def _defaults(table: str) -> tuple[Default, ...]:
    """Return the defaults of a table of the catalogue, in the order they are filled in."""
    found = []
    for row in TABLES[table]:
        value = row.get("value")
        value = Interval(*value) if isinstance(value, list) else value
        value = RULES[row["key"]] if "rule" in row else value
        found.append(Default(row["key"], value, row.get("reason", "")))
    return tuple(found)


PORTFOLIO, BUDGET, DOMAIN = map(_defaults, ("portfolio", "budget", "domain"))
STAKES, EVAL, STUDY = map(_defaults, ("stakes", "eval", "study"))
