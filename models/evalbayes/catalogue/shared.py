"""What several evals share: elicitation that is built once, and prices by their joint volume."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from evalbayes.catalogue.assumptions import Assumption, effort_reason
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.catalogue.eval import EvalSpec
from evalbayes.catalogue.interval import Price
from evalbayes.catalogue.population import effort_of, effort_share
from evalbayes.catalogue.quantities import (
    NotNegative,
    Text,
    hours_by_skill,
    not_negative,
    split_hours,
    total_hours,
)
from evalbayes.catalogue.tables import Spec, Table, ruled, validated
from evalbayes.names import cure, refuse_other, refuse_unknown
from evalbayes.tables.numerals import NotANumber, numeral

SERVED = ("evals", "family", "domain")
KEYS = ("name", *SERVED, "hours", "days", "usd", "notes")
TARIFF_KEYS = ("name", *SERVED, "steps", "kind", "notes")


def names_of_evals(value: Any) -> tuple[str, ...]:
    """Read names of evals: a list, or text with semicolons between them, as in a workbook.

    >>> names_of_evals("cybench; nyuctf")
    ('cybench', 'nyuctf')
    """
    if isinstance(value, str):
        value = [part.strip() for part in value.split(";") if part.strip()]
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed:
        raise ValueError('must name at least one eval, got none; write ["first", "second"]')
    for name in listed:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f'must be a list of names, got {name!r}; write ["first", "second"]')
        if listed.count(name) > 1:
            raise ValueError(f"must name each eval once, got {name!r} twice; drop one")
    return tuple(listed)


class ElicitationSpec(Spec):
    """One [[elicitation]]: a scaffold, tools or a fine-tuned variant that serves several evals.

    It is bought once where any of its evals runs at max elicitation, and what the evals' own
    `staff_hours_elicitation` and `days_elicitation` say is what is left for each beside it. An eval
    that is in several needs all of them.
    """

    name: Text  # e.g. "ctf scaffold"
    evals: tuple[str, ...]  # that it serves; given as such, or as all of a `family` or `domain`
    hours: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]  # as the budget's
    days: NotNegative = 0.0  # before what is left per eval; those of several go on side by side
    usd: Price  # a number or a 90 % interval of a lognormal
    notes: str = ""


def price_steps(value: Any) -> dict[str, float]:
    """Read steps of a price: a table of volumes and factors.

    >>> price_steps({"5e9": 0.6, "1,000,000,000": 0.8})
    {'1000000000': 0.8, '5000000000': 0.6}
    """
    try:
        found = {not_negative(numeral(str(at))): not_negative(f) for at, f in value.items()}
    except (AttributeError, NotANumber, ValueError):
        found = {}
    if not found or len(found) < len(value):
        raise ValueError(
            f"must be a table of different volumes and factors, 0 or more, got {value!r}; write "
            "steps = {1e9 = 0.8}, the factor of usd_per_unit from that volume on"
        )
    return {f"{at:.15g}": found[at] for at in sorted(found)}


class TariffSpec(Spec):
    """One [[tariff]]: a price that goes by steps with all that several evals spend together."""

    name: Text  # e.g. "provider"
    evals: tuple[str, ...]  # whose spend it prices; given as such, or as a `family` or `domain`
    steps: Annotated[dict[str, float], BeforeValidator(price_steps)]  # factor from a volume on
    kind: Literal["incremental", "all-units"] = "incremental"
    notes: str = ""

    @property
    def resource(self) -> str:
        """Name of the menu's resource that counts the volume."""
        return f"units.{self.name}"


def assembled_tariff(
    table: Table, evals: Sequence[EvalSpec], domains: Sequence[DomainSpec]
) -> TariffSpec:
    """Return a tariff with the evals it prices; InputError if these have not one unit and price."""
    refuse_unknown(table.where, table.entries, TARIFF_KEYS)
    served = _served(table, evals, domains)
    prices = {f"{e.spend_unit} at {e.usd_per_unit}" for e in evals if e.name in served}
    if len(prices) > 1:
        raise table.wrong(
            f"its evals must have one spend_unit and one usd_per_unit, got "
            f"{' and '.join(sorted(prices)[:2])}; make a tariff for each"
        )
    entries = {key: value for key, value in table.entries.items() if key not in SERVED}
    return validated(TariffSpec, Table(table.label, table.where, {**entries, "evals": served}))


