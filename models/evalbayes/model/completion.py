"""Completion: draws of all that nothing was seen of, from their prior given what was learned."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.halves import EvenNormals
from evalbayes.model import priors
from evalbayes.model.design import Design
from evalbayes.model.gap import ln_gap
from evalbayes.model.layout import base_layout, shared_out
from evalbayes.model.shown import ancestral

Draws = Mapping[str, Array]


def completed(design: Design, seen: Draws, seed: int) -> dict[str, Array]:
    """Return draws of every quantity of `Posterior`, of shape (n_draws, ...).

    `seen` are draws of what the sampler saw, flattened to (n_draws, ...); without evidence it is
    empty and everything is prior.
    """
    rng = EvenNormals(np.random.default_rng(seed))
    n_draws = len(seen["validity_sd"])
    slope = _slopes(design, seen, rng)
    shown = _shown(design, seen, rng)
    gap, departure, departure_sd, gap_range = _gaps(design, seen, n_draws, rng)
    family_error, private_error = _errors(design, seen, rng)
    difficulty = _difficulty(design, seen, slope, shown, rng)
    return {
        "shown": shown,
        "gap": gap,
        "slope": slope[:, design.scale_of],
        "difficulty": difficulty,
        "family_error": family_error,
        "private_error": private_error,
        "validity_sd": seen["validity_sd"][:, design.scale_of],
        "family_sd": seen["family_sd"][:, design.scale_of],
        "walk_sd": seen["walk_sd"][:, design.scale_of],
        "gap_range": gap_range[:, design.scale_of],
        "gap_departure": departure,
        "gap_departure_sd": departure_sd[:, design.scale_of],
        **_spends(design, seen, rng),
        "task_sd": _lognormal(priors.TASK_SD, (n_draws, len(design.evals)), rng),
    }


def prior_base(design: Design, n_draws: int, seed: int) -> dict[str, Array]:
    """Draws of all with a constant prior, by name, for a fit with no evidence at all."""
    base = base_layout(design)
    rng = EvenNormals(np.random.default_rng(seed))
    vector = rng.normal(np.asarray(base.mean), np.asarray(base.sd), size=(n_draws, len(base)))
    return base.named(shared_out(base, vector, np))


def _known(drawn: Array, seen: Draws, name: str, *at: Index) -> Array:
    """Put what was seen of a quantity among prior draws of it all, at these places, if any was."""
    places: Any = (slice(None), *at)
    if name in seen:
        drawn[places] = seen[name]
    return drawn


def _lognormal(prior: priors.Positive, shape: tuple[int, ...], rng: EvenNormals) -> Array:
    return np.exp(rng.normal(prior.mean_ln, prior.sd_ln, size=shape))


def _slopes(design: Design, seen: Draws, rng: EvenNormals) -> Array:
    """Slope of every AI model by unit of capability, (n_draws, n_scales, n_models)."""
    n_draws = len(seen["validity_sd"])
    every = rng.normal(size=(n_draws, len(design.scales), len(design.ai_models)))
    offset = _known(every, seen, "slope_offset", *design.seen_slopes.T)
    return seen["slope_mean"][:, :, None] * np.exp(seen["slope_spread"][:, :, None] * offset)


def _shown(design: Design, seen: Draws, rng: EvenNormals) -> Array:
    n_draws = len(seen["validity_sd"])
    shape = (n_draws, len(design.domains), len(design.ai_models))
    shown = seen["shown_mean"][:, :, None] + seen["shown_spread"][:, :, None] * rng.normal(
        size=shape
    )
    shown += ancestral(design, seen, rng)
    for d in np.flatnonzero(np.isfinite(design.shown)):
        shown[:, d, design.under_test] = rng.normal(
            design.shown[d], design.shown_sd[d], size=n_draws
        )
    # Shown capability at every knot from where it is told, (n_draws, n_knots, n_models)
    told = _known(shown, seen, "shown", *design.seen_capabilities.T)
    knots, (n_draws, _, n_models) = design.knots, told.shape
    step = np.sqrt(knots.step)[:, None]
    increment = step * rng.normal(size=(n_draws, len(knots), n_models))
    increment = _known(increment, seen, "walk", *design.walking.T)
    increment *= seen["walk_sd"][:, design.scale_of[knots.domain], None]
    walked = np.stack(
        [increment[:, knots.path(k)[:-1]].sum(axis=1) for k in range(len(knots))], axis=1
    )
    since = told - walked[:, design.anchor_knots, np.arange(n_models)]
    value: Array = since[:, knots.domain] + walked
    return value


def _gaps(
    design: Design, seen: Draws, n_draws: int, rng: EvenNormals
) -> tuple[Array, Array, Array, Array]:
    """Gap δ at every knot, departure η, its sd κ and the range ρ."""
    n_knots, n_models = len(design.knots), len(design.ai_models)
    population, common = rng.normal(size=(n_draws, 1)), rng.normal(size=(n_draws, n_knots))
    spread = _lognormal(priors.GAP_SPREAD, (n_draws, 1), rng)
    range_ = _lognormal(priors.GAP_RANGE, (n_draws, len(design.scales)), rng)
    offset = rng.normal(size=(n_draws, n_knots, n_models))
    sd = _lognormal(priors.GAP_DEPARTURE_SD, (n_draws, len(design.scales)), rng)
    departure = rng.normal(size=(n_draws, len(design.evals), n_models))
    if design.elicited:
        population, common = seen["gap_population"], seen["gap_common"]
        spread, sd = seen["gap_spread"], seen["gap_departure_sd"]
        range_ = seen["gap_range"]
    offset = _known(offset, seen, "gap_offset", *design.places.T)
    pairs = design.pair_eval, design.pair_model
    departure = _known(departure, seen, "gap_departure_offset", *pairs)
    every = np.stack(np.divmod(np.arange(n_knots * n_models), n_models), axis=1)
    innovations = offset.reshape(n_draws, n_knots * n_models)
    ln_gaps = ln_gap(design, every, population, common, spread, range_, innovations)
    gap = np.exp(ln_gaps).reshape(n_draws, n_knots, n_models)
    return gap, departure * sd[:, design.eval_scale, None], sd, range_


def _errors(design: Design, seen: Draws, rng: EvenNormals) -> tuple[Array, Array]:
    """Family error f and private error u."""
    n_draws = len(seen["validity_sd"])
    family = rng.normal(size=(n_draws, len(design.families), len(design.ai_models)))
    private = rng.normal(size=(n_draws, len(design.evals), len(design.ai_models)))
    family = _known(family, seen, "family_offset", *design.seen_families.T)
    private = _known(private, seen, "private_offset", design.pair_eval, design.pair_model)
    return (
        family * seen["family_sd"][:, design.family_scale, None],
        private * seen["validity_sd"][:, design.eval_scale, None],
    )


def _difficulty(design: Design, seen: Draws, slope: Array, shown: Array, rng: EvenNormals) -> Array:
    """Difficulty β: seen, or stated, or implied by an expert's plateau, or the last two weighed."""
    n_draws, n_evals = len(seen["validity_sd"]), len(design.evals)
    learned = np.isnan(design.difficulty_sd)
    spread = seen["difficulty_spread"][:, design.eval_scale]
    sd = np.where(learned, spread, np.nan_to_num(design.difficulty_sd))
    difficulty = design.difficulty + sd * rng.normal(size=(n_draws, n_evals))
    is_seen = np.isin(np.arange(n_evals), design.seen_evals)
    for i in np.flatnonzero(np.isfinite(design.plateau) & ~is_seen):
        difficulty[:, i] = _expert_difficulty(design, seen, slope, shown, int(i), rng)
    if is_seen.any():
        rows = design.seen_evals
        difficulty[:, rows] = design.difficulty[rows] + (
            seen["difficulty_departure"] @ design.anchor.T
        )
    return difficulty


