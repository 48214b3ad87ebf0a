"""What is decided: one threshold of a domain, several levels of it, or several domains at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from evalbayes.catalogue.assumptions import STAKES, Assumption
from evalbayes.catalogue.domain import DomainSpec, implied_probability, with_stakes, with_threshold
from evalbayes.catalogue.eval import EvalSpec
from evalbayes.catalogue.human_time import DOUBLINGS
from evalbayes.catalogue.interval import AnyInterval, Interval
from evalbayes.catalogue.quantities import InnerShare, Positive, PositiveCount, Text, not_negative
from evalbayes.catalogue.tables import Spec, Table, filled, ruled, validated
from evalbayes.errors import InputError
from evalbayes.names import refuse_other

EXAMPLE = "write weights = {cyber = 0.5, autonomy = 0.5}"
SUM = 1e-6  # by how much weights may miss 1 and still be said to sum to it


def weights_above_0(value: Any) -> dict[str, float]:
    """Return weights of two domains or more, each above 0; those of 0 do not count.

    >>> weights_above_0({"cyber": 0.5, "autonomy": 0.5, "bio": 0})
    {'cyber': 0.5, 'autonomy': 0.5}
    >>> weights_above_0({"cyber": 0.5, "autonomy": -1})
    Traceback (most recent call last):
    ValueError: of 'autonomy' must be 0 or more, got -1; leave it out where it is not known
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a weight for each domain, got {value!r}; {EXAMPLE}")
    found = {}
    for name, weight in value.items():
        try:
            found[str(name)] = not_negative(weight)
        except ValueError as error:
            raise ValueError(f"of {str(name)!r} {error}") from None
    above = {name: weight for name, weight in found.items() if weight > 0}
    if len(above) < 2:
        raise ValueError(
            f"must give two domains or more a weight above 0, got {len(above)}; {EXAMPLE}, or "
            "decide a domain by its own threshold or [[level]] tables"
        )
    return above


class DecisionSpec(Spec):
    """One call, mitigate or not: of a domain, of a level of it, or of several domains."""

    name: Text  # its domain's, the domain's with the level's, or its own
    weights: dict[str, float]  # by domain: y is their weighted capability; 1 on one in most
    unit: Text  # of y
    threshold: AnyInterval  # danger threshold of y
    loss_missed: Positive  # this and what follows as a domain's, per unit of y
    loss_false_alarm: Positive
    mitigate_above: InnerShare | None = None
    weight: Positive | None = None
    notes: str = ""

    @property
    def minutes(self) -> bool:
        """Whether y is log2 of human task minutes."""
        return self.unit == DOUBLINGS

    @property
    def level(self) -> str:
        """Which of its domain's levels it is about, "" where the domain has one threshold."""
        domain, *others = self.weights
        return "" if others or self.name == domain else self.name.removeprefix(f"{domain}, ")

    @property
    def rule(self) -> float:
        """The probability of exceeding above which to mitigate, as stated or as losses imply it."""
        if self.mitigate_above is not None:
            return self.mitigate_above
        return implied_probability(self.loss_missed / self.loss_false_alarm)


class LevelSpec(Spec):
    """One [[level]] of a domain, such as "High" or "Critical": a decision of its own.

    Levels are given from the least severe up, so that thresholds rise.
    """

    domain: Text
    name: Text
    threshold: AnyInterval  # this and what follows as a domain's
    loss_missed: Positive
    loss_false_alarm: Positive
    mitigate_above: InnerShare | None = None
    weight: Positive | None = None
    adversary_spend: Positive | None = None  # this and the next: the domain's where not given
    adversary_attempts: PositiveCount | None = None
    notes: str = ""

    @property
    def decision(self) -> str:
        """What its decision is called: "cyber, Critical"."""
        return f"{self.domain}, {self.name}"


LEVEL_KEYS = (*LevelSpec.model_fields, "threshold_human_time")
DECISION_KEYS = (*DecisionSpec.model_fields, "threshold_human_time")


