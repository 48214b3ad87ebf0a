"""Runs: one row per attempt at a task, with how it ended and what it spent."""

import re

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import cure, nearest
from evalbayes.observations.rows import A_CAP, DROP, FROM_0, Places, Rows, told_at
from evalbayes.observations.shape import CENSORED_ELSEWHERE, OUTCOMES, OVERSHOOT, RUNS
from evalbayes.tables.numerals import flag_of

RUN = ["eval", "task", "ai_model", "effort"]
LEAST_OF_CAP = 0.5  # a run stopped by its cap has spent at least this share of it


def runs_of(rows: Rows) -> pd.DataFrame:
    """Check a table of runs and return it typed, one row per run, excluded ones included.

    Empty or zero spend becomes NaN: a zero means "not recorded".
    """
    names = {column: rows.names(column) for column in ("eval", "task", "ai_model")}
    outcome = rows.names("outcome")
    for row in map(int, np.flatnonzero(~np.isin(outcome, ["", *OUTCOMES]))):
        word = outcome[row]
        known = ", ".join(OUTCOMES)
        mend = (
            "it says yes or no: name its column `success` (`evalfolio import table --map "
            "success=COLUMN`), and the outcome is worked out"
            if flag_of(word) is not None and nearest(word, OUTCOMES, cutoff=1.0) is None
            else cure(word, OUTCOMES)
        )
        rows.fault(row, "outcome", f"must be one of {known}, got {word!r}; {mend}")
    used = outcome != "excluded"
    cap = rows.numbers("cap", A_CAP, "write what the run was allowed to spend")
    rows.refuse(np.isnan(cap) & used, "cap", A_CAP.words, DROP)
    spend = rows.numbers("spend", FROM_0, "leave it empty where it was not recorded")
    spend = np.where(spend > 0, spend, np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        beyond = used & (spend > OVERSHOOT * cap)
        early = (outcome == "stopped_by_cap") & (spend < LEAST_OF_CAP * cap)
    rule = "must not pass the run's cap by more than 10 %"
    rows.refuse(beyond, "spend", rule, "check that spend and cap are in the same unit")
    rule = "of a run stopped by its cap must be near the cap"
    rows.refuse(early, "spend", rule, "if something else stopped it, write stopped_otherwise")
    frame = pd.DataFrame(
        {
            **names,
            "outcome": outcome,
            "spend": spend,
            "cap": cap,
            "human_minutes": rows.human_minutes(),
            "effort": rows.efforts(),
            "attempt": _attempts(rows),
            "reviewed": rows.flags("reviewed"),
            "score": rows.numbers("score", cure="leave it empty if there is none", thousands=False),
            "date": _as_given(rows, "date"),
            **rows.extras(RUNS.columns),
        }
    )
    rows.settle()
    _refuse_repeated(rows, frame)
    return frame


def numbered(runs: pd.DataFrame) -> pd.DataFrame:
    """Return runs with attempts on a task numbered from 1 where they have no number."""
    missing = runs["attempt"].isna()
    order = runs.groupby([*RUN, "cap"], dropna=False).cumcount() + 1
    return runs.assign(attempt=runs["attempt"].where(~missing, order.astype(str)))


def refuse_shared(runs: pd.DataFrame, places: Places = lambda _: None) -> None:
    """Refuse one run told at several caps, or told twice.

    Points made by capping one run after the fact share that run: as independent runs they would
    count it several times over.
    """
    used = runs[runs["outcome"] != "excluded"]
    keys = [*RUN, "attempt"]
    given = used.assign(attempt=used["attempt"].astype(object).where(used["attempt"].notna(), ""))
    caps = given.groupby(keys)["cap"].nunique()
    shared = caps[caps > 1]
    if len(shared):
        name, task, ai_model, _, attempt = shared.index[0]
        which = f"attempt {attempt}" if attempt else "it without an attempt"
        raise InputError(
            f"runs: each run must be told once, at the cap it really had, got {which} of task "
            f"{task!r} of {name} by {ai_model} at {shared.iloc[0]} caps"
            f"{told_at(places, _alike(given, keys, shared.index[0]))}; points made by capping "
            "one run after the fact share that run, so keep the largest cap only, or number the "
            "attempts if these were separate runs"
        )
    numbered_rows = given[given["attempt"] != ""]
    again = numbered_rows[numbered_rows.duplicated(keys)]
    if len(again):
        row = again.iloc[0]
        raise InputError(
            f"runs: each run must be told once, got attempt {row['attempt']} of task "
            f"{row['task']!r} of {row['eval']} by {row['ai_model']} twice"
            f"{told_at(places, _alike(given, keys, tuple(row[keys])))}; drop one or renumber it"
        )


def _alike(runs: pd.DataFrame, keys: list[str], values: tuple[object, ...]) -> list[int]:
    """Return the first two rows that have these values."""
    return [int(row) for row in runs.index[(runs[keys] == list(values)).all(axis=1)][:2]]


def countable(runs: pd.DataFrame) -> pd.DataFrame:
    """Return counts, by eval, AI model, effort and cap, of the runs whose spend is not known.

    Whether a run succeeded within its cap is known without its spend; a run that something else
    stopped tells nothing without it and is left out.
    """
    known = runs[~runs["outcome"].isin(CENSORED_ELSEWHERE)]
    known = known.assign(won=known["outcome"] == "success")
    grouped = known.groupby(["eval", "ai_model", "effort", "cap"], as_index=False)
    return grouped.agg(
        n_runs=("won", "size"), n_success=("won", "sum"), human_minutes=("human_minutes", "median")
    )


def _attempts(rows: Rows) -> "pd.Series[str]":
    """Return attempts as text, missing where not given; 1.0 and 1 are the same attempt."""
    texts = (None if v is None else str(v).strip() for v in _as_given(rows, "attempt"))
    return pd.Series([v and re.sub(r"^(\d+)\.0$", r"\1", v) for v in texts], dtype=object)


def _as_given(rows: Rows, column: str) -> "pd.Series[str]":
    return rows.frame[column] if rows.has(column) else pd.Series([None] * len(rows), dtype=object)


def _refuse_repeated(rows: Rows, frame: pd.DataFrame) -> None:
    """Refuse rows alike in every column: one run told twice, most likely."""
    again = frame.astype(object).duplicated(keep="first") & (frame["outcome"] != "excluded")
    for row in map(int, np.flatnonzero(again.to_numpy())):
        rows.faults[row, ""] = (
            "each run must be told once, got a row alike in every column to an earlier one; drop "
            "it, or number both in a column `attempt` if both are real"
        )
    rows.settle()
