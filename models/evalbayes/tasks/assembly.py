"""From the sampler's draws to what forecasts need: task effects, and AI models' own parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evalbayes.tasks.effects import effects_of
from evalbayes.tasks.known import Known
from evalbayes.tasks.runs import TaskRuns
from evalbayes.tasks.table import TaskTable

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CELLS = ("level", "success_location", "gave_up_location")
LOGARITHMS = (
    "slope_mean",
    "slope_spread",
    "length_slope_sd",
    "validity_sd",
    "shown_spread",
    "speed_spread",
    "success_cell_spread",
    "gave_up_cell_spread",
    "success_scale",
    "gave_up_scale",
    "task_sd",
    "task_spend_sd",
)


def quantities_of(table: TaskTable, named: Mapping[str, Array], n_models: int) -> dict[str, Array]:
    """Return what forecasts and reports need, of shape (chains, draws, ...)."""
    found = {key: np.exp(named[key]) if key in LOGARITHMS else named[key] for key in named}
    n_evals, shape = len(table.evals), named["shown"].shape[:2]
    slope = found["slope_mean"][..., None]
    for name in CELLS:
        found[name] = named[name].reshape(*shape, n_evals, n_models)
    for name, own in (("difficulty", named["difficulty"]), ("place", named["eval_location"])):
        found[name] = own - own.mean(axis=-1, keepdims=True)
    found["minutes"] = slope * named["minutes_mean"][..., None] + named["minutes_offset"]
    return found


def known_of(
    table: TaskTable,
    flat: Mapping[str, Array],
    runs: TaskRuns,
    model: Index,
    rng: np.random.Generator,
) -> tuple[Known, Array]:
    """Effects of all tasks given every kept draw, and local parameters of the AI models.

    The sampler takes effects from their mean over the tasks there are. Here that mean is drawn
    from its prior and put back, so that tasks are independent given the rest, those to come too.
    """
    of = table.eval_of
    number = np.bincount(of, minlength=len(table.evals))
    normal = rng.standard_normal((2, *flat["task_sd"].shape)) / np.sqrt(number)
    effect = flat["task_sd"] * normal[0]
    spend = flat["spend_by_effect"][:, None] * effect + flat["task_spend_sd"] * normal[1]
    shift = np.stack([effect, -spend, -flat["gave_up_loading"][:, None] * spend], axis=-1)
    later = flat["gave_up_later"]
    place = np.stack([-flat["difficulty"], flat["place"], flat["place"] + later], axis=-1)
    draws = {
        "slope_mean": flat["slope_mean"],
        "shown_mean": flat["shown_mean"],
        "shown_spread": flat["shown_spread"],
        "slope_spread": flat["slope_spread"],
        "length_slope_sd": flat["length_slope_sd"],
        "speed_mean": flat["spend_centre"],
        "speed_spread": flat["speed_spread"],
        "place": place + shift,
        "cell_sd": np.stack(
            [flat["validity_sd"], flat["success_cell_spread"], flat["gave_up_cell_spread"]],
            axis=-1,
        ),
        "minutes": flat["minutes"],
        "task_sd": flat["task_sd"],
        "task_spend_sd": flat["task_spend_sd"],
        "by_effect": flat["spend_by_effect"],
        "loading": flat["gave_up_loading"],
        "within": np.stack([flat["success_within"], flat["gave_up_within"]], axis=-1),
        "scale": np.stack([flat["success_scale"], flat["gave_up_scale"]], axis=-1),
    }
    cells = np.stack([flat[name] for name in CELLS], axis=-1) + shift[:, :, None, :]
    cells = cells.transpose(0, 2, 1, 3)  # draw, AI model, eval
    local = np.empty((*cells.shape[:3], 5))
    local[..., 0] = cells[..., 0]
    local[..., 1] = flat["slope_offset"][:, :, None]
    local[..., 2] = flat["length_slope"][:, :, None]
    local[..., 3:] = cells[..., 1:]
    order = np.argsort(runs.task, kind="stable")
    start = np.searchsorted(runs.task[order], np.arange(len(table) + 1))
    rows = (model[order], runs.kind[order], runs.ln[order], of, table.within)
    found = effects_of(
        start,
        rows,
        [
            (
                draws["minutes"][d, of] * table.within,
                local[d],
                draws["within"][d],
                draws["by_effect"][d],
                draws["loading"][d],
                draws["scale"][d],
                draws["task_sd"][d],
                draws["task_spend_sd"][d],
            )
            for d in range(len(local))
        ],
    )
    return Known(table, draws, *found), local
