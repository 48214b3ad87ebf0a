"""A threat domain: its scale, its threshold, and what is at stake."""

import math
from typing import Any

from scipy.special import ndtr, ndtri

from evalbayes.catalogue.assumptions import DOMAIN, HOURS_PER_STAFF_DAY, STAKES, Assumption
from evalbayes.catalogue.human_time import DOUBLINGS, is_working_time, threshold_of
from evalbayes.catalogue.interval import AnyInterval, Interval, NotNegativeInterval
from evalbayes.catalogue.population import PopulationGap, population_gap
from evalbayes.catalogue.quantities import (
    Count,
    DomainName,
    InnerShare,
    OneOrMore,
    Positive,
    PositiveCount,
    Text,
    YesOrNo,
    inner_share,
    positive,
)
from evalbayes.catalogue.tables import Spec, Table, filled, ruled, validated

LOSSES = ("loss_missed", "loss_false_alarm")
ODDS = ("mitigate_above", "weight")


def psi(z: float) -> float:
    """Return ψ(z) = φ(z) + z Φ(z), the mean of the positive part of a normal N(z, 1).

    >>> round(psi(0.0), 6)
    0.398942
    """
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) + z * float(ndtr(z))


def loss_ratio(mitigate_above: float) -> float:
    """Return loss_missed / loss_false_alarm of someone who mitigates above a probability p*.

    With capability normal at distance z = Φ⁻¹(p*) from the threshold, in sd, both acts lose the
    same when loss_missed · ψ(z) = loss_false_alarm · ψ(−z), so the ratio is ψ(−z) / ψ(z).

    >>> round(loss_ratio(0.5), 6), round(loss_ratio(0.1), 1)
    (1.0, 28.1)
    """
    z = float(ndtri(mitigate_above))
    return psi(-z) / psi(z)


def implied_probability(ratio: float) -> float:
    """Return the p* above which a ratio of losses says to mitigate: the inverse of `loss_ratio`.

    >>> round(implied_probability(loss_ratio(0.1)), 6)
    0.1
    """
    from scipy.optimize import brentq  # slow to import and only wanted for words

    # Beyond 8 sd ψ loses all its digits, and no stakes are that lopsided.
    return float(ndtr(brentq(lambda z: psi(-z) - ratio * psi(z), -8.0, 8.0, xtol=1e-12)))


def stakes_in_points(decided: list[Table]) -> bool:
    """Whether stakes are probabilities (the default); both ways in one catalogue are refused."""
    in_usd = [table for table in decided if any(key in table.entries for key in LOSSES)]
    if not in_usd:
        return True
    for table in decided:
        odds = [key for key in ODDS if key in table.entries]
        if odds:
            other = "too" if table in in_usd else f"while {in_usd[0].label} gives losses"
            raise table.wrong(
                f"stakes must be given in one way in the whole catalogue, got {odds[0]} {other}; "
                "give every decision loss_missed and loss_false_alarm, or mitigate_above and weight"
            )
        for key in LOSSES:
            if key not in table.entries:
                raise table.wrong(
                    f"{key} must be given, got nothing; stakes are in USD in this "
                    f"catalogue, so give every decision {LOSSES[0]} and {LOSSES[1]}"
                )
    return False


POPULATION_GROWTH = Interval(0.5, 4.0)
"""Growth of shown capability with release date, in units a year, where a catalogue is silent."""


class DomainSpec(Spec):
    """One [[domain]], all defaults filled in."""

    name: DomainName
    unit: Text = DOUBLINGS  # of the capability scale
    # Danger threshold of capability, in the unit; None where the domain is decided by levels, or
    # together with others only. Then there are no stakes either.
    threshold: AnyInterval | None = None
    # what the AI model under test shows before any new result, as believed; None: learned
    shown_capability: AnyInterval | None = None
    # how much more full elicitation would show; None: the population prior, `gap`
    elicitation_gap: NotNegativeInterval | None = None
    # how much more AI models show per year of release date, used once all have dates; None:
    # `POPULATION_GROWTH`
    growth_per_year: AnyInterval | None = None
    # loss per unit above the threshold when not mitigated, and per unit below it when mitigated:
    # USD, or points where the stakes were given as a probability
    loss_missed: Positive | None = None
    loss_false_alarm: Positive | None = None
    mitigate_above: InnerShare | None = None  # this and weight: stakes given as a probability
    weight: Positive | None = None
    # units of capability that better elicitation adds in a year: no steady rate, see overlap
    post_training_gain_per_year: NotNegativeInterval
    # How far such gains overlap, 1 or more: n years bring n^(1/overlap) times a year's gain, from
    # all of them (1) to hardly more than one year's (large).
    post_training_overlap: OneOrMore = 2.0
    # which population prior: whether those who would do harm can tell a success, so that many
    # attempts add to the gap; whether the agent that it is measured from has tools
    adversary_verifier: YesOrNo = False
    baseline_tools: YesOrNo = True
    # what they can spend on an attempt, in a unit of the domain's evals or USD, and how many
    # attempts they make, which takes a verifier; None: without limit
    adversary_spend: Positive | None = None
    adversary_spend_unit: Text | None = None
    adversary_attempts: PositiveCount | None = None
    min_evals: Count = 1  # least number of evals to run in the domain
    notes: str = ""  # e.g. sources

    @property
    def minutes(self) -> bool:
        """Whether the scale is log2 of human task minutes."""
        return self.unit == DOUBLINGS

    @property
    def population(self) -> PopulationGap:
        """What published measurements say of the gap, were nothing stated."""
        return population_gap(
            self.name if self.minutes else "",
            verifier=self.adversary_verifier,
            tools=self.baseline_tools,
        )

    @property
    def gap(self) -> Interval:
        """The elicitation gap as stated, else the population's, 90 % interval."""
        return self.elicitation_gap or self.population.interval


