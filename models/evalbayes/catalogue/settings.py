"""Settings: figures of a catalogue at other levels, without editing it: `cyber.threshold+1`."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evalbayes.catalogue.assumptions import Assumption
from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.interval import Interval
from evalbayes.catalogue.tables import EITHER, Table, Tables
from evalbayes.errors import InputError
from evalbayes.names import cure, plural
from evalbayes.tables.numerals import NotANumber, numeral

FORM = re.compile(r"\s*(?P<owner>.+)\.(?P<key>[A-Za-z_]\w*)\s*(?P<sign>[=*/+])\s*(?P<value>.+?)\s*")
TIME = re.compile(r"\s*([\d.]+)\s*(\D.*)")  # "40 h"
SET_BY = "set by "  # how the reason of an assumption that was set begins; the setting follows
KINDS = ("domain", "level", "decision", "eval", "elicitation", "tariff", "study", "ai_model")
SIGNS: dict[str, Callable[[float, float], float]] = {
    "*": lambda now, by: now * by,
    "/": lambda now, by: now / by,
    "+": lambda now, by: now + by,
}


@dataclass(frozen=True)
class Setting:
    """One figure at another level."""

    # `budget`, `portfolio`, a name of the catalogue (`cyber`; `eval.cyber` where several things
    # have it), or `evals`, `domains`, ...: all of a kind. `budget.staff_hours` for a skill of it
    owner: str
    key: str  # as the catalogue calls it
    sign: str  # `=`, or `*`, `/` and `+` on the figure in use, at both ends of an interval
    value: Any  # what follows the sign

    @classmethod
    def parse(cls, words: str) -> "Setting":
        """Read a setting.

        >>> Setting.parse("cyber.elicitation_gap*2"), str(Setting.parse("budget.usd = 30,000"))
        (Setting(owner='cyber', key='elicitation_gap', sign='*', value=2.0), 'budget.usd=30000')
        """
        found = FORM.fullmatch(words)
        if found is None:
            raise InputError(
                f"setting {words!r}: must be a path, one of = * / + and a value; write for example "
                "cyber.elicitation_gap*2 or budget.usd=30000"
            )
        owner, key, sign, value = found.group("owner", "key", "sign", "value")
        if sign == "=":
            return cls(owner, key, sign, _read(value))
        try:
            number = numeral(value)
        except NotANumber as error:
            raise InputError(f"setting {words!r}: after {sign} {error}") from None
        if sign == "/" and number == 0:
            raise InputError(f"setting {words!r}: must not divide by 0; give another number")
        return cls(owner, key, sign, number)

    def __str__(self) -> str:
        value = f"{self.value:.12g}" if isinstance(self.value, float) else self.value
        return f"{self.owner}.{self.key}{self.sign}{value}"

    def applied(self, now: Any) -> Any:
        """Return a figure at its new level; both ends of an interval, every skill of hours."""
        if self.sign == "=":
            return self.value
        if isinstance(now, Interval):
            now = now.low if now.exact else [now.low, now.high]
        if isinstance(now, Mapping):
            return {name: self.applied(each) for name, each in now.items()}
        if isinstance(now, (list, tuple)):
            return [self.applied(each) for each in now]
        time = TIME.fullmatch(now) if isinstance(now, str) else None
        if time is not None and self.sign != "+":
            return f"{self.applied(float(time[1])):g} {time[2]}"
        if isinstance(now, bool) or not isinstance(now, (int, float)):
            got = "nothing" if now is None else repr(now)
            raise InputError(
                f"setting {str(self)!r}: {self.sign} must stand on a number that is in use, got "
                f"{got}; give it with ="
            )
        then = SIGNS[self.sign](now, self.value)
        return int(then) if isinstance(now, int) and then == int(then) else then


def _read(words: str) -> Any:
    """Read a value as TOML has it, a number as people write it, or else a text."""
    try:
        return numeral(words, percent=True)
    except NotANumber:
        pass
    try:
        return tomllib.loads(f"value = {words}")["value"]
    except tomllib.TOMLDecodeError:
        return words


def with_settings(
    tables: Tables, settings: Sequence[str], of: Callable[[Tables], Catalogue]
) -> Catalogue:
    """Return the catalogue with figures set, one after another: all that follows from them follows.

    `of` fills in the defaults and checks every rule.
    """
    catalogue, told = of(tables), []
    for words in settings:
        setting = Setting.parse(words)
        tables = _set(tables, setting, catalogue)
        try:
            catalogue = of(tables)
        except InputError as error:
            raise InputError(f"with {str(setting)!r} set, {error}") from None
        value = str(setting).partition(setting.key)[2]
        told.append(Assumption(setting.owner, setting.key, value, f"{SET_BY}{setting}"))
    return catalogue.model_copy(update={"assumptions": (*catalogue.assumptions, *told)})


def _set(tables: Tables, setting: Setting, catalogue: Catalogue) -> Tables:
    place, key, skill = _place(setting, tables)
    known = list(type(_spec(catalogue, *place[0])).model_fields)
    known += ["threshold_human_time"] if "threshold" in known else []
    known = [each for each in known if each != "name"]
    if key not in known:
        raise InputError(
            f"setting {str(setting)!r}: {setting.owner} has no figure {key!r}; {cure(key, known)}"
        )
    before = tables
    for field, k in place:
        rows = getattr(tables, field)
        row: Table = rows if k is None else rows[k]
        spec, entries = _spec(catalogue, field, k), dict(row.entries)
        now = entries.get(key, getattr(spec, key, None))
        if now is None and key == "elicitation_gap":
            now = spec.gap
        if skill is not None:
            by_skill = dict(now) if isinstance(now, Mapping) else {}
            if skill not in by_skill:
                raise InputError(
                    f"setting {str(setting)!r}: {key} has no skill {skill!r}; "
                    + (cure(skill, by_skill) if by_skill else "it is not split by skill")
                )
            entries[key] = by_skill | {skill: setting.applied(by_skill[skill])}
        elif now is None and len(place) > 1 and setting.sign != "=":
            continue  # of all of a kind, those that have the figure
        else:
            entries[key] = setting.applied(now)
        rivals = next((pair for pair in EITHER if key in pair), ())
        for rival in rivals:
            if rival != key:
                entries.pop(rival, None)
        changed = replace(row, entries=entries)
        new = changed if k is None else (*rows[:k], changed, *rows[k + 1 :])
        change: dict[str, Any] = {field: new}
        tables = replace(tables, **change)
    if tables is before:
        raise InputError(
            f"setting {str(setting)!r}: {setting.sign} must stand on a number that is in use, got "
            f"none of the {setting.owner}; give it with ="
        )
    return tables


def _place(
    setting: Setting, tables: Tables
) -> tuple[list[tuple[str, int | None]], str, str | None]:
    """Return the tables a setting is about, its key, and the skill where it names one."""
    found: dict[str, list[tuple[str, int | None]]] = {"budget": [("budget", None)]}
    found["portfolio"] = [("portfolio", None)]
    for kind in KINDS:
        for k, row in enumerate(getattr(tables, plural(kind))):
            name = row.label.removeprefix(f"{kind} ").strip("'\"")
            for path in (name, f"{kind}.{name}", plural(kind)):
                found.setdefault(path, []).append((plural(kind), k))
    owner, key, skill = setting.owner, setting.key, None
    if owner not in found and "." in owner:
        outer, _, inner = owner.rpartition(".")
        if outer in found:
            owner, key, skill = outer, inner, key
    if owner not in found:
        raise InputError(
            f"setting {str(setting)!r}: must begin with budget, portfolio, evals, domains or a "
            f"name of the catalogue, got {owner!r}; {cure(owner, _plain(found))}"
        )
    kinds = list(dict.fromkeys(field for field, _ in found[owner]))
    if len(kinds) > 1:
        ways = " or ".join(f"{kind}.{owner}" for kind in KINDS if plural(kind) in kinds)
        raise InputError(
            f"setting {str(setting)!r}: several things are called {owner!r}; write {ways}"
        )
    return found[owner], key, skill


def _plain(paths: Iterable[str]) -> list[str]:
    """Return paths without those that say the kind too, but for one that needs it."""
    kinds = tuple(f"{kind}." for kind in KINDS)
    return [path for path in paths if not path.startswith(kinds)]


def _spec(catalogue: Catalogue, field: str, k: int | None) -> Any:
    found = getattr(catalogue, "joint" if field == "decisions" else field)
    return found if k is None else found[k]
