"""Reading observations from files, and the rules between their rows."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from evalbayes.catalogue import Catalogue
from evalbayes.errors import InputError
from evalbayes.names import cure, nearest
from evalbayes.observations.cells import CELL, cells_of
from evalbayes.observations.counts import (
    counts_of,
    refuse_shared_scores,
    refuse_torn,
    scores_of,
    suspected_shared,
)
from evalbayes.observations.files import read_rows, rows_of
from evalbayes.observations.observations import FRAMES, Observations, joined
from evalbayes.observations.rows import Places, Rows, told_at
from evalbayes.observations.runs import countable, numbered, refuse_shared, runs_of
from evalbayes.observations.shape import CENSORED_ELSEWHERE, OUTCOMES, SHAPES, Shape, shape_of
from evalbayes.observations.studies import studies_of

MOST_NAMED = 5  # evals in a note
FEWEST_ALIKE = 5  # rows of an eval from which spends that all equal their cap are no chance
CHECKS = {"runs": runs_of, "cells": cells_of, "counts": counts_of, "scores": scores_of}
CHECKS |= {"studies": studies_of}


def read_observations(
    paths: Iterable[str | Path] | str | Path, catalogue: Catalogue | None = None
) -> Observations:
    """Read files of runs, cells, counts, scores and studies, each file of any shape.

    InputError if a file cannot be read, a row breaks a rule, or results are told twice.

    Parameters
    ----------
    paths
        Files ending in .csv, .csv.gz, .parquet or .xlsx; none gives no observations.
    catalogue
        If given, every eval observed must be one of its own, and every study.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    return observations_of([rows for path in paths for rows in read_rows(path)], catalogue)


def observations_of(
    tables: pd.DataFrame | Iterable[Rows | pd.DataFrame], catalogue: Catalogue | None = None
) -> Observations:
    """Check tables of results, each of any shape, and put them together.

    InputError if a table breaks a rule; its row and column are named.

    Parameters
    ----------
    tables
        A data frame, or several, each of one shape; or rows as they were read from files.
    catalogue
        If given, rows of evals that it does not list are refused.

    Examples
    --------
    >>> seen = {"eval": ["a"], "ai_model": ["M"], "cap": [1e6], "n_runs": [20], "n_success": [7]}
    >>> observations_of(pd.DataFrame(seen)).counts["n_success"].tolist()
    [7]
    """
    given = [tables] if isinstance(tables, pd.DataFrame) else list(tables)
    named = ("table",) if len(given) == 1 else (f"table {k + 1}" for k in range(len(given)))
    read_in = [
        rows_of(each, name) if isinstance(each, pd.DataFrame) else each
        for each, name in zip(given, named, strict=True)
    ]
    parts: dict[str, list[pd.DataFrame]] = {key: [] for key in CHECKS}
    read: dict[str, list[Rows]] = {key: [] for key in CHECKS}
    notes: list[str] = []
    units: dict[str, tuple[str, str]] = {}
    for rows in read_in:
        shape = _shape(rows)
        if catalogue is not None:
            _note_unknown(rows, shape.required[0], catalogue)
        own = rows.spend_units()
        parts[shape.name].append(CHECKS[shape.name](rows))
        read[shape.name].append(rows)
        _add_units(units, own, rows.source, catalogue)
        notes += rows.notes
        extras = [str(c) for c in rows.frame.columns if c not in shape.columns]
        if extras:
            notes.append(f"{rows.source}: kept, but not used: {', '.join(extras)}")
    frames = {key: joined(each, key) for key, each in parts.items()}
    refuse_shared(frames["runs"], _places(read["runs"]))
    runs, counts, run_notes = _usable(frames["runs"])
    excluded = frames["runs"][frames["runs"]["outcome"] == "excluded"]["eval"].value_counts()
    if len(excluded):
        by_eval = ", ".join(f"{n} of {name}" for name, n in sorted(excluded.items()))
        notes.append(f"excluded runs, counted but not used: {by_eval}")
    frames["counts"] = joined([frames["counts"], counts], "counts")
    for key in ("cells", "counts", "scores", "studies"):
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
    notes += _spent_their_cap(runs)
    found = Observations(
        cells=frames["cells"],
        runs=runs,
        counts=frames["counts"],
        scores=frames["scores"],
        studies=frames["studies"],
        excluded={str(name): int(n) for name, n in sorted(excluded.items())},
    )
    notes += _spelling(found, catalogue)
    return replace(
        found,
        notes=tuple(dict.fromkeys(notes)),
        spend_units={name: unit for name, (unit, _) in units.items()},
    )


def _shape(rows: Rows) -> Shape:
    """Return the shape of a table; where it has none, say where the names of columns may stand."""
    try:
        return shape_of(map(str, rows.frame.columns), rows.source)
    except InputError as error:
        known = {column for shape in SHAPES for column in shape.columns}
        for row, cells in enumerate(rows.frame.head(5).itertuples(index=False, name=None)):
            if sum(str(cell).strip().lower() in known for cell in cells) >= 3:
                raise InputError(
                    f"{rows.source}: the first filled row must hold the names of the columns, but "
                    f"they seem to stand in {rows.place(row)}; delete what is above it"
                ) from None
        if " sheet '" in rows.source:
            raise InputError(
                f"{error}; a sheet that is no table of results is passed over if its name begins "
                "with notes"
            ) from None
        raise


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
        return runs, pd.DataFrame(), []
    runs = numbered(runs[runs["outcome"] != "excluded"]).reset_index(drop=True)
    unknown = runs["spend"].isna()
    notes = [_without_spend(runs[unknown], runs)] if unknown.any() else []
    counts = countable(runs[unknown])
    return runs[~unknown].reset_index(drop=True), counts, notes


