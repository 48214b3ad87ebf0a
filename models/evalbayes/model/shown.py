"""What ties shown capabilities: release dates, relatives, and a general factor over domains.

s[d,m] = mean_d + growth_d·years_m + lineage_{l(m)} + loading_d·g_m + own[d,m], g standard normal.
Two domains correlate by loading_d·loading_e/(σ_d·σ_e), σ² = loading² + own spread²: positive, as
AI models abler in one domain have been abler in the others.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Flags, Index
from evalbayes.halves import EvenNormals
from evalbayes.model import priors
from evalbayes.model.design import Design
from evalbayes.model.layout import Layout


def add_ancestry(design: Design, base: Layout, weights: Array, rows: Index, free: Index) -> None:
    """Let capability rise with release dates and lie near that of relatives, in place.

    `weights` lead from base to the means of the effects; `rows` are of the capabilities without a
    stated prior, `free` their indices.
    """
    domain, model = design.seen_capabilities[free].T
    if design.ancestry.dated:
        weights[rows, base.at("growth", domain)] = design.ancestry.years[model]
    of = design.ancestry.lineage_of[model]
    member = of >= 0
    if member.any():
        n = len(design.seen_lineages)
        index = design.scale_of[domain[member]] * n
        index = index + np.searchsorted(design.seen_lineages, of[member])
        weights[rows[member], base.at("lineage", index)] = 1.0


def general(
    design: Design, base: Layout, x: Any, rows: Index, free: Flags, n_effects: int, xp: Any
) -> Any:
    """Return what the general factor adds to the means of all effects: loading·g, on some rows."""
    domain, model = design.seen_capabilities.T
    loading, factor = np.zeros((2, n_effects), dtype=np.int64)
    counts = np.zeros(n_effects)
    loading[rows] = base.at("general_loading", domain)
    factor[rows] = base.at("general", np.searchsorted(design.seen_models, model))
    counts[rows] = free
    return counts * xp.exp(x[..., loading]) * x[..., factor]


def ancestral(design: Design, seen: Mapping[str, Array], rng: EvenNormals) -> Array:
    """Draw what dates, relatives and the factor say of everyone, (n_draws, n_domains, n_models)."""
    n_draws, n_models = len(seen["validity_sd"]), len(design.ai_models)
    value = np.zeros((n_draws, len(design.domains), n_models))
    ancestry = design.ancestry
    if "growth" in seen:
        value += seen["growth"][:, :, None] * ancestry.years
    if "general" in seen:
        factor = rng.normal(size=(n_draws, n_models))
        factor[:, design.seen_models] = seen["general"]
        value += seen["general_loading"][:, :, None] * factor[:, None, :]
    if len(ancestry.lineages):
        n_scales = len(design.scales)
        spread = seen.get("lineage_spread")
        if spread is None:
            prior = priors.LINEAGE_SPREAD
            spread = np.exp(rng.normal(prior.mean_ln, prior.sd_ln, size=(n_draws, n_scales)))
        lineage = rng.normal(size=(n_draws, n_scales, len(ancestry.lineages)))
        if "lineage" in seen:
            shape = (n_draws, n_scales, len(design.seen_lineages))
            lineage[:, :, design.seen_lineages] = seen["lineage"].reshape(shape)
        member = ancestry.lineage_of >= 0
        own = (spread[:, :, None] * lineage)[:, design.scale_of]
        value[:, :, member] += own[:, :, ancestry.lineage_of[member]]
    return value
