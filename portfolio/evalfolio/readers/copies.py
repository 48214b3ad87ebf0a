"""Samples met more than once: logs copied, converted, retried, scored again or corrected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

EditsOf = Callable[[pd.Series], int]


@dataclass(frozen=True, eq=False)  # eq=False: series have no single truth value
class Copies:
    """Which samples are copies of one that counts, which of them differ, and where that one is."""

    copy: pd.Series
    differs: pd.Series
    counted: pd.Series


def find_copies(samples: pd.DataFrame, edits_of: EditsOf) -> Copies:
    """Tell of every sample met more than once which of its copies counts.

    Where copies differ, the corrected one counts: edited or invalidated by hand, then the one that
    counts at all (a scored copy before an unscored one), then the one written last. Of equal copies
    the first met counts. Columns: uuid, content (equal where copies say the same), outcome,
    invalidated, edits, written, log, one row per sample. `edits_of` says how often the scores of a
    sample (a row) were edited; it is asked only where copies differ and `edits` is empty.
    """
    order = samples[["uuid", "log"]].assign(last=samples["outcome"].eq("excluded"))
    order = order.sort_values("last", kind="stable")
    copy = order.duplicated("uuid", keep="first").reindex(samples.index)
    first = order.drop_duplicates("uuid").set_index("uuid")["log"]
    counted = samples["uuid"].map(first).where(copy, "")
    differs = pd.Series(data=False, index=samples.index)
    several = samples[samples["uuid"].duplicated(keep=False)]
    contents = several.groupby("uuid", sort=False)["content"].transform("nunique")
    for _, rows in several[contents > 1].groupby("uuid", sort=False):
        best = _corrected(rows, edits_of)
        others = rows.index.drop([best])
        copy[best], counted[best] = False, ""
        copy[others], counted[others] = True, rows.loc[best, "log"]
        differs[others] = rows.loc[others, "content"].ne(rows.loc[best, "content"])
    return Copies(copy, differs, counted)


def _corrected(rows: pd.DataFrame, edits_of: EditsOf) -> int:
    """Return the label of the row that counts among copies that differ."""

    def rank(at: int) -> tuple[object, ...]:
        row = rows.iloc[at]
        edits = int(row["edits"]) if np.isfinite(row["edits"]) else edits_of(row)
        by_hand = edits > 0 or bool(row["invalidated"])
        return (by_hand, edits, row["outcome"] != "excluded", row["written"], -at)

    return int(rows.index[max(range(len(rows)), key=rank)])
