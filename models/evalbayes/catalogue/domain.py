"""A threat domain: its scale, its threshold, and what is at stake."""

from __future__ import annotations

from evalbayes.catalogue.human_time import DOUBLINGS
from evalbayes.catalogue.interval import AnyInterval, Interval
from evalbayes.catalogue.quantities import Count, InnerShare, OneOrMore, Positive, Text
from evalbayes.catalogue.ranges import NotNegativeInterval
from evalbayes.catalogue.spec import Spec

POPULATION_GAP = Interval(0.2, 2.5)
"""Elicitation gap, in units of a domain, where a catalogue says nothing about it."""

POPULATION_GROWTH = Interval(0.5, 4.0)
"""Growth of shown capability with release date, in units a year, where a catalogue is silent."""


class DomainSpec(Spec):
    """One [[domain]], all defaults filled in.

    Parameters
    ----------
    name, unit
        Its name, and the unit of the capability scale.
    threshold
        Danger threshold of capability, in the unit.
    shown_capability
        Belief about what the AI model under test shows before any new result; None: learned.
    elicitation_gap
        How much more full elicitation would show; None: the population prior, `POPULATION_GAP`.
    growth_per_year
        How much more AI models show per year of release date; used once all have dates; None:
        `POPULATION_GROWTH`.
    loss_missed, loss_false_alarm
        Loss per unit above the threshold when not mitigated, and per unit below it when
        mitigated. USD per unit, or points where the stakes were given as a probability.
    mitigate_above, weight
        The stakes as they were given, if as a probability; else None.
    post_training_gain_per_year
        Units of capability that better elicitation adds per year.
    post_training_overlap
        How far such gains overlap, 1 or more: n years bring n^(1/overlap) times a year's gain, from
        all of them (1) to hardly more than one year's (large).
    min_evals
        Least number of evals to run in the domain.
    notes
        Free text, e.g. sources.
    """

    name: Text
    unit: Text = DOUBLINGS
    threshold: AnyInterval
    shown_capability: AnyInterval | None = None
    elicitation_gap: NotNegativeInterval | None = None
    growth_per_year: AnyInterval | None = None
    loss_missed: Positive
    loss_false_alarm: Positive
    mitigate_above: InnerShare | None = None
    weight: Positive | None = None
    post_training_gain_per_year: NotNegativeInterval
    post_training_overlap: OneOrMore = 1.0
    min_evals: Count = 1
    notes: str = ""

    @property
    def minutes(self) -> bool:
        """Whether the scale is log2 of human task minutes."""
        return self.unit == DOUBLINGS