DOMAIN_KEYS = (*DomainSpec.model_fields, "threshold_human_time")


def decides(table: Table) -> bool:
    """Whether a table states a threshold, and so a decision."""
    return "threshold" in table.entries or "threshold_human_time" in table.entries


OTHER_SLOPE = Interval(0.1, 2.6)
SLOPE_REASON = (
    "how steeply success falls with difficulty is learned for each unit by itself; nothing is "
    "published of this one, so it may be anything up to five times the 0.5 of a doubling, or a "
    "fifth of it"
)


NO_LIMIT = (
    "nothing was said of what an adversary can spend, so the threshold is held against what full "
    "elicitation reaches at any spend, but for levels that state one"
)


def assembled_domain(table: Table, points: bool, assumptions: list[Assumption]) -> DomainSpec:
    """Return a domain with its threshold in the unit and its stakes as losses.

    Without a threshold it has no stakes: it is decided by levels, or together with others.
    """
    table = filled(table, DOMAIN_KEYS, DOMAIN, assumptions)
    if points and decides(table):
        table = filled(table, DOMAIN_KEYS, STAKES, assumptions)
    entries = dict(table.entries)
    if entries["unit"] != DOUBLINGS:
        assumptions.append(Assumption(table.label, "logits per unit", OTHER_SLOPE, SLOPE_REASON))
    if "threshold" in entries or "threshold_human_time" in entries:
        entries = with_stakes(table, entries, points)
        entries = with_threshold(table, entries, entries["unit"], assumptions)
    spec = validated(DomainSpec, Table(table.label, table.where, entries))
    if spec.adversary_spend is None:
        assumptions.append(Assumption(table.label, "adversary_spend", "unlimited", NO_LIMIT))
    if spec.elicitation_gap is None:
        other = "" if spec.minutes else "; taken as if one unit were one doubling"
        reason = f"{spec.population}{other}"
        assumptions.append(Assumption(table.label, "elicitation_gap", spec.gap, reason))
    return spec


def with_stakes(table: Table, entries: dict[str, Any], points: bool) -> dict[str, Any]:
    """Return the entries with the stakes as losses, also where they are a probability."""
    if points:
        for key, rule in (("mitigate_above", inner_share), ("weight", positive)):
            entries[key] = ruled(table, key, rule)
        entries["loss_false_alarm"] = entries["weight"]
        entries["loss_missed"] = entries["weight"] * loss_ratio(entries["mitigate_above"])
    return entries


def with_threshold(
    table: Table, entries: dict[str, Any], unit: str, assumptions: list[Assumption]
) -> dict[str, Any]:
    """Return the entries with the threshold in the unit, also where it was given as human time."""
    if "threshold_human_time" in entries:
        words = entries.pop("threshold_human_time")
        if "threshold" in entries:
            raise table.wrong(
                "the threshold must be given once, got threshold and threshold_human_time; drop one"
            )
        if unit != DOUBLINGS:
            raise table.wrong(
                f"threshold_human_time must go with the unit {DOUBLINGS!r}, got "
                f"{unit!r}; give threshold in that unit instead"
            )
        try:
            entries["threshold"] = threshold_of(words)
        except ValueError as error:
            raise table.wrong(f"threshold_human_time {error}") from None
        if is_working_time(words):
            assumptions.append(
                Assumption(
                    table.label,
                    "hours per working day",
                    HOURS_PER_STAFF_DAY,
                    "task times are working time: a day is 8 hours, a week 40, a month 167",
                )
            )
    elif "threshold" not in entries:
        raise table.wrong(
            "threshold must be given, got nothing; add threshold = ... in the "
            'domain\'s unit, or threshold_human_time = "8 h"'
        )
    return entries
