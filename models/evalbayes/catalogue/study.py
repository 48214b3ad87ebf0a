"""A study: evidence that is no run of an AI model on tasks, with what it reads and what it takes.

An uplift trial, expert red-teaming, an external assessment: each reads the shown or the elicited
capability of a domain, with an error that is stated or follows from how many people take part.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator

from evalbayes.catalogue.assumptions import STUDY, Assumption
from evalbayes.catalogue.decided import LevelSpec
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.catalogue.interval import Interval, Price
from evalbayes.catalogue.quantities import (
    NotNegative,
    Number,
    Positive,
    PositiveCount,
    Share,
    Text,
    YesOrNo,
    hours_by_skill,
)
from evalbayes.catalogue.shared import hours_once
from evalbayes.catalogue.tables import Spec, Table, filled, validated
from evalbayes.names import cure, refuse_other

ERRORS: tuple[list[str], ...] = ([], ["reading_sd"], ["participants", "effect_scale"])


class StudySpec(Spec):
    """One [[study]], all defaults filled in; sds are in the domain's unit."""

    name: Text
    domain: Text
    level: Text | None = None  # at whose threshold it reads capability; None: at the lowest
    effort: Share  # share of the elicitation gap that it reaches: 0 where it reads what is shown
    # All of its error; or what follows from people: participants in each of two arms (at most:
    # fewer are offered too), the units of capability that an effect as large as the sd between
    # participants stands for, and how far it departs from capability however many take part.
    reading_sd: Positive | None = None
    participants: PositiveCount | None = None
    effect_scale: Positive | None = None
    validity_sd: NotNegative | None = None
    # Effect, in those sds, at the threshold: it turns results told as effects into readings.
    effect_at_threshold: Number | None = None
    usd: Price  # a number or a 90 % interval of a lognormal
    usd_per_participant: Price = Interval(0.0, 0.0)
    hours: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]  # as the budget's
    days: NotNegative  # calendar days
    mandatory: YesOrNo = False
    run_by: Text | None = None
    notes: str = ""

    @property
    def lasting_sd(self) -> float:
        """Error that no number of participants takes away."""
        return self.reading_sd or self.validity_sd or 0.0

    def sampling_sd(self, participants: int) -> float:
        """Error that comes of who takes part: effect_scale · √(2/n), n in each arm.

        A difference of two means of n has variance 2σ²/n, and effect_scale units of capability are
        one σ. Where σ is estimated too, an effect of d sds has d²/8 more of it.
        """
        return (self.effect_scale or 0.0) * math.sqrt(2.0 / participants)


STUDY_KEYS = tuple(StudySpec.model_fields)


def assembled_study(
    table: Table,
    domains: Sequence[DomainSpec],
    levels: Sequence[LevelSpec],
    skills: tuple[str, ...],
    assumptions: list[Assumption],
) -> StudySpec:
    """Return a study with every default filled in, and note those that were used."""
    table = filled(table, STUDY_KEYS, STUDY, assumptions)
    entries: dict[str, Any] = dict(table.entries)
    entries["hours"] = hours_once(table, "hours", skills, str(entries.get("domain", "")))
    spec = validated(StudySpec, Table(table.label, table.where, entries))
    known = [each.name for each in domains]
    refuse_other(spec.domain, known, f"{table.where}: its domain must be one of the catalogue's")
    if spec.level is not None:
        own = [each.name for each in levels if each.domain == spec.domain]
        mend = cure if own else lambda *_: "it has no [[level]] tables, so leave level out"
        refuse_other(spec.level, own, f"{table.where}: level must be one of its domain's", mend)
    stated = [key for way in ERRORS for key in way if getattr(spec, key) is not None]
    if stated not in ERRORS[1:]:
        raise table.wrong(
            f"its error must be stated as reading_sd, or as participants and "
            f"effect_scale, got {' and '.join(stated) or 'neither'}; give one of the two whole"
        )
    return spec
