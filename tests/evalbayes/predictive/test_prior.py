"""Prior predictive draws against intervals given, closed forms and the samplers' own densities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import betaln, expit
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.catalogue import parse_catalogue
from evalbayes.catalogue.interval import Interval
from evalbayes.errors import InputError
from evalbayes.model.fit import fit
from evalbayes.model.priors import gap_prior
from evalbayes.observations import Observations
from evalbayes.predictive import MODELS, Predictive, prior_predictive
from evalbayes.predictive.predictive import tables
from evalbayes.repeats.best_of_k import FLOOR_PRIOR, FLOORS
from evalbayes.responses.history import PRIOR_COUNT, SCALES, _Fit
from evalbayes.responses.table import LOST, counts_of, tasks_of

Array = NDArray[np.float64]
N = 4000


def one(found: list[Predictive], figure: str) -> Predictive:
    (each,) = (each for each in found if each.figure.startswith(figure))
    return each


def test_every_model_has_the_same_face_and_says_what_it_can() -> None:
    table = runs(catalogue(), n=20).assign(attempt=1)
    again = table.assign(attempt=2)
    deep = table[table["ai_model"] == "B"].assign(effort=0.8, attempt=3)
    everything = observed(pd.concat([table.assign(effort=0.0), again.assign(effort=0.0), deep]))
    found = prior_predictive(catalogue(), everything, n_draws=200)
    assert {each.model for each in found} == set(MODELS)
    whole = tables(found)
    assert list(whole.columns) == [
        *("model", "figure", "of", "low", "median", "high", "seen", "probability")
    ]
    assert (whole["low"] <= whole["high"]).all()
    assert whole["seen"].notna().sum() > 40
    same = tables(prior_predictive(catalogue(), everything, n_draws=200))
    pd.testing.assert_frame_equal(whole, same)  # same inputs and seed, same draws
    nothing = prior_predictive(catalogue(), n_draws=200)
    assert {each.model for each in nothing} == {"curves", "pairs", "gains"}
    assert tables(nothing)["seen"].isna().all()


def test_the_joint_model_draws_what_its_numpy_completion_draws() -> None:
    """Two ways to the same prior: PyMC's graph, and a fit to no observations, drawn in numpy."""
    specs = catalogue(shown_capability=[2.0, 9.0])
    share = 1.0 / (2.0 * N)
    counts = pd.DataFrame({"eval": ["easy", "hard"], "ai_model": "C", "cap": 1e30})
    counts = counts.assign(n_runs=N, n_success=0)
    found = prior_predictive(specs, observed(counts), models=["curves"], n_draws=N, seed=3)
    draws = one(found, "success share").draws
    prior = fit(specs, Observations(), draws=N, seed=4).plateau("C")[:, [0, 2]]
    for k in range(2):
        difference = np.quantile(draws[:, k], (0.1, 0.3, 0.5, 0.7, 0.9))
        difference = difference - np.quantile(prior[:, k], (0.1, 0.3, 0.5, 0.7, 0.9))
        assert np.abs(difference).max() < 0.06 + share  # of 4,000 draws, those of a chain fewer
    assert (one(found, "success share").probability < 0.2).all()  # no success of 4,000


def test_the_gap_has_the_interval_the_catalogue_gives() -> None:
    found = prior_predictive(catalogue(elicitation_gap=[0.5, 2.0]), models=["pairs"], n_draws=N)
    row = found[0].table().iloc[0]
    assert (row["low"], row["median"], row["high"]) == pytest.approx((0.5, 1.0, 2.0), rel=0.08)
    assert row["of"] == "cyber, in doublings"


