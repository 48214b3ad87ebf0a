"""Sentences about a plan; no figure in them has more than two significant digits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalbayes.names import ONCE

if TYPE_CHECKING:
    import pandas as pd

MOST_SHARED = 3  # purchases told one by one in a sentence
MOST_NAMED = 12  # evals of a mix that a sentence names
TIER_WORDS = {
    "sweet-spot": "at their sweet spot",
    "plateau": "near their plateau",
    "max-elicitation": "with maximum elicitation",
    "study": "as studies",
}
DEPTH = "max-elicitation"
STUDY = "study"  # in the place of a tier: evidence that is no run of an AI model
LARGE = {1e12: "trillion", 1e9: "billion", 1e6: "million"}
SHARED = "shared elicitation"  # in the place of a tier: what several rows need and is paid once


def two_digits(value: float) -> str:
    """Return a number with at most two significant digits and thousands separated.

    Millions and more are in words; one that is none, as of an empty interval, is "not known".

    >>> two_digits(27341.0), two_digits(0.0349), two_digits(0.0), two_digits(8.0), two_digits(-1.25)
    ('27,000', '0.035', '0', '8', '-1.2')
    >>> two_digits(1.31e9), two_digits(-2.7e13)
    ('1.3 billion', '-27 trillion')
    """
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "not known" if math.isnan(value) else f"{value:g}"
    rounded = float(f"{value:.2g}")
    for size, name in LARGE.items():
        if abs(rounded) >= size:
            return f"{rounded / size:.15g} {name}"
    return f"{rounded:,.0f}" if abs(rounded) >= 10 or rounded == int(rounded) else f"{rounded:g}"


def percent(share: float) -> str:
    """Return a share as a percentage with at most two significant digits.

    >>> percent(0.8349), percent(0.001), percent(1.0)
    ('83 %', '0.1 %', '100 %')
    """
    return f"{two_digits(100 * share)} %"


def decimals_beside(chance: float, rule: float | None) -> int:
    """Decimals of a percentage that show on which side of a stated rule a chance lies.

    Two calls that differ look like a mistake where both chances read "10 %".

    >>> decimals_beside(0.0995, 0.1), decimals_beside(0.2, 0.1), decimals_beside(0.0995, None)
    (2, 0, 0)
    """
    if rule is None or chance == rule:
        return 0
    return next((n for n in range(4) if round(100 * chance, n) != round(100 * rule, n)), 4)


def listing(words: Sequence[str]) -> str:
    """Join words as in a sentence, those with a comma inside by semicolons.

    >>> listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    >>> listing(["cyber, High", "cyber, Critical", "bio"])
    'cyber, High; cyber, Critical; and bio'
    """
    if len(words) < 2:
        return "".join(words)
    if any("," in each for each in words):
        return f"{'; '.join(words[:-1])}; and {words[-1]}"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def lines_of(template: Path, **parts: Any) -> list[str]:
    """Return what a template says of some parts, a sentence to a line; empty lines are left out."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    page = Environment(loader=FileSystemLoader(template.parent), undefined=StrictUndefined)
    page.trim_blocks, page.lstrip_blocks = True, True
    page.filters |= {"two": two_digits, "share": percent, "listing": listing, "words": words}
    page.filters["price"] = price
    said = page.get_template(template.name).render(parts)
    return [line for line in said.splitlines() if line]


def words(resource: str) -> str:
    """Return a resource's name as read in a sentence.

    >>> words("staff_hours"), words("staff_hours.bio"), words("usd")
    ('staff hours', 'staff hours (bio)', 'USD')
    """
    name, _, skill = resource.partition(".")
    plain = {"usd": "USD", "all": "times all budgets"}.get(name, name.replace("_", " "))
    return f"{plain} ({skill})" if skill else plain


def amount(used: float, resource: str) -> str:
    """Return an amount of a resource.

    >>> amount(1_000.0, "usd"), amount(50.0, "staff_hours")
    ('$1,000', '50 staff hours')
    """
    return f"${two_digits(used)}" if resource == "usd" else f"{two_digits(used)} {words(resource)}"


def resource_words(name: str) -> str:
    """Return a resource's name as it heads a column or a row.

    >>> resource_words("usd"), resource_words("staff_hours.bio")
    ('USD', 'Staff hours (bio)')
    """
    return words(name)[:1].upper() + words(name)[1:]


def counted(tiers: Iterable[str]) -> str:
    """Return how many evals and studies a mix has.

    >>> counted(["plateau", "plateau", "study"]), counted([])
    ('2 evals and 1 study', '0 evals')
    """
    tiers = list(tiers)
    studies = tiers.count(STUDY)
    evals, one = len(tiers) - studies, "study" if studies == 1 else "studies"
    told = [f"{evals} eval{'s' * (evals != 1)}"] if evals or not studies else []
    return " and ".join([*told, *([f"{studies} {one}"] if studies else [])])


def at_tier(evals: str, tier: str, number: int) -> str:
    """Say which evals run at a tier.

    >>> at_tier("a", "plateau", 1), at_tier("a and b", "plateau", 2), at_tier("trial", "study", 1)
    ('a near its plateau', 'a and b near their plateau', 'trial as a study')
    """
    told = TIER_WORDS.get(tier, tier)
    one = told.replace("their", "its").replace("studies", "a study")
    return f"{evals} {one if number == 1 else told}"