def _expert_difficulty(
    design: Design, seen: Draws, slope: Array, shown: Array, i: int, rng: EvenNormals
) -> Array:
    """Difficulty of an unseen eval for which an expert gave the plateau of the AI model under test.

    The range is about logit A = a(s − β + f + u), so what it says of β is as wide as gives the
    range back together with the other terms, and exact where these alone are wider: then A is
    wider than the range, as the capability prior says no less. Where a difficulty is stated too,
    the two are weighed by precision.
    """
    scale = design.eval_scale[i]
    a = slope[:, scale, design.under_test].mean()
    s = shown[:, :, design.under_test] @ design.knots.reach[i]
    other = s.var() + (seen["validity_sd"][:, scale] ** 2).mean()
    if design.family_of[i] >= 0:
        other += (seen["family_sd"][:, scale] ** 2).mean()
    implied = s.mean() - design.plateau[i] / a
    total = (design.plateau_sd[i] / a) ** 2
    implied_var = max(total - other, priors.SMALLEST_SD**2)
    if design.difficulty_sd[i] == priors.UNKNOWN_DIFFICULTY_SD:
        return rng.normal(implied, np.sqrt(implied_var), size=len(s))
    stated_var = (
        (seen["difficulty_spread"][:, scale] ** 2).mean()
        if np.isnan(design.difficulty_sd[i])
        else design.difficulty_sd[i] ** 2
    )
    weight = stated_var / (stated_var + implied_var)
    mean = weight * implied + (1.0 - weight) * design.difficulty[i]
    return rng.normal(mean, np.sqrt(weight * implied_var), size=len(s))


