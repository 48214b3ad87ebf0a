"""Tables of a catalogue: as they were written, filled with defaults, and validated.

Each knows the place to name when it is wrong, and every mistake is said in one sentence.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from evalbayes.catalogue.assumptions import Assumption, Default
from evalbayes.errors import InputError
from evalbayes.names import plain_name, plural, refuse_control, refuse_unknown


@dataclass(frozen=True)
class Table:
    """One table: what it is called, where it was found, and its keys."""

    label: str
    where: str
    entries: Mapping[str, Any] = field(default_factory=dict)

    def wrong(self, said: str) -> InputError:
        """Return what is to be raised where it breaks a rule: the place and what is wrong."""
        return InputError(f"{self.where}: {said}")


@dataclass(frozen=True)
class Tables:
    """All tables of a catalogue, before any default is filled in."""

    source: str
    portfolio: Table
    budget: Table
    domains: tuple[Table, ...]
    evals: tuple[Table, ...]
    elicitations: tuple[Table, ...]
    studies: tuple[Table, ...]
    tariffs: tuple[Table, ...]
    levels: tuple[Table, ...]
    decisions: tuple[Table, ...]
    ai_models: tuple[Table, ...]
    limits: tuple[Table, ...]
    domain_defaults: Table
    eval_defaults: Table
    notes: tuple[str, ...] = ()


SINGLE = ("portfolio", "budget", "domain_defaults", "eval_defaults")
KINDS = "domain level decision eval elicitation tariff study ai_model limit"
MANY = tuple(KINDS.split())
TASKS = "task_names"  # a sheet of its own in a workbook


def labelled(source: str, kind: str, entries: Mapping[str, Any], row: int) -> Table:
    """Return a row of a table of several, named after its name or, lacking one, its number."""
    name = called(kind, entries)
    label = f"{kind} number {row}" if name is None else f"{kind} {name!r}"
    return Table(label, f"{source}: {label}", entries)


def called(kind: str, entries: Mapping[str, Any]) -> str | None:
    """Return what a row is called, a level with its domain; None without a name in words.

    >>> called("level", {"domain": "cyber", "name": "High"}), called("eval", {"name": 3})
    ('cyber, High', None)
    """
    parts = [entries.get(key) for key in (("domain", "name") if kind == "level" else ("name",))]
    words = [part.strip() for part in parts if isinstance(part, str) and part.strip()]
    return ", ".join(words) if len(words) == len(parts) else None


def plain(value: Any, where: str, untidy: list[str]) -> Any:
    r"""Return text, also inside lists and tables, without odd spaces and invisible characters.

    What had some is added to `untidy`. InputError if there is a control character in it.

    >>> plain({"name": "cyb\u200bench", "tasks": 3}, "catalogue.toml", [])
    {'name': 'cybench', 'tasks': 3}
    """
    if isinstance(value, str):
        refuse_control(where, value)
        name = plain_name(value)
        if name != value.strip(" \t\r\n"):
            untidy.append(value)
        return name
    if isinstance(value, Mapping):
        return {
            plain(key, where, untidy): plain(each, where, untidy) for key, each in value.items()
        }
    return [plain(each, where, untidy) for each in value] if isinstance(value, list) else value


def notes_on(untidy: list[str], source: str) -> tuple[str, ...]:
    """Say how many texts of a catalogue had odd spaces, and which was the first."""
    if not untidy:
        return ()
    return (
        f"{source}: {len(untidy):,} texts had invisible or odd spaces and are read without them, "
        f"first {untidy[0][:80]!a} as {plain_name(untidy[0])[:80]!r}",
    )


def tables_of(data: Mapping[str, Any], source: str) -> Tables:
    """Sort nested tables, as TOML gives them, into `Tables`."""
    untidy: list[str] = []
    data = plain(data, source, untidy)
    refuse_unknown(source, data, (*SINGLE, *MANY), what="table")
    for name in SINGLE:
        if not isinstance(data.get(name, {}), Mapping):
            raise InputError(
                f"{source}: [{name}] must be a table of keys, got {data[name]!r}; "
                f"write [{name}] on a line of its own above its keys"
            )
    found: dict[str, Any] = {}
    for name in MANY:
        given = data.get(name, [])
        if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
            raise InputError(
                f"{source}: {name} must be a list of tables, got a single one; "
                f"write [[{name}]], with two brackets, above each of them"
            )
        found[plural(name)] = tuple(
            labelled(source, name, row, i + 1) for i, row in enumerate(given)
        )
    found |= {
        name: Table(f"[{name}]", f"{source}: [{name}]", data.get(name, {})) for name in SINGLE
    }
    return Tables(source=source, notes=notes_on(untidy, source), **found)


class Mistakes(InputError):
    """Several mistakes at once, each of `said` in a sentence."""

    def __init__(self, said: Sequence[str]) -> None:
        self.said = tuple(said)
        text = " ".join(f"({k}) {each}" for k, each in enumerate(said, start=1))
        super().__init__(said[0] if len(said) == 1 else f"{len(said)} mistakes: {text}")


def all_of(*parts: Callable[[], Any]) -> list[Any]:
    """Return what every part makes.

    InputError that says the mistakes of all of them, if there are any.
    """
    found, said = [], list[str]()
    for part in parts:
        try:
            found.append(part())
        except InputError as error:
            said += error.said if isinstance(error, Mistakes) else [str(error)]
    if said:
        raise Mistakes(said)
    return found


class Spec(BaseModel):
    """One validated table of a catalogue; equal to another one with the same figures."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


