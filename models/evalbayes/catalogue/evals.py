"""An eval put together: its loadings, its difficulty and its staff hours in their final form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalbayes.catalogue import default
from evalbayes.catalogue.assumptions import Assumption
from evalbayes.catalogue.budget import BudgetSpec
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.catalogue.entries import filled, ruled, validated
from evalbayes.catalogue.eval import EvalSpec, weights_by_domain
from evalbayes.catalogue.human_time import DOUBLINGS
from evalbayes.catalogue.interval import Interval
from evalbayes.catalogue.skills import hours_by_skill, split
from evalbayes.catalogue.tables import Table
from evalbayes.errors import InputError
from evalbayes.names import cure, nearest

EVAL_KEYS = tuple(EvalSpec.model_fields)
HIGH_ALONE = ("score_high", "score_low")
HOURS = ("staff_hours", "staff_hours_repair", "staff_hours_elicitation")


def skills_of(budget: BudgetSpec, evals: list[Table]) -> tuple[str, ...]:
    """Return the skills staff hours are split by: the budget's and the evals'."""
    if isinstance(budget.staff_hours, float):
        return ()
    named = list(budget.staff_hours or ())
    for table in evals:
        for key in HOURS:
            hours = table.entries.get(key)
            named += list(hours) if isinstance(hours, Mapping) else []
    return tuple(dict.fromkeys(named))


def assembled_eval(
    table: Table,
    domains: tuple[DomainSpec, ...],
    skills: tuple[str, ...],
    assumptions: list[Assumption],
    *,
    throughput: bool = False,
) -> EvalSpec:
    """Return an eval with every default filled in, and note those that were used.

    With a known throughput, runs that spend tokens last as long as their tokens take.

    Raises
    ------
    InputError
        For the first rule that is broken.
    """
    entries = _placed(table, domains)
    domain = next(spec for spec in domains if spec.name == entries["domain"])
    if isinstance(entries.get("task_names"), list) and "tasks" not in entries:
        entries["tasks"] = len(entries["task_names"])
    if throughput and entries.get("spend_unit", default.spend_unit(entries)[0]) == "tokens":
        entries.setdefault("hours_per_run", None)
    complete = filled(
        Table(table.label, table.where, entries), EVAL_KEYS, default.EVAL, assumptions
    )
    entries = dict(complete.entries)
    _note_difficulty(complete, entries, domain, assumptions)
    for key in HOURS:
        entries[key] = ruled(
            complete, key, lambda value: split(hours_by_skill(value) or 0.0, skills, domain.name)
        )
    spec = validated(EvalSpec, Table(table.label, table.where, entries))
    _check(table, spec, skills)
    return spec


def _placed(table: Table, domains: tuple[DomainSpec, ...]) -> dict[str, Any]:
    """Return the entries with domain and loadings, either worked out from the other."""
    entries = dict(table.entries)
    names = [spec.name for spec in domains]
    if "loadings" in entries:
        weights = ruled(table, "loadings", weights_by_domain)
        entries.setdefault("domain", max(weights, key=lambda name: weights[name]))
    if "domain" not in entries:
        raise InputError(
            f"{table.where}: domain must be given, got nothing; add domain = ... or loadings"
        )
    entries.setdefault("loadings", {entries["domain"]: 1.0})
    for name in (entries["domain"], *entries["loadings"]):
        if name not in names:
            raise InputError(
                f"{table.where}: its domain must be one of the catalogue's, got {name!r}; "
                f"{cure(str(name), names)}"
            )
    if entries["domain"] not in entries["loadings"]:
        raise InputError(
            f"{table.where}: loadings must give weight to its domain {entries['domain']!r}, got "
            f"{', '.join(entries['loadings'])}; add it or change the domain"
        )
    units = {spec.unit for spec in domains if spec.name in entries["loadings"]}
    if len(units) > 1:
        raise InputError(
            f"{table.where}: loadings must be on domains of one unit, got "
            f"{' and '.join(sorted(units))}; split the eval in two"
        )
    return entries


def _note_difficulty(
    table: Table, entries: dict[str, Any], domain: DomainSpec, assumptions: list[Assumption]
) -> None:
    """Refuse minutes in another unit, and note where nothing is said about difficulty."""
    if entries.get("difficulty") is not None:
        return
    if entries.get("human_minutes") is not None:
        if not domain.minutes:
            raise InputError(
                f"{table.where}: difficulty must be given in the unit of {domain.name!r}, "
                f"{domain.unit!r}, got human_minutes; that unit is not {DOUBLINGS!r}"
            )
        return
    assumptions.append(
        Assumption(
            table.label,
            "difficulty",
            None,
            "nothing was said, so it follows from the human minutes of the observations, else it "
            "is like that of the domain's other evals",
        )
    )


def _check(table: Table, spec: EvalSpec, skills: tuple[str, ...]) -> None:
    """Check rules between the keys of one eval."""
    if spec.mandatory and spec.forbidden:
        raise InputError(
            f"{table.where}: an eval must not be mandatory and forbidden, got both; drop one"
        )
    if (spec.score_low is None) != (spec.score_high is None):
        given, other = ("score_low", "score_high") if spec.score_high is None else HIGH_ALONE
        raise InputError(
            f"{table.where}: {other} must be given with {given}, got nothing; a scale of scores "
            "has two ends"
        )
    low, high = spec.score_low, spec.score_high
    if low is not None and high is not None and low >= high:
        raise InputError(
            f"{table.where}: score_low must be below score_high, got {low:g} and {high:g}; swap "
            "them, and turn the sign of scores that are better when lower"
        )
    if spec.task_names is not None and len(spec.task_names) != spec.tasks:
        raise InputError(
            f"{table.where}: task_names must name all {spec.tasks} tasks, got "
            f"{len(spec.task_names)}; complete the list or leave it out"
        )
    if spec.spend_unit == "usd" and spec.usd_per_unit != Interval(1, 1):
        raise InputError(
            f"{table.where}: usd_per_unit must be 1 where spend is in usd, got "
            f"{spec.usd_per_unit}; drop it or name another spend_unit"
        )
    for key in HOURS:
        hours = getattr(spec, key)
        for skill in hours if isinstance(hours, Mapping) else ():
            near = nearest(skill, [name for name in skills if name != skill], cutoff=0.8)
            if near and table.entries.get(key) is not None:
                raise InputError(
                    f"{table.where}: skills of {key} must be spelt alike throughout, got "
                    f"{skill!r} beside {near!r}; use one spelling"
                )
