"""Observations: all results at hand, checked, in the five shapes they come in."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from evalbayes.observations import cells as cell
from evalbayes.observations.shape import RUNS, STUDIES

FRAMES = ("cells", "runs", "counts", "scores")
COLUMNS = {
    "cells": cell.COLUMNS,
    "runs": [column for column in RUNS.columns if column != "spend_unit"],
    "counts": [*cell.CELL, "n_runs", "n_success", "human_minutes", "run_set"],
    "scores": [*cell.CELL, "score", "standard_error", "human_minutes", "run_set"],
    "studies": list(STUDIES.columns),
}


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Observations:
    """Results of AI models on evals.

    Parameters
    ----------
    cells
        One row per eval, AI model, effort and cap: n_success, n_gave_up, n_stopped (at the cap),
        mean and sd of ln spend of successes and of runs that gave up (NaN where too few),
        human_minutes.
    runs
        One row per run that is neither excluded nor without a spend: eval, task, ai_model,
        outcome, spend, cap, human_minutes, effort, attempt, reviewed, score, date.
    counts
        n_runs and n_success by eval, AI model, effort and cap, of runs independent between caps
        unless rows have one `run_set`: then they are one set of runs, capped after the fact.
    scores
        Mean score and its standard_error by eval, AI model, effort and cap, on the eval's own
        scale.
    excluded
        Number of runs left out (errors, reward hacks), by eval.
    studies
        What studies found by study and AI model: a reading, an effect, or successes in two arms.
    spend_units
        Unit of spends and caps by eval, where a column `spend_unit` said it.
    notes
        What a reader should know about how the files were read.

    Examples
    --------
    >>> nothing = Observations()
    >>> nothing.evals, nothing.n_runs("cybench", "Model A")
    ((), 0)
    """

    cells: pd.DataFrame = field(default_factory=lambda: empty("cells"))
    runs: pd.DataFrame = field(default_factory=lambda: empty("runs"))
    counts: pd.DataFrame = field(default_factory=lambda: empty("counts"))
    scores: pd.DataFrame = field(default_factory=lambda: empty("scores"))
    excluded: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    spend_units: Mapping[str, str] = field(default_factory=dict)
    studies: pd.DataFrame = field(default_factory=lambda: empty("studies"))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found, neither of an eval nor by a study."""
        return not (self.evals or len(self.studies))

    @property
    def evals(self) -> tuple[str, ...]:
        """Evals with any result, sorted."""
        return self._names("eval")

    @property
    def ai_models(self) -> tuple[str, ...]:
        """AI models with any result, sorted."""
        return self._names("ai_model")

    def _names(self, column: str) -> tuple[str, ...]:
        frames = (getattr(self, key) for key in FRAMES)
        return tuple(sorted({str(name) for frame in frames for name in frame[column]}))

    @property
    def run_counts(self) -> pd.DataFrame:
        """Number of runs by eval and AI model, index (eval, ai_model), one column per shape.

        A score counts as no run: how many are behind it is not known.
        """
        keys = ["eval", "ai_model"]
        cells = self.cells.assign(n=self.cells[["n_success", "n_gave_up", "n_stopped"]].sum(axis=1))
        parts = {
            "runs": self.runs.groupby(keys).size(),
            "cells": cells.groupby(keys)["n"].sum(),
            "counts": self.counts.groupby(keys)["n_runs"].sum(),
            "scores": self.scores.groupby(keys).size() * 0,
        }
        table = pd.DataFrame({key: part.astype(float) for key, part in parts.items()})
        return table.fillna(0).astype("int64").rename_axis(keys).sort_index()

    def n_runs(self, eval_name: str, ai_model: str) -> int:
        """Return how many runs of one eval by one AI model are known."""
        table = self.run_counts
        key = (eval_name, ai_model)
        return int(table.sum(axis=1).get(key, 0))

    @property
    def human_minutes(self) -> dict[str, float]:
        """Median human minutes by eval, of evals for which rows state them."""
        frames = (getattr(self, key) for key in FRAMES)
        told = [f[["eval", "human_minutes"]] for f in frames if len(f) and "human_minutes" in f]
        if not told:
            return {}
        stated = pd.concat(told).astype({"human_minutes": float}).dropna()
        median = stated.groupby("eval")["human_minutes"].median()
        return {str(name): float(value) for name, value in median.items()}

    @property
    def hash(self) -> str:
        """SHA-256 of the results, the same in any order of rows, columns and files."""
        digest = hashlib.sha256()
        for key in (*FRAMES, *(["studies"] if len(self.studies) else [])):
            frame = getattr(self, key)
            columns = sorted(frame.columns)
            rows = sorted(
                "\x1f".join(
                    ""
                    if v != v or v is None
                    else f"{float(v):.15g}"
                    if isinstance(v, float | int)
                    else str(v)
                    for v in row
                )
                for row in frame[columns].itertuples(index=False, name=None)
            )
            digest.update("\x1e".join([key, *columns, *rows]).encode())
        digest.update(repr(sorted(self.excluded.items())).encode())
        return digest.hexdigest()


def empty(key: str) -> pd.DataFrame:
    """Return a frame of a shape without rows."""
    return pd.DataFrame(columns=COLUMNS[key])


def joined(frames: list[pd.DataFrame], key: str) -> pd.DataFrame:
    """Put frames of one shape together, known columns first, extra ones after."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return empty(key)
    whole = pd.concat(filled, ignore_index=True)
    extras = [column for column in whole.columns if column not in COLUMNS[key]]
    return whole.reindex(columns=[*COLUMNS[key], *extras])
