"""The elicitation gap δ: what AI models, domains and the population have in common of it.

ln δ[d,m] = μ_d + σ_d·(√½·c_d + √½·λ·o_{d,m}), with μ_d and σ_d from the catalogue's interval (the
expert's, or the population's), o the AI model's own and λ, near 1, the spread of gaps between AI
models, learned. c_d is the domain's; where no expert gave an interval, domains share half of it,
c_d = √½·p + √½·c′_d, so that elicited runs in one domain tell of the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evalbayes.model import priors
from evalbayes.model.design import Design, Index

OWN, SHARED = np.sqrt(1.0 - priors.GAP_SHARED), np.sqrt(priors.GAP_SHARED)
POOLED = np.sqrt(priors.GAP_POOLED)


def ln_gap(
    design: Design, domain: Index, population: Any, common: Any, spread: Any, offset: Any
) -> Any:
    """Return ln δ of capabilities in `domain`, alike for arrays and graphs.

    Parameters
    ----------
    domain
        Of every capability, of shape (n,).
    population, spread
        p and λ, of shape (..., 1).
    common
        c′ by domain, of shape (..., n_domains).
    offset
        o of every capability, of shape (..., n).
    """
    pooled = np.where(design.gap_stated[domain], 0.0, POOLED)
    own = np.where(design.gap_stated[domain], 1.0, np.sqrt(1.0 - priors.GAP_POOLED))
    shared = pooled * population + own * common[..., domain]
    return design.gap[domain] + design.gap_sd[domain] * (SHARED * shared + OWN * spread * offset)
