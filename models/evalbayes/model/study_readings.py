r"""What a study found, as a normal reading of capability at a threshold.

A reading stands as it is told. An effect of d sds between participants reads τ + k·(d − d_τ), with
k the `effect_scale`, τ the threshold and d_τ the `effect_at_threshold`, and with variance
validity_sd² + k²·(1/n₁ + 1/n₀ + d²/(2(n₁ + n₀))) (Hedges and Olkin 1985). Successes in two arms are
an effect of √3/π times their log odds ratio, half a success and a failure added to each (Chinn
2000; Haldane 1956), with variance 3/π² times the sum of the four cells' reciprocals.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from evalbayes.catalogue import Catalogue
from evalbayes.catalogue.study import StudySpec
from evalbayes.errors import InputError
from evalbayes.observations.studies import PEOPLE, WON
from evalbayes.posterior.placing import threshold_places

LOGISTIC = np.sqrt(3.0) / np.pi  # sds of a logistic that a unit of log odds is


def read_by_study(
    row: Mapping[Hashable, Any], spec: StudySpec, catalogue: Catalogue
) -> tuple[float, float, float | None]:
    """Return what a row of results reads, its variance, and at which threshold (None: the first).

    InputError if an effect cannot be turned into capability.
    """
    own = [e.threshold for e in catalogue.levels if (e.domain, e.name) == (spec.domain, spec.level)]
    place = own[0].normal()[0] if own else None
    lasting, scale = spec.lasting_sd**2, spec.effect_scale or 0.0
    if not np.isnan(row["reading"]):
        n = (spec.participants or np.inf if np.isnan(row[key]) else row[key] for key in PEOPLE)
        variance = lasting + scale**2 * sum(1.0 / each for each in n)
        return row["reading"], variance if np.isnan(row["sd"]) else row["sd"] ** 2, place
    thresholds = threshold_places(catalogue, spec.domain) if place is None else [place]
    if not thresholds or spec.effect_at_threshold is None or not scale:
        raise InputError(
            f"study {spec.name!r}: effect_scale and effect_at_threshold must say what an effect "
            "means, got a result told as one; add them, or give the result as reading and sd"
        )
    people = np.array([row[key] for key in PEOPLE])
    effect = row["effect"]
    variance = (1.0 / people).sum() + effect**2 / (2 * people.sum())
    if np.isnan(effect):
        won = np.array([row[key] for key in WON]) + 0.5
        lost = people + 1.0 - won
        effect = LOGISTIC * np.log(won[0] * lost[1] / (won[1] * lost[0]))
        variance = LOGISTIC**2 * (1.0 / won + 1.0 / lost).sum()
    read = thresholds[0] + scale * (effect - spec.effect_at_threshold)
    return float(read), float(lasting + scale**2 * variance), place
