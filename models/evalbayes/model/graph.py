"""The PyMC model: capability and spend curves, joined over evals and AI models.

logit A = a[m]·(Σ_d loadings·(s + e·δ) + e·η − β + f + u), with s and δ at the eval's difficulty
(`knots`), all in the domain's unit but a, which is per such unit: domains of
different units share neither a nor the sds of f, u, η, β and of the walk.
At a domain's reference s[d,m] = mean_d + growth_d·years_m + lineage + loading_d·g_m + own: dates,
relatives and the general factor g where the catalogue and the evidence have them.
What data tell well is centred on what the levels above expect, what they tell weakly is not
(`centring`). The location of s and β is fixed by `Design.anchor`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from evalbayes.arrays import Array, Flags, Index
from evalbayes.model import likelihood
from evalbayes.model.centring import located
from evalbayes.model.design import Design
from evalbayes.model.evidence import Evidence
from evalbayes.model.gap import ln_gap
from evalbayes.model.layout import Layout, base_layout, shared_out
from evalbayes.model.sampling import pm, pt
from evalbayes.model.shown import add_ancestry, general

CELLS = ("cells", "ln_cell_sds")
NO_ROWS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Graph:
    """A PyMC model and where its quantities lie.

    `base`, `effects` and `cells` are the layouts of the model's three variables of these names,
    which have a dimension each that names their entries. Every quantity stands beside them under
    its own name, with its own dimensions.
    """

    design: Design
    model: Any
    base: Layout
    effects: Layout
    cells: Layout

    def named(self, base: Array, effects: Array, cells: Array) -> dict[str, Array]:
        """Split draws of the three vectors, of shape (..., n), by name."""
        x = shared_out(self.base, base, np)
        scaled = self.base.scaled(x, np)
        mean, ln_sd = _effect_priors(self.design, self.base, self.effects, x, scaled, np)
        y = located(_told(self.design, self.effects), mean, ln_sd, effects, np)
        part = _predictions(self.design, self.base, self.effects, scaled, y, NO_ROWS, np)
        mean, ln_sd = (part[name] for name in CELLS)
        z = located(self.design.told, mean, ln_sd, cells, np)
        found = self.base.named(x) | self.effects.named(y) | self.cells.named(z)
        pairs = slice(*self.cells.spans["margin"][:2])
        off = found.pop("margin") - mean[..., pairs]
        return found | {"private_offset": off * np.exp(-ln_sd[..., pairs])}


def build(design: Design, evidence: Evidence) -> Graph:
    """Return the model; its data are named by kind and field of the rows of `Evidence`.

    Data may be exchanged for others of the same design without compiling again. Named quantities
    serve whoever reads the model or adds to it: what is sampled are the three vectors.

    A user's own knowledge goes in by name::

        with build(design, evidence).model as model:
            pm.Potential("mine", pm.logp(pm.LogNormal.dist(0.0, 0.2), model["validity_sd"]).sum())
    """
    base, effects, cells = base_layout(design), Layout(design.coords), Layout(design.coords)
    _add_effects(design, base, effects)
    for name in ("success_location", "gave_up_location"):
        cells.add(name, dim="condition")
    cells.add("margin", dim="eval_ai_model")
    layouts = {"base": base, "effects": effects, "cells": cells}
    coords = design.coords | {f"{name}_entry": each.labels for name, each in layouts.items()}
    coords |= {
        f"{kind}_row": [design.coords["condition"][k] for k in rows.of]
        for kind, rows in evidence.rows.items()
    }
    of = np.concatenate([rows.of for rows in evidence.rows.values()])
    # every sd is an exponential: none can be negative
    with pm.Model(check_bounds=False, coords=coords) as model:
        x = pm.Normal("base", mu=np.array(base.mean), sigma=np.array(base.sd), dims="base_entry")
        x = shared_out(base, x, pt)
        scaled = base.scaled(x, pt)
        y = _normal(
            "effects", _told(design, effects), *_effect_priors(design, base, effects, x, scaled, pt)
        )
        part = _predictions(design, base, effects, scaled, y, of, pt)
        z = _normal("cells", design.told, *(part[name] for name in CELLS))
        curves = _curves(design, base, part, z, scaled, of)
        start = 0
        for kind, rows in evidence.rows.items():
            if not len(rows):  # data of nothing would be no part of what is compiled
                continue
            data = {
                key: pm.Data(f"{kind}_{key}", value, dims=f"{kind}_row")
                for key, value in rows.figures.items()
                if key not in rows.fixed
            }
            own = curves.of(slice(start, start + len(rows)))
            start += len(rows)
            pm.Potential(kind, replace(rows, **data).log_likelihood(own).sum())
        plateau = pt.sigmoid(curves.logit[: len(evidence)])
        pm.Deterministic("plateau", plateau, dims="condition")
        for layout, vector in ((base, x), (effects, y), (cells, z)):
            for name, value in layout.named(vector, pt).items():
                pm.Deterministic(name, value, dims=layout.dims[name])
    return Graph(design, model, base, effects, cells)


def _normal(name: str, told: Array, mean: Any, ln_sd: Any) -> Any:
    """Quantities N(mean, sd²); what is sampled of each is as `centring` says."""
    sampled = pm.Normal(name, mu=told * mean, sigma=pt.exp(told * ln_sd), dims=f"{name}_entry")
    return located(told, mean, ln_sd, sampled, pt)


def _told(design: Design, effects: Layout) -> Array:
    """How far each effect is sampled itself: see `centring`."""
    told = np.ones(len(effects))
    told[effects.at("shown", np.arange(len(design.told_shown)))] = design.told_shown
    return told


def _add_effects(design: Design, base: Layout, effects: Layout) -> None:
    """Shown capability, difficulty and spend of evals: normal about a linear function of base."""
    domain = design.seen_capabilities[:, 0]
    stated = _stated(design)
    effects.add(
        "shown",
        np.where(stated, design.shown[domain], 0.0),
        np.where(stated, design.shown_sd[domain], 1.0),
        dim="domain_ai_model",
        sd_entry=np.where(stated, -1, base.at("shown_spread", domain)),
    )
    seen = design.seen_evals
    learned = np.isnan(design.difficulty_sd[seen])
    effects.add(
        "difficulty_departure",
        0.0,
        np.where(learned, 1.0, design.difficulty_sd[seen]),
        dim="eval",
        sd_entry=np.where(learned, base.at("difficulty_spread", design.eval_scale[seen]), -1),
    )
    expert = design.expert_location[seen]
    effects.add(
        "eval_location",
        np.where(expert, design.location[seen], 0.0),
        np.where(expert, design.location_sd[seen], 1.0),
        dim="eval",
        sd_entry=np.where(expert, -1, base.at("eval_spread")),
    )
    effects.add("gave_up_later_of", dim="eval", sd_entry=base.at("gave_up_spread"))
    for name in ("success_scale", "gave_up_scale"):
        effects.add(name, dim="eval", sd_entry=base.at(f"{name}_spread"))
        effects.logarithms.add(name)
    effects.add("speed", dim="spend_unit_ai_model", sd_entry=base.at("speed_spread"))


def _stated(design: Design) -> Flags:
    """Which seen capabilities have a prior stated in the catalogue."""
    domain, model = design.seen_capabilities.T
    stated: Flags = (model == design.under_test) & np.isfinite(design.shown[domain])
    return stated


def _effect_priors(
    design: Design, base: Layout, effects: Layout, x: Any, scaled: Any, xp: Any
) -> tuple[Any, Any]:
    """Means and ln sds of the effects, (..., n), given the base as it is and scaled."""
    # Matrix from scaled base to the means of the effects
    weights = np.zeros((len(effects), len(base)))
    domain, _ = design.seen_capabilities.T
    free = np.flatnonzero(~_stated(design))
    weights[effects.at("shown", free), base.at("shown_mean", domain[free])] = 1.0
    add_ancestry(design, base, weights, effects.at("shown", free), free)
    seen = design.seen_evals
    free = np.flatnonzero(~design.expert_location[seen])
    row = effects.at("eval_location", free)
    weights[row, base.at("spend_centre", design.unit_of[seen[free]])] = 1.0
    weights[row, base.at("spend_per_minutes")] = design.ln_minutes[seen[free]]
    every = np.arange(len(seen))
    weights[effects.at("gave_up_later_of", every), base.at("gave_up_later")] = 1.0
    for name in ("success_scale", "gave_up_scale"):
        weights[effects.at(name, every), base.at(f"{name}_mean")] = 1.0
    mean = np.array(effects.mean) + apply(weights, scaled)
    if design.factored:
        at = effects.at("shown", np.arange(len(design.seen_capabilities)))
        mean = mean + general(design, base, x, at, ~_stated(design), len(effects), xp)
    return mean, np.log(effects.sd) + effects.ln_sds(x)


def _predictions(
    design: Design, base: Layout, effects: Layout, scaled: Any, y: Any, of: Index, xp: Any
) -> dict[str, Any]:
    """Everything that is linear in scaled base and effects, by name: see `_predictors`."""
    matrix, constant, rows = _predictors(design, base, effects, of)
    # Scaled base, effects, and what is measured against a mean, of shape (..., n)
    relative = block_diag(design.anchor, _centring(design))
    measured = [
        y[..., slice(*effects.spans[name][:2])] for name in ("difficulty_departure", "speed")
    ]
    found = xp.dot(xp.concatenate(measured, axis=-1), relative.T)
    value = constant + apply(matrix, xp.concatenate([scaled, y, found], axis=-1))
    return {name: value[..., start:stop] for name, (start, stop, _) in rows.spans.items()}


def _curves(
    design: Design, base: Layout, part: dict[str, Any], z: Any, scaled: Any, of: Index
) -> likelihood.Curves:
    """Curve of every row of the evidence."""
    n = len(design.effort)
    margin = z[2 * n + design.condition_pair[of]]
    if design.elicited:
        margin = margin + (design.effort[of] * _gaps(design, base, scaled)[of])
    location = z[np.concatenate([of, n + of])]
    return likelihood.Curves(
        pt.exp(part["ln_slope"]) * margin,
        location[: len(of)],
        pt.exp(part["ln_success_scale"]),
        location[len(of) :],
        pt.exp(part["ln_gave_up_scale"]),
    )


def _predictors(
    design: Design, base: Layout, effects: Layout, of: Index
) -> tuple[Array, Array, Layout]:
    """Matrix and constant to all linear predictors, and the layout of its rows.

    By row of the evidence: ln_slope, ln_success_scale, ln_gave_up_scale. Means and ln sds of the
    cells: by condition location of successes, then of runs that gave up, and margins by pair. The
    columns are `_inputs`.
    """
    n = len(design.effort)
    rows = Layout({"row": range(len(of)), "cell": range(len(design.told))})
    for name in ("ln_slope", "ln_success_scale", "ln_gave_up_scale"):
        rows.add(name, dim="row")
    for name in CELLS:
        rows.add(name, dim="cell")
    seen, after = design.seen_evals, len(base)
    first_departure = after + len(effects)
    first_speed = first_departure + len(seen)
    matrix = np.zeros((len(rows), first_speed + len(design.seen_speeds)))
    constant = np.zeros(len(rows))

    i, m, pair = design.pair_eval, design.pair_model, np.arange(len(design.pair_eval))
    margin = rows.at("cells", 2 * n + pair)
    for k, (d, model) in enumerate(design.seen_capabilities):
        own = m == model
        matrix[margin[own], after + effects.at("shown", k)] = design.loadings[i[own], d]
    walk = base.at("walk", np.arange(len(design.walking)))
    matrix[np.ix_(margin, walk)] = design.bearing @ design.walks
    constant[margin] = -design.difficulty[i]
    matrix[margin, first_departure + np.searchsorted(seen, i)] = -1.0
    for k, (family, model) in enumerate(design.seen_families):
        member = (design.family_of[i] == family) & (m == model)
        matrix[margin[member], base.at("family_offset", k)] = 1.0
    scale = base.at("validity_sd", design.pair_scale)
    matrix[rows.at("ln_cell_sds", 2 * n + pair), scale] = 1.0

    i = design.condition_eval[of]
    ln_slope = rows.at("ln_slope", np.arange(len(of)))
    matrix[ln_slope, base.at("slope_mean", design.eval_scale[i])] = 1.0
    matrix[ln_slope, base.at("slope_offset", design.condition_slope[of])] = 1.0
    for name in ("success_scale", "gave_up_scale"):
        row = rows.at(f"ln_{name}", np.arange(len(of)))
        matrix[row, after + effects.at(name, np.searchsorted(seen, i))] = 1.0

    at = np.searchsorted(seen, design.condition_eval)
    for first, spread in ((0, "cell_spread"), (n, "gave_up_cell_spread")):
        row = rows.at("cells", first + np.arange(n))
        matrix[row, after + effects.at("eval_location", at)] = 1.0
        matrix[row, first_speed + _speed_of(design)] = 1.0
        if design.elicited:
            matrix[row, base.at("effort_spend")] = design.effort
        matrix[rows.at("ln_cell_sds", first + np.arange(n)), base.at(spread)] = 1.0
    matrix[rows.at("cells", n + np.arange(n)), after + effects.at("gave_up_later_of", at)] = 1.0
    return matrix, constant, rows


def _centring(design: Design) -> Array:
    """Projection of speeds on their difference from the mean of those seen in the spend unit."""
    unit, _ = design.seen_speeds.T
    same = (unit[:, None] == unit[None, :]).astype(float)
    projection: Array = np.eye(len(unit)) - same / same.sum(axis=1, keepdims=True)
    return projection


def _speed_of(design: Design) -> Index:
    """Index of the speed of every condition."""
    unit, model = design.seen_speeds.T
    condition_unit = design.unit_of[design.condition_eval]
    own = (unit == condition_unit[:, None]) & (model == design.condition_model[:, None])
    index: Index = own.argmax(axis=1)
    return index


def _gaps(design: Design, base: Layout, scaled: Any) -> Any:
    """Gap of every condition: Σ_d loadings·δ + η."""
    part = {name: scaled[start:stop] for name, (start, stop, _) in base.spans.items()}
    spread, range_ = pt.exp(part["gap_spread"]), pt.exp(part["gap_range"])
    shared = (part["gap_population"], part["gap_common"], spread, range_)
    ln_gaps = ln_gap(design, design.places, *shared, part["gap_offset"], pt)
    weights = design.bearing[design.condition_pair]
    return apply(weights, pt.exp(ln_gaps)) + part["gap_departure_offset"][design.condition_pair]


def apply(matrix: Array, vector: Any) -> Any:
    """Return matrix @ vector, of shape (..., n); in a graph by gathering the entries that count.

    A dense product would be most of the work of a gradient.
    """
    if isinstance(vector, np.ndarray):
        return vector @ matrix.T
    width = max(1, int((matrix != 0).sum(axis=1).max(initial=1)))
    columns = np.argsort(matrix == 0, axis=1, kind="stable")[:, :width]
    weights = np.take_along_axis(matrix, columns, axis=1)
    gathered = vector[columns.reshape(-1)].reshape(columns.shape)
    return (weights * gathered).sum(axis=1)
