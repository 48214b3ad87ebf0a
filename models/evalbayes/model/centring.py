"""Centring: whether a quantity is sampled itself, or its departure from what is expected.

A margin is s + f + u − β, u ~ N(0, ω²), the location of spend in a cell that of its eval and AI
model with a departure, a capability that of the population with one. Where runs hardly tell it,
the departure over its sd is sampled, which data leave alone. Where they tell it far better than
the sd does, every departure would have to follow all that it is summed from: there the quantity
is sampled, and the departure is what is left (Papaspiliopoulos, Roberts & Sköld 2007, A general
framework for the parametrization of hierarchical models).
"""

from typing import Any

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.model.evidence import Evidence

# Successes and runs that gave up, n₁n₀/(n₁ + n₀): a logit told to 0.13, some 0.2 doublings, which
# is a quarter of a typical ω. The largest of the cyber runs have 30.
TELLING = 60.0


def told(evidence: Evidence, pair: Index, n_pairs: int) -> Array:
    """Which cells are sampled themselves (1, else 0): by condition twice, and by pair.

    Locations of successes with known spends, and of runs that gave up; then margins of pairs whose
    plateau many runs tell.
    """
    ended = evidence.ended
    won, lost = (
        np.bincount(pair, weights=number, minlength=n_pairs)
        for number in (ended.n_success, ended.n_gave_up)
    )
    margins = (won * lost >= TELLING * (won + lost)) & (won > 0)
    return np.concatenate([ended.n_success > 0, ended.n_gave_up > 0, margins]) * 1.0


def located(told: Array, mean: Any, ln_sd: Any, sampled: Any, xp: Any) -> Any:
    """Quantities N(mean, sd²) from what is sampled of them, N(told·mean, sd^(2·told)).

    `told` is 1 where the quantity itself is sampled, 0 where its departure over its sd is, between
    them where both would be told too well or too weakly; `xp` is numpy or pytensor.tensor.
    """
    return mean + xp.exp((1.0 - told) * ln_sd) * (sampled - told * mean)
