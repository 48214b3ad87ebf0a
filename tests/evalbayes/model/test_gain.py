"""The predictive check of pairs against exact binomials, and against gaps planted wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.model.evidence import evidence_of
from evalbayes.model.likelihood import Curves
from evalbayes.model.predictive import checks, gain_probability


def test_the_probability_is_that_of_two_binomials() -> None:
    rng = np.random.default_rng(2)
    n, chance = np.array([12.0, 20.0, 7.0, 9.0]), np.array([0.3, 0.6, 0.5, 0.5])
    conditions = pd.DataFrame(
        {"eval": ["a", "a", "b", "c"], "ai_model": "A", "effort": [0.0, 0.8, 0.8, 0.0]}
    )
    seen = np.array([5.0, 11.0, 3.0, 2.0])
    replicates = rng.binomial(n.astype(int), chance, (60_000, 4)).astype(float)
    found = gain_probability(conditions, seen, n, replicates)
    k, k0 = np.arange(21), np.arange(13)
    gain = k[:, None] / 20 - k0 / 12
    mass = stats.binom.pmf(k, 20, 0.6)[:, None] * stats.binom.pmf(k0, 12, 0.3)
    gained = 11 / 20 - 5 / 12
    exact = mass[gain < gained - 1e-9].sum() + mass[np.abs(gain - gained) < 1e-9].sum() / 2
    assert found[1] == pytest.approx(exact, abs=0.01)
    assert np.isnan(found[[0, 2, 3]]).all()  # not elicited, or nothing beside it


def true_curves(conditions: pd.DataFrame, gap: float, standard: float = 0.0) -> Curves:
    """Curves of runs that solve expit(standard + gap·effort), success and giving up alike."""
    logit = standard + gap * conditions["effort"].to_numpy(float)
    logit = logit + np.random.default_rng(1).normal(0.0, 0.02, (500, len(conditions)))
    ones = np.ones_like(logit)
    return Curves(logit, 9.0 * ones, ones, 9.0 * ones, ones)


def test_a_gap_that_no_condition_alone_gives_away_is_found_in_the_pairs() -> None:
    """Standard runs a little too poor and elicited ones a little too able: only gains tell."""
    specs = catalogue({"name": "ctf", "human_minutes": 30})
    names = tuple(f"A{k:02d}" for k in range(40))
    rng = np.random.default_rng(3)
    frames = []
    for effort in (0.0, 1.0):
        table: pd.DataFrame = runs(specs, names, n=60).assign(effort=effort)
        chance = 1 / (1 + np.exp(-effort))
        table["outcome"] = np.where(rng.random(len(table)) < chance, "success", "gave_up")
        table["spend"] = np.exp(rng.normal(9.0, 1.0, len(table)))
        frames.append(table)
    evidence = evidence_of(observed(*frames))
    right = checks(true_curves(evidence.conditions, 1.0), evidence, seed=0)
    elicited = right["effort"] > 0
    assert right.loc[~elicited, "p_gain"].isna().all()
    p = right.loc[elicited, "p_gain"].to_numpy(float)
    assert len(p) == 40
    assert stats.kstest(p, "uniform").pvalue > 0.001
    wrong = checks(true_curves(evidence.conditions, 2.0, -0.5), evidence, seed=0)
    low = {c: (wrong.loc[elicited, c] < 0.05).mean() for c in ("p_success", "p_gain")}
    assert low["p_gain"] > low["p_success"] + 0.1
    assert stats.kstest(wrong.loc[elicited, "p_gain"], "uniform").pvalue < 1e-6
