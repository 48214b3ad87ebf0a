"""Best-of-k of a catalogue's eval: from repeats, from the posterior, and its best split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from tests.evalbayes.menus.synthetic import UNDER_TEST, prior_posterior, small_catalogue
from tests.evalbayes.model.simulated import observed

from evalbayes.errors import InputError
from evalbayes.observations import Observations
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
    assert found.source == f"300 tasks that {UNDER_TEST} ran 6 times (median)"
    table: Any = found.pass_table([1, 3, 12]).set_index("attempts")
    for k in (1, 3, 12):  # 12 is beyond the six seen
        assert table.loc[k, "solved_low"] - 0.02 < k / (k + 1) < table.loc[k, "solved_high"] + 0.02
    few = repeats_of(POSTERIOR, CATALOGUE, "cybench", observations=repeated(4, 6))
    assert few.source.startswith("the posterior: too few tasks were run again")
    assert few.seen is None


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
