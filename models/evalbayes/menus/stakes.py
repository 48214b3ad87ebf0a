"""Decisions of a catalogue, one per domain, about shown capability plus gap plus later gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evalbayes.decision import Decision
from evalbayes.elicitation.post_training import growth

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue, DomainSpec
    from evalbayes.menus.states import States

MONTHS = 12.0


def gain_years(catalogue: Catalogue, domain: DomainSpec) -> float:
    """How many times a year's gain comes before the horizon: years^(1/overlap)."""
    years = catalogue.portfolio.horizon_months / MONTHS
    return float(growth(1.0, years, domain.post_training_overlap))


def decisions_of(catalogue: Catalogue, states: States) -> tuple[Decision, ...]:
    """Return every domain's decision: weight 1 on its shown capability and on its gap.

    Later gain is `post_training_gain_per_year` over the horizon, its years overlapping as
    `post_training_overlap` says. A threshold that is itself uncertain cannot be resolved by evals
    either, so its sd joins that of the later gain.
    """
    decisions = []
    for domain in catalogue.domains:
        years = gain_years(catalogue, domain)
        contrast = np.zeros(len(states.names))
        contrast[states.index_of(f"{domain.name}.shown")] = 1.0
        contrast[states.index_of(f"{domain.name}.gap")] = 1.0
        threshold, threshold_sd = domain.threshold.normal()
        gain, gain_sd = domain.post_training_gain_per_year.normal()
        decisions.append(
            Decision(
                name=domain.name,
                contrast=contrast,
                threshold=threshold,
                loss_missed=domain.loss_missed,
                loss_false_alarm=domain.loss_false_alarm,
                later_gain_mean=gain * years,
                later_gain_sd=float(np.hypot(gain_sd * years, threshold_sd)),
                mitigate_above=domain.mitigate_above,
            )
        )
    return tuple(decisions)
