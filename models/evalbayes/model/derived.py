"""Derived draws: gap and plateau of all that was seen, worked out in numpy from sampled draws."""

from collections.abc import Mapping

import numpy as np

from evalbayes.arrays import Array
from evalbayes.model.design import Design
from evalbayes.model.gap import ln_gap
from evalbayes.model.likelihood import Curves

Draws = Mapping[str, Array]


def slopes(design: Design, named: Draws) -> Array:
    """Slope a of the seen AI models in every unit, of shape (..., n_seen_slopes)."""
    scale = design.seen_slopes[:, 0]
    return named["slope_mean"][..., scale] * np.exp(
        named["slope_spread"][..., scale] * named["slope_offset"]
    )


def gaps(design: Design, named: Draws) -> Array:
    """Gap δ at the places of the design, of shape (..., n_places)."""
    names = ("population", "common", "spread", "range", "offset")
    parts = (named[f"gap_{part}"] for part in names)
    value: Array = np.exp(ln_gap(design, design.places, *parts))
    return value


def capabilities(design: Design, named: Draws) -> Array:
    """Shown capability s at the places of the design, of shape (..., n_places)."""
    scale = design.scale_of[design.knots.domain[design.walking[:, 0]]]
    walk = named["walk_sd"][..., scale] * named["walk"]
    return named["shown"][..., design.capability_of] + walk @ design.walks.T


def difficulties(design: Design, named: Draws) -> Array:
    """Difficulty β of the seen evals, of shape (..., n_seen_evals)."""
    return design.difficulty[design.seen_evals] + named["difficulty_departure"] @ design.anchor.T


def plateau_logits(design: Design, named: Draws) -> Array:
    """Logit plateau of every condition, of shape (..., n_conditions)."""
    private = named["validity_sd"][..., design.pair_scale] * named["private_offset"]
    margin = (expected_margins(design, named) + private)[..., design.condition_pair]
    if design.elicited:
        sd = named["gap_departure_sd"][..., design.pair_scale]
        departure = sd * named["gap_departure_offset"]
        gap = gaps(design, named) @ design.bearing.T + departure
        margin = margin + design.effort * gap[..., design.condition_pair]
    return slopes(design, named)[..., design.condition_slope] * margin


def expected_margins(design: Design, named: Draws) -> Array:
    """Margin s + f − β of every pair at effort 0, without its own u, of shape (..., n_pairs)."""
    i, m = design.pair_eval, design.pair_model
    difficulty = difficulties(design, named)[..., np.searchsorted(design.seen_evals, i)]
    margin: Array = capabilities(design, named) @ design.bearing.T - difficulty
    scale = design.family_scale[design.seen_families[:, 0]]
    error = named["family_sd"][..., scale] * named["family_offset"]
    for k, (family, model) in enumerate(design.seen_families):
        member = (design.family_of[i] == family) & (m == model)
        margin[..., member] += error[..., k, None]
    return margin


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
