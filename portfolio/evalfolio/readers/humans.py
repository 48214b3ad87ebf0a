"""People's runs: no AI model's, but they tell how long a task takes a person."""

from __future__ import annotations

import re

import pandas as pd

HUMAN_SOLVERS = frozenset(
    f"{package}{solver}"
    for package in ("", "inspect_ai/")
    for solver in ("human_cli", "human_agent")
)
_PERSON = re.compile(r"(?<![a-z])(?:humans?|baseliners?)(?![a-z])")


def is_human(name: str) -> bool:
    """Whether a name means people: `human`, `Human Expert`, `human_novice`, `baseliner 3`.

    Examples
    --------
    >>> [is_human(n) for n in ("human", "Human Expert", "human_novice", "humanloop/x", "o3")]
    [True, True, True, False, False]
    """
    return _PERSON.search(name.lower()) is not None


def anchored(runs: pd.DataFrame, human: pd.Series, minutes: pd.Series) -> pd.Series:
    """Return human minutes, filled where empty with people's median time on the task.

    Only their successes tell how long a task takes. `human` is which runs were a person's and
    succeeded, `minutes` how long each took, of shape (n_runs,); `runs` has columns eval, task,
    human_minutes.
    """
    known = human & (minutes > 0)
    if not known.any():
        return runs["human_minutes"]
    medians = minutes[known].groupby([runs["eval"][known], runs["task"][known]]).median()
    keys = pd.MultiIndex.from_frame(runs[["eval", "task"]])
    taken = pd.Series(medians.reindex(keys).to_numpy(), runs.index)
    return runs["human_minutes"].fillna(taken)
