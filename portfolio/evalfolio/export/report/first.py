"""The first page: what a group decides on, on one sheet of A4; every amount is the record's."""

from collections.abc import Mapping
from typing import Any

from evalbayes.names import ONCE
from evalfolio.export.report.numerals import hours, money, share
from evalfolio.narrative import DEPTH, STUDY, at_tier, counted, listing, percent, resource_words
from evalfolio.record.record import Record

TIERS = (DEPTH, "sweet-spot", "plateau", STUDY)
MOST_OF_IT = 0.95  # of the plan's value: the least budget that buys so much is the knee
HALF = "half of every budget"
MOST_BINDING = 3  # budgets told with what more of each would add
OUTSIDE = (
    "Outside such evals: sandbagging (whether the model hides what it can do), propensity (whether "
    "it would), and safeguards (whether they hold).",
    "Evidence of other kinds (uplift studies, expert red-teaming, external assessments) counts "
    "only where it is an eval or a study above.",
)


def first(record: Record) -> dict[str, Any]:
    """Return what the first page says beside the calls, by name."""
    return {
        "lead": lead(record),
        "runs": runs_by_domain(record),
        "once": listing([each.name for each in record.shared if each.told == ONCE]),
        "notes": [
            ("Promised", promised(record)),
            ("What binds", binding(record)),
            ("Less money, fewer hours", [half(record), knee(record)]),
            ("How sure", how_sure(record)),
            ("Not covered", not_covered(record)),
        ],
    }


def lead(record: Record) -> str:
    """Say how many evals run at which tier; amounts stand in the table below."""
    rows = record.to_run
    counts = {tier: sum(row.tier == tier for row in rows) for tier in TIERS}
    told = listing([at_tier(str(n), tier, n) for tier, n in counts.items() if n])
    if not told:
        return record.words.mix
    return f"Run {counted(row.tier for row in rows)} on {record.portfolio.ai_model}: {told}."


def runs_by_domain(record: Record) -> list[dict[str, str]]:
    """Return what runs in every domain, deep evals apart, and the money; then the sum of it."""
    decided = [name for each in record.domains for name in each.about]
    names = dict.fromkeys([*decided, *(row.domain for row in record.to_run)])
    rows, told = [], 0.0
    for name in names:
        mine = [row for row in record.to_run if row.domain == name]
        usd = record.usd_of([name])
        told += usd
        rows.append(
            {
                "domain": name,
                "deep": listing([row.eval for row in mine if row.tier == DEPTH]),
                "others": listing([row.eval for row in mine if row.tier not in (DEPTH, STUDY)]),
                "studies": listing([row.eval for row in mine if row.tier == STUDY]),
                "usd": money(usd),
            }
        )
    if abs(wider := record.money.expected - told) > 0.5:
        empty = dict.fromkeys(("deep", "others", "studies"), "")
        rows.append({"domain": "shared by several", **empty, "usd": money(wider)})
    return rows


def promised(record: Record) -> list[str]:
    """Return what is mandatory, with how and to whom it is promised where that is told."""
    texts = [limit.text for limit in record.limits if limit.kind == "Mandatory"]
    lines = [text.removeprefix("mandatory: ") for text in texts]
    return [f"Mandatory: {listing(lines)}."] if lines else ["No eval is mandatory."]


def binding(record: Record) -> list[str]:
    """Return which budgets bind, what a tenth more of each would add, and what is left of others.

    Of the money it is told in any case how much is spent.
    """
    worth = record.value.evsi or 1.0
    adds = {
        name: price * 0.1 * record.budget[name] / worth
        for name, price in record.shadow_prices.items()
        if price > 0 and name in record.budget
    }
    rows = sorted(adds, key=lambda name: -adds[name])
    lines = [
        f"{used_of(record, name)}: 10 % more would add at most {share(adds[name])} of the value."
        for name in rows[:MOST_BINDING]
    ]
    if len(rows) > MOST_BINDING:
        others = listing([resource_words(name) for name in rows[MOST_BINDING:]])
        lines.append(f"Less so: {others}.")
    free = [used_of(record, name) for name in record.budget if name not in rows]
    lines += [f"Not binding: {'; '.join(free)}."] if free else []
    return lines or ["No budget was set."]


