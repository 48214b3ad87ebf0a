"""Inference of an AI model not seen: against brute force, and with truth from the prior."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare
from tests.evalbayes.tasks import simulated

from evalbayes.errors import InputError
from evalbayes.tasks import TaskHistory, newcomer
from evalbayes.tasks.forecast import grouped
from evalbayes.tasks.kernel import evaluate

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CAP = float(np.exp(12.0))


@pytest.fixture(scope="module")
def history() -> TaskHistory:
    return simulated.history()


def test_no_runs_give_back_the_prior(history: TaskHistory) -> None:
    forecast = history.newcomer(None, n_draws=6000, seed=1)
    slope = history.known.draws["slope_mean"]
    mean = (history.known.draws["shown_mean"] / slope).mean() + history.known.table.centre
    error = forecast.capability.std() / np.sqrt(6000)
    assert abs(forecast.capability.mean() - mean) < 5 * error
    assert forecast.effective == 1.0


def test_newcomer_agrees_with_brute_force_importance_draws_from_the_prior(
    history: TaskHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the draws of the history taken at their word, as brute force takes them."""
    monkeypatch.setattr(newcomer, "LEAST_DRAWS", 0.0)
    truth = history.newcomer(None, n_draws=50, seed=2)
    rng = np.random.default_rng(3)
    runs = simulated.runs_of(truth, 0, np.array([0, 3, 14, 20]), CAP, rng)
    found = history.newcomer(runs, n_draws=4000, seed=4)
    known, told = history.told(runs)
    many = history.newcomer(None, n_draws=60_000, seed=5)
    own, start, order = grouped(told.task)
    value, *_ = evaluate(
        many.of,
        many.local,
        own,
        start,
        told.kind[order],
        told.ln[order],
        **known.arguments,
        log_weight=known.log_weight,
        derivatives=False,
        posterior=False,
    )
    weight = np.exp(value - value.max())
    weight /= weight.sum()
    effective = 1.0 / (weight**2).sum()
    assert effective > 200  # else brute force tells nothing
    for name, ours, theirs in (
        ("capability", found.capability, many.capability),
        ("level", found.local[:, 0, 0], many.local[:, 0, 0]),
        ("location", found.local[:, 1, 3], many.local[:, 1, 3]),
    ):
        mean = weight @ theirs
        sd = np.sqrt(weight @ (theirs - mean) ** 2)
        error = sd * np.sqrt(1.0 / effective + 1.0 / (found.effective * 4000))
        assert abs(ours.mean() - mean) < 5 * error, name
        assert ours.std() == pytest.approx(sd, rel=0.25), name


def test_capability_ranks_are_uniform_when_truth_is_drawn_from_the_prior(
    history: TaskHistory,
) -> None:
    truth = history.newcomer(None, n_draws=72, seed=6)
    rng = np.random.default_rng(7)
    places = []
    for row in range(72):
        chosen = rng.choice(len(history.known.table), 10, replace=False)
        runs = simulated.runs_of(truth, row, chosen, CAP, rng)
        found = history.newcomer(runs, n_draws=96, seed=row)
        places.append((found.capability < truth.capability[row]).mean())
    counts = np.histogram(places, np.linspace(0, 1, 5))[0]
    assert chisquare(counts).pvalue > 0.001  # the false-alarm rate


def test_more_runs_tell_more(history: TaskHistory) -> None:
    truth = history.newcomer(None, n_draws=10, seed=8)
    rng = np.random.default_rng(9)
    runs = simulated.runs_of(truth, 3, np.arange(36), CAP, rng)
    few, many = history.newcomer(runs.iloc[::6]), history.newcomer(runs)
    assert many.local[:, :, 0].std(axis=0).mean() < few.local[:, :, 0].std(axis=0).mean()


def test_own_runs_are_kept_and_stopped_ones_go_on(history: TaskHistory) -> None:
    rng = np.random.default_rng(10)
    truth = history.newcomer(None, n_draws=10, seed=11)
    every = (simulated.runs_of(truth, row, np.arange(36), CAP, rng) for row in range(10))
    runs = next(each for each in every if each["outcome"].nunique() == 3)
    forecast = history.newcomer(runs, seed=12)
    at_cap = forecast.success(runs, CAP)
    np.testing.assert_array_equal(
        at_cap, np.broadcast_to(runs["outcome"] == "success", at_cap.shape)
    )
    beyond = forecast.success(runs, 100 * CAP)
    stopped = (runs["outcome"] == "stopped_by_cap").to_numpy()
    assert stopped.any()
    assert (beyond[:, stopped] > 0).all()
    np.testing.assert_array_equal(beyond[:, ~stopped], at_cap[:, ~stopped])
    drawn = forecast.outcomes(runs, CAP, rng)
    np.testing.assert_array_equal(drawn, at_cap == 1.0)


def test_tasks_not_in_the_history_are_foretold_from_their_eval(history: TaskHistory) -> None:
    new = pd.DataFrame({"eval": ["e1", "e1"], "task": ["x", "y"], "human_minutes": [2.0, 2000.0]})
    forecast = history.newcomer(None, n_draws=500, seed=13)
    share = forecast.success(new, CAP)
    spend = forecast.spend(new, CAP)
    assert share.shape == spend.shape == (500, 2)
    assert share[:, 0].mean() > share[:, 1].mean()
    assert ((spend > 0) & (spend <= CAP)).all()


