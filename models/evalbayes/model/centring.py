"""Centring: which margins of pairs are sampled themselves, and which by their departures.

A margin is s + f + u − β, u ~ N(0, ω²). Where runs hardly tell it, u/ω is sampled, which data leave
alone. Where they tell it far better than ω does, every u would have to follow all that margins are
summed from: there the margin is sampled, and u is what is left (Papaspiliopoulos, Roberts & Sköld
2007, A general framework for the parametrization of hierarchical models).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalbayes.model.evidence import Evidence

# Successes and runs that gave up, n₁n₀/(n₁ + n₀): a logit told to 0.13, some 0.2 doublings, which
# is a quarter of a typical ω. The largest of the cyber runs have 30.
TELLING = 60.0


def well_told(evidence: Evidence, pair: NDArray[np.int64], n_pairs: int) -> NDArray[np.bool_]:
    """Pairs whose runs tell the plateau so well that their margins are sampled, (n_pairs,).

    Parameters
    ----------
    evidence
        Its successes and runs that gave up count.
    pair
        Eval by AI model pair of every condition.
    n_pairs
        How many there are.
    """
    won, lost = (
        np.bincount(pair, weights=number, minlength=n_pairs)
        for number in (evidence.n_success, evidence.n_gave_up)
    )
    value: NDArray[np.bool_] = (won * lost >= TELLING * (won + lost)) & (won > 0)
    return value
