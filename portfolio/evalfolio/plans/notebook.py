"""A plan as a notebook shows it: a sentence and two tables."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from evalfolio.narrative import percent, two_digits, words

if TYPE_CHECKING:
    from evalfolio.plans.plan import Plan

LEAD = ("eval", "domain", "tier", "cap", "cap_unit", "attempts", "tasks")


def plan_in_html(plan: Plan) -> str:
    """Return the plan as HTML; names from catalogues are only text."""
    parts = [f"<p>{escape(str(plan))}</p>"]
    if len(plan.choices):
        costs = [name for name in plan.menu.resources if name in plan.choices]
        columns = [c for c in LEAD if c in plan.choices] + costs
        mix = plan.choices[columns].rename(columns={name: words(name) for name in costs})
        shown = mix.assign(share=[percent(s) for s in plan.choices["share_of_usd"]])
        parts.append(_table(shown, "Mix"))
    names = {
        "p_exceeds": "P(exceeds)",
        "p_missed_now": "P(danger missed) now",
        "p_missed_expected": "... after the plan",
        "p_needless_now": "P(needless mitigation) now",
        "p_needless_expected": "... after it",
        "prior_sd": "sd now",
        "posterior_sd": "sd after the plan",
    }
    parts.append(_table(plan.domains.reindex(columns=list(names)).rename(columns=names), "Domains"))
    return "\n".join(parts)


def _table(frame: pd.DataFrame, caption: str) -> str:
    text = frame.reset_index(drop=caption == "Mix").rename(columns={"index": "domain"})
    html = text.to_html(
        index=False, border=0, justify="left", na_rep="", float_format=two_digits, escape=True
    )
    return html.replace("<thead>", f"<caption>{caption}</caption><thead>", 1)
