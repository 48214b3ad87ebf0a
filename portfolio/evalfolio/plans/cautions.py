"""Cautions: what a reader of a plan must know before trusting it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.catalogue import Catalogue
from evalbayes.decision import parts_of
from evalbayes.horizons.horizon import human_time
from evalbayes.menus.elsewhere import menu_elsewhere
from evalbayes.posterior.posterior import Posterior
from evalfolio.errors import InfeasibleError
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, percent
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.outlook import CALLS, way_out
from evalfolio.plans.plan import Plan
from evalfolio.plans.rivals import ROUGHLY
from evalfolio.search import Certified, Status

NEAR = 3.0  # units of difficulty within which an eval comes near a threshold
NO_LONG_TASKS = "no eval on the menu has tasks near its threshold"
AROUND = 1.0  # units on either side of it where tasks are said to be of its difficulty


def plan_warnings(
    plan: Plan, comparisons: pd.DataFrame, posterior: Posterior, method: Certified = ROUGHLY
) -> list[str]:
    """Return what a reader must know: bounds, depth on a prior, order under the skewed gap."""
    warnings = []
    if plan.status != Status.CERTIFIED:
        within = "" if plan.gap is None else f", but within {percent(plan.gap)} of its bound"
        warnings.append(
            f"The plan is not certified to the gap asked for ({plan.status}){within}: "
            f"{plan.status.meaning}; {plan.status.cure}."
        )
    ours = comparisons.iloc[0]
    error = 2 * comparisons["value_skewed_se"]
    ahead = comparisons[comparisons["value_skewed"] - error > ours["value_skewed"] + error.iloc[0]]
    for _, row in ahead.iterrows():
        warnings.append(
            f"With the elicitation gap as skewed as believed, {row['plan']!r} is worth more than "
            "this plan: the stand-in for it decides their order."
        )
    if not posterior.elicited_history:
        warnings.append(depth_on_prior(plan, method))
    for name, row in plan.domains.iterrows():
        if row["v"] > 0 and not row["funded"]:
            warnings.append(
                f"{name} is funded below its minimum sensible effort of "
                f"${row['minimum_effort_usd']:,.0f}: {way_out(plan, row['domains'])}."
            )
    warnings += [
        f"{higher} is called to be mitigated and {lower} is not, as the stakes of the two say."
        for lower, higher in crossed(plan)
    ]
    return warnings


def crossed(plan: Plan) -> list[tuple[str, str]]:
    """Return pairs of levels of one domain of which the higher alone is called to be mitigated."""
    rows = [
        (str(name), row["domains"], row["threshold"], row["call_now"] == CALLS[1])
        for name, row in plan.domains.iterrows()
        if len(row["domains"]) == 1
    ]
    pairs = ((low, high) for low in rows for high in rows if low[1] == high[1])
    return [(a[0], b[0]) for a, b in pairs if a[2] < b[2] and b[3] and not a[3]]


def depth_on_prior(plan: Plan, method: Certified = ROUGHLY) -> str:
    """Say how the share on max elicitation moves with the sd of the elicitation gap."""
    shares, gaps = [], parts_of(plan.menu.states, "gap")
    for factor in (0.5, 1.0, 2.0):
        if factor == 1.0:
            chosen = plan.chosen
        else:
            scale = np.where(gaps, factor, 1.0)
            covariance = plan.menu.prior_covariance * np.outer(scale, scale)
            other = plan.question.on(replace(plan.menu, prior_covariance=covariance))
            try:
                chosen = method.find(other).chosen
            except InfeasibleError:
                continue
        shares.append(percent(tier_share(plan.menu, chosen, DEPTH)))
    told = "none" if set(shares) == {"0 %"} else f"{', '.join(shares[:-1])} and {shares[-1]}"
    return (
        "No observation was elicited, so depth rests on the prior range of the elicitation gap: "
        f"at half, once and twice its sd {told} of the money goes to max elicitation."
    )


def distant_thresholds(plan: Plan, posterior: Posterior, catalogue: Catalogue) -> dict[str, str]:
    """Say, by decision, whose threshold no eval on the menu is near, and what one would add."""
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
        least, where, most = (
            human_time(2.0**at) if spec.minutes else f"{at:.3g}"
            for at in (threshold - AROUND, threshold, threshold + AROUND)
        )
        unit, of = ("doublings", "of") if spec.minutes else ("units", "of difficulty")
        sentences[spec.name] = (
            f"No eval here is within {NEAR:g} {unit} of {spec.name}'s threshold, {where}: the "
            f"nearest, {nearest}, is {far[nearest]:.2g} away. Bought beside this plan, tasks {of} "
            f"{least} to {most}, at the same price ({option}), would add {percent(worth)} of "
            "perfect information."
        )
    return sentences


def _best_there(plan: Plan, elsewhere: Menu) -> tuple[str, float]:
    """Option of another menu of the same states that would add most to a plan, and how much."""
    menu = plan.menu
    wider = replace(
        plan.question.lean.menu,
        options=pd.concat([menu.options, elsewhere.options]),
        resources=elsewhere.resources,
        tariffs=(),
        information=np.concatenate([menu.information, elsewhere.information]),
        resource_draws=None,
    )
    worth = {str(o): evaluate(wider, [*plan.chosen, o]).value for o in elsewhere.options.index}
    best = max(worth, key=worth.__getitem__)
    more = max(worth[best] - evaluate(menu, plan.chosen).value, 0.0)
    return best, more / plan.evpi if plan.evpi > 0 else 0.0
