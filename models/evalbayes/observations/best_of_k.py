"""Best-of-k as an elicited condition: repeats read as what eliciting further would show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from evalbayes.observations.observations import Observations, joined
from evalbayes.observations.outcome import CENSORED_ELSEWHERE

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue

PAIR = ["eval", "ai_model"]
FEWEST = 5  # tasks with repeats below which an eval and AI model say nothing of best-of-k


def with_best_of_k(observations: Observations, catalogue: Catalogue) -> Observations:
    """Read repeats of runs as they come as best-of-k, at the catalogue's `best_of_k_effort`.

    Of every task the first attempt stays a single run; whether any of the others solved it becomes
    one count at that effort. So the model has a pair, single and best-of-k, to learn the gap from,
    and no run counts twice. Only where best-of-k is fair: a verified eval all of whose
    tasks can be reset, run at one cap, with 5 or more tasks run again. Without `best_of_k_effort`
    nothing changes.
    """
    effort = catalogue.portfolio.best_of_k_effort
    runs = observations.runs
    if effort is None or not len(runs):
        return observations
    fair = {spec.name for spec in catalogue.evals if spec.verifier and spec.resettable == 1.0}
    plain = runs[
        (runs["effort"].fillna(0.0) == 0)
        & runs["eval"].isin(fair)
        & ~runs["outcome"].isin(CENSORED_ELSEWHERE)
    ]
    again = plain[plain.duplicated([*PAIR, "task"], keep="first")]
    counts, used = [], []
    for (name, ai_model), own in again.groupby(PAIR, sort=True):
        solved = (own["outcome"] == "success").groupby(own["task"]).any()
        if len(solved) < FEWEST or own["cap"].min() < own["cap"].max():
            continue
        counts.append(
            {
                "eval": name,
                "ai_model": ai_model,
                "effort": effort,
                "cap": float(own["cap"].iloc[0]),
                "n_runs": len(solved),
                "n_success": int(solved.sum()),
                "human_minutes": own["human_minutes"].median(),
            }
        )
        used += list(own.index)
    if not counts:
        return observations
    note = (
        f"the repeats of {len(counts)} pairs of eval and AI model are read as best-of-k at effort "
        f"{effort:g}"
    )
    return replace(
        observations,
        runs=runs.drop(index=used).reset_index(drop=True),
        counts=joined([observations.counts, pd.DataFrame(counts)], "counts"),
        notes=(*observations.notes, note),
    )
