"""Post-training gains until the decision's horizon; nothing is ever seen of them."""

from __future__ import annotations

import numpy as np

from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.predictive.predictive import Predictive

MODEL = "gains"
MONTHS = 12.0


def prior(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Gain of better elicitation by domain, in its unit, one figure per unit."""
    from evalbayes.elicitation.post_training import growth
    from evalbayes.summaries.capability import later_gain

    months = catalogue.portfolio.horizon_months
    by_unit: dict[str, dict[str, np.ndarray]] = {}
    for spec in catalogue.domains:
        rate = later_gain(catalogue, spec, n_draws, rng)
        gain = growth(rate, months / MONTHS, spec.post_training_overlap)
        by_unit.setdefault("doublings" if spec.minutes else spec.unit, {})[spec.name] = gain
    return [
        Predictive(
            MODEL,
            f"gain in {months:g} months, {unit}",
            tuple(gains),
            np.stack([*gains.values()], axis=1),
            np.full(len(gains), np.nan),
        )
        for unit, gains in by_unit.items()
    ]
