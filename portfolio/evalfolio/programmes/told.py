"""A programme in stages told: its rule in sentences, and the account that plans keep of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evalfolio.limits.budget import MONEY
from evalfolio.narrative import TIER_WORDS, listing, percent, price, two_digits, words
from evalfolio.record.record import Account, AccountTable

if TYPE_CHECKING:
    from evalfolio.programmes.stages import Stages
    from evalfolio.recommendations.recommendation import Recommendation


def told(found: Stages, *, in_usd: bool = False) -> Account:
    """Return what a programme says, values in usd or as shares of perfect information."""
    releases = found.releases.to_dict("records")
    days, spend, skewed = found.days, found.spend, listing(found.skewed)

    def worth(value: float) -> str:
        return f"${two_digits(value)}" if in_usd else percent(value / (found.evpi or 1.0))

    now = price({name: float(spend["now"][name]) for name in spend.index})
    rule = [f"Run now: {_runs(found, found.now)} ({now}{_days(days['now'])})."]
    rule += [_release(found, row) for row in releases]
    rule.append("Otherwise stop." if releases else "No result would pay for more: stop there.")
    if found.programme.competing and releases:
        rule.append(
            "Where what is released does not fit together, the set worth most that does is."
        )
    noise = f" ± {worth(found.error)}" if found.error else ""
    of = "" if in_usd else " of perfect information"
    most = (
        f"however often it looks, no programme is worth more than {worth(found.bound)}"
        if found.looks
        else f"perfect information, the one bound there is here, {worth(found.evpi)}"
    )
    sentences = [
        *rule,
        f"It is worth {worth(found.value)}{noise}{of}; the best plan at once with the same "
        f"expected budget {worth(found.at_once)}; {most}.",
        *(_spent(name, *map(float, row)) for name, *row in spend.itertuples() if row[1] > 0),
    ]
    if days["most"] > 0:
        sentences.append(f"It takes {_days(days['most']).strip(', ')} at most, stage after stage.")
    sentences.append(_next(found, in_usd))
    sentences.append(
        "A decision comes out at the mean of its capability by its results, later gain included; "
        + (
            f"figures are of {len(found.played.saved):,} simulated programmes (± standard error)"
            if found.error
            else "figures are by quadrature"
        )
        + (f", {skewed} by skewed beliefs." if skewed else ", by normal beliefs.")
    )
    columns = ["decision", "stage", "when", "alone_from", "alone_to", "probability", "days"]
    heads = (
        *("released", "decision", "stage", "comes out between", "worth it from", "to"),
        *("probability", "days", *map(words, spend.index)),
    )
    rows = [
        (_named(row), *(_cell(row[name]) for name in [*columns, *spend.index])) for row in releases
    ]
    programmes = [
        ("this programme", found.value, found.error),
        ("the best plan at once", found.at_once, found.plan_played.error if found.error else 0.0),
        ("bound of any programme" if found.looks else "perfect information", found.bound, None),
    ]
    spends = [(words(name), *map(_cell, row)) for name, *row in spend.itertuples()]
    return Account(
        sentences=tuple(filter(None, sentences)),
        tables=(
            _runs_now(found),
            AccountTable(
                name="releases", title="What results release", columns=heads, rows=tuple(rows)
            ),
            AccountTable(
                name="value",
                title="What it is worth, in " + ("USD" if in_usd else "points"),
                columns=("programme", "value", "standard error"),
                rows=tuple(programmes),
            ),
            AccountTable(
                name="spend",
                title="What it uses",
                columns=("resource", "now", "expected", "9 times in 10", "at most", "never above"),
                rows=tuple(spends),
            ),
        ),
    )


def _runs_now(found: Stages) -> AccountTable:
    """Return the mix of now, a row per option, as it is to be run."""
    menu = found.question.menu
    mix = menu.options.loc[list(found.now)].reset_index()
    columns = ["option", "eval", "tier", "cap", "tasks", "attempts", *menu.resources]
    cells = mix.reindex(columns=columns).astype(object)
    return AccountTable(
        name="now",
        title="What to run now",
        columns=tuple(map(words, columns)),
        rows=tuple(map(tuple, cells.where(cells.notna(), None).to_numpy())),
    )


def in_stages(result: Recommendation, stages: int, *, seed: int = 0) -> Recommendation:
    """Return a recommendation whose record tells a programme in stages of its question too.

    InputError if there are neither 2 nor 3 stages.
    """
    from evalfolio.programmes.stages import stages as programme

    plan, days = result.plan, result.catalogue.budget.calendar_days
    found = programme(plan.question, stages, days=days, at_once=plan.chosen, seed=seed)
    account = told(found, in_usd=result.record.value.unit == "usd")
    return replace(result, plan=replace(plan, told=result.record.replace(stages=account)))


def _runs(found: Stages, options: Sequence[str]) -> str:
    rows = found.question.menu.options.loc[list(options)]
    tiers = [
        f"{listing(list(map(str, own['eval'])))} {TIER_WORDS.get(str(tier), str(tier))}"
        for tier, own in rows.groupby("tier", sort=False)
    ]
    return "; ".join(tiers) or "nothing"


def _release(found: Stages, row: dict[Any, Any]) -> str:
    between = [_between(low, high) for low, high in row["when"]]
    come = f"if {row['decision']} comes out {' or '.join(between)}"
    come = come if between else f"for {row['decision']}, where what is worth more does not fit"
    then = f"After {_runs(found, row['after'])}" if row["after"] else "Then"
    cost = price({name: row[name] for name in found.question.menu.resources})
    runs = f"run {_runs(found, row['options'])} ({cost}{_days(row['days'])})"
    return f"{then}, {come} ({percent(row['probability'])}), {runs}."


def _between(low: float, high: float) -> str:
    """Say a stretch in two digits, in three where these would be the same."""
    ends = two_digits(low), two_digits(high)
    if ends[0] == ends[1]:
        ends = f"{low:.3g}", f"{high:.3g}"
    return f"between {ends[0]} and {ends[1]}"


def _days(days: float) -> str:
    return f", {two_digits(float(np.ceil(days)))} day{'s' * (days > 1)}" if days > 0 else ""


def _spent(name: str, _: float, expected: float, p90: float, most: float, limit: float) -> str:
    def used(amount: float) -> str:
        return price({name: amount}) if amount > 0 else "nothing"

    never = f" (never above {used(limit)})" if np.isfinite(limit) else ""
    often = f"{used(most)} at most"
    if used(p90) != used(most):
        often = f"nine times in ten {used(p90)} at most, {often}"
    return f"It uses {used(expected)} in expectation, {often}{never}."


def _next(found: Stages, in_usd: bool) -> str:
    """Say what more of the expected budget would return, and whether that is a reason to stop."""
    if found.priced is None:
        return ""
    if found.price <= 0:
        return f"More expected {words(found.priced)} would buy nothing more: stop here."
    if in_usd and found.priced == MONEY:
        stop = "stop here" if found.price < 1 else "it pays to add some"
        return f"The next dollar returns ${two_digits(found.price)}: {stop}."
    tenth = 0.1 * found.programme.frame.expected
    adds = f"{percent(found.price * tenth / (found.evpi or 1.0))} of perfect information"
    point = "" if in_usd else f"; a point costs {price({found.priced: 1.0 / found.price})} there"
    return f"A tenth more expected {words(found.priced)} adds at most {adds}{point}."


def _named(row: dict[Any, Any]) -> str:
    after = f" (after {', '.join(row['after'])})" if row["after"] else ""
    return ", ".join(row["options"]) + after


def _cell(value: Any) -> str | float | None:
    """Return a value as a cell of a table; what has no limit is None."""
    if isinstance(value, list):
        return "; ".join(f"{low:.2f} to {high:.2f}" for low, high in value)
    return value if isinstance(value, str) else float(value) if np.isfinite(value) else None