def _spends(design: Design, seen: Draws, rng: EvenNormals) -> dict[str, Array]:
    """Locations and scales of ln spend, at effort 0."""
    n_draws, n_evals, n_models = len(seen["cell_spread"]), len(design.evals), len(design.ai_models)
    rows, shape = design.seen_evals, (n_draws, n_evals)
    typical = (
        seen["spend_centre"][:, design.unit_of]
        + seen["spend_per_minutes"][:, None] * design.ln_minutes
        + seen["eval_spread"][:, None] * rng.normal(size=shape)
    )
    expert = np.isfinite(design.location) & ~np.isin(np.arange(n_evals), rows)
    mean, sd = np.nan_to_num(design.location), np.nan_to_num(design.location_sd, nan=1.0)
    typical[:, expert] = rng.normal(mean, sd, size=shape)[:, expert]
    typical = _known(typical, seen, "eval_location", rows)
    later = seen["gave_up_later"][:, None]
    later = later + seen["gave_up_spread"][:, None] * rng.normal(size=shape)
    later = _known(later, seen, "gave_up_later_of", rows)
    found = {}
    for name in ("success_scale", "gave_up_scale"):
        spread = seen[f"{name}_spread"][:, None] * rng.normal(size=shape)
        found[name] = _known(np.exp(seen[f"{name}_mean"][:, None] + spread), seen, name, rows)
    speed = _speeds(design, seen, rng)[:, design.unit_of]  # (draw, eval, ai_model)
    # An expert's range is about the AI model under test itself: nothing is added to it.
    speed[:, expert, design.under_test] = 0.0
    at = np.flatnonzero(design.effort == 0)
    i, m = design.condition_eval[at], design.condition_model[at]
    for name, key, centre in (
        ("success_location", "cell_spread", typical),
        ("gave_up_location", "gave_up_cell_spread", typical + later),
    ):
        own = seen[key][:, None, None] * rng.normal(size=(n_draws, n_evals, n_models))
        if centre is typical:
            own[:, expert, design.under_test] = 0.0
        found[name] = centre[:, :, None] + speed + own
        if len(at):
            found[name][:, i, m] = seen[name][:, at]
    return found


def _speeds(design: Design, seen: Draws, rng: EvenNormals) -> Array:
    """Ln spend of every AI model against the mean of those seen, by spend unit."""
    n_draws = len(seen["speed_spread"])
    speed = seen["speed_spread"][:, None, None] * rng.normal(
        size=(n_draws, len(design.units), len(design.ai_models))
    )
    if len(design.pair_eval):
        unit, model = design.seen_speeds.T
        own_speed = seen["speed"]
        for u in np.unique(unit):
            own = unit == u
            speed[:, u] *= np.sqrt(1.0 + 1.0 / own.sum())  # the mean of those seen is uncertain too
            mean = own_speed[:, own].mean(axis=1, keepdims=True)
            speed[:, u, model[own]] = own_speed[:, own] - mean
    return speed
