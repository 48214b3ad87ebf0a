"""Posterior predictive of an eval: what was seen, estimated rightly, beside what is foretold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.evalbayes.menus.synthetic import prior_posterior, small_catalogue

from evalbayes.errors import InputError
from evalbayes.observations import Observations, Rows, observations_of
from evalbayes.posterior.posterior import Posterior
from evalbayes.predictive import posterior_predictive
from evalbayes.predictive.posterior import incidence


def test_incidence_is_the_plain_share_under_one_cap() -> None:
    rng = np.random.default_rng(0)
    spend = rng.lognormal(0.0, 1.0, 60)
    won = rng.random(60) < 0.6
    outcome = np.where(spend > 2.0, "stopped_by_cap", np.where(won, "success", "gave_up"))
    runs = pd.DataFrame({"outcome": outcome, "spend": np.minimum(spend, 2.0), "cap": 2.0})
    at, share = incidence(runs)
    for x, value in zip(at, share, strict=True):
        assert value == pytest.approx(((outcome == "success") & (spend <= x)).mean())


def test_incidence_finds_the_truth_where_runs_are_stopped_at_spends_of_their_own() -> None:
    """A·F(t) of lognormal successes, half of the runs stopped; the plain share falls short."""
    rng = np.random.default_rng(1)
    n = 40_000
    would = rng.random(n) < 0.6
    spend = np.where(would, rng.lognormal(0.0, 1.0, n), rng.lognormal(0.5, 1.0, n))
    stop = rng.lognormal(0.3, 1.0, n)
    ended = spend <= stop
    outcome = np.where(ended, np.where(would, "success", "gave_up"), "stopped_otherwise")
    runs = pd.DataFrame({"outcome": outcome, "spend": np.minimum(spend, stop), "cap": 1e9})
    at, share = incidence(runs)
    for t in (0.5, 1.0, 3.0):
        truth = 0.6 * stats.norm.cdf(np.log(t))
        assert share[np.searchsorted(at, t) - 1] == pytest.approx(truth, abs=0.015)
    assert ((outcome == "success") & (runs["spend"] <= 3.0)).mean() < truth - 0.1


def small_posterior() -> Posterior:
    """A posterior that is sure of its curves: one draw, many times over."""
    drawn = prior_posterior(small_catalogue(), n_draws=2, seed=4)
    one = {key: np.repeat(values[:1], 400, axis=0) for key, values in drawn.draws.items()}
    return replace(drawn, draws=one)


def results(posterior: Any, name: str, share_of: float = 1.0, n: int = 400) -> Observations:
    """Runs of one eval drawn from the posterior's mean curve, successes thinned to a share."""
    from evalbayes.model.eval_curve import eval_curve

    i, m = posterior.index_of("eval", name), 0
    curve = eval_curve(posterior, i, m)
    rng = np.random.default_rng(3)
    plateau = float(np.mean(curve.plateau)) * share_of
    at, sd = float(np.mean(curve.success_location)), float(np.mean(curve.success_scale))
    later, wide = float(np.mean(curve.gave_up_location)), float(np.mean(curve.gave_up_scale))
    would = rng.random(n) < plateau
    spend = np.exp(np.where(would, rng.normal(at, sd, n), rng.normal(later, wide, n)))
    cap = float(np.exp(at + 2.0 * sd))
    outcome = np.where(spend > cap, "stopped_by_cap", np.where(would, "success", "gave_up"))
    table = pd.DataFrame(
        {
            "eval": name,
            "task": [f"t{k}" for k in range(n)],
            "ai_model": posterior.ai_models[m],
            "outcome": outcome,
            "spend": np.minimum(spend, cap),
            "cap": cap,
        }
    )
    return observations_of([Rows(table.astype(object), "runs")])


def test_what_the_posterior_gives_lies_in_the_band_and_less_of_it_does_not() -> None:
    catalogue, posterior = small_catalogue(), small_posterior()
    name = posterior.evals[0]
    good = posterior_predictive(posterior, catalogue, results(posterior, name), name, seed=1)
    p = good.numbers["probability"].iloc[0]
    assert 0.02 < p < 0.98
    band = good.band
    assert (band["low"] <= band["high"]).all()
    assert band["mean"].is_monotonic_increasing
    inside = np.interp(np.log(good.seen["cap"]), np.log(band["cap"]), band["high"])
    assert (good.seen["share"] <= inside + 0.05).mean() > 0.9
    poor = posterior_predictive(posterior, catalogue, results(posterior, name, 0.2), name, seed=1)
    assert poor.numbers["probability"].iloc[0] < 0.005


def test_cells_counts_and_scores_are_points_with_intervals() -> None:
    catalogue, posterior = small_catalogue(), small_posterior()
    name, ai_model = posterior.evals[0], posterior.ai_models[0]
    count = {"eval": name, "ai_model": ai_model, "cap": 1e5, "n_runs": 20, "n_success": 5}
    score = {"eval": name, "ai_model": ai_model, "cap": 1e6, "score": 0.4, "standard_error": 0.1}
    tables = [Rows(pd.DataFrame([row], dtype=object), "rows") for row in (count, score)]
    found = posterior_predictive(posterior, catalogue, observations_of(tables), name)
    assert list(found.seen["kind"]) == ["counts", "scores"]
    assert list(found.seen["share"]) == [0.25, 0.4]
    low, high = found.seen[["low", "high"]].to_numpy()[0]
    exact = stats.beta(5.5, 15.5).ppf([0.05, 0.95])
    np.testing.assert_allclose((low, high), exact, atol=0.04)
    assert found.numbers["runs"].iloc[0] == 20


def text_of(part: Any) -> str:
    return part.get_text() if hasattr(part, "get_text") else ""


def test_the_picture_has_a_panel_per_ai_model() -> None:
    pytest.importorskip("matplotlib")
    catalogue, posterior = small_catalogue(), small_posterior()
    name = posterior.evals[0]
    for share, colour in ((1.0, "black"), (0.2, "#c0392b")):
        seen = results(posterior, name, share)
        figure = posterior_predictive(posterior, catalogue, seen, name).plot()
        panels = [ax for ax in figure.axes if ax.get_visible()]
        assert [ax.get_title(loc="left") for ax in panels] == [posterior.ai_models[0]]
        (title,) = panels[0].findobj(lambda part: text_of(part) == posterior.ai_models[0])
        assert title.get_color() == colour  # type: ignore[attr-defined]  # a text
        assert "400 runs, P = " in panels[0].texts[0].get_text()


def test_no_results_are_told() -> None:
    catalogue, posterior = small_catalogue(), small_posterior()
    with pytest.raises(InputError, match="must be results of an AI model to draw again, got none"):
        posterior_predictive(posterior, catalogue, Observations(), posterior.evals[0])