def test_the_elicited_share_of_a_pair_is_that_of_the_formula() -> None:
    """With many runs and a gap given exactly: E[expit(logit p + a·e·(δ + η))] by simulation."""
    specs = catalogue(elicitation_gap=[1.0, 1.0])
    counts = pd.DataFrame(
        {"eval": "easy", "ai_model": "A", "cap": 1e6, "effort": [0.0, 0.5], "n_runs": 10**6}
    ).assign(n_success=[400_000, 500_000])
    found = one(prior_predictive(specs, observed(counts), models=["pairs"], n_draws=N), "elicited")
    rng = np.random.default_rng(9)
    z = rng.standard_normal((5, 200_000))
    slope = 0.5 * np.exp(0.4 * z[0] + 0.15 * np.exp(0.5 * z[1]) * z[2])
    departure = 0.5 * np.exp(0.5 * z[3]) * z[4]
    truth = expit(np.log(0.4 / 0.6) + slope * 0.5 * (1.0 + departure))
    for q in (0.1, 0.5, 0.9):
        assert np.quantile(found.draws, q) == pytest.approx(np.quantile(truth, q), abs=0.01)


def test_repeats_are_a_zero_inflated_beta_binomial() -> None:
    """The share of tasks solved in 3 attempts, against the betas of the prior by quadrature."""
    table = runs(catalogue({"name": "a", "human_minutes": 30}), ("A",), n=40)
    table = pd.concat([table.assign(attempt=k) for k in range(3)], ignore_index=True)
    stated, left_out = (
        prior_predictive(
            catalogue({"name": "a"} | told), observed(table), models=["repeats"], n_draws=N
        )
        for told in ({"guessing": 0}, {})
    )
    z, weights = np.polynomial.hermite_e.hermegauss(24)
    weights = weights / weights.sum()
    m, c = expit(1.5 * z), np.exp(0.8 * z)
    never = weights @ expit(-1.5 + 1.5 * z)
    a = m[:, None] * c
    b = (1.0 - m[:, None]) * c
    solved = 1.0 - np.exp(betaln(a, b + 3.0) - betaln(a, b))
    expected = (1.0 - never) * weights @ solved @ weights
    assert one(stated, "share of tasks").draws.mean() == pytest.approx(expected, abs=0.015)
    # left out, answers may be guessed: a task is then missed by (1 − g)³ as often
    missed = np.dot(FLOOR_PRIOR, (1.0 - np.array(FLOORS)) ** 3) * (1.0 - expected)
    assert one(left_out, "share of tasks").draws.mean() == pytest.approx(1.0 - missed, abs=0.015)
    single = one(stated, "share of attempts").draws.mean()
    assert single == pytest.approx((1.0 - never) * weights @ m, abs=0.015)


def test_horizons_succeed_as_often_as_their_prior_by_quadrature() -> None:
    table = runs(catalogue({"name": "a", "human_minutes": 30}), ("A",), n=30)
    table.loc[:9, "human_minutes"] = 5.0  # the median stays at 30
    found = prior_predictive(
        catalogue({"name": "a"}), observed(table), models=["horizons"], n_draws=N
    )[0]
    u = (np.arange(400) + 0.5) / 400
    z = stats.norm.ppf(u)
    level, slope = np.log2(30.0) + 6.0 * z, 0.6 * np.exp(0.6 * z[:, None])

    def mean(minutes: float) -> float:
        return float(expit(slope * (level - np.log2(minutes))).mean())

    short, long = found.draws.mean(axis=0)
    assert found.of == ("A, tasks up to 10 min", "A, tasks 10 min to 1 h")
    assert (short, long) == pytest.approx((mean(5.0), mean(30.0)), abs=0.02)


def test_gains_by_the_horizon_are_the_years_part_of_a_cut_normal() -> None:
    specs = parse_catalogue(
        {
            "portfolio": {"horizon_months": 3},
            "domain": [
                {
                    "name": "cyber",
                    "threshold_human_time": "8 h",
                    "post_training_gain_per_year": [0.0, 3.0],
                    "post_training_overlap": 2.0,
                }
            ],
            "eval": [{"name": "a", "domain": "cyber", "tasks": 3, "usd_per_run": 1}],
        }
    )
    (found,) = prior_predictive(specs, models=["gains"], n_draws=N)
    rate = stats.norm(1.5, 1.5 / stats.norm.ppf(0.95))
    for q in (0.25, 0.5, 0.9):
        assert np.quantile(found.draws, q) == pytest.approx(0.5 * rate.ppf(q), abs=0.03)
    assert found.draws.min() >= 0.0


