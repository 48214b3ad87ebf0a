"""The catalogue: the AI model, the budget, the domains with their decisions, and the evals."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import Field

from evalbayes.catalogue.assumptions import BUDGET, PORTFOLIO, Assumption
from evalbayes.catalogue.budget import BudgetSpec, refuse_unkept, with_agents
from evalbayes.catalogue.decided import (
    DECISION_KEYS,
    LEVEL_KEYS,
    Adversary,
    DecisionSpec,
    LevelSpec,
    adversary_of,
    assembled_decision,
    assembled_level,
    check_levels,
    decisions_of,
)
from evalbayes.catalogue.domain import (
    DOMAIN_KEYS,
    LOSSES,
    ODDS,
    POPULATION_GROWTH,
    DomainSpec,
    assembled_domain,
    decides,
    stakes_in_points,
)
from evalbayes.catalogue.eval import EVAL_KEYS, EvalSpec, assembled_eval, skills_of
from evalbayes.catalogue.quantities import Day, Positive, PositiveShare, Text
from evalbayes.catalogue.shared import (
    ElicitationSpec,
    TariffSpec,
    assembled_elicitation,
    assembled_tariff,
    with_reached_effort,
)
from evalbayes.catalogue.study import StudySpec, assembled_study
from evalbayes.catalogue.tables import (
    Spec,
    Table,
    Tables,
    all_of,
    filled,
    validated,
    with_own_defaults,
)
from evalbayes.errors import InputError
from evalbayes.names import nearest, plural, refuse_unknown


class PortfolioSpec(Spec):
    """Table [portfolio]."""

    ai_model: Text  # under test; it may or may not occur in the observations
    horizon_months: Positive  # that decisions stand, over which elicitation goes on improving
    # Elicitation effort that best-of-k stands for: then repeats of runs as they come are read as
    # pairs, single and best-of-k, which teach the elicitation gap. None: each is a run by itself.
    best_of_k_effort: PositiveShare | None = None


class AiModelSpec(Spec):
    """One [[ai_model]]: what is known of an AI model beside its runs."""

    name: Text  # as in the observations; it need not occur there
    # Dates count once every AI model of a fit has one: capability then rises with them, and an AI
    # model without runs is placed by its own.
    released: Day | None = None
    # what it has in common with its relatives, say "GPT-5" for GPT-5, GPT-5 mini and GPT-5.1: they
    # lie near each other, so runs of some tell of the others
    lineage: Text | None = None
    notes: str = ""


def undated(models: Mapping[str, AiModelSpec], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the names that have no release date."""
    return tuple(name for name in names if name not in models or models[name].released is None)