def test_an_unknown_eval_is_refused_by_name(history: TaskHistory) -> None:
    new = pd.DataFrame({"eval": ["other"], "task": ["x"]})
    with pytest.raises(InputError, match=r"one of the history's \['e0', 'e1', 'e2'\], got 'other'"):
        history.newcomer(None).success(new, CAP)


def test_a_history_is_the_same_when_read_back(history: TaskHistory, tmp_path: Path) -> None:
    path = history.save(tmp_path / "history.npz")
    again = TaskHistory.load(path)
    truth = history.newcomer(None, n_draws=10, seed=14)
    runs = simulated.runs_of(truth, 0, np.arange(9), CAP, np.random.default_rng(15))
    ours, theirs = (h.newcomer(runs, seed=16) for h in (history, again))
    np.testing.assert_array_equal(ours.capability, theirs.capability)
    assert again.ai_models == history.ai_models
    path.write_bytes(b"no history")
    with pytest.raises(InputError, match="must be a history written by"):
        TaskHistory.load(path)


def test_the_prior_of_levels_is_that_of_its_parts(history: TaskHistory) -> None:
    """Covariances of the joint normal against draws made part by part."""
    known = history.known
    length = known.table.eval_level - known.table.centre
    prior = newcomer.prior_of(known.draws, np.arange(3), length)
    rng = np.random.default_rng(17)
    n = 200_000
    d = {k: v[:1] for k, v in known.draws.items()}
    shown = rng.normal(d["shown_mean"], d["shown_spread"], n)
    tilt = rng.normal(0, d["length_slope_sd"], n)
    level = shown + tilt * length[2] + d["place"][0, 2, 0] + rng.normal(0, d["cell_sd"][0, 0], n)
    covariance = np.linalg.inv(prior.precision[0])
    at = newcomer.GLOBALS + 2
    assert prior.mean[0, at] == pytest.approx(level.mean(), abs=5 * level.std() / np.sqrt(n))
    assert covariance[at, at] == pytest.approx(level.var(), rel=0.02)
    assert covariance[at, 0] == pytest.approx(np.cov(level, shown)[0, 1], rel=0.02)
    assert prior.log_determinant[0] == pytest.approx(np.linalg.slogdet(prior.precision[0])[1])


@pytest.mark.parametrize(("outcome", "low", "high"), [("gave_up", 0.0, 0.35), ("success", 0.65, 1)])
def test_an_ai_model_that_solves_nothing_or_everything_has_a_forecast(
    history: TaskHistory, outcome: str, low: float, high: float
) -> None:
    """A floor, or a ceiling, is where the likelihood has no mode: the prior must hold it."""
    rng = np.random.default_rng(18)
    every = simulated.tasks()
    own = every.assign(outcome=outcome, spend=np.exp(rng.normal(10.0, 0.5, len(every))), cap=CAP)
    forecast = history.newcomer(own.iloc[::2], seed=19)
    assert np.isfinite(forecast.capability).all()
    assert np.isfinite(forecast.local).all()
    share = forecast.success(every.iloc[1::2], CAP).mean(axis=1)
    assert low < share.mean() < high
    assert share.std() > 0.0
    assert forecast.effective > 0.0


def test_what_is_not_known_of_a_history_is_not_lost_to_many_runs() -> None:
    """Ninety-percent intervals of θ where the history's own draws leave places of evals open.

    Levels of 12 evals are all but known; each is θ plus a place of which the history has 128 draws
    about no truth of theirs. Taking likelihoods of draws at their word one draw would win.
    """
    n, evals, history_sd, cell_sd, error = 128, 12, 0.5, 0.2, 0.05
    rng = np.random.default_rng(20)
    covered = []
    for _ in range(100):
        shown = rng.normal(0.0, 2.0)
        place, truth = rng.normal(0.0, history_sd, (2, n, evals))
        seen = shown + truth[0] + rng.normal(0.0, np.hypot(cell_sd, error), evals)
        one = np.ones(n)
        told = {"shown_mean": 0.0 * one, "speed_mean": 0.0 * one, "shown_spread": 2.0 * one}
        told |= dict.fromkeys(("slope_spread", "length_slope_sd", "speed_spread"), 0.01 * one)
        told["place"] = np.stack([place, np.zeros((n, evals)), np.zeros((n, evals))], axis=-1)
        told["cell_sd"] = np.tile([cell_sd, 0.1, 0.1], (n, 1))

        def likelihood(
            of: Index, local: Array, derivatives: bool, seen: Array = seen
        ) -> tuple[Array, Array, Array]:
            off = (local[:, :, 0] - seen) / error
            first, second = np.zeros(local.shape), np.zeros((*local.shape, 5))
            first[:, :, 0], second[:, :, 0, 0] = -off / error, -1.0 / error**2
            return -0.5 * (off**2).sum(axis=1), first, second

        prior = newcomer.prior_of(told, np.arange(evals), np.zeros(evals))
        _, points, _ = newcomer.draws(prior, likelihood, evals, 256, 2, rng)
        low, high = np.quantile(points[:, 0], [0.05, 0.95])
        covered.append(low <= shown <= high)
    # of 100: 0.90 ± 3 standard errors; taken at their word draws of the history cover about half
    assert 0.81 <= np.mean(covered) <= 0.99
