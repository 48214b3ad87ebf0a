"""Distant thresholds: where no eval on the menu comes near one, and what one there would be worth.

What an eval tells fades with the distance between its difficulty and the threshold. The worth is
that of an eval like the nearest one, at the same price, with errors of its own and tasks as hard as
the threshold, bought beside the plan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalfolio.narrative import percent
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.plan import Plan

if TYPE_CHECKING:
    from evalbayes import Menu
    from evalbayes.catalogue import Catalogue
    from evalbayes.posterior.posterior import Posterior

NEAR = 3.0  # units of difficulty within which an eval comes near a threshold
NO_LONG_TASKS = "no eval on the menu has tasks near its threshold"
AROUND = 1.0  # units on either side of it where tasks are said to be of its difficulty


def distant_thresholds(plan: Plan, posterior: Posterior, catalogue: Catalogue) -> dict[str, str]:
    """Say, by decision, whose threshold no eval on the menu is near, and what one would add.

    Parameters
    ----------
    plan
        With its menu.
    posterior, catalogue
        What the menu was made from.
    """
    from evalbayes.horizons.horizon import human_time
    from evalbayes.menus.elsewhere import menu_elsewhere

    sentences = {}
    on_menu = set(plan.menu.options["eval"])
    decided = {decision.name for decision in plan.menu.decisions}
    for spec in catalogue.decisions:
        if len(spec.weights) > 1 or spec.name not in decided:
            continue
        (domain,) = spec.weights
        d, threshold = posterior.index_of("domain", domain), spec.threshold.normal()[0]
        far = {
            name: abs(float(posterior.draws["difficulty"][:, i].mean()) - threshold)
            for i, name in enumerate(posterior.evals)
            if name in on_menu and posterior.loadings[i, d]
        }
        if not far or min(far.values()) <= NEAR:
            continue
        nearest = min(far, key=far.__getitem__)
        elsewhere = menu_elsewhere(posterior, catalogue, nearest, threshold)
        option, worth = _best_there(plan, elsewhere)
        unit = "doublings" if spec.minutes else "units"
        around = (
            [human_time(2.0**at) for at in (threshold - AROUND, threshold + AROUND)]
            if spec.minutes
            else [f"{threshold - AROUND:.3g}", f"{threshold + AROUND:.3g}"]
        )
        where = human_time(2.0**threshold) if spec.minutes else f"{threshold:.3g}"
        kind = "tasks of" if spec.minutes else "tasks of difficulty"
        sentences[spec.name] = (
            f"No eval here is within {NEAR:g} {unit} of {spec.name}'s threshold, {where}: the "
            f"nearest, {nearest}, is {far[nearest]:.2g} away. Bought beside this plan, {kind} "
            f"{around[0]} to {around[1]}, at the same price ({option}), would add "
            f"{percent(worth)} of perfect information."
        )
    return sentences


def _best_there(plan: Plan, elsewhere: Menu) -> tuple[str, float]:
    """Option of another menu of the same states that would add most to a plan, and how much."""
    menu = plan.menu
    wider = replace(
        menu,
        options=pd.concat([menu.options, elsewhere.options]),
        information=np.concatenate([menu.information, elsewhere.information]),
        information_draws=None,
        resource_draws=None,
        replicates=None,
    )
    worth = {str(o): evaluate(wider, [*plan.chosen, o]).value for o in elsewhere.options.index}
    best = max(worth, key=worth.__getitem__)
    more = max(worth[best] - evaluate(menu, plan.chosen).value, 0.0)
    return best, more / plan.evpi if plan.evpi > 0 else 0.0
