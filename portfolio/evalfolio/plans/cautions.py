"""Cautions: what a reader of a plan must know before trusting it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalfolio.errors import InfeasibleError
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, percent
from evalfolio.plans.outlook import CALLS, way_out
from evalfolio.plans.plan import Plan
from evalfolio.plans.rivals import ROUGHLY
from evalfolio.search.certified import Certified
from evalfolio.search.status import Status

if TYPE_CHECKING:
    from evalbayes.posterior.posterior import Posterior


def plan_warnings(
    plan: Plan,
    comparisons: pd.DataFrame,
    posterior: Posterior,
    method: Certified = ROUGHLY,
) -> list[str]:
    """Return what a reader must know: bounds, depth on a prior, order under the skewed gap."""
    warnings = []
    if plan.status != Status.CERTIFIED:
        warnings.append(
            f"The plan is not certified to the gap asked for ({plan.status}): "
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
    return [
        (low[0], high[0])
        for low in rows
        for high in rows
        if low[1] == high[1] and low[2] < high[2] and high[3] and not low[3]
    ]


def depth_on_prior(plan: Plan, method: Certified = ROUGHLY) -> str:
    """Say how the share on max elicitation moves with the sd of the elicitation gap."""
    shares = []
    for factor in (0.5, 1.0, 2.0):
        if factor == 1.0:
            chosen = plan.chosen
        else:
            try:
                other = plan.question.on(with_gap_sd(plan.menu, factor))
                chosen = method.find(other).chosen
            except InfeasibleError:
                continue
        shares.append(percent(tier_share(plan.menu, chosen, DEPTH)))
    return (
        "No observation was elicited, so depth rests on the prior range of the elicitation gap: "
        f"at half, once and twice its sd {', '.join(shares[:-1])} and {shares[-1]} of the money "
        "goes to max elicitation."
    )


def with_gap_sd(menu: Menu, factor: float) -> Menu:
    """Return the menu with the prior sd of every elicitation gap multiplied by a factor."""
    scale = np.array([factor if name.endswith(".gap") else 1.0 for name in menu.states])
    return replace(menu, prior_covariance=menu.prior_covariance * np.outer(scale, scale))