def assembled_elicitation(
    table: Table, evals: Sequence[EvalSpec], domains: Sequence[DomainSpec], skills: tuple[str, ...]
) -> ElicitationSpec:
    """Return a shared elicitation with the evals it serves and its hours by skill."""
    refuse_unknown(table.where, table.entries, KEYS)
    entries = dict(table.entries)
    served = _served(table, evals, domains)
    entries = {key: value for key, value in entries.items() if key not in SERVED}
    if entries.get("name") in [spec.name for spec in evals]:
        raise table.wrong(f"its name must not be an eval's, got {entries['name']!r}; rename it")
    if not {"hours", "usd"} & set(entries):
        raise table.wrong(
            "hours or usd must be given, got neither; add hours = ..., what it "
            "takes once for all its evals"
        )
    entries.setdefault("usd", 0.0)
    entries.setdefault("hours", 0.0)
    homes = list(dict.fromkeys(spec.domain for spec in evals if spec.name in served))
    home = homes[0] if len(homes) == 1 else ""
    entries["hours"] = hours_once(Table(table.label, table.where, entries), "hours", skills, home)
    return validated(ElicitationSpec, Table(table.label, table.where, {**entries, "evals": served}))


def hours_once(table: Table, key: str, skills: tuple[str, ...], home: str) -> Any:
    """Return hours in the form of the budget's; no hours are none of every skill.

    One number goes to the skill of the domain `home`, as `split_hours` has it.
    """
    hours = ruled(table, key, hours_by_skill) or 0.0
    try:
        return split_hours(hours, skills, home)
    except ValueError as error:
        if hours:
            raise table.wrong(f"{key} {error}") from None
        return dict.fromkeys(skills, 0.0)


def with_reached_effort(
    evals: Sequence[EvalSpec],
    domains: Sequence[DomainSpec],
    elicitations: Sequence[ElicitationSpec],
    assumptions: list[Assumption],
) -> tuple[EvalSpec, ...]:
    """Return the evals with the `effort_max` that own and shared hours, and attempts, reach.

    Attempts count where the domain's gap holds what they add, `adversary_verifier`. Where it is
    stated, or a catalogue's own default, it stays; the assumptions are put right.
    """
    tried = {spec.name for spec in domains if spec.adversary_verifier}
    places = {
        each.where: k
        for k, each in enumerate(assumptions)
        if each.key == "effort_max" and "_defaults]" not in each.reason
    }
    found = []
    for spec in evals:
        place = places.get(f"eval {spec.name!r}")
        shared = sum(total_hours(e.hours) for e in elicitations if spec.name in e.evals)
        if place is not None and (shared > 0 or spec.domain in tried):
            effort, reason = spec.effort_max, assumptions[place].reason
            if shared > 0:
                own = total_hours(spec.staff_hours_elicitation)
                effort = effort_of(own + shared)
                reason = effort_reason(own + shared, f"{own:g} of its own and {shared:g} shared")
            if spec.domain in tried:
                tries = 1 + (spec.attempts_max - 1) * spec.resettable if spec.verifier else 1.0
                effort = effort_share(effort, tries)
                reason += "; the gap and this share count the best of attempts too"
            effort = round(effort, 2)
            assumptions[place] = replace(assumptions[place], value=effort, reason=reason)
            spec = spec.model_copy(update={"effort_max": effort})
        found.append(spec)
    return tuple(found)


def _served(
    table: Table, evals: Sequence[EvalSpec], domains: Sequence[DomainSpec]
) -> tuple[str, ...]:
    """Return the names of the evals that a table speaks of."""
    given = [key for key in SERVED if table.entries.get(key) is not None]
    if len(given) != 1:
        raise table.wrong(
            f"one of evals, family and domain must say what it serves, got "
            f"{' and '.join(given) or 'none'}; "
            + ("keep one" if given else 'add for example evals = ["first", "second"]')
        )
    (key,) = given
    if key == "evals":
        names = ruled(table, key, names_of_evals)
        known = [spec.name for spec in evals]
        for name in names:
            refuse_other(name, known, f"{table.where}: evals must be the catalogue's")
        return tuple(names)
    groups = [spec.family if key == "family" else spec.domain for spec in evals]
    name = str(table.entries[key])
    if name not in groups:
        known = sorted({group for group in groups if group})
        raise table.wrong(
            f"{key} must be one that evals of the catalogue have, got {name!r}; "
            + (cure(name, known) if known else f"give the evals a {key}, or name them in evals")
        )
    return tuple(spec.name for spec, group in zip(evals, groups, strict=True) if group == name)
