"""From a posterior to a recommendation: menu, plan, comparisons, warnings and the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalbayes import Menu
from evalfolio.limits import Forbidden, Limit, Mandatory, MinEvals
from evalfolio.limits.budget import Contingency, catalogue_budget
from evalfolio.limits.limit import AnyLimit, as_limit
from evalfolio.limits.table import catalogue_table, kept
from evalfolio.plans.cautions import NO_LONG_TASKS, distant_thresholds, plan_warnings
from evalfolio.plans.firm_rows import firm_rows
from evalfolio.plans.optimiser import explained
from evalfolio.plans.perfect import matching_warnings, perfect_information
from evalfolio.plans.plan import Plan
from evalfolio.plans.recording import record_of
from evalfolio.plans.rivals import ROUGHLY, compare, rival_plans
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.recommendations.recording import parts_of
from evalfolio.search import Certified, Method, Question
from evalfolio.search.meanwhile import MANY, meanwhile
from evalfolio.sensitivities.assumed import assumptions_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.frontiers import Frontier, frontier
from evalfolio.sensitivities.mixes import Tornado, tornado

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.menus.offer import Done
    from evalbayes.observations import Observations
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.record.record import Account

TORNADO = 120.0  # seconds for the searches of the tornado, half a second each at least


def recommend(
    catalogue: Catalogue,
    observations: Observations | None,
    posterior: Posterior,
    *,
    budget: Mapping[str, float] | None = None,
    constraints: Sequence[AnyLimit] = (),
    contingency: Contingency | None = None,
    method: Method = Certified(),
    seed: int = 0,
    inputs: Sequence[Path] = (),
    frontier_points: int = 16,
    sensitivity: bool = False,
    backtest: Account | None = None,
    done: Mapping[str, Done] | None = None,
    used: Mapping[str, float] | None = None,
) -> Recommendation:
    """Recommend the mix that is worth most to the catalogue's decisions.

    Parameters
    ----------
    catalogue
        Domains, evals, budgets and stakes.
    observations
        What the posterior was fitted to; None where it is not at hand.
    posterior
        Belief about curves and capability.
    budget
        Budgets that replace those of the catalogue, resource by resource.
    constraints
        Limits beside the catalogue's own (mandatory and forbidden evals, evals per domain).
    contingency
        What is kept back of the budgets; by default as the catalogue says.
    method
        How the plan is searched; those beside it are held to a wider gap and some seconds.
    seed
        Of the menu and of what is simulated.
    inputs
        Files to name, with their hashes, in the record's provenance.
    frontier_points
        Budgets in usd, up to twice the one there is, to find the best mix for too; 0 for none.
    sensitivity
        Whether to find the best mix anew with every assumed figure at either end of its range,
        for the tornado of report and workbook.
    backtest
        What `evalfolio backtest` found of this way to plan, for report and workbook.
    done
        What has been run of evals since the programme began; observations hold its results.
    used
        What that has used by resource: units of a tariff count towards its steps.

    Returns
    -------
    Recommendation
        Printing it says the mix in words and what it hangs on.

    Raises
    ------
    InputError
        If a budget is unknown, negative or not a number.
    InfeasibleError
        If mandatory evals and budgets clash.
    """
    from evalbayes.menus import build_menu, state_draws
    from evalbayes.summaries.curves import curve_grid, curve_table

    menu, notes = build_menu(posterior, catalogue, seed=seed, done=done, used=used)
    rules = tuple(map(as_limit, constraints))
    question = question_of(
        catalogue, menu, budget=budget, constraints=rules, contingency=contingency
    )
    roughly, firm = replace(ROUGHLY, seed=seed), None
    many = frontier_points > 1 and 0 < question.budget.get("usd", 0.0) < np.inf
    points = (frontier_points, method.roughly(2e-3, 5.0)) if many else None
    with meanwhile(_beside, question.lean, roughly, points, apart=len(menu) > MANY) as beside:
        if isinstance(method, Certified):  # rows of a mix that is not the best are not firm
            firm = firm_rows(question, method)
        found = method.find(question) if firm is None else firm.answer
        plan = replace(explained(found), firm=firm)
        rivals, line = beside()
    comparisons = compare(menu, {"this plan": plan.chosen} | rivals, plan.evpi, seed=seed)
    distant = distant_thresholds(plan, posterior, catalogue)
    warnings = (
        *posterior.diagnostics.reasons,
        *matching_warnings(perfect_information(menu, state_draws(posterior, catalogue))),
        *plan_warnings(plan, comparisons, posterior, roughly),
        *distant.values(),
    )
    parts: dict[str, Any] = {} if backtest is None else {"backtest": backtest}
    if line is not None and len(plan.chosen):
        line = replace(line, question=question)
        parts["frontier"] = line.record(plan)
    tipped = None
    if sensitivity and len(plan.chosen):
        tipped = tipping_of(Basis(question, catalogue, posterior, seed), method, plan)
        parts["sensitivity"] = tipped.record()
    record = record_of(
        plan,
        floors=notes.floors,
        left_off=(*notes.left_off, *((name, NO_LONG_TASKS) for name in distant)),
        comparisons=comparisons.to_dict("records"),
        warnings=warnings,
        limits=kept(plan.limits[: -len(rules) or None], "catalogue") + kept(rules, "constraints"),
        **parts_of(catalogue, posterior, plan, inputs, seed),
        **parts,
    )
    curves = curve_table(posterior, catalogue, observations=observations)
    drawn, around = curve_grid(posterior, catalogue), (line if len(plan.chosen) else None, tipped)
    return Recommendation(
        catalogue, observations, posterior, menu, replace(plan, told=record), curves, drawn,
        comparisons, *around,
    )  # fmt: skip


def tipping_of(basis: Basis, method: Method = Certified(), plan: Plan | None = None) -> Tornado:
    """Return what either end of every assumed figure does to a plan, searched where not at hand."""
    assert basis.catalogue is not None
    assert basis.posterior is not None
    assumptions = assumptions_of(basis.catalogue, basis.posterior)
    each = min(max(TORNADO / (2 * len(assumptions)), 0.5), 5.0)
    return tornado(basis, assumptions, plan=plan, method=method.roughly(5e-3, each))


def _beside(
    question: Question, roughly: Certified, points: tuple[int, Method] | None
) -> tuple[dict[str, tuple[str, ...]], Frontier | None]:
    """Return what stands beside a plan: its rivals, and the frontier at so many points."""
    line = None
    if points is not None:
        line = frontier(question, points=points[0], relaxed=False, method=points[1])
    return rival_plans(question, roughly), line


def question_of(
    catalogue: Catalogue,
    menu: Menu,
    *,
    budget: Mapping[str, float] | None = None,
    constraints: Sequence[AnyLimit] = (),
    contingency: Contingency | None = None,
) -> Question:
    """Return what a catalogue asks of a menu: its budgets and limits, and those given beside it.

    See `recommend`. InputError if a budget is unknown, negative or not a number.
    """
    stated = {k: v for k, v in catalogue_budget(catalogue).items() if k in menu.resources}
    kept_back = catalogue.budget.contingency if contingency is None else contingency
    asked = Question(menu, stated | dict(budget or {}), contingency=kept_back)
    return asked.under(*catalogue_limits(catalogue, asked), *map(as_limit, constraints))


def catalogue_limits(catalogue: Catalogue, question: Question) -> tuple[Limit, ...]:
    """Return the limits a catalogue states: mandatory, forbidden, [[limit]], evals per domain.

    A domain's `min_evals` asks for no more evals than have an option that fits every budget by
    itself: default floors must not make a small budget infeasible. Where even the cheapest such
    evals do not fit together, the floor is left out and the plan says what is not covered.
    """
    menu = question.menu
    fits = np.ones(len(menu), dtype=bool)
    for name, amount in question.spendable.items():
        fits &= menu.costs_alone[:, menu.resources.index(name)] <= amount
    on_menu, forbidden = set(menu.options["eval"]), {e.name for e in catalogue.evals if e.forbidden}
    out = [e.name for e in catalogue.evals if e.forbidden and e.name in on_menu]
    limits: list[Limit] = [Forbidden(name) for name in out]
    for e in catalogue.evals:
        if e.mandatory:
            told = e.mandatory if isinstance(e.mandatory, dict) else {}
            limits.append(Mandatory(e.name, **told))
    limits += [Mandatory(study.name) for study in catalogue.studies if study.mandatory]
    limits += catalogue_table(catalogue)
    floors: list[Limit] = []
    decided = {name for each in menu.decisions for name in each.domains(menu.states)}
    for domain in catalogue.domains:
        if domain.name not in decided:  # its evals would be bought for no call
            continue
        inside = (menu.options["domain"] == domain.name).to_numpy() & fits
        count = len(set(menu.options["eval"][inside]) - forbidden)
        if min(domain.min_evals, count) > 0:
            floors.append(MinEvals(domain.name, min(domain.min_evals, count)))
    if floors and question.under(*limits, *floors).stack.point() is None:
        return tuple(limits)
    return (*limits, *floors)