def assembled_level(
    table: Table, domains: Sequence[DomainSpec], points: bool, assumptions: list[Assumption]
) -> LevelSpec:
    """Return a level with its threshold in its domain's unit and its stakes as losses."""
    table = filled(table, LEVEL_KEYS, STAKES if points else (), assumptions)
    names = [spec.name for spec in domains]
    name = table.entries.get("domain")
    if name is None:
        raise table.wrong("domain must be given, got nothing; add domain = ...")
    refuse_other(name, names, f"{table.where}: domain must be one of the catalogue's")
    domain = domains[names.index(str(name))]
    entries = with_stakes(table, dict(table.entries), points)
    entries = with_threshold(table, entries, domain.unit, assumptions)
    return validated(LevelSpec, Table(table.label, table.where, entries))


def assembled_decision(
    table: Table, domains: Sequence[DomainSpec], points: bool, assumptions: list[Assumption]
) -> DecisionSpec:
    """Return a decision over several domains, with its unit and threshold.

    Without a threshold of its own it is that of its domains: Σ w·τ, so that y less the threshold
    is what the domains exceed theirs by, weighted.
    """
    table = filled(table, DECISION_KEYS, STAKES if points else (), assumptions)
    if "weights" not in table.entries:
        raise table.wrong(f"weights must be given, got nothing; {EXAMPLE}")
    weights = ruled(table, "weights", weights_above_0)
    known = {spec.name: spec for spec in domains}
    for name in weights:
        refuse_other(name, known, f"{table.where}: weights must be on domains of the catalogue")
    entries = with_stakes(table, {**table.entries, "weights": weights}, points)
    units = sorted({known[name].unit for name in weights})
    if "unit" not in entries:
        if len(units) > 1:
            raise table.wrong(
                f"weights must be on domains of one unit, got {' and '.join(units)};"
                " give unit = ..., what the weighted sum is counted in, or make two decisions"
            )
        entries["unit"] = units[0]
    total = sum(weights.values())
    if "threshold_human_time" in entries and abs(total - 1) > SUM:
        raise table.wrong(
            f"threshold_human_time must go with weights that sum to 1, got "
            f"{total:g}; divide them by that, or give threshold in the unit"
        )
    if not {"threshold", "threshold_human_time"} & set(entries):
        mean = variance = 0.0  # Σ w·τ of domains' own thresholds, as unsure as they are together
        for name, weight in weights.items():
            threshold = known[name].threshold
            if threshold is None:
                raise table.wrong(
                    f"threshold must be given, got nothing, and {name!r} has no "
                    "single threshold of its own; add threshold = ... of the weighted capability"
                )
            mean += weight * threshold.mid
            variance += (weight * (threshold.high - threshold.low) / 2) ** 2
        entries["threshold"] = Interval(mean - math.sqrt(variance), mean + math.sqrt(variance))
    entries = with_threshold(table, entries, entries["unit"], assumptions)
    return validated(DecisionSpec, Table(table.label, table.where, entries))


def decisions_of(
    domains: Sequence[DomainSpec], levels: Sequence[LevelSpec], joint: Sequence[DecisionSpec]
) -> tuple[DecisionSpec, ...]:
    """Return all that is decided: domain by domain, levels from the lowest up, then the joint."""
    found = []
    for domain in domains:
        own: list[LevelSpec | DomainSpec] = [each for each in levels if each.domain == domain.name]
        for spec in own or [domain]:
            if spec.threshold is None:
                continue  # decided together with other domains only
            name = spec.decision if isinstance(spec, LevelSpec) else domain.name
            kept = ("threshold", "loss_missed", "loss_false_alarm", "mitigate_above", "weight")
            found.append(
                DecisionSpec(
                    name=name,
                    weights={domain.name: 1.0},
                    unit=domain.unit,
                    **{key: getattr(spec, key) for key in kept},
                )
            )
    return (*found, *joint)


