"""Derived draws: gap and plateau of all that was seen, worked out in numpy from sampled draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evalbayes.model.design import Design
from evalbayes.model.gap import ln_gap
from evalbayes.model.likelihood import Curves

Array = NDArray[np.float64]
Draws = Mapping[str, Array]


def slopes(named: Draws) -> Array:
    """Slope a of the seen AI models, of shape (..., n_seen_models)."""
    value: Array = named["slope_mean"][..., None] * np.exp(
        named["slope_spread"][..., None] * named["slope_offset"]
    )
    return value


def gaps(design: Design, named: Draws) -> Array:
    """Gap δ of the seen capabilities, of shape (..., n_seen_capabilities)."""
    domain = design.seen_capabilities[:, 0]
    parts = (named[f"gap_{part}"] for part in ("population", "common", "spread", "offset"))
    value: Array = np.exp(ln_gap(design, domain, *parts))
    return value


def difficulties(design: Design, named: Draws) -> Array:
    """Difficulty β of the seen evals, of shape (..., n_seen_evals)."""
    value: Array = (
        design.difficulty[design.seen_evals] + named["difficulty_departure"] @ design.anchor.T
    )
    return value


def plateau_logits(design: Design, named: Draws) -> Array:
    """Logit plateau of every condition, of shape (..., n_conditions)."""
    i, m = design.condition_eval, design.condition_model
    weights = _bearing(design)
    margin = (
        named["shown"] @ weights.T
        - difficulties(design, named)[..., np.searchsorted(design.seen_evals, i)]
        + (named["validity_sd"][..., None] * named["private_offset"])[..., design.condition_pair]
    )
    for k, (family, model) in enumerate(design.seen_families):
        member = (design.family_of[i] == family) & (m == model)
        margin[..., member] += (named["family_sd"] * named["family_offset"][..., k])[..., None]
    if design.elicited:
        departure = named["gap_departure_sd"][..., None] * named["gap_departure_offset"]
        gap = gaps(design, named) @ weights.T + departure[..., design.condition_pair]
        margin = margin + design.effort * gap
    value: Array = slopes(named)[..., np.searchsorted(design.seen_models, m)] * margin
    return value


def _bearing(design: Design) -> Array:
    """Return the loadings of every condition on the seen capabilities, (n_conditions, n)."""
    domain, model = design.seen_capabilities.T
    weights: Array = design.loadings[design.condition_eval][:, domain] * (
        design.condition_model[:, None] == model
    )
    return weights


def curves_of(design: Design, named: Draws) -> Curves:
    """Curve parameters of every condition, of shape (..., n_conditions)."""
    of = np.searchsorted(design.seen_evals, design.condition_eval)
    return Curves(
        plateau_logits(design, named),
        named["success_location"],
        named["success_scale"][..., of],
        named["gave_up_location"],
        named["gave_up_scale"][..., of],
    )