class Catalogue(Spec):
    """Everything a plan rests on but the results: validated, with every default filled in.

    Parameters
    ----------
    portfolio, budget
        Tables [portfolio] and [budget].
    domains, evals
        The [[domain]] and [[eval]] tables, in the order given.
    elicitations
        The [[elicitation]] tables: what serves several evals and is paid once.
    studies
        The [[study]] tables: evidence that is no run of an AI model on tasks.
    tariffs
        The [[tariff]] tables: prices that go by steps with the volume of several evals.
    levels, joint
        The [[level]] tables of domains, and the [[decision]] tables over several domains.
    ai_models
        The [[ai_model]] tables: release dates and lineages.
    limits
        The [[limit]] tables, as rows of a constraints table.
    points
        Whether stakes were given as a probability, so that values are in points, not USD.
    assumptions
        Every default that was used.
    notes
        What was read otherwise than it is written, one sentence each.
    """

    portfolio: PortfolioSpec
    budget: BudgetSpec
    domains: tuple[DomainSpec, ...]
    evals: tuple[EvalSpec, ...]
    elicitations: tuple[ElicitationSpec, ...] = ()
    studies: tuple[StudySpec, ...] = ()
    tariffs: tuple[TariffSpec, ...] = ()
    levels: tuple[LevelSpec, ...] = ()
    joint: tuple[DecisionSpec, ...] = ()
    ai_models: tuple[AiModelSpec, ...] = ()
    limits: tuple[dict[str, Any], ...] = ()
    points: bool
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = Field(default=(), exclude=True)  # no part of what is said: of no hash

    def domain(self, name: str) -> DomainSpec:
        """Return the domain of that name.

        InputError if there is none; the nearest name is given.
        """
        spec: DomainSpec = _named("domain", self.domains, name)
        return spec

    @property
    def decisions(self) -> tuple[DecisionSpec, ...]:
        """All that is decided: domain by domain, levels from the lowest up, then the joint."""
        return decisions_of(self.domains, self.levels, self.joint)

    def decided(self, domain: str) -> tuple[DecisionSpec, ...]:
        """Return the decisions about one domain alone: its own, or its levels."""
        return tuple(spec for spec in self.decisions if set(spec.weights) == {domain})

    def adversary(self, decision: str, domain: str) -> Adversary | None:
        """Return who a decision is held against in a domain of its; None: without limit."""
        level = next((spec for spec in self.levels if spec.decision == decision), None)
        return adversary_of(self.domain(domain), level, self.evals, decision)

    def eval(self, name: str) -> EvalSpec:
        """Return the eval of that name.

        InputError if there is none; the nearest name is given.
        """
        spec: EvalSpec = _named("eval", self.evals, name)
        return spec

    def elicitations_of(self, name: str) -> tuple[ElicitationSpec, ...]:
        """Return the shared elicitations that max elicitation of an eval needs, all of them."""
        return tuple(spec for spec in self.elicitations if name in spec.evals)

    def assumed(self, where: str, key: str) -> bool:
        """Whether a figure is a default, e.g. `assumed("eval 'cybench'", "staff_hours")`."""
        return any(each.where == where and each.key == key for each in self.assumptions)

    @property
    def known_models(self) -> Mapping[str, AiModelSpec]:
        """The [[ai_model]] tables by name."""
        return {spec.name: spec for spec in self.ai_models}

    @property
    def skills(self) -> tuple[str, ...]:
        """Skills the staff hours are split by, in the order first named; empty if they are not."""
        tables = [self.budget.staff_hours]
        tables += [spec.staff_hours for spec in self.evals]
        tables += [spec.staff_hours_repair for spec in self.evals]
        tables += [spec.staff_hours_elicitation for spec in self.evals]
        tables += [spec.hours for spec in self.elicitations]
        tables += [spec.hours for spec in self.studies]
        return tuple(dict.fromkeys(s for table in tables if isinstance(table, dict) for s in table))

    @property
    def hash(self) -> str:
        """SHA-256 of what the catalogue says, whatever file it came from."""
        unused = {name for name in ("studies", "tariffs") if not getattr(self, name)}
        # as hashes were before there were any
        return hashlib.sha256(self.model_dump_json(exclude=unused).encode()).hexdigest()


def _limit(table: Table) -> dict[str, Any]:
    """Return a [[limit]] as a row of cells; what it asks is read with the constraints table."""
    refuse_unknown(table.where, table.entries, LIMIT_KEYS)
    row = dict(table.entries)
    for key, value in row.items():
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            row[key] = "; ".join(value)
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            raise table.wrong(
                f"{key} must be text, a number or a list of names, got {value!r}; "
                "write it as a cell of the constraints table"
            )
    return row


def _named(kind: str, specs: Sequence[Any], name: str) -> Any:
    for spec in specs:
        if spec.name == name:
            return spec
    known = [spec.name for spec in specs]
    near = nearest(name, known)
    cure = f"did you mean {near!r}?" if near else f"there are {', '.join(sorted(known))}"
    raise InputError(f"catalogue: the {kind} must be one of its own, got {name!r}; {cure}")


LIMIT_KEYS = ("type", "of", "with", "amount", "resource", "note")
THRESHOLD_KEYS, STAKE_KEYS = ("threshold", "threshold_human_time"), (*LOSSES, *ODDS)
GROWTH_REASON = (
    "published horizons double every 131 to 197 days, 1.9 to 2.8 doublings a year, and domains "
    "and spans differ"
)


