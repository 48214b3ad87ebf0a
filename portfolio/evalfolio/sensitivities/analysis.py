"""The whole sensitivity analysis of a plan: budgets, assumptions, stability and regret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evalfolio.errors import InputError
from evalfolio.plans.plan import Plan
from evalfolio.plans.rivals import rival_plans
from evalfolio.search.certified import Certified
from evalfolio.sensitivities.assumed import Assumed, assumptions_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.entries import entries
from evalfolio.sensitivities.findings import Sensitivity as Sensitivity
from evalfolio.sensitivities.frontiers import Frontier, frontier
from evalfolio.sensitivities.mixes import (
    stability_over_assumptions,
    stability_over_draws,
    stability_over_observations,
)
from evalfolio.sensitivities.pilots import pilot_first
from evalfolio.sensitivities.robust import (
    best_under,
    regret_table,
    robust_mix,
    scenarios_of,
    worth_of_knowing,
)
from evalfolio.sensitivities.sobol import sobol_of_plan
from evalfolio.sensitivities.sweep import Sweep
from evalfolio.sensitivities.tornado import tornado

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations
    from evalbayes.posterior.posterior import Posterior


def sensitivity(
    plan: Plan,
    catalogue: Catalogue | None = None,
    posterior: Posterior | None = None,
    *,
    assumptions: Sequence[Assumed] | None = None,
    points: int = 20,
    samples: int = 64,
    sobol: int = 0,
    pilots: int = 3,
    observations: Observations | None = None,
    resamples: int = 0,
    mixes: Mapping[str, Sequence[str]] | None = None,
    vary: Sequence[str] | None = None,
    seed: int = 0,
    method: Certified = Certified(gap=2e-3),
    sweep: Sweep | None = None,
) -> Sensitivity:
    """Return how a plan's value and mix depend on budget, assumptions and posterior draws.

    Parameters
    ----------
    plan
        The plan; menu, budgets and limits of the analysis are those of its question.
    catalogue, posterior
        What its menu was built from; with them figures that ask for a new menu vary too.
    assumptions
        The assumed figures; by default those of the catalogue.
    points
        Amounts on each frontier.
    samples
        Mixes for stability, over draws and over assumptions each.
    sobol
        Base samples of the Sobol indices, a power of 2; 0 for none. From 128 on the intervals are
        narrow enough to rank the figures; each sample is some fifteen certified plans.
    pilots
        How many max-elicitation options to try as a pilot whose result is awaited; 0 for none.
    observations, resamples
        What the posterior was fitted to, and how many times to draw it again and fit anew; 0 for
        not at all, as each takes minutes.
    mixes
        Mixes of your own to judge by regret, e.g. last year's, beside the plan's rivals.
    vary
        Resources to draw a frontier of; by default usd and all whose shadow price is above 0.
    seed
        Of samples, and of menus that are built again.
    method
        Of every plan.
    sweep
        Workers and progress; its checkpoint is a folder, with a file for each part.

    Returns
    -------
    Sensitivity

    Raises
    ------
    InputError
        If neither a catalogue with its posterior nor assumptions are given.
    """
    if assumptions is None:
        if catalogue is None or posterior is None:
            raise InputError(
                "sensitivity: there must be assumptions, or a catalogue and a posterior to take "
                "them from, got neither; give one of the two"
            )
        assumptions = assumptions_of(catalogue, posterior)
    question = plan.question
    basis = Basis(question, catalogue, posterior, seed)
    shared: dict[str, Any] = {"method": method}
    run = sweep or Sweep()
    lines: dict[str, Frontier] = {}
    for resource in _varied(plan) if vary is None else vary:
        lines[resource] = frontier(
            question,
            resource=resource,
            points=points,
            sweep=run.part(f"frontier_{resource}"),
            **shared,
        )
    tipped = tornado(basis, assumptions, plan=plan, sweep=run.part("tornado"), **shared)
    several = scenarios_of(basis, assumptions)
    settled = best_under(several, question, sweep=run.part("scenarios"), **shared)
    least = robust_mix(several, question, criterion="regret", settled=settled, **shared)
    cautious = robust_mix(several, question, criterion="cvar", settled=settled, **shared)
    on_menu = set(next(iter(several.menus.values())).options.index)
    named = {
        name: tuple(option for option in mix if option in on_menu)
        for name, mix in {
            "this plan": plan.chosen,
            **rival_plans(plan.question),
            **dict(mixes or {}),
            "least regret": least.options,
            "best of the worst fifth": cautious.options,
        }.items()
    }
    draws = None
    if plan.menu.information_draws is not None and len(plan.menu.information_draws):
        draws = stability_over_draws(question, most=samples, sweep=run.part("draws"), **shared)
    again = None
    if resamples and catalogue is not None and observations is not None:
        again = stability_over_observations(
            question,
            catalogue,
            observations,
            resamples=resamples,
            seed=seed,
            sweep=run.part("observations"),
            **shared,
        )
    by_sobol = None
    if sobol:
        by_sobol = sobol_of_plan(
            basis, assumptions, samples=sobol, seed=seed, sweep=run.part("sobol"), **shared
        )
    return Sensitivity(
        frontiers=lines,
        entries={
            resource: entries(line, sweep=run.part(f"entries_{resource}"), **shared)
            for resource, line in list(lines.items())[:1]
        },
        tornado=tipped,
        regret=regret_table(several, named, question, settled=settled, **shared),
        least_regret=least,
        cautious=cautious,
        over_draws=draws,
        over_observations=again,
        over_assumptions=stability_over_assumptions(
            basis, assumptions, samples=samples, seed=seed, sweep=run.part("assumptions"), **shared
        ),
        knowing=worth_of_knowing(basis, assumptions, sweep=run.part("knowing"), **shared),
        pilots=pilot_first(question, most=pilots, sweep=run.part("pilots"), **shared),
        sobol=by_sobol,
    )


def _varied(plan: Plan) -> list[str]:
    """Return the resources whose budget matters: usd first, then those with a shadow price."""
    limited = [name for name, amount in plan.budget.items() if 0 < amount < np.inf]
    priced = [name for name in limited if plan.shadow_prices.get(name, 0.0) > 0]
    return [name for name in ("usd",) if name in limited] + [n for n in priced if n != "usd"]
