"""People beside AI models: an account of runs by people, for report and workbook."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalfolio.record.record import Account, AccountTable

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations


def baseline_of(
    file: Path, observed: "Observations | None", catalogue: "Catalogue", *, seed: int = 0
) -> Account:
    """Return how long tasks take people, and what they score beside AI models in the same time.

    AI models are those with scores of an eval whose spend is in hours, at their caps.
    """
    from evalbayes.horizons.baseline import (
        human_difficulty,
        runs_by_people,
        score_at_time,
        score_beside_people,
    )
    from evalbayes.observations.files import read_rows

    people = runs_by_people(pd.concat([rows.frame for rows in read_rows(file)]), str(file))
    difficulty = human_difficulty(people, seed=seed)
    found, hours = [], [e.name for e in catalogue.evals if e.spend_unit == "hours"]
    scores = pd.DataFrame(columns=["eval", "ai_model"]) if observed is None else observed.scores
    known = scores[scores["eval"].isin(hours) & scores["eval"].isin(people["eval"])]
    for (name, model), own in known.groupby(["eval", "ai_model"]):
        points = own.assign(minutes=own["cap"] * 60.0)[["minutes", "score"]]
        ai = points.groupby("minutes").mean().reset_index()
        mine = people[people["eval"] == name]
        times = np.union1d(ai["minutes"], mine["minutes"]).tolist()
        table, crossing = score_beside_people(score_at_time(mine, times), ai)
        table = table[table["minutes"].isin([*ai["minutes"], max(times)])]
        found.append(table.assign(eval=str(name), ai_model=str(model), crossing=crossing))
    heads = ("Eval", "Task", "Runs", "Solved", "Minutes", "At least", "At most")
    tables = [("difficulty", "Minutes that a success takes people", heads, difficulty)]
    if found:
        columns = ["eval", "ai_model", "minutes", "human", "ai", "normalised", "crossing"]
        heads = ("Eval", "AI model", "Minutes", "People", "AI model's", "Normalised", "Crossing")
        title = "Scores in the same time; from the crossing on people are ahead"
        tables.append(("beside", title, heads, pd.concat(found)[columns]))
    said = f"{len(people)} runs by people of {people['task'].nunique()} tasks are the baseline."
    return Account(
        sentences=(said,),
        tables=tuple(
            AccountTable.of(name, title, frame.set_axis(list(heads), axis=1))
            for name, title, heads, frame in tables
        ),
    )
