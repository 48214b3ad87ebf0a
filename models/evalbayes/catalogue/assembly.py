"""From tables as they were written to a catalogue: defaults, stakes, and rules across tables."""

from __future__ import annotations

from evalbayes.catalogue import default
from evalbayes.catalogue.ai_model import AiModelSpec
from evalbayes.catalogue.assumptions import Assumption
from evalbayes.catalogue.budget import BudgetSpec, with_agents
from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.domain import POPULATION_GROWTH
from evalbayes.catalogue.domains import DOMAIN_KEYS, assembled_domain, stakes_in_points
from evalbayes.catalogue.entries import filled, validated, with_own_defaults
from evalbayes.catalogue.evals import EVAL_KEYS, assembled_eval, skills_of
from evalbayes.catalogue.portfolio import PortfolioSpec
from evalbayes.catalogue.tables import Table, Tables
from evalbayes.errors import InputError
from evalbayes.names import refuse_unknown

GROWTH_REASON = (
    "published horizons double every 131 to 197 days, 1.9 to 2.8 doublings a year, and domains "
    "and spans differ"
)


def catalogue_of(tables: Tables) -> Catalogue:
    """Fill in defaults, resolve stakes and check every rule across tables.

    Raises
    ------
    InputError
        For the first rule that is broken, with the place, the cause and the cure.
    """
    assumptions: list[Assumption] = []
    portfolio = filled(tables.portfolio, PortfolioSpec.model_fields, default.PORTFOLIO, assumptions)
    budget = filled(tables.budget, BudgetSpec.model_fields, default.BUDGET, assumptions)
    refuse_unknown(tables.domain_defaults.where, tables.domain_defaults.entries, DOMAIN_KEYS)
    refuse_unknown(tables.eval_defaults.where, tables.eval_defaults.entries, EVAL_KEYS)
    for kind, rows in (("domain", tables.domains), ("eval", tables.evals)):
        if not rows:
            raise InputError(
                f"{tables.source}: there must be at least one {kind}, got none; add [[{kind}]]"
            )
    given_domains = [
        with_own_defaults(row, tables.domain_defaults, DOMAIN_KEYS, assumptions)
        for row in tables.domains
    ]
    points = stakes_in_points(given_domains)
    domains = tuple(assembled_domain(table, points, assumptions) for table in given_domains)
    _refuse_repeated(tables.domains, [spec.name for spec in domains], "domain")
    agents = with_agents(budget.entries, budget.where)
    validated_budget = validated(BudgetSpec, Table(budget.label, budget.where, agents))
    given_evals = [
        with_own_defaults(row, tables.eval_defaults, EVAL_KEYS, assumptions) for row in tables.evals
    ]
    skills = skills_of(validated_budget, given_evals)
    throughput = validated_budget.tokens_per_second is not None
    evals = tuple(
        assembled_eval(table, domains, skills, assumptions, throughput=throughput)
        for table in given_evals
    )
    _refuse_repeated(tables.evals, [spec.name for spec in evals], "eval")
    ai_models = tuple(_ai_model(table) for table in tables.ai_models)
    _refuse_repeated(tables.ai_models, [spec.name for spec in ai_models], "ai_model")
    if any(spec.released is not None for spec in ai_models):
        assumptions += [
            Assumption(f"domain {spec.name!r}", "growth_per_year", POPULATION_GROWTH, GROWTH_REASON)
            for spec in domains
            if spec.growth_per_year is None
        ]
    return Catalogue(
        portfolio=validated(PortfolioSpec, portfolio),
        budget=validated_budget,
        domains=domains,
        evals=evals,
        ai_models=ai_models,
        points=points,
        assumptions=tuple(assumptions),
    )


def _ai_model(table: Table) -> AiModelSpec:
    refuse_unknown(table.where, table.entries, AiModelSpec.model_fields)
    return validated(AiModelSpec, table)


def _refuse_repeated(rows: tuple[Table, ...], names: list[str], kind: str) -> None:
    for row, name in zip(rows, names, strict=True):
        if names.count(name) > 1:
            raise InputError(
                f"{row.where}: names of {kind}s must be unique, got {name!r} "
                f"{names.count(name)} times; rename one"
            )
