"""Where every quantity of the task-level model lies in the sampler's vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalbayes.model import priors as joint
from evalbayes.model.layout import Layout
from evalbayes.tasks import priors


@dataclass(frozen=True)
class Sizes:
    """Numbers of evals, tasks and AI models."""

    evals: int
    tasks: int
    models: int


def base_layout(sizes: Sizes) -> Layout:
    """Typical values and sds, and everything of which single runs tell little (non-centred)."""
    base = Layout()
    base.positive("slope_mean", priors.SLOPE)
    base.positive("slope_spread", priors.SLOPE_SPREAD)
    base.positive("length_slope_sd", priors.LENGTH_SLOPE_SPREAD)
    base.positive("validity_sd", joint.VALIDITY_SD)
    base.positive("difficulty_spread", joint.DIFFICULTY_SPREAD)
    base.positive("shown_spread", joint.SHOWN_SPREAD)
    base.positive("minutes_spread", priors.MINUTES_SPREAD)
    base.positive("task_sd_spread", priors.TASK_SD_SPREAD)
    base.positive("eval_spread", joint.EVAL_LOCATION_SPREAD)
    base.positive("speed_spread", joint.AI_MODEL_LOCATION_SPREAD)
    base.positive("gave_up_spread", joint.GAVE_UP_SPREAD)
    base.positive("cell_spread", joint.CELL_LOCATION_SPREAD)
    base.positive("gave_up_cell_spread", joint.CELL_LOCATION_SPREAD)
    base.positive("success_scale_spread", joint.SCALE_SPREAD)
    base.positive("gave_up_scale_spread", joint.SCALE_SPREAD)
    base.add("task_sd_mean", priors.TASK_SD.mean_ln, priors.TASK_SD.sd_ln)
    base.add("shown_mean", 0.0, joint.SHOWN_MEAN_SD)  # about the centre, as are difficulties
    base.add("minutes_mean", *priors.MINUTES)
    base.add("spend_centre", 0.0, joint.LN_SPEND_CENTRE_SD)
    base.add("spend_per_minutes", *joint.SPEND_PER_MINUTES)
    base.add("gave_up_later", *joint.GAVE_UP_LATER)
    base.add("success_scale_mean", joint.SCALE.mean_ln, joint.SCALE.sd_ln)
    base.add("gave_up_scale_mean", joint.SCALE.mean_ln, joint.SCALE.sd_ln)
    for outcome in ("success", "gave_up"):
        base.add(f"{outcome}_within", *priors.SPEND_WITHIN)
        base.add(f"{outcome}_by_effect", *priors.SPEND_BY_EFFECT)
    pairs = sizes.evals * sizes.models
    for name, size, sd in (
        ("slope_offset", sizes.models, "slope_spread"),
        ("length_slope", sizes.models, "length_slope_sd"),
        ("minutes_offset", sizes.evals, "minutes_spread"),
        ("task_sd_offset", sizes.evals, "task_sd_spread"),
        ("validity_error", pairs, "validity_sd"),
    ):
        base.add(name, size=size, sd_entry=base.at(sd))
    base.add("task_offset", size=sizes.tasks)  # times the task sd of its eval
    return base


def effects_layout(base: Layout, sizes: Sizes) -> Layout:
    """Return what many runs tell well (centred): normal about values of `base`."""
    effects = Layout()
    for name, size, sd in (
        ("shown", sizes.models, "shown_spread"),
        ("speed", sizes.models, "speed_spread"),
        ("difficulty_departure", sizes.evals, "difficulty_spread"),
        ("eval_location", sizes.evals, "eval_spread"),
        ("gave_up_later_of", sizes.evals, "gave_up_spread"),
        ("success_scale", sizes.evals, "success_scale_spread"),
        ("gave_up_scale", sizes.evals, "gave_up_scale_spread"),
    ):
        effects.add(name, size=size, sd_entry=base.at(sd))
    effects.logarithms |= {"success_scale", "gave_up_scale"}
    return effects


MEANS = {  # quantity of `effects`: the quantity of `base` it is normal about
    "shown": "shown_mean",
    "speed": "spend_centre",
    "gave_up_later_of": "gave_up_later",
    "success_scale": "success_scale_mean",
    "gave_up_scale": "gave_up_scale_mean",
}


def mean_entries(base: Layout, effects: Layout) -> tuple[list[int], list[float]]:
    """Entry of `base` that is the mean of every effect, and its weight (0: no mean)."""
    entry, weight = np.zeros(len(effects), dtype=int), np.zeros(len(effects))
    for name, mean in MEANS.items():
        start, stop, _ = effects.spans[name]
        entry[start:stop], weight[start:stop] = base.at(mean), 1.0
    return [int(e) for e in entry], [float(w) for w in weight]
