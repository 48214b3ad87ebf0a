"""Stops: spends found again, and what a low cap leaves open held to a grid and to fresh worlds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from evalbayes.errors import InputError
from evalbayes.responses import Newcomer, Seen, fit_history
from evalbayes.responses.population import Population
from evalbayes.responses.spending import FAILURE, SUCCESS, Spending
from evalbayes.responses.table import tasks_of

EVALS = ("a", "b")
LN_CAP = 6.0


def simulated(rng: np.random.Generator, n_models: int, per_eval: int = 40) -> pd.DataFrame:
    """Draw runs whose successes take longer on harder tasks and by slower AI models."""
    rows = []
    hard = {name: rng.normal(k, 1.3, per_eval) for k, name in enumerate(EVALS)}
    for m in range(n_models):
        theta, slow = rng.normal(), rng.normal(0, 0.5)
        for k, name in enumerate(EVALS):
            departure, slow_here = rng.normal(0, 0.4), rng.normal(0, 0.3)
            for j, b in enumerate(hard[name]):
                won = rng.random() < expit(1.5 * theta + departure - b)
                ln = 4.0 + slow + slow_here + 0.3 * (b - k) + rng.normal(0, 0.8)
                while won and ln > LN_CAP:  # a success is one within the highest cap
                    ln = 4.0 + slow + slow_here + 0.3 * (b - k) + rng.normal(0, 0.8)
                if not won:
                    ln = 5.5 + rng.normal(0, 1.2)
                outcome = "success" if won else "stopped_by_cap" if ln > LN_CAP else "gave_up"
                rows.append((name, f"t{j}", f"m{m:02d}", outcome, np.exp(min(ln, LN_CAP)), 2.0**k))
    columns = ["eval", "task", "ai_model", "outcome", "spend", "human_minutes"]
    return pd.DataFrame(rows, columns=columns).assign(cap=np.exp(LN_CAP))


def under(runs: pd.DataFrame, ln_cap: float) -> pd.DataFrame:
    """Return runs as a lower cap would have shown them."""
    early = runs["spend"] > np.exp(ln_cap)
    return runs.assign(
        outcome=runs["outcome"].where(~early, "stopped_by_cap"),
        spend=runs["spend"].clip(upper=np.exp(ln_cap)),
        cap=np.exp(ln_cap),
    )


def test_spends_are_found_again() -> None:
    runs = simulated(np.random.default_rng(0), 24)
    spending = fit_history(runs).spending
    assert spending is not None
    # Censored failures are of mean 5.5 though none is seen past 6; successes lie at 4.
    assert spending.mean[FAILURE].mean() == pytest.approx(5.5, abs=0.15)
    assert spending.mean[SUCCESS].mean() == pytest.approx(4.0, abs=0.35)
    assert spending.model_sd[SUCCESS] == pytest.approx(0.5, rel=0.4)
    at = np.arange(80)
    chances = [spending.by_cap(np.full(80, np.exp(c)), at) for c in (2.0, 4.0, 5.0, LN_CAP)]
    assert all((low <= high).all() for low, high in pairwise(chances))
    assert (chances[-1] == 1.0).all()


@pytest.mark.parametrize("outcome", ["success", "gave_up"])
def test_a_history_of_one_kind_of_run_reads_stops_too(outcome: str) -> None:
    runs = simulated(np.random.default_rng(3), 4, 6).assign(outcome=outcome)
    history = fit_history(runs)
    spending = history.spending
    assert spending is not None
    # Of the kind not seen no more is known than where spends of all runs lie, within e^4 or so.
    assert np.isfinite(spending.mean).all()
    assert abs(spending.mean - np.log(runs["spend"]).mean()).max() < 2.0
    newcomer = Newcomer.inferred(history, under(runs[runs["ai_model"] == "m00"], 3.0))
    drawn = newcomer.completions(runs.head(12), np.random.default_rng(0))
    assert (drawn.mean() > 0.5) == (outcome == "success")


def small(model_sd: float) -> Population:
    """One eval of three tasks, without departures, so that a grid can hold its posterior."""
    tasks = tasks_of(
        pd.DataFrame({"eval": ["a"] * 3, "task": list("xyz"), "human_minutes": [1.0, 1.0, 1.0]})
    )
    n, tiny = 400, 1e-6
    ones = np.ones(n)
    spending = Spending(
        np.stack([[4.0, 4.5, 5.0], [5.5, 5.5, 5.5]]),
        np.stack([[0.8, 0.8, 0.8], [1.2, 1.2, 1.2]]),
        np.array([model_sd, model_sd]),
        np.array([tiny, tiny]),
        np.full(3, LN_CAP),
    )
    return Population(
        tasks,
        np.tile([0.0, 0.5, 1.0], (n, 1)),
        np.full((n, 1), 1.5),
        0.0 * ones, 0.0 * ones, ones, tiny * ones, tiny * ones, 0.0, spending,
    )  # fmt: skip


def test_what_may_still_come_is_a_grids() -> None:
    population = small(model_sd=0.5)
    runs = pd.DataFrame(
        {
            "eval": "a", "task": list("xyz"),
            "outcome": ["success", "stopped_by_cap", "stopped_by_cap"],
            "spend": np.exp([3.5, 4.0, 4.0]), "cap": np.exp(4.0),
        }
    )  # fmt: skip
    theta, slow, off = np.meshgrid(*[np.linspace(-4, 4, 81)] * 3, indexing="ij")
    spending = population.spending
    assert spending is not None
    log = -0.5 * (theta**2 + slow**2 + off**2)
    after = []
    for j, b in enumerate((0.0, 0.5, 1.0)):
        p = expit(1.5 * theta - b)
        mean, sd = spending.mean[SUCCESS, j] + 0.5 * slow, 0.8
        within = norm.cdf((LN_CAP - mean) / sd)
        if j == 0:
            log = log + np.log(p * norm.pdf((3.5 - mean) / sd) / within)
            continue
        on = 1.0 - norm.cdf((4.0 - mean) / sd) / within
        failing_on = norm.sf((4.0 - 5.5 - 0.5 * off) / 1.2)
        log = log + np.log(p * on + (1.0 - p) * failing_on)
        after.append(p * on / (p * on + (1.0 - p) * failing_on))
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    newcomer = Newcomer.inferred(population, runs)
    drawn = newcomer.completions(runs, np.random.default_rng(0))
    assert drawn[:, 0].all()
    assert newcomer.capability.mean() == pytest.approx(float((weight * theta).sum()), abs=0.12)
    for j, chance in enumerate(after, start=1):
        assert drawn[:, j].mean() == pytest.approx(float((weight * chance).sum()), abs=0.07)


def test_the_highest_cap_leaves_nothing_open() -> None:
    runs = simulated(np.random.default_rng(1), 6, 15)
    history = fit_history(runs[runs["ai_model"] != "m00"])
    own = runs[runs["ai_model"] == "m00"]
    newcomer = Newcomer.inferred(history, own)
    assert newcomer.ln_odds is None
    drawn = newcomer.completions(own, np.random.default_rng(0))
    assert (drawn == (own["outcome"] == "success").to_numpy()).all()


# Binomial with 0.9: of 12 below 8 four times in 1000, of 40 below 31 once in 100.
@pytest.mark.parametrize(
    ("worlds", "least", "less"),
    [(12, 8, 1.0), pytest.param(40, 31, 0.5, marks=pytest.mark.slow)],
)
def test_fresh_ai_models_under_a_low_cap_lie_in_their_intervals(
    worlds: int, least: int, less: float
) -> None:
    """Worlds drawn anew: 90 % intervals of the whole share solved, all tasks seen at a low cap."""
    rng = np.random.default_rng(2)
    held, error, naive = [], [], []
    for _ in range(worlds):
        runs = simulated(rng, 8, 25)
        own = runs[runs["ai_model"] == "m00"]
        history = fit_history(runs[runs["ai_model"] != "m00"], draws=64)
        low = under(own, 4.0)
        share = Newcomer.inferred(history, low).completions(own, rng).mean(axis=1)
        truth = float((own["outcome"] == "success").mean())
        held.append(np.quantile(share, 0.05) <= truth <= np.quantile(share, 0.95))
        error.append(abs(np.median(share) - truth))
        naive.append(abs((low["outcome"] == "success").mean() - truth))
    assert sum(held) >= least
    assert np.mean(error) < less * np.mean(naive)


def test_refuses_two_caps_on_one_task_and_reads_no_stop_without_spends() -> None:
    population = small(model_sd=0.5)
    runs = pd.DataFrame(
        {
            "eval": "a", "task": ["x", "x"], "outcome": "stopped_by_cap",
            "spend": np.exp([3.0, 4.0]), "cap": np.exp([3.0, 4.0]),
        }
    )  # fmt: skip
    at = np.zeros(2, dtype=np.int64)
    with pytest.raises(InputError, match="one cap per task, got two"):
        Seen.runs(population, at, runs)
    blind = replace(population, spending=None)
    with pytest.raises(InputError, match="below the highest"):
        Seen.runs(blind, at, runs)
