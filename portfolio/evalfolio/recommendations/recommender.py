"""From a posterior to a recommendation: menu, plan, comparisons, warnings and the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InfeasibleError
from evalfolio.limits import Forbidden, Mandatory, MinEvals
from evalfolio.limits.budget import catalogue_budget, check_budget
from evalfolio.limits.kept import kept
from evalfolio.plans.cautions import plan_warnings
from evalfolio.plans.optimiser import optimise
from evalfolio.plans.perfect import matching_warnings, perfect_information
from evalfolio.plans.recording import record_of
from evalfolio.plans.rivals import compare, rival_plans
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.recommendations.recording import parts_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.frontiers import frontier
from evalfolio.sensitivities.ranges import assumptions_of
from evalfolio.sensitivities.tornado import tornado

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.record.record import Account


def recommend(
    catalogue: Catalogue,
    observations: Observations | None,
    posterior: Posterior,
    *,
    budget: Mapping[str, float] | None = None,
    constraints: Sequence[object] = (),
    gap: float = 1e-3,
    time_limit: float | None = None,
    seed: int = 0,
    inputs: Sequence[Path] = (),
    frontier_points: int = 16,
    sensitivity: bool = False,
    backtest: Account | None = None,
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
    gap, time_limit, seed
        As `optimise` takes them.
    inputs
        Files to name, with their hashes, in the record's provenance.
    frontier_points
        Budgets in usd, up to twice the one there is, to find the best mix for too; 0 for none.
    sensitivity
        Whether to find the best mix anew with every assumed figure at either end of its range,
        for the tornado of report and workbook; it takes about as long as a small fit.
    backtest
        What `evalfolio backtest` found of this way to plan, for report and workbook.

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

    menu, notes = build_menu(posterior, catalogue, seed=seed)
    stated = catalogue_budget(catalogue) | dict(budget or {})
    whole = check_budget(
        {k: v for k, v in stated.items() if k in menu.resources or k in (budget or {})},
        menu.resources,
    )
    kept_back = 1.0 - catalogue.budget.contingency
    spendable = {name: amount * kept_back for name, amount in whole.items()}
    own = catalogue_limits(catalogue, menu, spendable)
    limits = (*own, *constraints)
    try:
        plan = optimise(
            menu, budget=spendable, constraints=limits, gap=gap, time_limit=time_limit, seed=seed
        )
    except InfeasibleError as error:
        if kept_back == 1.0:
            raise
        raise InfeasibleError(
            f"{error} Budgets are named here without the contingency of "
            f"{100 * (1 - kept_back):.3g} %: raise the stated one by 1/{kept_back:g} of that."
        ) from error
    rivals = rival_plans(menu, spendable, limits, seed=seed)
    comparisons = compare(menu, {"this plan": plan.chosen} | rivals, plan.evpi, seed=seed)
    warnings = (
        *posterior.diagnostics.reasons,
        *matching_warnings(perfect_information(menu, state_draws(posterior, catalogue))),
        *plan_warnings(menu, plan, comparisons, posterior, spendable, limits, seed),
    )
    parts: dict[str, Any] = {} if backtest is None else {"backtest": backtest}
    line = None
    if frontier_points > 1 and 0 < spendable.get("usd", 0.0) < np.inf and len(plan.chosen):
        line = frontier(
            menu,
            budget=spendable,
            points=frontier_points,
            constraints=limits,
            gap=max(gap, 2e-3),
            relaxed=False,
            seed=seed,
            time_limit=5.0,
        )
        parts["frontier"] = line.record(plan, 1.0 / kept_back)
    tipped = None
    if sensitivity and len(plan.chosen):
        tipped = tornado(
            Basis(menu, catalogue, posterior, seed),
            assumptions_of(catalogue, posterior),
            budget=spendable,
            constraints=limits,
            plan=plan,
            gap=max(gap, 5e-3),
            seed=seed,
            time_limit=5.0,
        )
        parts["sensitivity"] = tipped.record()
    record = record_of(
        plan,
        budget=whole,
        contingency=catalogue.budget.contingency,
        floors=notes.floors,
        left_off=notes.left_off,
        comparisons=comparisons.to_dict("records"),
        warnings=warnings,
        limits=kept(own, "catalogue") + kept(constraints, "constraints"),
        **parts_of(catalogue, posterior, plan, inputs, seed),
        **parts,
    )
    return Recommendation(
        catalogue=catalogue,
        observations=observations,
        posterior=posterior,
        menu=menu,
        plan=replace(plan, told=record),
        curves=curve_table(posterior, catalogue, observations=observations),
        curve_grid=curve_grid(posterior, catalogue),
        comparisons=comparisons,
        frontier=line,
        tornado=tipped,
    )


def catalogue_limits(
    catalogue: Catalogue, menu: Menu, budget: Mapping[str, float]
) -> tuple[object, ...]:
    """Return the limits a catalogue states: mandatory, forbidden, evals per domain.

    A domain's `min_evals` asks for no more evals than have an option that fits every budget by
    itself: default floors must not make a small budget infeasible. Where even the cheapest such
    evals do not fit together, the floor is left out and the plan says what is not covered.
    """
    fits = np.ones(len(menu), dtype=bool)
    for name, amount in budget.items():
        fits &= menu.costs[:, menu.resources.index(name)] <= amount
    on_menu = set(menu.options["eval"])
    limits: list[object] = [
        Forbidden(e.name) for e in catalogue.evals if e.forbidden and e.name in on_menu
    ]
    limits += [Mandatory(e.name) for e in catalogue.evals if e.mandatory]
    forbidden = {e.name for e in catalogue.evals if e.forbidden}
    floors: list[object] = []
    for domain in catalogue.domains:
        inside = (menu.options["domain"] == domain.name).to_numpy() & fits
        count = len(set(menu.options["eval"][inside]) - forbidden)
        if min(domain.min_evals, count) > 0:
            floors.append(MinEvals(domain.name, min(domain.min_evals, count)))
    from evalfolio.limits.feasibility import LimitSystem

    system = LimitSystem(menu, budget, (*limits, *floors))
    if floors and system.point(system.limits) is None:
        return tuple(limits)
    return (*limits, *floors)
