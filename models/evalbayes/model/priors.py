"""Priors that the catalogue does not state, each with where its figure comes from."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from evalbayes.catalogue import Interval
from evalbayes.catalogue.interval import Z95


@dataclass(frozen=True)
class Positive:
    """A positive quantity, lognormal: median, and sd of its logarithm."""

    median: float
    sd_ln: float

    @property
    def mean_ln(self) -> float:
        """Mean of the logarithm."""
        return float(np.log(self.median))


# METR's logistic curves fall by 0.5 to 0.9 logits per doubling of human time; mixing tasks of
# different lengths into one eval flattens them.
SLOPE = Positive(0.5, 0.4)
# Of another unit nothing is known but what its difficulties say: a factor of five either way.
SLOPE_OF_OTHER_UNITS = Positive(0.5, 1.0)
SLOPE_SPREAD = Positive(0.15, 0.5)  # sd of ln slope between AI models: "varying a little"
# sd, in doublings, of eval by AI model departures from capability at the threshold: success on
# suites of equal human time differs by a factor of two or so in horizon, and on suites some
# doublings away by somewhat more. One prior of the total at a distance, shared out: ln odds, mean
# and sd, of the part of a family and of distance against an eval's own. Medians ω 0.7, family 0.4
# and 0.36 per root doubling; 0 to 0.8 per root doubling fit the cyber runs about equally.
DEPARTURE = Positive(1.1, 0.4)
DEPARTURE_AT = 4.0
FAMILY_SHARE = (-1.0, 1.0)
DISTANCE_SHARE = (0.0, 1.5)
# Stated human times are off by a factor of two to ten between suites (estimates, competitions,
# experts): medians 0.07 to 1.0 of expert times in the cyber data.
DIFFICULTY_SPREAD = Positive(1.5, 0.5)
UNKNOWN_DIFFICULTY_SD = 2.5  # nothing known but the domain
SHOWN_MEAN_SD = 3.0  # where the AI models of a domain lie, about the difficulty of its evals
SHOWN_SPREAD = Positive(2.0, 0.5)  # sd between AI models: some years at one to three doublings
# One general factor of AI models in several domains: loading of each, and what is left to it alone.
# Together as wide as SHOWN_SPREAD; correlations of 0.3 to 0.95 between domains.
GENERAL_LOADING = Positive(1.5, 0.5)
SHOWN_OWN_SPREAD = Positive(1.0, 0.5)
LINEAGE_SPREAD = Positive(1.0, 0.5)  # sd of what relatives have in common beside release dates
GAP_SHARED = 0.5  # share of the variance of ln gap that AI models have in common
GAP_POOLED = 0.5  # share of that which domains have in common where no expert said otherwise
GAP_SPREAD = Positive(float(np.exp(-(0.3**2))), 0.3)  # factor on the rest; its square averages 1
GAP_DEPARTURE_SD = Positive(0.5, 0.5)  # sd of the gap between evals
# Distance over which the correlation of ln gap falls to 1/e: no published measurement tells it.
# Below 5 what elicitation adds on tasks of hours says nothing of tasks of days; beyond 12 tasks of
# seconds do.
GAP_RANGE = Positive(9.0, 0.5)
# sd of task difficulty inside an eval, in the unit: attempts at one task correlate by 0.39 to 0.60
# given the task's length (METR's repeats, early 2025, seven AI models with successes), which at the
# slope above takes 4 to 7 units; `attempt_correlation` has the formula.
TASK_SD = Positive(5.0, 0.4)

LN_SPEND_CENTRE_SD = 3.0  # of the typical ln spend in one unit: a factor of 100 either way
SPEND_PER_MINUTES = (0.5, 0.5)  # elasticity of spend to human time, mean and sd: 0 to 1.5
EVAL_LOCATION_SPREAD = Positive(1.0, 0.5)  # sd of ln spend between evals beyond human time
AI_MODEL_LOCATION_SPREAD = Positive(0.6, 0.5)  # between AI models
CELL_LOCATION_SPREAD = Positive(0.4, 0.5)  # between cells beyond both
GAVE_UP_LATER = (0.8, 0.7)  # ln spend of giving up above that of success: mean and sd
GAVE_UP_SPREAD = Positive(0.6, 0.5)  # of it between evals
EFFORT_SPEND = (1.0, 1.0)  # ln spend added by effort 1, mean and sd
SCALE = Positive(1.3, 0.35)  # sd of ln spend inside a cell, 0.4 to 2.1 in the cyber runs
SCALE_SPREAD = Positive(0.3, 0.4)  # sd of its logarithm between evals

SMALLEST_SD = 0.02  # an exact figure is exact to this, so that the sampler can move
SMALLEST_GAP_SHARE = 0.05  # an interval from 0 is read as from this share of its upper end


def gap_prior(interval: Interval) -> tuple[float, float]:
    """Mean and sd of ln gap; an interval that starts at 0 starts at a twentieth of its end."""
    high = max(interval.high, 1e-3)  # no gap at all: a thousandth of a unit
    low = max(interval.low, SMALLEST_GAP_SHARE * high if interval.low < interval.high else high)
    mean, sd = Interval(min(low, high), high).lognormal()
    return mean, max(sd, SMALLEST_SD)


def logit_prior(plateau: Interval) -> tuple[float, float]:
    """Mean and sd of logit A for an expert range of A; ends are kept off 0 and 1."""
    low, high = logit(np.clip([plateau.low, plateau.high], 0.005, 0.995))
    return float((low + high) / 2), float(max((high - low) / (2 * Z95), SMALLEST_SD))
