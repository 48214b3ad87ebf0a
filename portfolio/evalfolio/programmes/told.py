"""A programme in stages told: its rule in sentences, and the account that plans keep of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalfolio.limits.budget import MONEY
from evalfolio.narrative import at_tier, lines_of, listing, price, words
from evalfolio.record.record import Account, AccountTable

if TYPE_CHECKING:
    from evalfolio.programmes.stages import Stages
    from evalfolio.recommendations.recommendation import Recommendation


def told(found: "Stages", *, in_usd: bool = False) -> Account:
    """Return what a programme says, values in usd or as shares of perfect information."""
    releases, spend, menu = found.releases.to_dict("records"), found.spend, found.question.menu
    parts: dict[str, Any] = {"found": found, "releases": releases, "days": found.days}
    parts |= {"spend": spend, "in_usd": in_usd, "money": MONEY, "runs": _runs, "inf": np.inf}
    parts["cost"] = lambda row: price({name: row[name] for name in menu.resources})
    sentences = lines_of(Path(__file__).with_name("told.txt.j2"), **parts)
    told_of = ["decision", "stage", "when", "alone_from", "alone_to", "probability", "days"]
    heads = ["released", "decision", "stage", "comes out between", "worth it from", "to"]
    heads += ["probability", "days", *map(words, spend.index)]
    told_of.extend(spend.index)
    rows = [(_named(row), *(_cell(row[name]) for name in told_of)) for row in releases]
    programmes = [
        ("this programme", found.value, found.error),
        ("the best plan at once", found.at_once, found.plan_played.error if found.error else 0.0),
        ("bound of any programme" if found.looks else "perfect information", found.bound, None),
    ]
    spends = [(words(name), *map(_cell, row)) for name, *row in spend.itertuples()]
    uses = ("resource", "now", "expected", "9 times in 10", "at most", "never above")
    title, worth = f"in {'USD' if in_usd else 'points'}", ("programme", "value", "standard error")
    tables = (
        AccountTable.told("releases", "What results release", heads, rows),
        AccountTable.told("value", f"What it is worth, {title}", worth, programmes),
        AccountTable.told("spend", "What it uses", uses, spends),
    )
    return Account(sentences=tuple(sentences), tables=(_runs_now(found), *tables))


def _runs_now(found: "Stages") -> AccountTable:
    """Return the mix of now, a row per option, as it is to be run."""
    menu = found.question.menu
    mix = menu.options.loc[list(found.now)].reset_index()
    columns = ["option", "eval", "tier", "cap", "tasks", "attempts", *menu.resources]
    cells = mix.reindex(columns=columns).rename(columns=words)
    return AccountTable.of("now", "What to run now", cells)


def in_stages(result: "Recommendation", stages: int, *, seed: int = 0) -> "Recommendation":
    """Return a recommendation whose record tells a programme in stages of its question too.

    InputError if there are neither 2 nor 3 stages.
    """
    from evalfolio.programmes.stages import stages as programme

    plan, days = result.plan, result.catalogue.budget.calendar_days
    found = programme(plan.question, stages, days=days, at_once=plan.chosen, seed=seed)
    account = told(found, in_usd=result.record.value.unit == "usd")
    return replace(result, plan=replace(plan, told=result.record.replace(stages=account)))


def _runs(found: "Stages", options: Sequence[str]) -> str:
    tiers = [
        at_tier(listing(list(map(str, own["eval"]))), str(tier), len(own))
        for tier, own in found.question.menu.options.loc[list(options)].groupby("tier", sort=False)
    ]
    return "; ".join(tiers) or "nothing"


def _named(row: dict[Any, Any]) -> str:
    after = f" (after {', '.join(row['after'])})" if row["after"] else ""
    return ", ".join(row["options"]) + after


def _cell(value: Any) -> str | float | None:
    """Return a value as a cell of a table; what has no limit is None."""
    if isinstance(value, list):
        return "; ".join(f"{low:.2f} to {high:.2f}" for low, high in value)
    return value if isinstance(value, str) else float(value) if np.isfinite(value) else None
