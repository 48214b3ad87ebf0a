r"""The elicitation gap δ: what AI models, domains and the population have in common of it.

ln δ_m(h) = μ_d + σ_d·(√½·c_d(h) + √½·λ·o_m(h)), with μ_d and σ_d from the catalogue's interval (the
expert's, or the population's), o the AI model's own and λ, near 1, the spread of gaps between AI
models, learned. c_d is the domain's; where no expert gave an interval, domains share half of it at
their reference, c_d = √½·p + √½·c′_d, so that elicited runs in one domain tell of the others. Along
difficulty h both are stationary, with correlation exp(−distance/ρ) and ρ learned: what elicitation
adds on tasks of seconds says less of tasks of days than of tasks of minutes.
"""

from typing import Any

import numpy as np

from evalbayes.arrays import Index
from evalbayes.model import priors
from evalbayes.model.design import Design
from evalbayes.model.knots import faded

OWN, SHARED = np.sqrt(1.0 - priors.GAP_SHARED), np.sqrt(priors.GAP_SHARED)
POOLED = np.sqrt(priors.GAP_POOLED)


def ln_gap(
    design: Design,
    places: Index,
    population: Any,
    common: Any,
    spread: Any,
    range_: Any,
    offset: Any,
    xp: Any = np,
) -> Any:
    """Return ln δ at places, alike for arrays and graphs, of shape (..., n).

    Places are knot and AI model, (n, 2), sorted, with every knot on the way to the reference.
    `population` and `spread` are p and λ, (..., 1); `common` the innovations of c by knot, c′ at
    the reference, (..., n_knots); `range_` is ρ by unit of capability, (..., n_scales); `offset`
    the innovations of o at the places, (..., n); `xp` numpy or pytensor.tensor.
    """
    knots, (knot, model) = design.knots, places.T
    pooled = np.zeros(len(knots))
    pooled[knots.reference] = np.where(design.gap_stated, 0.0, POOLED)
    innovation = pooled * population + np.sqrt(1.0 - pooled**2) * common
    rho = range_[..., design.scale_of[knots.domain]]
    shared = faded(knots, np.arange(len(knots)), knots.paths.knot, rho, innovation, xp)
    every = places @ [len(design.ai_models), 1]
    way = knots.paths.knot[knot] * len(design.ai_models) + model[:, None]
    own = faded(knots, knot, np.searchsorted(every, way), rho, offset, xp)
    d = knots.domain[knot]
    return design.gap[d] + design.gap_sd[d] * (SHARED * shared[..., knot] + OWN * spread * own)
