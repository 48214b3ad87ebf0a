"""Decisions of a catalogue, about shown capability plus gap plus later gain of their domains."""

import numpy as np

from evalbayes.catalogue import Catalogue, DomainSpec
from evalbayes.decision import Decision
from evalbayes.elicitation.adversary import capability_within, in_line
from evalbayes.elicitation.post_training import growth
from evalbayes.menus.states import States
from evalbayes.posterior.placing import threshold_places
from evalbayes.posterior.posterior import Posterior

MONTHS = 12.0


def gain_years(catalogue: Catalogue, domain: DomainSpec) -> float:
    """How many times a year's gain comes before the horizon: years^(1/overlap)."""
    years = catalogue.portfolio.horizon_months / MONTHS
    return float(growth(1.0, years, domain.post_training_overlap))


def decisions_of(
    catalogue: Catalogue, states: States, posterior: Posterior
) -> tuple[Decision, ...]:
    """Return every decision: its domains' weights on their shown capabilities and on their gaps.

    Where an adversary has a budget it is about what they reach, `evalbayes.elicitation.adversary`:
    of that the line on shown capability and gap, whose constant and departures join the later gain.

    A level weighs both at its own threshold, a decision over several domains at their first ones.
    Later gain is `post_training_gain_per_year` over the horizon, its years overlapping as
    `post_training_overlap` says. A threshold that is itself uncertain cannot be resolved by evals
    either, so its sd joins that of the later gain.
    """
    decisions = []
    for spec in catalogue.decisions:
        contrast = np.zeros(len(states.names))
        threshold, threshold_sd = spec.threshold.normal()
        mean, variance, held = 0.0, threshold_sd**2, []
        for name, weight in spec.weights.items():
            domain = catalogue.domain(name)
            years = gain_years(catalogue, domain)
            alone = threshold if len(spec.weights) == 1 else None
            at = states.at_threshold(name, alone)
            parts = [states.index_of(at, part) for part in ("shown", "gap")]
            adversary, lines = catalogue.adversary(spec.name, name), np.ones(2)
            if adversary is not None:
                shown, gap = states.draws[:, parts].T
                within = capability_within(posterior, catalogue, adversary, shown, gap)
                own = threshold_places(catalogue, name) if alone is None else [alone]
                near = next(iter(own), float(within.mean()))
                lines, constant, apart = in_line(within, shown, gap, near)
                mean, variance = mean + weight * constant, variance + weight**2 * apart
                held.append(f"{adversary}" + f" in {name}" * (len(spec.weights) > 1))
            contrast[parts] = weight * lines
            gain, gain_sd = domain.post_training_gain_per_year.normal()
            mean += weight * lines[0] * gain * years
            variance += (weight * lines[0] * gain_sd * years) ** 2
        decisions.append(
            Decision(
                name=spec.name,
                contrast=contrast,
                threshold=threshold,
                loss_missed=spec.loss_missed,
                loss_false_alarm=spec.loss_false_alarm,
                later_gain_mean=mean,
                later_gain_sd=float(np.sqrt(variance)),
                mitigate_above=spec.mitigate_above,
                held_against=" and ".join(held),
            )
        )
    return tuple(decisions)