def used_of(record: Record, name: str) -> str:
    """Return how much of a budget is used, the share kept back apart."""
    shown = money if name == "usd" else hours
    kept = record.kept_back[name]
    back = f" ({percent(kept)} kept back)" if kept else ""
    return (
        f"{resource_words(name)} {shown(record.spend.get(name, 0.0))} of "
        f"{shown(record.budget[name])}{back}"
    )


def half(record: Record) -> str:
    """Say what half of every budget would lose."""
    found = [row for row in record.comparisons if row.plan == HALF]
    if record.value.evsi <= 0 or len(record.comparisons) < 2:
        return ""
    if not found:
        return "Half of every budget cannot hold what is mandatory."
    (row,) = found
    left = min(row.value / record.value.evsi, 1.0)
    return f"Half of every budget would keep {share(left)} of the value."


def knee(record: Record) -> str:
    """Say the least budget in usd that buys most of the plan's value, the others held."""
    mine = record.value.evsi
    points = [p for p in record.points if p.usd is not None and p.usd < record.budget.get("usd", 0)]
    enough = [point for point in points if mine > 0 and point.value >= MOST_OF_IT * mine]
    if not enough:
        held = f"{percent(MOST_OF_IT)} of the value"
        return f"No smaller budget of money that was tried buys {held}." if points else ""
    least = enough[0]
    others = ", all hours held" if len(record.budget) > 1 else ""
    return f"{money(least.usd)} would buy {share(min(least.value / mine, 1.0))} of it{others}."


def how_sure(record: Record) -> list[str]:
    """Return value and noise, how many rows are firm, and what real runs say of such promises."""
    value, rows = record.value, record.to_run
    lines = []
    if value.evpi:
        noise = "" if value.noise is None else f" ± {percent(value.noise / value.evpi)}"
        lines.append(
            f"The plan is worth {share(value.share(value.evsi))}{noise} of perfect information; "
            + (
                "no mix is known to be better."
                if value.gap is None
                else f"no mix is worth over {percent(max(value.gap, 1e-5))} more "
                f"({value.kind.lower()})."
            )
        )
    if value.noise is not None and rows:
        firm = sum(row.firm is True for row in rows)
        like = sum(not row.firm and bool(row.instead) for row in rows)
        lines.append(
            f"{firm} of {len(rows)} rows are firm, {like} could go for others as good"
            + ("." if firm + like == len(rows) else "; the rest is not proved either way.")
        )
    if record.backtest is None:
        lines.append("How far such promises come true was not replayed on real runs for this plan.")
    else:
        lines += record.backtest.sentences[:1]
    return lines


def not_covered(record: Record) -> list[str]:
    """Return what no eval reads, by what is missing, and what lies outside such evals."""
    missing: dict[str, list[str]] = {}
    for part in record.not_covered:
        if " / " not in part.name:  # one tier of one eval is no hole in what is known
            missing.setdefault(part.reason, []).append(part.name)
    lines = [f"{listing(names)}: {reason}." for reason, names in missing.items()]
    return [*lines, *OUTSIDE]


def called_for(record: Record) -> Mapping[str, str]:
    """Return in words the rule that calls follow, where one is stated, and budgets held against."""
    ruled = [each for each in record.domains if each.mitigate_above is not None]
    rules = {share(each.mitigate_above) for each in ruled}
    if len(rules) == 1 and len(ruled) == len(record.domains):
        rule = f"the chance above the threshold is over {rules.pop()}"
    else:
        own = "; ".join(f"{share(each.mitigate_above)} for {each.name}" for each in ruled)
        rule = f"the chance above the threshold is over {own}" if own else ""
    held = [f"{each.name}: {each.held_against}" for each in record.domains if each.held_against]
    return {"rule": rule, "held": "; ".join(held)}
