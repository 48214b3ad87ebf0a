"""The layout: where every named quantity lies in the sampler's two vectors.

The whole model is two normal vectors and one matrix, so that numba compiles a handful of loops
instead of one per quantity: the start of a fit is most of its time.

- `base`: normal with constant mean and sd. Positive quantities are kept as logarithms; offsets are
  multiplied by their sd, another entry of `base`.
- `effects`: normal about a linear function of `base`, with an sd in `base` ("centred").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evalbayes.arrays import Array, Index
from evalbayes.model import priors
from evalbayes.model.design import Design
from evalbayes.model.priors import DEPARTURE_AT, Positive


@dataclass
class Layout:
    """Names along one vector, with the prior of every entry.

    `coords` has the labels along the dimensions that quantities may have.
    """

    coords: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    spans: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    dims: dict[str, str | None] = field(default_factory=dict)
    logarithms: set[str] = field(default_factory=set)
    mean: list[float] = field(default_factory=list)
    sd: list[float] = field(default_factory=list)
    sd_entry: list[int] = field(default_factory=list)  # entry of base with ln sd, −1: none

    def __len__(self) -> int:
        return len(self.mean)

    def add(
        self,
        name: str,
        mean: ArrayLike = 0.0,
        sd: ArrayLike = 1.0,
        *,
        dim: str | None = None,
        sd_entry: ArrayLike = -1,
    ) -> None:
        """Append a quantity: one number (dim None), or one for each label of a dimension."""
        n = 1 if dim is None else len(self.coords[dim])
        self.spans[name] = (len(self), len(self) + n, dim is None)
        self.dims[name] = dim
        self.mean += [float(x) for x in np.broadcast_to(mean, n)]
        self.sd += [float(x) for x in np.broadcast_to(sd, n)]
        self.sd_entry += [int(x) for x in np.broadcast_to(sd_entry, n)]

    @property
    def labels(self) -> list[str]:
        """Name of every entry: "effort_spend", "validity_sd[doublings of human task time]"."""
        return [
            name if dim is None else f"{name}[{label}]"
            for name, dim in self.dims.items()
            for label in (("",) if dim is None else self.coords[dim])
        ]

    def positive(self, name: str, prior: Positive, *, dim: str | None = None) -> None:
        """Append the logarithm of a lognormal quantity."""
        self.add(name, prior.mean_ln, prior.sd_ln, dim=dim)
        self.logarithms.add(name)

    def at(self, name: str, index: ArrayLike = 0) -> Index:
        """Entry, or entries, of a quantity."""
        return self.spans[name][0] + np.asarray(index, dtype=np.int64)

    def named(self, vector: Any, xp: Any = np) -> dict[str, Any]:
        """Split draws (..., n), or a vector of a graph, by name; logarithms are undone."""
        parts = {
            name: vector[..., start] if single else vector[..., start:stop]
            for name, (start, stop, single) in self.spans.items()
        }
        return {k: xp.exp(v) if k in self.logarithms else v for k, v in parts.items()}

    def ln_sds(self, base: Any) -> Any:
        """Ln of the learned sds of the entries, from base vectors (..., n_base); 0 where none."""
        entry = np.array(self.sd_entry)
        return (entry >= 0) * base[..., np.maximum(entry, 0)]

    def scaled(self, vector: Any, xp: Any) -> Any:
        """Multiply the offsets of a base vector (..., n) by their sd."""
        return vector * xp.exp(self.ln_sds(vector))


def base_layout(design: Design) -> Layout:
    """Everything with a constant prior: typical values, sds (as logarithms) and offsets."""
    base = Layout(design.coords)
    base.add("slope_mean", design.slope, design.slope_sd, dim="unit")
    base.logarithms.add("slope_mean")
    base.positive("slope_spread", priors.SLOPE_SPREAD, dim="unit")
    base.positive("validity_sd", priors.DEPARTURE, dim="unit")  # see `departures`
    base.add("family_sd", *priors.FAMILY_SHARE, dim="unit")
    base.add("walk_sd", *priors.DISTANCE_SHARE, dim="unit")
    base.logarithms |= {"family_sd", "walk_sd"}
    base.positive("difficulty_spread", priors.DIFFICULTY_SPREAD, dim="unit")
    own = priors.SHOWN_OWN_SPREAD if design.factored else priors.SHOWN_SPREAD
    base.positive("shown_spread", own, dim="domain")
    base.positive("eval_spread", priors.EVAL_LOCATION_SPREAD)
    base.positive("speed_spread", priors.AI_MODEL_LOCATION_SPREAD)
    base.positive("gave_up_spread", priors.GAVE_UP_SPREAD)
    base.positive("cell_spread", priors.CELL_LOCATION_SPREAD)
    base.positive("gave_up_cell_spread", priors.CELL_LOCATION_SPREAD)
    base.positive("success_scale_spread", priors.SCALE_SPREAD)
    base.positive("gave_up_scale_spread", priors.SCALE_SPREAD)
    base.add("shown_mean", design.centre, priors.SHOWN_MEAN_SD, dim="domain")
    base.add("spend_centre", design.ln_spend_centre, priors.LN_SPEND_CENTRE_SD, dim="spend_unit")
    base.add("spend_per_minutes", *priors.SPEND_PER_MINUTES)
    base.add("gave_up_later", *priors.GAVE_UP_LATER)
    base.add("success_scale_mean", priors.SCALE.mean_ln, priors.SCALE.sd_ln)
    base.add("gave_up_scale_mean", priors.SCALE.mean_ln, priors.SCALE.sd_ln)
    slopes, families = design.seen_slopes[:, 0], design.family_scale[design.seen_families[:, 0]]
    base.add("slope_offset", dim="unit_ai_model", sd_entry=base.at("slope_spread", slopes))
    base.add("family_offset", dim="family_ai_model", sd_entry=base.at("family_sd", families))
    knot = design.walking[:, 0]
    base.add(
        "walk",
        sd=np.sqrt(design.knots.step[knot]),
        dim="walked",
        sd_entry=base.at("walk_sd", design.scale_of[design.knots.domain[knot]]),
    )
    if design.factored:
        base.positive("general_loading", priors.GENERAL_LOADING, dim="domain")
        base.add("general", dim="ai_model")
    if design.ancestry.dated:
        base.add("growth", design.growth, design.growth_sd, dim="domain")
    if len(design.seen_lineages):
        base.positive("lineage_spread", priors.LINEAGE_SPREAD, dim="unit")
        scale = np.repeat(np.arange(len(design.scales)), len(design.seen_lineages))
        base.add("lineage", dim="unit_lineage", sd_entry=base.at("lineage_spread", scale))
    if design.elicited:
        base.positive("gap_spread", priors.GAP_SPREAD, dim="all")
        base.add("gap_population", dim="all")
        base.positive("gap_departure_sd", priors.GAP_DEPARTURE_SD, dim="unit")
        base.add("effort_spend", *priors.EFFORT_SPEND)
        base.positive("gap_range", priors.GAP_RANGE, dim="unit")
        base.add("gap_common", dim="knot")
        base.add("gap_offset", dim="knot_ai_model")
        departing = base.at("gap_departure_sd", design.pair_scale)
        base.add("gap_departure_offset", dim="eval_ai_model", sd_entry=departing)
    return base


PARTS = ("validity_sd", "family_sd", "walk_sd")


def shared_out(base: Layout, x: Any, xp: Any) -> Any:
    """Put ln ω, ln φ and ln σ_W in place of ln T, f and w in base vectors, of shape (..., n_base).

    How far a reading departs from capability at the threshold is shared out over its causes: with
    T² = ω² + φ² + σ_W²·Δ₀, the variance of an eval Δ₀ from the threshold, the private error has the
    share 1/(1 + e^f + e^w) of it, the family's e^f/(...) and distance e^w/(...). Few contrasts tell
    these apart, so that each with a prior of its own would count the same departure three times.
    `x` are base vectors as they are sampled; `xp` is numpy or pytensor.tensor.
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
