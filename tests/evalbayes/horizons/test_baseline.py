"""Human baselines: against the closed form, simulation, and METR's own runs by people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalbayes.errors import InputError
from evalbayes.horizons.baseline import (
    human_difficulty,
    runs_by_people,
    score_at_time,
    score_beside_people,
)

SHARED = Path(__file__).parents[4] / "shared" / "data"


def simulated(seed: int, tasks: int = 24, people: int = 4) -> tuple[pd.DataFrame, pd.Series[float]]:
    """Runs of at most 8 hours by people on tasks of three evals, and each task's true minutes."""
    rng = np.random.default_rng(seed)
    name = [f"e{j % 3}/{j}" for j in range(tasks)]
    truth = rng.normal(np.array([5.0, 6.5, 8.0])[np.arange(tasks) % 3], 1.5)
    took = 2.0 ** (np.repeat(truth, people) + rng.normal(0.0, 0.9, tasks * people))
    rows = {"task": np.repeat(name, people), "minutes": np.minimum(took, 480.0)}
    frame = pd.DataFrame(rows).assign(success=(took <= 480.0).astype(int))
    return runs_by_people(frame), pd.Series(2.0**truth, index=name)


def test_many_runs_without_a_failure_give_the_mean_of_their_logarithms() -> None:
    rng = np.random.default_rng(1)
    took = 2.0 ** rng.normal(6.0, 1.0, 400)
    runs = runs_by_people(pd.DataFrame({"task": "a/1", "minutes": took, "success": 1}))
    table = human_difficulty(runs).set_index("task")
    mean = np.log2(took).mean()
    middle, low, high = np.log2(table.loc["a/1", ["minutes", "low", "high"]].astype(float))
    assert middle == pytest.approx(mean, abs=0.02)
    half = (high - low) / 2
    assert half == pytest.approx(1.645 * np.log2(took).std() / 20, rel=0.1)


def test_nine_of_ten_intervals_hold_the_simulated_difficulty_failures_included() -> None:
    inside = []
    for seed in range(12):
        runs, truth = simulated(seed)
        table = human_difficulty(runs, n_draws=800).set_index("task").loc[truth.index]
        inside += ((table["low"] <= truth) & (truth <= table["high"])).tolist()
    assert np.mean(inside) == pytest.approx(0.9, abs=0.06)


def test_a_failure_counts_as_longer_and_an_eval_is_its_median_task() -> None:
    runs, _ = simulated(0)
    table = human_difficulty(runs)
    by_task = table[table["task"] != ""].set_index("task")
    never = by_task[by_task["solved"] == 0]
    assert len(never)
    assert (never["minutes"] > 480).all()
    for name, rows in by_task.groupby("eval"):
        (own,) = table[(table["eval"] == name) & (table["task"] == "")].to_dict("records")
        assert own["minutes"] == pytest.approx(rows["minutes"].median(), rel=0.25)
        assert own["runs"] == rows["runs"].sum()


def test_scores_at_a_time_are_what_was_handed_in_by_then() -> None:
    runs = pd.DataFrame({"minutes": [60.0, 120.0, 480.0, 480.0], "score": [1.0, 0.5, 1.0, 0.0]})
    table = score_at_time(runs, [30, 60, 240, 480])
    assert table["score"].tolist() == [0.0, 0.25, 0.375, 0.625]
    spread = np.std([1, 0.5, 1, 0], ddof=1) / 2
    assert table["high"].iloc[-1] - 0.625 == pytest.approx(1.645 * spread, rel=1e-3)


def test_curves_that_cross_meet_at_the_crossing() -> None:
    people = pd.DataFrame({"minutes": [30.0, 120.0, 480.0], "score": [0.0, 0.2, 0.8]})
    model = pd.DataFrame({"minutes": [30.0, 240.0], "score": [0.2, 0.4]})
    table, at = score_beside_people(people, model)
    assert table["minutes"].tolist() == [30.0, 120.0, 240.0, 480.0]
    assert table["ai"].tolist()[-2:] == [0.4, 0.4]  # as far as it was run
    both = [np.interp(np.log(at), np.log(c["minutes"]), c["score"]) for c in (people, model)]
    assert both[0] == pytest.approx(both[1])
    assert np.isnan(table["normalised"].iloc[0])  # people had nothing yet
    assert table["normalised"].tolist()[-2:] == pytest.approx([0.4 / 0.5, 0.4 / 0.8])
    assert np.isnan(score_beside_people(model, people)[1])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"task": ["a"], "minutes": [3.0]}, "must have task, minutes, and success or score"),
        ({"task": ["a"], "success": [1]}, "must have task, minutes, and success or score"),
        ({"task": ["a"], "minutes": [0.0], "success": [1]}, "must be above 0"),
        ({"task": ["a", None], "minutes": [1, 2], "score": [1, 0]}, "in every row"),
        (
            {"task": ["a"], "minutes": ["12 min"], "success": [1]},
            "minutes must be above 0, got 12 m",
        ),
        (
            {"task": ["a"], "minutes": [1], "success": ["maybe"]},
            "success must be 0 or 1, yes or no",
        ),
        ({"task": ["a"], "minutes": [1], "success": [None]}, "or score must be given in every row"),
        ({"task": ["a"], "minutes": [1], "score": ["good"]}, "score must be a number, got good"),
    ],
)
def test_what_is_missing_is_said(rows: dict[str, list[object]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        runs_by_people(pd.DataFrame(rows))


@pytest.mark.skipif(not SHARED.exists(), reason="METR's rows lie beside the repository only")
def test_metrs_people_pass_o1_where_it_led() -> None:
    runs = runs_by_people(pd.read_csv(SHARED / "metr_human_runs.csv"))
    table = human_difficulty(runs)
    assert len(table[table["task"] != ""]) == 83
    assert (table["low"] < table["high"]).all()
    limits = pd.read_csv(SHARED / "rebench_by_time_limit.csv")
    o1 = limits[limits["ai_model"] == "o1"].assign(
        minutes=lambda f: f["time_limit_seconds"] / 60, score=lambda f: f["mean_score"]
    )
    crossings = {}
    for name, rows in o1.groupby("environment"):
        people = score_at_time(runs[runs["eval"] == name], [30, 60, 120, 240, 480, 500, 10_000])
        assert people["score"].is_monotonic_increasing
        both, crossings[name] = score_beside_people(people, rows.sort_values("minutes"))
        assert both["human"].iloc[-1] > both["ai"].iloc[-1]
        assert 0 <= both["normalised"].iloc[-1] < 1
    assert len(crossings) == 7
    assert all(120 < at < 10_000 for at in crossings.values())  # o1 led at its limit, two hours