def _without_spend(runs: pd.DataFrame, every: pd.DataFrame) -> str:
    """Say what becomes of runs without a spend, by outcome, and what rates that makes.

    A run that something other than the cap stopped, nobody knows when, fits every plateau: it
    succeeded neither before its stop nor after, and the stop may have come at once. So the model
    cannot take it, and without it the rate is higher; both are said, of every run of those evals.
    """
    by_outcome = runs["outcome"].value_counts()
    told = ", ".join(f"{by_outcome[name]:,} {name}" for name in OUTCOMES if name in by_outcome)
    left = runs["outcome"].isin(CENSORED_ELSEWHERE)
    lost = int(left.sum())
    note = (
        f"{len(runs):,} runs have no spend (a zero means not recorded): {told}; successes within "
        "the cap are counted, spends are not used"
    )
    if not lost:
        return note
    evals = runs.loc[left, "eval"].unique()
    own = every[every["eval"].isin(evals)]
    won, all_runs = int((own["outcome"] == "success").sum()), len(own)
    rest = (
        f"{won:,} of {all_runs - lost:,} succeeded ({won / (all_runs - lost):.0%}) where "
        if all_runs > lost
        else "none is counted where "
    )
    names = ", ".join(evals[:MOST_NAMED]) + " and more" * (len(evals) > MOST_NAMED)
    return (
        f"{note}; {lost:,} of them, stopped otherwise than by the cap at an unknown spend up to "
        f"it, tell nothing of how far they would have come and are left out, so that of all runs "
        f"of {names} {rest}with them it is {won:,} of {all_runs:,} ({won / all_runs:.0%}); write "
        "their spend, or gave_up where they had failed by then"
    )


def _spent_their_cap(runs: pd.DataFrame) -> list[str]:
    """Say which evals have a spend equal to the cap in every row: filled in, most likely."""
    notes = []
    for name, own in runs.groupby("eval") if len(runs) else ():
        ends = own["outcome"].value_counts()
        failed, gave_up = (int(ends.get(each, 0)) for each in ("stopped_by_cap", "gave_up"))
        if len(own) >= FEWEST_ALIKE and bool((own["spend"] == own["cap"]).all()):
            notes.append(
                f"{name}: the spend equals the cap in all {len(own):,} rows, as where both were "
                f"filled in; so {failed:,} failures count as stopped by the cap and "
                f"{gave_up or 'none'} as given up; where spend was not recorded, leave it empty, "
                "or `evalfolio import table --set spend=none`"
            )
    return notes


def _add_units(
    units: dict[str, tuple[str, str]], own: dict[str, str], source: str, catalogue: Catalogue | None
) -> None:
    """Add the units of spend that a table says; refuse two for one eval."""
    stated = {spec.name: spec.spend_unit for spec in catalogue.evals} if catalogue else {}
    for name, unit in own.items():
        first, place = units.setdefault(name, (unit, source))
        if unit != first:
            raise InputError(
                f"{source}: spends of {name} must be in one unit, got {unit} after {first} in "
                f"{place}; import them again in one unit"
            )
        if name in stated and unit != stated[name]:
            raise InputError(
                f"{source}: spends of {name} must be in the catalogue's unit, {stated[name]}, got "
                f"{unit}; import them in that unit, or write spend_unit and usd_per_unit for it"
            )


def _note_unknown(rows: Rows, column: str, catalogue: Catalogue) -> None:
    """Note as a fault, once for each name, what is used and no eval, or study, of the catalogue."""
    names = [each.name for each in (catalogue.evals if column == "eval" else catalogue.studies)]
    known = set(names)
    unused = rows.frame.get("outcome", pd.Series(index=rows.frame.index)) == "excluded"
    for row, name in enumerate(rows.names(column)):
        if name and name not in known and not unused.iloc[row]:
            known.add(name)
            mend = cure(str(name), names) if names else "it has none: add a [[study]]"
            rows.fault(row, column, f"must be one of the catalogue's, got {name!r}; {mend}")


def _refuse_repeated(frame: pd.DataFrame, key: str, places: Places) -> None:
    keys = CELL if key in FRAMES else ["study", "ai_model"]
    again = frame[frame.duplicated(keys)] if len(frame) else frame
    if len(again):
        row = again.iloc[0]
        alike = (frame[keys] == row[keys]).all(axis=1)
        whole = "eval, AI model, effort and cap" if key in FRAMES else "study of an AI model"
        at = f" at cap {row['cap']:g}" if key in FRAMES else ""
        raise InputError(
            f"{key}: each {whole} must have one row, got {row[keys[0]]} by {row['ai_model']}{at} "
            f"twice{told_at(places, frame.index[alike][:2])}; put the rows together or drop one"
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