def test_draws_of_the_response_model_are_those_of_its_linear_predictor() -> None:
    """The fit's own predictor at parameters drawn from the priors it climbs under."""
    table = runs(catalogue(), n=12)
    twice = pd.concat([table.assign(attempt=1), table.assign(attempt=2)], ignore_index=True)
    seen = observed(twice.assign(effort=0.0))
    found = prior_predictive(catalogue(), seen, models=["responses"], n_draws=N)
    share = one(found, "success share")
    kept = seen.runs[~seen.runs["outcome"].isin(LOST)]
    names = tuple(sorted(kept["ai_model"].unique()))
    tasks = tasks_of(kept)
    climb = _Fit(tasks, counts_of(kept, tasks, names), len(names))
    rng, counts = np.random.default_rng(11), climb.counts
    eval_of = tasks.eval_of[counts.task]
    again = np.empty((1000, len(share.of)))
    cells = [
        (eval_of == tasks.evals.index(e)) & (counts.model == names.index(m))
        for e, m in (name.split(" by ") for name in share.of)
    ]
    for draw in again:
        sds = np.sqrt(PRIOR_COUNT / rng.chisquare(PRIOR_COUNT, 3 + len(tasks.evals)))
        climb.validity, climb.tilt, climb.pair = sds[:3] * [
            SCALES["validity"],
            SCALES["tilt"],
            SCALES["pair"],
        ]
        climb.task = SCALES["task"] * sds[3:]
        climb.point = rng.normal(climb.prior_mean, climb.prior_sd)
        won = rng.binomial(counts.attempts.astype(int), expit(climb._parts()[0]))
        draw[:] = [won[cell].sum() / counts.attempts[cell].sum() for cell in cells]
    for column in range(len(cells)):
        assert stats.ks_2samp(share.draws[:, column], again[:, column]).pvalue > 1e-4
    ours, theirs = (np.asarray(np.corrcoef(each.T)) for each in (share.draws, again))
    assert np.abs(ours - theirs).max() < 0.15


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError, match=r"models must be among curves, responses, .*got 'curve'"):
        prior_predictive(catalogue(), models=["curve"])


def test_wild_results_are_named() -> None:
    """A threefold share of what the expert thought possible lies outside, a likely one inside."""
    draws = np.random.default_rng(0).beta(20, 80, (N, 2))
    found = Predictive("curves", "success share", ("a", "b"), draws, np.array([0.2, 0.6]))
    assert found.outside == ("b",)
    assert found.summary().endswith("1 of 2 seen lie in their 90 % interval.")
    assert found.probability[1] == pytest.approx(1 - 0.5 / N)


def test_the_picture_has_a_bar_per_entry_and_crosses_out_what_lies_outside() -> None:
    pytest.importorskip("matplotlib").use("agg")
    draws = np.random.default_rng(0).beta(20, 80, (500, 3))
    seen = np.array([0.2, 0.6, np.nan])
    ax = Predictive("curves", "share", ("a $x", "b", "c"), draws, seen).plot()
    assert [text.get_text() for text in ax.get_yticklabels()] == [r"a \$x", "b", "c"]
    marks = {line.get_label(): np.asarray(line.get_xdata()).tolist() for line in ax.lines}
    assert marks["seen"] == [0.2]
    assert marks["seen, outside"] == [0.6]


@pytest.mark.parametrize("gap", [0.0, 1.0])
def test_a_gap_given_exactly_still_has_some_spread(gap: float) -> None:
    mean, sd = gap_prior(Interval(gap, gap))
    assert np.exp(mean) == pytest.approx(max(gap, 1e-3))
    assert sd > 0.0  # a menu needs some of every state