def catalogue_of(tables: Tables) -> Catalogue:
    """Fill in defaults, resolve stakes and check every rule across tables."""
    assumptions: list[Assumption] = []

    def planned() -> PortfolioSpec:
        known = PortfolioSpec.model_fields
        return validated(PortfolioSpec, filled(tables.portfolio, known, PORTFOLIO, assumptions))

    def budgeted() -> BudgetSpec:
        budget = filled(tables.budget, BudgetSpec.model_fields, BUDGET, assumptions)
        agents = with_agents(budget.entries, budget.where)
        return validated(BudgetSpec, Table(budget.label, budget.where, agents))

    def defaults() -> None:
        refuse_unknown(tables.domain_defaults.where, tables.domain_defaults.entries, DOMAIN_KEYS)
        refuse_unknown(tables.eval_defaults.where, tables.eval_defaults.entries, EVAL_KEYS)
        for kind, rows in (("domain", tables.domains), ("eval", tables.evals)):
            if not rows:
                raise InputError(
                    f"{tables.source}: there must be at least one {kind}, got none; add [[{kind}]]"
                )

    def completed(row: Table) -> Table:
        return with_own_defaults(row, tables.eval_defaults, EVAL_KEYS, assumptions)

    portfolio, validated_budget, _, decided, given_evals, ai_models, limits = all_of(
        planned,
        budgeted,
        defaults,
        lambda: _decided(tables, assumptions),
        lambda: all_of(*(partial(completed, row) for row in tables.evals)),
        lambda: all_of(*(partial(_ai_model, row) for row in tables.ai_models)),
        lambda: all_of(*(partial(_limit, row) for row in tables.limits)),
    )
    domains, levels, joint, points = decided
    skills = skills_of(validated_budget, given_evals, (*tables.elicitations, *tables.studies))
    refuse_unkept(tables.budget.where, validated_budget, skills)
    throughput = validated_budget.tokens_per_second is not None
    made = partial(assembled_eval, throughput=throughput)
    evals = tuple(
        all_of(*(partial(made, each, domains, skills, assumptions) for each in given_evals))
    )
    _refuse_repeated(tables.evals, [spec.name for spec in evals], "eval")
    _refuse_mixed_families(tables.evals, evals, domains)
    for row, spec in zip(tables.domains, domains, strict=True):
        adversary_of(spec, None, evals, row.where)
    for row, level in zip(tables.levels, levels, strict=True):
        own = next(spec for spec in domains if spec.name == level.domain)
        adversary_of(own, level, evals, row.where)
    shared = partial(assembled_elicitation, evals=evals, domains=domains, skills=skills)
    elicitations = tuple(all_of(*(partial(shared, table) for table in tables.elicitations)))
    _refuse_repeated(tables.elicitations, [spec.name for spec in elicitations], "elicitation")
    study = partial(
        assembled_study, domains=domains, levels=levels, skills=skills, assumptions=assumptions
    )
    studies = tuple(all_of(*(partial(study, table) for table in tables.studies)))
    beside = [*tables.studies, *tables.evals, *tables.elicitations]
    _refuse_repeated(beside, [spec.name for spec in (*studies, *evals, *elicitations)], "study")
    priced = partial(assembled_tariff, evals=evals, domains=domains)
    tariffs = tuple(all_of(*(partial(priced, table) for table in tables.tariffs)))
    _refuse_repeated(tables.tariffs, [spec.name for spec in tariffs], "tariff")
    both = [name for spec in tariffs for name in spec.evals]
    if len(both) > len(set(both)):
        twice = max(both, key=both.count)
        raise InputError(f"tariffs: an eval must be in one, got {twice!r} in two; drop one")
    evals = with_reached_effort(evals, domains, elicitations, assumptions)
    _refuse_repeated(tables.ai_models, [spec.name for spec in ai_models], "ai_model")
    if any(spec.released is not None for spec in ai_models):
        assumptions += [
            Assumption(f"domain {spec.name!r}", "growth_per_year", POPULATION_GROWTH, GROWTH_REASON)
            for spec in domains
            if spec.growth_per_year is None
        ]
    return Catalogue(
        portfolio=portfolio,
        budget=validated_budget,
        domains=domains,
        evals=evals,
        elicitations=elicitations,
        studies=studies,
        tariffs=tariffs,
        levels=levels,
        joint=joint,
        ai_models=tuple(ai_models),
        limits=tuple(limits),
        points=points,
        assumptions=tuple(assumptions),
        notes=tables.notes,
    )


