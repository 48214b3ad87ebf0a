"""Reading observations from files, and the rules between their rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import cure, nearest
from evalbayes.observations.cells import CELL, cells_of
from evalbayes.observations.counts import counts_of, refuse_torn, suspected_shared
from evalbayes.observations.files import read_rows
from evalbayes.observations.observations import FRAMES, Observations, joined
from evalbayes.observations.outcome import CENSORED_ELSEWHERE
from evalbayes.observations.rows import Places, Rows, told_at
from evalbayes.observations.runs import countable, numbered, refuse_shared, runs_of
from evalbayes.observations.scores import refuse_shared_scores, scores_of
from evalbayes.observations.shape import shape_of

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue

CHECKS = {"runs": runs_of, "cells": cells_of, "counts": counts_of, "scores": scores_of}


def read_observations(
    paths: Iterable[str | Path] | str | Path, catalogue: Catalogue | None = None
) -> Observations:
    """Read files of runs, cells, counts and scores, each file of any shape.

    Parameters
    ----------
    paths
        Files ending in .csv, .csv.gz, .parquet or .xlsx; none gives no observations.
    catalogue
        If given, every eval observed must be one of its own.

    Raises
    ------
    InputError
        If a file cannot be read, a row breaks a rule, or results are told twice.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    return observations_of([rows for path in paths for rows in read_rows(path)], catalogue)


def observations_of(tables: Iterable[Rows], catalogue: Catalogue | None = None) -> Observations:
    """Check tables of rows, each of any shape, and put them together.

    Parameters
    ----------
    tables
        Rows as they were read, each table of one shape.
    catalogue
        If given, rows of evals that it does not list are refused.
    """
    parts: dict[str, list[pd.DataFrame]] = {key: [] for key in FRAMES}
    read: dict[str, list[Rows]] = {key: [] for key in FRAMES}
    notes: list[str] = []
    for rows in tables:
        shape = shape_of(map(str, rows.frame.columns), rows.source)
        if catalogue is not None:
            _refuse_unknown_evals(rows, catalogue)
        parts[shape.name].append(CHECKS[shape.name](rows))
        read[shape.name].append(rows)
        extras = [str(c) for c in rows.frame.columns if c not in shape.columns]
        if extras:
            notes.append(f"{rows.source}: kept, but not used: {', '.join(extras)}")
    frames = {key: joined(parts[key], key) for key in FRAMES}
    refuse_shared(frames["runs"], _places(read["runs"]))
    runs, counts, run_notes = _usable(frames["runs"])
    excluded = frames["runs"][frames["runs"]["outcome"] == "excluded"]["eval"].value_counts()
    if len(excluded):
        by_eval = ", ".join(f"{n} of {name}" for name, n in sorted(excluded.items()))
        notes.append(f"excluded runs, counted but not used: {by_eval}")
    frames["counts"] = joined([frames["counts"], counts], "counts")
    for key in ("cells", "counts", "scores"):
        _refuse_repeated(frames[key], key, _places(read[key]))
    _refuse_told_twice(frames["cells"], runs)
    refuse_torn(frames["counts"])
    refuse_shared_scores(frames["scores"])
    for name in suspected_shared(frames["counts"]):
        notes.append(
            f"counts of {name} have the same number of runs at every cap and are taken for runs of "
            "their own at each; if one set of runs was capped after the fact, give all its rows "
            "one name in a column run_set"
        )
    notes += run_notes
    found = Observations(
        cells=frames["cells"],
        runs=runs,
        counts=frames["counts"],
        scores=frames["scores"],
        excluded={str(name): int(n) for name, n in sorted(excluded.items())},
    )
    notes += _spelling(found, catalogue)
    return Observations(
        found.cells, found.runs, found.counts, found.scores, found.excluded, tuple(notes)
    )


def _places(tables: list[Rows]) -> Places:
    """Return a function that names the file and row of a row of the tables put together."""

    def place(position: int) -> str | None:
        for rows in tables:
            if position < len(rows):
                return rows.place(position)
            position -= len(rows)
        return None  # a count made of runs

    return place


def _usable(runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Split runs into those with a spend and counts of those without; say what was done."""
    if not len(runs):
        return runs, countable(runs) if len(runs) else pd.DataFrame(), []
    runs = numbered(runs[runs["outcome"] != "excluded"]).reset_index(drop=True)
    unknown = runs["spend"].isna()
    notes = []
    if unknown.any():
        lost = int((unknown & runs["outcome"].isin(CENSORED_ELSEWHERE)).sum())
        notes.append(
            f"{int(unknown.sum())} runs have no spend (a zero means not recorded): "
            "successes within the cap are counted, spends are not used"
            + (f"; {lost} of them, stopped otherwise than by the cap, tell nothing" if lost else "")
        )
    counts = countable(runs[unknown])
    return runs[~unknown].reset_index(drop=True), counts, notes


def _refuse_unknown_evals(rows: Rows, catalogue: Catalogue) -> None:
    known = [spec.name for spec in catalogue.evals]
    for row, name in enumerate(rows.names("eval")):
        if name not in known:
            raise InputError(
                f"{rows.where(row)}: eval must be one of the catalogue's, got {name!r}; "
                f"{cure(str(name), known)}"
            )


def _refuse_repeated(frame: pd.DataFrame, key: str, places: Places) -> None:
    again = frame[frame.duplicated(CELL)] if len(frame) else frame
    if len(again):
        row = again.iloc[0]
        alike = (frame[CELL] == row[CELL]).all(axis=1)
        raise InputError(
            f"{key}: each eval, AI model, effort and cap must have one row, got {row['eval']} by "
            f"{row['ai_model']} at cap {row['cap']:g} twice"
            f"{told_at(places, frame.index[alike][:2])}; put the rows together or drop one"
        )


def _refuse_told_twice(cells: pd.DataFrame, runs: pd.DataFrame) -> None:
    """Refuse a cell beside runs of the same eval, AI model, effort and cap."""
    if not len(cells) or not len(runs):
        return
    both = cells[CELL].merge(runs[CELL].drop_duplicates(), on=CELL)
    if len(both):
        row = both.iloc[0]
        raise InputError(
            f"observations: results must be told once, got both cells and runs of {row['eval']} "
            f"by {row['ai_model']} at cap {row['cap']:g}; leave one of the two out"
        )


def _spelling(observations: Observations, catalogue: Catalogue | None) -> list[str]:
    """Return notes on AI models that are probably one and the same."""
    names = list(observations.ai_models)
    if catalogue is not None and catalogue.portfolio.ai_model not in names:
        names.append(catalogue.portfolio.ai_model)
    notes = []
    for i, name in enumerate(names):
        twin = nearest(name, names[:i], cutoff=1.0)
        if twin:
            notes.append(
                f"AI models {twin!r} and {name!r} are taken for two; spell them alike if not"
            )
    return notes
