"""Counts and scores: successes out of independent runs within a cap, or their mean score."""

from collections.abc import Hashable

import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.rows import ABOVE_0, NUMBER, Rows
from evalbayes.observations.shape import COUNTS, SCORES
from evalbayes.tables.numerals import flag_of

SET = ["eval", "ai_model", "effort", "run_set"]


def counts_of(rows: Rows) -> pd.DataFrame:
    """Check a table of counts and return it typed."""
    cap, n_runs, n_success = rows.caps(), rows.counts("n_runs"), rows.counts("n_success")
    rows.refuse(n_runs == 0, "n_runs", "must be at least 1", "drop the row")
    rule = "must not be above n_runs: a success share is at most 1"
    rows.refuse(n_success > n_runs, "n_success", rule, "count the runs again")
    frame = pd.DataFrame(
        {
            "eval": rows.names("eval"),
            "ai_model": rows.names("ai_model"),
            "effort": rows.efforts(),
            "cap": cap,
            "n_runs": n_runs,
            "n_success": n_success,
            "human_minutes": rows.human_minutes(),
            "run_set": rows.run_sets(),
            **rows.extras(COUNTS.columns),
        }
    )
    rows.settle()
    return frame


def refuse_torn(counts: pd.DataFrame) -> None:
    """Refuse sets of runs whose rows cannot come from one set, capped after the fact."""
    for (name, ai_model, _, run_set), group in nested_sets(counts):
        where = f"counts of {name} by {ai_model}, run_set {run_set!r}"
        if len(set(group["n_runs"])) > 1:
            raise InputError(
                f"{where}: rows of one set of runs must have the same n_runs at every cap, got "
                f"{' and '.join(f'{n:g}' for n in sorted(set(group['n_runs'])))}; name each set of "
                "runs of its own, or count again"
            )
        if not group["n_success"].is_monotonic_increasing:
            raise InputError(
                f"{where}: successes of one set of runs must not fall as the cap rises, got "
                f"{', '.join(f'{n:g}' for n in group['n_success'])}; count again, or name each set "
                "of runs of its own"
            )


def nested_sets(counts: pd.DataFrame) -> list[tuple[tuple[Hashable, ...], pd.DataFrame]]:
    """Return the sets of runs told at several caps, and their rows from the least cap up."""
    if "run_set" not in counts or not len(counts):
        return []
    groups = counts[counts["run_set"].notna()].groupby(SET, sort=True)
    return [(key, group.sort_values("cap")) for key, group in groups if len(group) > 1]


def suspected_shared(counts: pd.DataFrame) -> list[str]:
    """Name evals and AI models whose counts look like one set of runs, capped after the fact.

    They have the same number of runs at three caps or more, successes that never fall, and no
    `run_set` that says so or denies it.
    """
    found = []
    if "run_set" in counts:
        counts = counts[counts["run_set"].isna()]
    for (name, ai_model, _), group in counts.groupby(["eval", "ai_model", "effort"]):
        ordered = group.sort_values("cap")
        same = len(ordered) >= 3 and bool((ordered["n_runs"] == ordered["n_runs"].iloc[0]).all())
        if same and ordered["n_success"].is_monotonic_increasing:
            found.append(f"{name} by {ai_model}")
    return found


ALL_OR_NOTHING = (
    "must be above 0, got 0 at a score of {:g}: where all runs end alike it does not say how many "
    "there were; give such rows as counts, in a file of their own with n_runs and n_success in "
    "place of score and standard_error"
)


def scores_of(rows: Rows) -> pd.DataFrame:
    """Check a table of scores and return it typed; which are possible, their eval's scale says."""
    known = tuple(column for column in SCORES.columns if column != "n_runs")
    score = rows.numbers("score", NUMBER, "write the mean score", required=True, thousands=False)
    cure = "write the standard error of the mean score"
    frame = pd.DataFrame(
        {
            "eval": rows.names("eval"),
            "ai_model": rows.names("ai_model"),
            "effort": rows.efforts(),
            "cap": rows.caps(),
            "score": score,
            "standard_error": rows.numbers(
                "standard_error", ABOVE_0, cure, required=True, thousands=False
            ),
            "human_minutes": rows.human_minutes(),
            "run_set": rows.run_sets(),
            **rows.extras(known),
        }
    )
    for row, place in enumerate(rows.frame["standard_error"]):
        faulty = (row, "standard_error") in rows.faults
        if faulty and score[row] in (0, 1) and flag_of(place) is False:
            rows.faults[row, "standard_error"] = ALL_OR_NOTHING.format(score[row])
    rows.settle()
    return frame


def refuse_shared_scores(scores: pd.DataFrame) -> None:
    """Refuse scores of one set of runs at several caps: how they hang together is not known."""
    shared = scores[scores["run_set"].notna() & scores.duplicated(SET)]
    if len(shared):
        row = shared.iloc[0]
        raise InputError(
            f"scores of {row['eval']} by {row['ai_model']}: a set of runs must have its score at "
            f"one cap, got {row['run_set']!r} at several; means at two caps of the same runs are "
            "not independent, so keep the largest cap only"
        )
