"""Cells: how the runs of one eval, AI model, effort and cap ended, in a few figures."""

from typing import Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags, Index
from evalbayes.observations.rows import FROM_0, Rows
from evalbayes.observations.shape import CELLS, LN_SPENDS, OVERSHOOT

CELL = ["eval", "ai_model", "effort", "cap"]
FIGURES = ("n_success", "n_gave_up", "n_stopped", *LN_SPENDS)
COLUMNS = [*CELL, *FIGURES, "human_minutes"]


def cells_of(rows: Rows) -> pd.DataFrame:
    """Check a table of cells and return it typed; `n_stopped_by_cap` is called `n_stopped`."""
    cap = rows.caps()
    counts = {
        "n_success": rows.counts("n_success"),
        "n_gave_up": rows.counts("n_gave_up"),
        "n_stopped": rows.counts("n_stopped_by_cap"),
    }
    whole = sum(counts.values(), start=np.zeros(len(rows), dtype=np.int64))
    if rows.has("n_runs"):
        n_runs = rows.counts("n_runs", required=False)
        given = rows.frame["n_runs"].notna().to_numpy()
        rule = "must be the sum of n_success, n_gave_up and n_stopped_by_cap"
        cure = "count the runs again; leave excluded runs out of it"
        rows.refuse(given & (n_runs != whole), "n_runs", rule, cure)
    empty = whole == 0
    rows.refuse(empty, "n_success", "and the other counts must not all be 0", "drop the row")
    frame: dict[str, Any] = {"eval": rows.names("eval"), "ai_model": rows.names("ai_model")}
    frame |= {"effort": rows.efforts(), "cap": cap, **counts}
    for way in ("success", "gave_up"):
        frame[f"mean_ln_spend_{way}"] = _mean(rows, f"mean_ln_spend_{way}", counts[f"n_{way}"], cap)
        frame[f"sd_ln_spend_{way}"] = _sd(rows, f"sd_ln_spend_{way}", counts[f"n_{way}"])
    frame["human_minutes"] = rows.human_minutes()
    rows.settle()
    return pd.DataFrame({**frame, **rows.extras(CELLS.columns)})


def _mean(rows: Rows, column: str, n: Index, cap: Array) -> Array:
    """Return the means of ln spend: given where there are runs, and not far above ln cap."""
    values = rows.numbers(column, cure="write the mean of ln spend", thousands=False)
    some = n > 0
    with np.errstate(invalid="ignore", over="ignore"):
        high = some & (values > np.log(OVERSHOOT * cap))
    cure = "it is the mean of the natural logarithm of spend, in the unit of the cap"
    rows.refuse(high, column, "must not be above ln cap", cure)
    cure = "write the mean of ln spend, or give the figures as counts if spend is not known"
    return _given(rows, column, values, some, "such runs", "no such runs", cure)


def _sd(rows: Rows, column: str, n: Index) -> Array:
    """Return the sds of ln spend (divisor n − 1): given where there are two runs or more."""
    cure = "write the sd of ln spend with divisor n - 1"
    values = rows.numbers(column, FROM_0, cure, thousands=False)
    fewer = "fewer than two such runs"
    return _given(rows, column, values, n > 1, "two such runs or more", fewer, cure)


def _given(
    rows: Rows, column: str, values: Array, where: Flags, there: str, else_: str, cure: str
) -> Array:
    rows.refuse(where & np.isnan(values), column, f"must be given where there are {there}", cure)
    filled = ~where & (np.nan_to_num(values) != 0)
    rows.refuse(filled, column, f"must be empty where there are {else_}", "check the counts")
    return np.where(where, values, np.nan)
