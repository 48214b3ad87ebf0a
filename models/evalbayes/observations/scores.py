"""Scores: a mean score within a cap, with its standard error."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.counts import SET
from evalbayes.observations.rows import Rows
from evalbayes.observations.shape import SCORES
from evalbayes.tables.numerals import flag_of

COLUMNS = [
    "eval",
    "ai_model",
    "effort",
    "cap",
    "score",
    "standard_error",
    "human_minutes",
    "run_set",
]
ALL_OR_NOTHING = (
    "must be above 0, got 0 at a score of {:g}: where all runs end alike it does not say how many "
    "there were; give such rows as counts, in a file of their own with n_runs and n_success in "
    "place of score and standard_error"
)


def scores_of(rows: Rows) -> pd.DataFrame:
    """Check a table of scores and return it typed; which are possible, their eval's scale says.

    InputError for the first ten rows that break a rule.
    """
    known = tuple(column for column in SCORES.columns if column != "n_runs")
    score = rows.numbers("score", required=True, cure="write the mean score", thousands=False)
    frame = pd.DataFrame(
        {
            "eval": rows.names("eval"),
            "ai_model": rows.names("ai_model"),
            "effort": rows.efforts(),
            "cap": rows.caps(),
            "score": score,
            "standard_error": rows.numbers(
                "standard_error",
                required=True,
                holds=lambda v: (v > 0) & np.isfinite(v),
                rule="must be above 0",
                cure="write the standard error of the mean score",
                thousands=False,
            ),
            "human_minutes": rows.human_minutes(),
            "run_set": rows.run_sets(),
            **rows.extras(known),
        }
    )
    for row, place in enumerate(rows.frame["standard_error"]):
        if (
            (row, "standard_error") in rows.faults
            and score[row] in (0, 1)
            and flag_of(place) is False
        ):
            rows.faults[row, "standard_error"] = ALL_OR_NOTHING.format(score[row])
    rows.settle()
    return frame


def refuse_shared_scores(scores: pd.DataFrame) -> None:
    """Refuse scores of one set of runs at several caps: how they hang together is not known.

    InputError naming the eval, AI model and set.
    """
    shared = scores[scores["run_set"].notna() & scores.duplicated(SET)]
    if len(shared):
        row = shared.iloc[0]
        raise InputError(
            f"scores of {row['eval']} by {row['ai_model']}: a set of runs must have its score at "
            f"one cap, got {row['run_set']!r} at several; means at two caps of the same runs are "
            "not independent, so keep the largest cap only"
        )
