"""Horizons read off the runs of an AI model, in USD."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.menus.synthetic import small_catalogue
from tests.evalbayes.model.simulated import observed

from evalbayes.errors import InputError
from evalbayes.horizons import run_horizons
from evalbayes.horizons.of_runs import task_weights
from evalbayes.observations import Observations

CATALOGUE = small_catalogue()


def runs(n: int = 3000, power: float = 1.0, seed: int = 0) -> Observations:
    """Horizon of 64 minutes without limit; a success spends 2000·minutes^power tokens."""
    rng = np.random.default_rng(seed)
    minutes = 2.0 ** rng.uniform(0.0, 11.0, n)
    success = rng.random(n) < 1.0 / (1.0 + np.exp(-0.8 * (6.0 - np.log2(minutes))))
    spend = 2e3 * minutes**power * np.exp(0.3 * rng.standard_normal(n))
    ended = spend < 1e7
    outcome = np.where(ended, np.where(success, "success", "gave_up"), "stopped_by_cap")
    return observed(
        pd.DataFrame(
            {
                "eval": "cybench",
                "task": [f"t{k}" for k in range(n)],
                "ai_model": "A",
                "outcome": outcome,
                "spend": np.minimum(spend, 1e7),
                "cap": 1e7,
                "human_minutes": minutes,
            }
        )
    )


def test_horizon_and_cost_are_those_the_runs_were_made_from() -> None:
    (found,) = run_horizons(runs(), CATALOGUE, "A", n_draws=500)
    assert (found.domain, found.runs) == ("cyber", 3000)
    assert np.median(found.horizon.minutes()) == pytest.approx(64.0, rel=0.15)
    last = found.by_cap.iloc[-1]
    price = CATALOGUE.eval("cybench").usd_per_unit.lognormal_mean
    assert last["cap"] == pytest.approx(1e7 * price)
    assert last["minutes"] == pytest.approx(np.median(found.horizon.minutes()), rel=0.05)
    assert last["usd_per_hour"] == pytest.approx(1e7 * price / (last["minutes"] / 60.0), rel=1e-9)
    # Everything is solved that can be by 10⁶ tokens: saturated well before the last cap.
    assert found.saturation < 2e6 * price
    assert found.saturation_95 < 2e6 * price


def test_the_summary_has_the_figures_of_the_essay() -> None:
    (found,) = run_horizons(runs(power=1.6), CATALOGUE, "A", n_draws=300)
    table = found.summary(480.0, 2400.0)
    for figure in (
        "50% horizon (min)",
        "80% horizon (min)",
        "completion at 10 min",
        "completion at 30 min",
        "completion at 2 h",
        "completion at 8 h",
        "doublings to 8 h",
        "USD per horizon-hour at the saturation",
        "USD per horizon-hour at the 95 % of the horizon",
    ):
        assert figure in table.index
    at = table["median"]
    for words, minutes in (("8 h", 480), ("40 h", 2400)):
        away = np.log2(minutes / at["50% horizon (min)"])
        assert at[f"doublings to {words}"] == pytest.approx(away, abs=0.01)
    hourly = found.hourly_cost()
    assert at["USD per horizon-hour at the 95 % of the horizon"] == pytest.approx(
        float(hourly.per_hour(found.saturation_95))
    )


@pytest.mark.parametrize("ai_model", ["all", "none", "some"])
def test_both_tables_of_the_page_agree(ai_model: str) -> None:
    rows = graded({"all": 30, "none": 0, "some": 17}[ai_model])
    (found,) = run_horizons(rows, CATALOGUE, "A")
    first, last = found.summary().loc["50% horizon (min)"], found.by_cap.iloc[-1]
    for ours, theirs in (("median", "minutes"), ("low", "minutes_low"), ("high", "minutes_high")):
        assert last[theirs] == pytest.approx(first[ours], rel=1e-9)
    assert (found.by_cap["elasticity"] >= 0).all()  # more spend takes nothing away


def test_a_horizon_beyond_the_tasks_says_so() -> None:
    (found,) = run_horizons(graded(30), CATALOGUE, "A")
    note = found.summary(480.0)["note"]
    assert note["50% horizon (min)"] == "beyond the longest task, 8.53 h: a guess"
    assert note["doublings to 8 h"] == note["80% horizon (min)"] == note["50% horizon (min)"]
    assert note["completion at 8 h"] == ""  # there are tasks as long
    assert found.by_cap["beyond"].iloc[-1] == "the longest task"
    (found,) = run_horizons(graded(0), CATALOGUE, "A")
    assert (
        found.summary()["note"]["50% horizon (min)"] == "beyond the shortest task, 1 min: a guess"
    )
    assert np.isnan(found.saturation_95)  # of nothing
    (found,) = run_horizons(graded(27), CATALOGUE, "A")
    note = found.summary()["note"]["50% horizon (min)"]
    assert note == "its interval reaches beyond the longest task, 8.53 h"
    (found,) = run_horizons(graded(15), CATALOGUE, "A")
    assert (found.summary()["note"] == "").all()


def test_runs_told_ten_times_leave_the_page_as_it_was() -> None:
    """Repeats are no independent tasks, at every cap."""
    once = graded(20)
    ten = once.runs.loc[np.repeat(once.runs.index, 10)].reset_index(drop=True)
    ten["attempt"] = np.tile(np.arange(10).astype(str), len(once.runs))
    (found,) = run_horizons(once, CATALOGUE, "A")
    (again,) = run_horizons(observed(ten), CATALOGUE, "A")
    assert (again.runs, again.tasks) == (10 * found.runs, found.tasks)
    pd.testing.assert_frame_equal(again.summary(480.0), found.summary(480.0))
    pd.testing.assert_frame_equal(again.by_cap, found.by_cap)


def test_evals_weigh_by_the_square_root_of_their_tasks() -> None:
    own = pd.DataFrame({"eval": ["a"] * 5 + ["b"], "task": ["a1", "a1", "a2", "a3", "a4", "b1"]})
    np.testing.assert_allclose(task_weights(own), [0.5] * 5 + [1.0])


def graded(solved: int) -> Observations:
    """30 tasks from 1 to 512 minutes, the shortest of which are solved."""
    return observed(
        pd.DataFrame(
            {
                "eval": "cybench",
                "task": [f"t{k}" for k in range(30)],
                "ai_model": "A",
                "outcome": ["success" if k < solved else "gave_up" for k in range(30)],
                "spend": np.linspace(1e5, 9e5, 30),
                "cap": 1e6,
                "human_minutes": 2.0 ** np.linspace(0.0, 9.0, 30),
            }
        )
    )


def test_too_few_runs_are_told() -> None:
    with pytest.raises(InputError, match=r"20 or more runs of one domain by 'B'.*runs: A\)"):
        run_horizons(runs(50), CATALOGUE, "B")
    with pytest.raises(InputError, match=r"AI models with runs: none"):
        run_horizons(Observations(), CATALOGUE)