EITHER = (  # giving one of these in a table sets aside a default for the other
    ("threshold", "threshold_human_time"),
    ("human_minutes", "difficulty"),
    ("mandatory", "forbidden"),
)

AnySpec = TypeVar("AnySpec", bound=Spec)


def with_own_defaults(
    row: Table, defaults: Table, known: Iterable[str], assumptions: list[Assumption]
) -> Table:
    """Add the catalogue's own defaults to a row, and note those that were used."""
    refuse_unknown(row.where, row.entries, known)
    entries = dict(row.entries)
    for key, value in defaults.entries.items():
        rivals = next((pair for pair in EITHER if key in pair), (key,))
        if not any(rival in row.entries for rival in rivals):
            entries[key] = value
            assumptions.append(
                Assumption(row.label, key, value, f"the catalogue's {defaults.label}")
            )
    return Table(row.label, row.where, entries)


def filled(
    table: Table, known: Iterable[str], defaults: tuple[Default, ...], assumptions: list[Assumption]
) -> Table:
    """Return the table with a default for every key that lacks one, and note it."""
    refuse_unknown(table.where, table.entries, known)
    entries = dict(table.entries)
    for each in defaults:
        if each.key not in entries:
            try:
                entries[each.key], reason = each.of(entries)
            except (ValueError, TypeError) as error:
                # Either the rule cannot tell, or a figure it needs is itself wrong; the latter is
                # said better when that figure is validated.
                if str(error).startswith("must be given"):
                    raise table.wrong(f"{each.key} {error}") from None
                continue
            if reason is not None:
                assumptions.append(Assumption(table.label, each.key, entries[each.key], reason))
    return Table(table.label, table.where, entries)


def validated(spec: type[AnySpec], table: Table) -> AnySpec:
    """Return the spec of a table, or say its mistakes, each in one sentence."""
    try:
        return spec(**table.entries)
    except ValidationError as error:
        found = error.errors()
        # A key may be missing only because its default needed a wrong figure.
        wrong = [each for each in found if each["type"] != "missing"] or found
        by_key = {str(each["loc"][0]): each for each in reversed(wrong)}
        raise Mistakes(
            [f"{table.where}: {key} {_fault(each)}" for key, each in reversed(by_key.items())]
        ) from None


def _fault(found: Any) -> str:
    """Say one of pydantic's errors."""
    if found["type"] == "missing":
        return f"must be given, got nothing; add {found['loc'][0]} = ..."
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    return f"must be right, got {found['input']!r}; {found['msg']}"


def ruled(table: Table, key: str, rule: Callable[[Any], Any]) -> Any:
    """Apply a rule to one entry, naming place and key if it is broken."""
    try:
        return rule(table.entries[key])
    except ValueError as error:
        raise table.wrong(f"{key} {error}") from None