def check_levels(levels: Sequence[LevelSpec], tables: Sequence[Table]) -> None:
    """Refuse a level whose threshold is not above that of the one before it."""
    before: dict[str, LevelSpec] = {}
    for level, table in zip(levels, tables, strict=True):
        lower = before.get(level.domain)
        if lower is not None and level.threshold.mid <= lower.threshold.mid:
            raise table.wrong(
                f"thresholds must rise from level to level of {level.domain!r}, got "
                f"{level.threshold.mid:.3g} after {lower.threshold.mid:.3g} of {lower.name!r}; "
                "give levels from the least severe up, each with a threshold of its own"
            )
        before[level.domain] = level


def crossings(decisions: Sequence[DecisionSpec]) -> list[tuple[DecisionSpec, DecisionSpec]]:
    """Return pairs of levels (lower, higher) whose stakes let the higher alone be mitigated.

    The higher is exceeded no likelier than the lower, so it is never mitigated alone where its
    probability p* is no lower and both thresholds are equally sure. For losses that is as true:
    the loss of missing falls and that of a false alarm rises with the threshold.
    """
    found = []
    for k, lower in enumerate(decisions):
        for higher in decisions[k + 1 :]:
            alike = lower.weights == higher.weights and len(lower.weights) == 1
            wider = abs(lower.threshold.normal()[1] - higher.threshold.normal()[1]) > SUM
            if alike and (higher.rule < lower.rule * (1 - SUM) or wider):
                found.append((lower, higher))
    return found


@dataclass(frozen=True)
class Adversary:
    """What an adversary may spend in a domain; None: without limit."""

    domain: str  # whose threshold is meant
    spend: float | None  # spend, unit: spend per attempt, and its unit
    unit: str
    usd: float | None  # the same in USD, at the middle price of the domain's evals of that unit
    attempts: int | None  # how many they make, the best of which counts

    def __str__(self) -> str:
        k = self.attempts
        many = "" if k is None else f"{k:,} attempt{'s' * (k > 1)}"
        if self.spend is None:
            return f"{many} at any spend"
        amount = f"{self.spend:,.0f}" if 100 <= self.spend < 1e12 else f"{self.spend:g}"
        amount = f"${amount}" if self.unit == "usd" else f"{amount} {self.unit}"
        return f"{many} at up to {amount} each" if many else f"up to {amount} an attempt"


def adversary_of(
    spec: DomainSpec, level: LevelSpec | None, evals: Sequence[EvalSpec], where: str
) -> Adversary | None:
    """Return who a domain's threshold, or a level of it, is held against; None: without limit."""
    spend, attempts = spec.adversary_spend, spec.adversary_attempts
    if level is not None:
        spend, attempts = level.adversary_spend or spend, level.adversary_attempts or attempts
    if attempts is not None and not spec.adversary_verifier:
        raise InputError(
            f"{where}: adversary_attempts must go with adversary_verifier = true, got "
            f"{attempts} attempts of one who cannot tell a success; set it in the domain, or drop "
            "adversary_attempts"
        )
    if spend is None:
        if spec.adversary_spend_unit is not None:
            raise InputError(
                f"{where}: adversary_spend_unit must go with adversary_spend, got "
                f"{spec.adversary_spend_unit!r} alone; add adversary_spend = ..., or drop it"
            )
        return None if attempts is None else Adversary(spec.name, None, "usd", None, attempts)
    own = [each for each in evals if each.domain == spec.name]
    units = sorted({each.spend_unit for each in own})
    unit = spec.adversary_spend_unit or (units[0] if len(units) == 1 else None)
    if unit is None or unit not in (*units, "usd"):
        known = " and ".join(units) or "none, as it has no evals"
        raise InputError(
            f"{where}: adversary_spend must be in usd or a unit of the domain's evals ({known}), "
            f'got {unit or "none"}; write adversary_spend_unit = "usd" or one of those'
        )
    if not own:
        raise InputError(
            f"{where}: adversary_spend must go with evals whose runs say what tasks take, got none "
            "in the domain; add an eval, or drop it"
        )
    prices = [each.usd_per_unit.mid for each in own if each.spend_unit == unit]
    price = 1.0 if unit == "usd" else median(prices)
    return Adversary(spec.name, spend, unit, spend * price, attempts)
