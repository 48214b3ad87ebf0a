"""Pareto k against what is known of it, and predictive checks against planted misfits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.curves.leave_one_out import smoothed
from evalbayes.model.evidence import Evidence, evidence_of
from evalbayes.model.likelihood import Curves
from evalbayes.model.predictive import WEIGHED, checks
from evalbayes.observations.score_scale import on_scale
from evalbayes.posterior.diagnostics import PARETO_K


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_shape_of_pareto_weights_is_found(k: float) -> None:
    rng = np.random.default_rng(2)
    weights = rng.random((20_000, 8)) ** -k  # P(weight > w) = w^(-1/k)
    assert smoothed(np.log(weights))[1].mean() == pytest.approx(k, abs=0.08)


def test_constant_likelihood_has_no_influence() -> None:
    assert smoothed(np.full((1000, 2), 3.0))[1].tolist() == [-np.inf] * 2


def test_smoothed_weights_do_not_depend_on_a_constant_and_come_near_the_truth() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40_000, 1))  # from N(0, 1), weighed to N(0.5, 1)
    ratios = 0.5 * x - 0.125
    for constant in (0.0, 900.0):
        log_weights, k = smoothed(ratios + constant)
        assert np.exp(log_weights).sum() == pytest.approx(1.0)
        assert float((np.exp(log_weights) * x).sum()) == pytest.approx(0.5, abs=0.03)
        assert k[0] < 0.5


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return evidence_of(observed(runs(catalogue(), n=60)))


def true_curves(evidence: Evidence, shift: float = 0.0, later: float = 0.0) -> Curves:
    """The curves the runs were simulated from, moved in logit and in ln spend."""
    names = ["easy", "middle", "hard"]
    i = evidence.conditions["eval"].map(names.index).to_numpy()
    m = evidence.conditions["ai_model"].map("ABC".index).to_numpy()
    minutes = np.log2(np.array([4.0, 30.0, 240.0])[i])
    noise = np.random.default_rng(1).normal(0.0, 0.05, (400, len(i)))
    logit = 0.6 * (4.0 + 1.5 * m - minutes) + shift + noise
    ones = np.ones_like(logit)
    return Curves(logit, (11 + 0.5 * i + later) * ones, 1.2 * ones, (12 + 0.5 * i) * ones, ones)


def test_the_truth_passes_and_a_shift_is_found(evidence: Evidence) -> None:
    good: pd.DataFrame = checks(true_curves(evidence), evidence, seed=0)
    p = good[["p_success", "p_spend"]].to_numpy()
    assert ((p > 0.005) & (p < 0.995)).all()
    assert (good["pareto_k"] < 0.7).all()
    too_able = checks(true_curves(evidence, shift=2.5), evidence, seed=0)
    assert (too_able["p_success"] < 0.005).mean() > 0.5
    too_slow = checks(true_curves(evidence, later=2.0), evidence, seed=0)
    assert (too_slow["p_spend"] < 0.005).mean() > 0.5


@pytest.mark.parametrize("noise", ["normal", "beta"])
def test_scores_are_foretold_by_the_truth_and_not_by_a_shift(noise: str) -> None:
    """P(replicate < seen) is uniform over scores drawn from the curves they are held to."""
    n_models, error = 60, 0.05
    rng = np.random.default_rng(2)
    logit = rng.uniform(-1.0, 1.0, n_models)
    share = expit(logit)  # at a cap far above every spend
    n = share * (1.0 - share) / error**2 - 1.0
    drawn = rng.normal(share, error) if noise == "normal" else rng.beta(share * n, (1 - share) * n)
    table = pd.DataFrame({"eval": "a", "ai_model": [f"m{k:02}" for k in range(n_models)]})
    table = table.assign(cap=1e6, score=-1.0 + 4.0 * drawn, standard_error=4.0 * error)
    specs = catalogue({"name": "a", "score_low": -1, "score_high": 3, "score_noise": noise})
    evidence = evidence_of(on_scale(observed(table), specs))
    ones = np.ones((2000, n_models))
    for shift, uniform in ((0.0, True), (0.8, False)):
        curves = Curves((logit + shift) * ones, 2.0 * ones, ones, 3.0 * ones, ones)
        found = checks(curves, evidence, seed=0)
        assert (stats.kstest(found["p_score"], "uniform").pvalue > 0.01) == uniform
        assert found["pareto_k"].isna().all()


def test_cells_of_moderate_influence_rarely_fail_a_small_fit_by_chance() -> None:
    """Twenty cells of k = 0.5: two above 0.7 fail the gate, as half of fits did by 1,000 draws."""
    rng = np.random.default_rng(3)
    failed = [
        (smoothed(-0.5 * np.log(rng.random((WEIGHED, 20))))[1] > PARETO_K).sum() > 1
        for _ in range(20)
    ]
    assert sum(failed) <= 3  # 0.02 of fits measured
