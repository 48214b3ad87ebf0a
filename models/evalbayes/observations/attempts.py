"""Attempts at tasks: how often each was tried as it comes, and solved."""

import numpy as np
import pandas as pd

from evalbayes.arrays import Index
from evalbayes.observations.observations import Observations
from evalbayes.observations.shape import UNTOLD

COLUMNS = ("eval", "ai_model", "attempts", "successes", "tasks", "cap")


def attempts_of(observations: Observations) -> pd.DataFrame:
    """Count tasks by how often they were tried and solved.

    Runs as they come count, a stop as no success; elicited, spurious and excluded ones do not. One
    row per eval, ai_model, attempts and successes: how many tasks, and the largest cap that any
    attempt of the eval by the AI model had. Only where some task was tried more than once.
    """
    runs = observations.runs
    if not len(runs):
        return pd.DataFrame(columns=list(COLUMNS))
    plain = (runs["effort"].astype(float).fillna(0.0) == 0) & ~runs["outcome"].isin(UNTOLD)
    own = runs[plain]
    own = own.assign(won=own["outcome"] == "success", cap=own["cap"].astype(float))
    pair = ["eval", "ai_model"]
    solved = own.groupby([*pair, "task"])["won"]
    tried = solved.agg(attempts="size", successes="sum").reset_index()
    again = tried.groupby(pair)["attempts"].transform("max") > 1
    found = tried[again].groupby([*pair, "attempts", "successes"]).size().rename("tasks")
    caps = own.groupby(pair)["cap"].max()
    return found.reset_index().merge(caps.reset_index(), on=pair, how="left")[list(COLUMNS)]


def by_task(table: pd.DataFrame, name: str, ai_model: str) -> tuple[Index, Index]:
    """Return attempts and successes of every task of an eval by an AI model, from `attempts_of`."""
    own = table[(table["eval"].astype(str) == name) & (table["ai_model"].astype(str) == ai_model)]
    tasks = own["tasks"].to_numpy(np.int64)
    attempts, successes = (own[key].to_numpy(np.int64) for key in ("attempts", "successes"))
    return np.repeat(attempts, tasks), np.repeat(successes, tasks)