def mix_in_words(
    choices: "pd.DataFrame", ai_model: str, shared: "pd.DataFrame | None" = None
) -> str:
    """Say the mix: which evals at which tier for how much; the first line of everything.

    What is shared counts to the money of its tier where only that could need it; shares of the
    money are before price steps.
    Of more evals than a sentence holds it says how many of each domain.
    """
    if "tasks" in choices:  # of what has been run a limit may ask that it be in the mix
        choices = choices[choices["tasks"] != 0]
    if choices.empty:
        return f"Run nothing on {ai_model}: no eval on the menu is worth its price in this budget."
    bought = {} if shared is None or shared.empty else shared.to_dict("index")
    lines = [name for name, row in bought.items() if row.get("told", ONCE) != ONCE]
    steps = {str(name): bought.pop(name) for name in lines}
    total = float(choices["usd"].sum()) + sum(float(row["usd"]) for row in bought.values())
    off = sum(float(row["usd"]) for row in steps.values())
    way = "add" if off > 0 else "take off"
    told = f" Price steps {way} ${two_digits(abs(off))}: {listing([*steps])}." if steps else ""
    parts = []
    for tier in (DEPTH, "plateau", "sweet-spot", STUDY):
        rows = choices[choices["tier"] == tier]
        if len(rows):
            own = sum(float(row["usd"]) for row in bought.values() if row["tiers"] == (tier,))
            share = (float(rows["usd"].sum()) + own) / total if total > 0 else 0.0
            names = listing([str(name) for name in rows["eval"]])
            if len(choices) > MOST_NAMED:
                counts = rows["domain"].astype(str).value_counts(sort=False)
                names = listing([f"{n} of {domain}" for domain, n in counts.items()])
            parts.append(f"{at_tier(names, tier, len(rows))} ({percent(share)} of the money)")
    return (
        f"Run {counted(choices['tier'])} on {ai_model} for an expected ${two_digits(total + off)}: "
        f"{'; '.join(parts)}.{_bought_once(bought)}{told}"
    )


def _bought_once(bought: Mapping[Any, Mapping[Any, Any]]) -> str:
    """Say what is shared, each purchase with its evals and price unless there are many."""

    def used(row: Mapping[Any, Any]) -> dict[str, float]:
        return {k: v for k, v in row.items() if k == "usd" or str(k).startswith("staff")}

    if len(bought) > MOST_SHARED:
        evals = {name for row in bought.values() for name in row["evals"]}
        uses = [used(row) for row in bought.values()]
        total = {key: sum(use[key] for use in uses) for key in uses[0]}
        names = listing([str(name) for name in bought])
        return f" Bought once for {len(evals)} of them: {names} ({price(total)})."
    told = [
        f"{name} for {listing(row['evals'])} ({price(used(row))})" for name, row in bought.items()
    ]
    return f" Bought once: {'; '.join(told)}." if told else ""


def price(use: Mapping[str, float]) -> str:
    """Return what is used of every resource in words.

    >>> price({"usd": 1_000.0, "staff_hours": 50.0, "agent_hours": 0.0}), price({"usd": 0.0})
    ('$1,000, 50 staff hours', 'free')
    """
    return ", ".join(amount(used, name) for name, used in use.items() if used > 0) or "free"


def what_it_hangs_on(
    choices: "pd.DataFrame",
    *,
    binding: Sequence[str],
    domain: str | None,
    gap_is_prior: bool,
    share_of_evpi: float,
) -> str:
    """Say what would change the mix: the belief it rests on and the limit that binds."""
    parts = []
    if gap_is_prior and domain is not None:
        deep = (choices["tier"] == DEPTH).any() if len(choices) else False
        parts.append(
            "the prior range of the elicitation gap, as no elicited run is among the observations"
            if deep
            else "taking plateau-level runs at their word: nothing in this mix reads the "
            "elicitation gap, which stays a prior belief"
        )
    if domain is not None:
        parts.append(f"how close {domain} is believed to be to its threshold")
    if binding:
        parts.append(f"the limits on {listing([words(name) for name in binding])}")
    held = listing(parts) if parts else "little: no limit binds"
    return (
        f"It hangs on {held}; it buys {percent(share_of_evpi)} of what perfect information "
        "would be worth."
    )


def wrong_calls_in_words(decisions: Mapping[str, Mapping[str, Any]]) -> str:
    """Say how likely either wrong call is, now and after results, decision by decision.

    Of each p_missed_now, p_missed_expected, p_needless_now and p_needless_expected; and
    held_against, an adversary's budget.

    >>> missed = {"p_missed_now": 0.12, "p_missed_expected": 0.04}
    >>> needless = {"p_needless_now": 0.0, "p_needless_expected": 0.09}
    >>> print(wrong_calls_in_words({"cyber": missed | needless}))
    For cyber danger missed goes from 12 % to 4 %, needless mitigation from 0 % to 9 %.
    """
    told = [
        f"for {name}{f' (held against {held})' if (held := row.get('held_against')) else ''} "
        f"danger missed goes from {percent(row['p_missed_now'])} to "
        f"{percent(row['p_missed_expected'])}, needless mitigation from "
        f"{percent(row['p_needless_now'])} to {percent(row['p_needless_expected'])}"
        for name, row in decisions.items()
    ]
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def reason_of_choice(tier: str) -> str:
    """Say in a few words what an option is in the mix for; what dropping it loses is a figure.

    >>> reason_of_choice("max-elicitation")
    'reads the elicitation gap, which no plateau-level run can'
    """
    return {
        DEPTH: "reads the elicitation gap, which no plateau-level run can",
        "plateau": "reads shown capability near this eval's plateau",
        "sweet-spot": "reads shown capability at the lowest price per success",
        STUDY: "reads capability as no task set does, with an error of its own",
    }.get(tier, "reads capability")
