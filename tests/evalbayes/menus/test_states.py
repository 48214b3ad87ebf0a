"""States and the belief about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior, small_catalogue

from evalbayes.catalogue import Catalogue
from evalbayes.menus import state_draws
from evalbayes.menus.reading import reading_of
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import (
    explained_error,
    moment_covariance,
    states_of,
    with_lognormal,
)
from evalbayes.posterior.posterior import Posterior


def with_own_results(posterior: Posterior, name: Any = "cybench", weight: Any = 0.9) -> Posterior:
    """A posterior whose own error in an eval offsets shown capability, as results leave it."""
    i, m = posterior.evals.index(name), 1
    draws = dict(posterior.draws)
    private = draws["private_error"].copy()
    shown = draws["shown"][:, 0, m]
    private[:, i, m] -= weight * (shown - shown.mean())
    runs = posterior.n_runs.copy()
    runs[i, m] = 38
    return replace(posterior, draws=draws | {"private_error": private}, n_runs=runs)


def test_states_are_shown_and_gap_by_domain_slope_and_families(
    posterior: Posterior, catalogue: Catalogue
) -> None:
    states = states_of(posterior, catalogue)
    assert states.names == (
        "cyber.shown",
        "cyber.gap",
        "autonomy.shown",
        "autonomy.gap",
        "slope",
        "ctf.family",
        "hcast.family",
    )
    assert set(states.words) == set(states.names)


def test_moments_are_those_of_the_draws_and_of_a_gap_those_of_its_logarithm(
    posterior: Posterior, catalogue: Catalogue
) -> None:
    states = states_of(posterior, catalogue)
    draws = state_draws(posterior, catalogue)
    plain = [k for k, name in enumerate(states.names) if not name.endswith(".gap")]
    assert states.mean[plain] == pytest.approx(draws.mean(axis=0)[plain])
    assert np.diag(states.covariance)[plain] == pytest.approx(draws.var(axis=0)[plain])
    for k in (1, 3):
        logs = np.log(draws[:, k])
        assert states.mean[k] == pytest.approx(np.exp(logs.mean() + logs.var() / 2))
        spread = states.covariance[k, k] / states.mean[k] ** 2
        assert np.log1p(spread) == pytest.approx(logs.var())
    gap = draws[:, 1]
    assert ((gap - gap.mean()) ** 3).mean() > 0.5 * gap.std() ** 3  # the draws keep their skew


def test_gaps_stand_alone_without_elicited_history_and_are_tied_with_it(
    posterior: Posterior, catalogue: Catalogue
) -> None:
    draws = dict(posterior.draws)
    draws["gap"] = draws["gap"] + 0.3 * np.abs(draws["shown"])
    tied = replace(posterior, draws=draws)
    assert states_of(tied, catalogue).covariance[0, 1] == 0.0
    learned = replace(tied, elicited_history=True)
    assert states_of(learned, catalogue).covariance[0, 1] > 0.1


def test_families_of_which_nothing_was_run_are_tied_to_nothing(
    posterior: Posterior, catalogue: Catalogue
) -> None:
    """A chance correlation of their draws, with each other or with a state, is not believed."""
    draws = dict(posterior.draws)
    error, shown = draws["family_error"].copy(), draws["shown"][:, 0, 1]
    error[:, 0, 1] -= 0.2 * error[:, 1, 1] + 0.05 * (shown - shown.mean())
    tied = replace(posterior, draws=draws | {"family_error": error})
    assert abs(np.corrcoef(error[:, 0, 1], error[:, 1, 1])[0, 1]) > 0.1
    states = states_of(tied, catalogue)
    ctf, hcast = (states.index_of(f"{name}.family") for name in ("ctf", "hcast"))
    for k in (ctf, hcast):
        assert np.flatnonzero(states.covariance[k]).tolist() == [k]
    # what results say of a family stays: runs of an eval of each
    runs = tied.n_runs.copy()
    runs[[tied.evals.index(spec.name) for spec in catalogue.evals if spec.family], 1] = 20
    learned = states_of(replace(tied, n_runs=runs), catalogue)
    ctf, hcast = (learned.index_of(f"{name}.family") for name in ("ctf", "hcast"))
    assert learned.covariance[ctf, hcast] < -0.01


def test_results_of_the_ai_model_under_test_make_the_own_error_a_state(
    posterior: Posterior, catalogue: Catalogue
) -> None:
    states = states_of(with_own_results(posterior), catalogue)
    assert states.own_error == {"cybench": "cybench.error"}
    k = states.index_of("cybench.error")
    shown = states.index_of("cyber.shown")
    correlation = states.covariance[k, shown] / np.sqrt(
        states.covariance[k, k] * states.covariance[shown, shown]
    )
    assert correlation < -0.7


def test_chance_correlation_is_dropped_and_strong_ties_stay_definite() -> None:
    rng = np.random.default_rng(1)
    base = rng.standard_normal((1500, 6))
    base[:, 1] = -base[:, 0] + 1e-3 * base[:, 1]
    covariance = moment_covariance(base)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert covariance[0, 1] == pytest.approx(np.cov(base.T, bias=True)[0, 1])
    assert (covariance[2:, :2] == 0).all()


def test_a_state_without_variance_is_kept_definite() -> None:
    covariance = moment_covariance(np.column_stack([np.ones(100), np.arange(100.0)]))
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_decisions_are_about_shown_plus_gap_with_threshold_spread_in_later_gain(
    posterior: Posterior, catalogue: Catalogue
) -> None:
    cyber, autonomy = decisions_of(catalogue, states_of(posterior, catalogue), posterior)
    assert cyber.contrast.tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert autonomy.contrast.tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert (cyber.threshold, cyber.later_gain_mean) == pytest.approx(
        (9.0, 0.85 / 2**0.5)
    )  # half a year
    sd_gain, sd_threshold = 1.3 / 3.28970725 / 2**0.5, 1.0 / 3.28970725
    assert cyber.later_gain_sd == pytest.approx(np.hypot(sd_gain, sd_threshold))
    assert autonomy.later_gain_sd == pytest.approx(sd_gain)


def test_exact_figures_leave_a_definite_prior() -> None:
    catalogue = small_catalogue()
    posterior = prior_posterior(catalogue, sharp=True)
    assert np.linalg.eigvalsh(states_of(posterior, catalogue).covariance).min() > 0


def test_what_a_state_says_of_an_error_is_taken_out_and_chance_is_not() -> None:
    rng = np.random.default_rng(2)
    predictors = rng.standard_normal((4000, 3))
    error = 0.4 + 0.7 * predictors[:, 1] + 0.5 * rng.standard_normal(4000)
    explained = explained_error(error, predictors)
    assert explained.weights == pytest.approx([0.0, 0.7, 0.0], abs=0.03)
    assert explained.weights[[0, 2]].tolist() == [0.0, 0.0]
    assert explained.mean == pytest.approx(error.mean())
    assert explained.variance == pytest.approx(0.25, rel=0.1)


def test_an_eval_whose_plateau_is_stated_says_little_about_capability(
    posterior: Posterior, catalogue: Catalogue
) -> None:
    # Difficulty drawn as capability minus a stated logit: the plateau is what it is, whatever s.
    i, m = posterior.evals.index("cybench"), 1
    draws = dict(posterior.draws)
    difficulty = draws["difficulty"].copy()
    shown = draws["shown"][:, 0, m]
    difficulty[:, i] = difficulty[:, i].mean() + 0.95 * (shown - shown.mean())
    stated = replace(posterior, draws=draws | {"difficulty": difficulty})
    plain, tied = (
        reading_of(p, states_of(p, catalogue), i, m, (0.0,)).rows[0, 0] for p in (posterior, stated)
    )
    assert plain == pytest.approx(1.0)
    assert tied == pytest.approx(0.05, abs=0.02)


def test_moments_of_logarithms_become_those_of_the_lognormal() -> None:
    covariance = np.array([[1.0, 0.3, -0.2], [0.3, 0.5, 0.2], [-0.2, 0.2, 0.4]])
    mean = np.array([2.0, -0.3, 0.1])
    drawn = np.random.default_rng(0).multivariate_normal(mean, covariance, size=2_000_000)
    drawn[:, 1:] = np.exp(drawn[:, 1:])
    found = with_lognormal(mean, covariance, (1, 2))
    assert found[0] == pytest.approx(drawn.mean(axis=0), rel=5e-3)
    assert found[1] == pytest.approx(np.cov(drawn.T), rel=2e-2, abs=2e-3)


def test_belief_of_a_gap_hangs_little_on_the_seed_though_its_tail_is_heavy() -> None:
    seen = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        spread = np.exp(-0.09 + 0.3 * rng.standard_normal(8000))
        own, common = rng.standard_normal((2, 8000))
        logs = 0.77 * np.sqrt(0.5) * (common + spread * own)
        _, covariance = with_lognormal(np.array([logs.mean()]), np.array([[logs.var()]]), (0,))
        seen.append((covariance[0, 0], np.exp(logs).var()))
    by_logs, by_draws = np.std(seen, axis=0) / np.mean(seen, axis=0)
    assert by_logs < 0.05
    assert by_logs < by_draws
