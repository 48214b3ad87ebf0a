r"""How far an eval's reading departs from capability at the threshold, shared out over its causes.

With T² = ω² + φ² + σ_W²·Δ₀, the variance of an eval Δ₀ from the threshold, the private error has
the share 1/(1 + e^f + e^w) of it, the family's e^f/(...) and distance e^w/(...): few contrasts tell
these apart, so that each with a prior of its own would count the same departure three times. The
base holds ln T, f and w where ln ω, ln φ and ln σ_W belong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evalbayes.arrays import Array
from evalbayes.model.layout import Layout
from evalbayes.model.priors import DEPARTURE_AT

PARTS = ("validity_sd", "family_sd", "walk_sd")


def shared_out(base: Layout, x: Any, xp: Any) -> Any:
    """Put ln ω, ln φ and ln σ_W in place of ln T, f and w in base vectors, of shape (..., n_base).

    Parameters
    ----------
    base
        Layout of the base, where the three follow one another.
    x
        Base vectors as they are sampled.
    xp
        numpy or pytensor.tensor.
    """
    start, stop = base.spans[PARTS[0]][0], base.spans[PARTS[-1]][1]
    total, family, walk = (x[..., slice(*base.spans[name][:2])] for name in PARTS)
    private = total - xp.log(1.0 + xp.exp(family) + xp.exp(walk)) / 2.0
    sds = [private, private + family / 2.0, private + walk / 2.0 - np.log(DEPARTURE_AT) / 2.0]
    return xp.concatenate([x[..., :start], *sds, x[..., stop:]], axis=-1)


def sampled(named: Mapping[str, Array]) -> dict[str, Array]:
    """Return ln T, f and w of draws of ω, φ and σ_W, under the names of these."""
    private, family, walk = (np.log(named[name]) for name in PARTS)
    walk = walk + np.log(DEPARTURE_AT) / 2.0
    total = np.logaddexp.reduce([2.0 * private, 2.0 * family, 2.0 * walk]) / 2.0
    return dict(zip(PARTS, (total, 2.0 * (family - private), 2.0 * (walk - private)), strict=True))
