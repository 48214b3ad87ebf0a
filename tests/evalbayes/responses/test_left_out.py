"""AI models not seen before, foretold from a fifth of their tasks: the real cyber runs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.cyber_runs import cyber_runs
from benchmarks.left_out import ALL, cheapest_part, left_out, random_part

DATA = Path(os.environ.get("EVALFOLIO_DATA", Path(__file__).parents[4] / "shared" / "data"))


def test_a_fifth_of_every_eval_is_seen_at_random_or_by_price() -> None:
    own = pd.DataFrame(
        {"eval": ["a"] * 20 + ["b"] * 3, "task": range(23), "spend": range(23, 0, -1)}
    )
    for part in (random_part(own, np.random.default_rng(0)), cheapest_part(own)):
        assert own[part].groupby("eval").size().to_dict() == {"a": 4, "b": 1}
    assert list(own.loc[cheapest_part(own), "task"]) == [16, 17, 18, 19, 22]
    first, second = (random_part(own, np.random.default_rng(k)) for k in (1, 2))
    assert (first != second).any()


@pytest.mark.slow  # three histories and thirty inferences: 16 CPU-seconds
def test_forecasts_of_three_ai_models_beat_the_fifth_alone_and_the_population() -> None:
    path = DATA / "cyber_runs.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there: the real runs are kept beside the project, not in it")
    found = left_out(cyber_runs(path), ("Claude 3 Opus", "o3", "Sonnet 4.6"), splits=6)
    each = found[(found["part"] == "random") & (found["eval"] != ALL)]
    scores = each.pivot_table(index="ai_model", columns="method", values="score0.9")
    assert (scores["evalbayes"] < scores["the fifth alone"]).all()
    assert (scores["evalbayes"] < scores["the population alone"]).all()
    ours = found[found["method"] == "evalbayes"].groupby("part")["covered0.9"].mean()
    assert ours["random"] >= 0.84  # of 0.9: 126 forecasts of three AI models
    assert ours["cheapest"] < 0.75  # cheap tasks are easy ones: the warning stays true
