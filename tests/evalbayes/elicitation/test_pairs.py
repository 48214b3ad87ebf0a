"""Pairs of standard and elicited runs, and of single attempts and best-of-k."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.catalogue import Catalogue
from evalbayes.elicitation.pairs import paired_gains
from evalbayes.model.evidence import with_best_of_k

SPECS = catalogue(
    {"name": "ctf", "human_minutes": 30},
    {"name": "range", "human_minutes": 240, "resettable": 0.5},
    {"name": "essay", "human_minutes": 60, "verifier": False},
)


def repeated(name: str, n: int = 40, attempts: int = 5, seed: int = 0) -> pd.DataFrame:
    """Attempts at tasks whose chance of success is uniform: best-of-k solves k/(k + 1)."""
    rng = np.random.default_rng(seed)
    p = np.repeat(rng.random(n), attempts)
    return pd.DataFrame(
        {
            "eval": name,
            "task": [f"t{k // attempts}" for k in range(n * attempts)],
            "attempt": [str(k % attempts) for k in range(n * attempts)],
            "ai_model": "A",
            "outcome": np.where(rng.random(n * attempts) < p, "success", "gave_up"),
            "spend": np.exp(rng.normal(9.0, 1.0, n * attempts)),
            "cap": 1e6,
        }
    )


def counts(n: int, k: int, effort: float, cap: float = 1e6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "eval": ["ctf"],
            "ai_model": "A",
            "cap": cap,
            "n_runs": n,
            "n_success": k,
            "effort": effort,
        }
    )


def test_an_elicited_pair_gains_the_difference_of_logits() -> None:
    seen = observed(counts(4000, 1000, 0.0), counts(4000, 2000, 0.8), counts(50, 40, 0.8, cap=1e7))
    table = paired_gains(seen, SPECS)
    assert len(table) == 1  # those at the other cap have nothing beside them
    row = table.iloc[0]
    assert (row["domain"], row["kind"], row["effort"]) == ("cyber", "elicited", 0.8)
    assert row["gain"] == pytest.approx(logit(0.5) - logit(0.25), abs=0.03)
    assert row["gain_low"] < row["gain"] < row["gain_high"]
    assert row["gain_high"] - row["gain_low"] == pytest.approx(
        2 * 1.645 * np.sqrt(1 / 750 + 1 / 1000), rel=0.1
    )


def test_best_of_k_gains_what_uniform_chances_say() -> None:
    table = paired_gains(observed(repeated("ctf", n=400)), SPECS)
    row = table.iloc[0]
    assert row["kind"] == "best of 5"
    assert row["share"] == pytest.approx(0.5, abs=0.05)
    assert row["elicited_share"] == pytest.approx(5 / 6, abs=0.05)
    assert row["gain_low"] < logit(5 / 6) - logit(0.5) < row["gain_high"]


def test_without_a_verifier_there_is_no_best_of_k() -> None:
    assert not len(paired_gains(observed(repeated("essay")), SPECS))
    assert not len(paired_gains(observed(counts(5, 5, 0.0)), SPECS))


def stated(effort: float | None) -> Catalogue:
    portfolio = SPECS.portfolio.model_copy(update={"best_of_k_effort": effort})
    return SPECS.model_copy(update={"portfolio": portfolio})


def test_repeats_become_one_count_at_the_stated_effort_and_no_run_counts_twice() -> None:
    seen = observed(pd.concat([repeated("ctf"), repeated("range"), repeated("essay")]))
    assert with_best_of_k(seen, stated(None)) is seen
    after = with_best_of_k(seen, stated(0.5))
    row = after.counts.iloc[0]
    assert len(after.counts) == 1  # of the range only half can be reset, the essay is not verified
    assert (row["eval"], row["effort"], row["cap"], row["n_runs"]) == ("ctf", 0.5, 1e6, 40)
    own = seen.runs[seen.runs["eval"] == "ctf"]
    later = own[own["attempt"] != "0"]
    solved = (later["outcome"] == "success").groupby(later["task"]).any().sum()
    assert row["n_success"] == solved
    kept = after.runs[after.runs["eval"] == "ctf"]
    assert len(kept) == 40
    assert set(kept["attempt"]) == {"0"}
    assert len(after.runs) == 40 + 200 + 200
    assert "repeats of 1 pairs" in after.notes[-1]


def test_few_repeats_and_single_runs_are_left_alone() -> None:
    seen = observed(repeated("ctf", n=4))
    assert with_best_of_k(seen, stated(0.5)) is seen
    single = observed(runs(SPECS, ("A",), n=10))
    assert with_best_of_k(single, stated(0.5)) is single