def _decided(
    tables: Tables, assumptions: list[Assumption]
) -> tuple[tuple[DomainSpec, ...], tuple[LevelSpec, ...], tuple[DecisionSpec, ...], bool]:
    """Return domains, levels and joint decisions, and whether stakes are in points.

    The catalogue's own defaults of thresholds and stakes go to what is decided: not to a domain
    that has levels, nor, without a threshold, to one that is decided with others only.
    """
    with_levels = [row.entries.get("domain") for row in tables.levels]
    weights = [row.entries.get("weights") for row in tables.decisions]
    weighed = {str(name) for each in weights if isinstance(each, Mapping) for name in each}
    own = tables.domain_defaults
    stakes = _only(own, lambda key: key in STAKE_KEYS)
    beside = _only(own, lambda key: key not in (*THRESHOLD_KEYS, *STAKE_KEYS))
    given = []
    for row in tables.domains:
        name = row.entries.get("name")
        alone = decides(row) or decides(own) or str(name) not in weighed
        defaults = own if alone and name not in with_levels else beside
        given.append(with_own_defaults(row, defaults, DOMAIN_KEYS, assumptions))
        _check_decided(given[-1], with_levels, weighed)
    levels, joint = (
        [with_own_defaults(row, stakes, keys, assumptions) for row in rows]
        for rows, keys in ((tables.levels, LEVEL_KEYS), (tables.decisions, DECISION_KEYS))
    )
    points = stakes_in_points([*(row for row in given if decides(row)), *levels, *joint])
    domains = tuple(all_of(*(partial(assembled_domain, row, points, assumptions) for row in given)))
    _refuse_repeated(tables.domains, [spec.name for spec in domains], "domain")
    found = tuple(assembled_level(row, domains, points, assumptions) for row in levels)
    several = tuple(assembled_decision(row, domains, points, assumptions) for row in joint)
    names = [*(spec.name for spec in several), *(spec.decision for spec in found)]
    names += [spec.name for spec in domains]
    _refuse_repeated((*joint, *levels, *tables.domains), names, "decision")
    check_levels(found, levels)
    return domains, found, several, points


def _only(table: Table, keep: Callable[[str], bool]) -> Table:
    entries = {key: value for key, value in table.entries.items() if keep(key)}
    return Table(table.label, table.where, entries)


def _check_decided(
    row: Table, with_levels: Collection[object], weighed: Collection[object]
) -> None:
    """Refuse a domain that is decided twice or not at all."""
    name = row.entries.get("name")
    stated = [key for key in (*THRESHOLD_KEYS, *STAKE_KEYS) if key in row.entries]
    if name in with_levels:
        if stated:
            raise row.wrong(
                f"{stated[0]} must be given in its levels, as it has [[level]] "
                "tables; move it there, or drop them"
            )
    elif not decides(row) and (stated or str(name) not in weighed):
        raise row.wrong(
            "threshold must be given, got nothing; add threshold = ... in the "
            'domain\'s unit, threshold_human_time = "8 h", or [[level]] tables with one each'
        )


def _ai_model(table: Table) -> AiModelSpec:
    refuse_unknown(table.where, table.entries, AiModelSpec.model_fields)
    return validated(AiModelSpec, table)


def _refuse_mixed_families(
    rows: tuple[Table, ...], evals: tuple[EvalSpec, ...], domains: tuple[DomainSpec, ...]
) -> None:
    unit_of = {spec.name: spec.unit for spec in domains}
    first: dict[str, str] = {}
    for row, spec in zip(rows, evals, strict=True):
        unit = unit_of[spec.domain]
        if spec.family is not None and first.setdefault(spec.family, unit) != unit:
            raise row.wrong(
                f"evals of a family must be in domains of one unit, as they share an "
                f"error in it, got {unit!r} here and {first[spec.family]!r} before for "
                f"{spec.family!r}; give the family another name here"
            )


def _refuse_repeated(rows: Sequence[Table], names: list[str], kind: str) -> None:
    for row, name in zip(rows, names, strict=True):
        if names.count(name) > 1:
            raise row.wrong(
                f"names of {plural(kind)} must be unique, got {name!r} "
                f"{names.count(name)} times; rename one"
            )
