"""Best-of-k of a catalogue's eval: from repeats, from the posterior, and its best split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from tests.evalbayes.menus.synthetic import UNDER_TEST, prior_posterior, small_catalogue
from tests.evalbayes.model.simulated import observed

from evalbayes.errors import InputError
from evalbayes.observations import Observations, attempts_of
from evalbayes.posterior.posterior import Posterior
from evalbayes.repeats import repeats_of
from evalbayes.repeats.clustering import attempt_correlation
from evalbayes.repeats.of_eval import implied

CATALOGUE = small_catalogue()
POSTERIOR = prior_posterior(CATALOGUE, n_draws=400, sharp=True)


def repeated(n: int, attempts: int, cap: float = 1e6, seed: int = 0) -> Observations:
    rng = np.random.default_rng(seed)
    p = np.repeat(rng.random(n), attempts)  # uniform: k attempts solve k/(k + 1)
    return observed(
        pd.DataFrame(
            {
                "eval": "cybench",
                "task": np.repeat([f"t{k}" for k in range(n)], attempts),
                "attempt": np.tile([str(k) for k in range(attempts)], n),
                "ai_model": UNDER_TEST,
                "outcome": np.where(rng.random(n * attempts) < p, "success", "gave_up"),
                "spend": 1e4,
                "cap": cap,
            }
        )
    )


def test_repeats_teach_it_where_there_are_enough() -> None:
    found = repeats_of(POSTERIOR, CATALOGUE, "cybench", observations=repeated(300, 6))
    assert found.source.startswith(f"300 tasks that {UNDER_TEST} ran 6 times (median)")
    table: Any = found.pass_table([1, 3, 12]).set_index("attempts")
    for k in (1, 3, 12):  # 12 is beyond the six seen
        assert table.loc[k, "solved_low"] - 0.02 < k / (k + 1) < table.loc[k, "solved_high"] + 0.02
    few = repeats_of(POSTERIOR, CATALOGUE, "cybench", observations=repeated(4, 6))
    assert few.source.startswith("the posterior: too few tasks were run again")
    assert few.seen is None


def test_a_stored_posterior_keeps_its_attempts(tmp_path: Path) -> None:
    """With the observations and from the file alone: the same figures, the same words."""
    seen = repeated(40, 4)
    fitted = replace(POSTERIOR, attempts=attempts_of(seen))
    stored = Posterior.load(fitted.save(tmp_path / "posterior.nc"))
    told = repeats_of(POSTERIOR, CATALOGUE, "cybench", observations=seen)
    again = repeats_of(stored, CATALOGUE, "cybench")
    assert again.source == told.source
    assert again.source.startswith(f"40 tasks that {UNDER_TEST} ran 4 times")
    pd.testing.assert_frame_equal(again.pass_table(), told.pass_table())
    pd.testing.assert_frame_equal(again.splits(4e5), told.splits(4e5))
    # a file of a version that kept none does not say that none was run
    old = repeats_of(POSTERIOR, CATALOGUE, "cybench").source
    assert old == "the posterior, whose file keeps no attempts at tasks as that of a new fit does"
    none = replace(POSTERIOR, attempts=attempts_of(Observations()))
    stored = Posterior.load(none.save(tmp_path / "none.nc"))
    assert "too few tasks were run again" in repeats_of(stored, CATALOGUE, "cybench").source


def test_attempts_are_those_that_tell_of_a_task() -> None:
    runs = repeated(3, 2).runs
    runs.loc[0, "outcome"] = "spurious"
    runs.loc[1, "outcome"] = "success"
    runs["effort"] = runs["effort"].astype(float).fillna(0.0)
    runs.loc[2, "effort"] = 0.5
    runs.loc[[4, 5], "outcome"] = "stopped_otherwise"
    found = attempts_of(observed(runs))
    assert found[["attempts", "successes", "tasks", "cap"]].to_numpy().tolist()[-1] == [
        2,
        0,
        1,
        1e6,
    ]
    assert found["tasks"].sum() == 3
    assert not len(
        attempts_of(observed(runs.iloc[[1, 3]].reset_index(drop=True)))
    )  # nothing was run again


def test_guessing_is_taken_from_the_catalogue() -> None:
    choice = small_catalogue(guessing=0.25)
    found = repeats_of(POSTERIOR, choice, "cybench", observations=repeated(40, 4))
    assert found.source.endswith("and a guess right in 25% of attempts (stated)")
    table: Any = found.pass_table([1, 16]).set_index("attempts")
    assert table.loc[16, "guessed"] == pytest.approx(1.0 - 0.75**16)
    assert table.loc[16, "solved_low"] > 0.98
    # from the posterior alone the single run is as it was, and many attempts get there by guessing
    implied_ = repeats_of(POSTERIOR, choice, "cybench")
    plain = repeats_of(POSTERIOR, CATALOGUE, "cybench")
    ours, theirs = (each.pass_table([1, 16])["solved"] for each in (implied_, plain))
    assert ours[0] == pytest.approx(max(theirs[0], 0.25), abs=0.02)
    assert ours[1] > 0.98


def test_no_length_is_told_of_that_no_attempt_was_allowed() -> None:
    found = repeats_of(POSTERIOR, CATALOGUE, "cybench", observations=repeated(50, 4, cap=2e5))
    table = found.splits(1e6)
    assert table["length"].max() == 2e5
    # At the cap of the attempts themselves nothing is corrected.
    row = table.query("length == 200000 and attempts == 4").iloc[0]
    at_cap = found.pass_table([1, 4]).set_index("attempts").loc[4, "solved"]
    assert row["solved"] == pytest.approx(at_cap, abs=0.02)


def test_from_the_posterior_two_attempts_are_as_correlated_as_its_tasks_are_unlike() -> None:
    rng = np.random.default_rng(0)
    slope, task_sd, logit_mean = 0.6, 4.0, 0.8
    p = expit(logit_mean + slope * task_sd * rng.standard_normal(400_000))
    plateau = np.full(50, p.mean())
    rho = attempt_correlation(plateau, np.full(50, slope), np.full(50, task_sd))
    found = implied(plateau, rho, np.random.default_rng(1))
    pass_at = np.median(found.pass_at(np.array([1, 2, 4])), axis=0)
    assert pass_at[0] == pytest.approx(p.mean(), abs=1e-6)
    assert pass_at[1] == pytest.approx(1 - ((1 - p) ** 2).mean(), abs=0.01)
    # Further out shapes differ: tasks beyond reach make it less than the logit-normal's.
    assert pass_at[2] < 1 - ((1 - p) ** 4).mean() + 0.01


def test_the_best_split_is_the_best_of_simulated_ones() -> None:
    """Brute force: attempts at tasks with their own p, each success at its own spend."""
    found = repeats_of(POSTERIOR, CATALOGUE, "cybench")
    total = 4e5
    table = found.splits(total, [1, 2, 4, 8, 16])
    best = found.best(total, [1, 2, 4, 8, 16])
    whole = table[np.isclose(table["attempts"] * table["length"], total)]
    rng = np.random.default_rng(2)
    a, b = (shape[:, 0] for shape in found.solvable.shapes())
    draw = rng.integers(0, len(a), 100_000)
    p = rng.beta(a[draw], b[draw]) * (rng.random(len(draw)) >= found.solvable.never[draw])
    location = np.asarray(found.curve.success_location)[draw]
    scale = np.asarray(found.curve.success_scale)[draw]
    shares = {}
    for k in whole["attempts"]:
        spend = np.exp(location[:, None] + scale[:, None] * rng.standard_normal((len(draw), k)))
        won = (rng.random((len(draw), k)) < p[:, None]) & (spend <= total / k)
        shares[k] = won.any(axis=1).mean()
        row = whole[whole["attempts"] == k].iloc[0]
        assert row["solved"] == pytest.approx(shares[k], abs=0.06)  # a median beside a mean
    assert best["attempts"] == max(shares, key=lambda k: shares[k])


def test_resets_are_paid_for_and_where_unfair_one_attempt_counts() -> None:
    dear = small_catalogue(usd_per_reset=0.6)
    price = 0.6 / dear.eval("cybench").usd_per_unit.mid
    found = repeats_of(POSTERIOR, dear, "cybench")
    row = found.splits(4e5, [1, 2]).query("attempts == 2").iloc[-1]
    assert row["spend_ceiling"] == pytest.approx(2 * row["length"] + price)
    unverified = repeats_of(POSTERIOR, small_catalogue(verifier=False), "cybench")
    single, eight = unverified.pass_table([1, 8])["solved"]
    assert single == eight
    assert unverified.best(4e5)["attempts"] == 1


def test_wrong_asks_are_told() -> None:
    found = repeats_of(POSTERIOR, CATALOGUE, "cybench")
    with pytest.raises(InputError, match="must be a finite number above 0, got -1"):
        found.splits(-1.0)
    with pytest.raises(InputError, match="attempts must begin with 1, the single run, got 2"):
        found.pass_table([2, 4])
    with pytest.raises(InputError, match="eval must be one of its own, got 'cybnch'"):
        repeats_of(POSTERIOR, CATALOGUE, "cybnch")
