"""The rival that buys items: its fit finds the truth again, and it buys what tells most."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from evalfolio.backtests.fluid import Fluid, Items
from evalfolio.backtests.record import record_of
from evalfolio.backtests.replay import backtest
from evalfolio.backtests.teaching import ResponseModel
from evalfolio.backtests.trial import Setting, Trials, prepared


@pytest.fixture(scope="module")
def trials() -> Trials:
    """Forty AI models on 60 tasks of two evals, outcomes by two parameters an item."""
    rng = np.random.default_rng(3)
    slope, level = np.exp(0.3 * rng.standard_normal(60)), rng.normal(0.0, 1.5, 60)
    ability = np.linspace(-2.0, 2.0, 40)
    won = rng.random((40, 60)) < expit(np.outer(ability, slope) - level)
    m, j = np.divmod(np.arange(won.size), 60)
    frame = pd.DataFrame(
        {
            "eval": np.where(j < 30, "a", "b"), "task": [f"t{k:02d}" for k in j],
            "ai_model": [f"m{k:02d}" for k in m],
            "outcome": np.where(won.ravel(), "success", "gave_up"),
            "spend": np.where(j < 30, 1.0, 4.0), "cap": 9.0, "human_minutes": 2.0 ** (level[j] + 4),
        }
    )  # fmt: skip
    found = prepared("m20", record_of(frame), Setting(inference=ResponseModel(draws=48)))
    assert found is not None
    found.tasks["level"] = level
    return found


def test_the_fit_finds_levels_again(trials: Trials) -> None:
    items = Items.of(trials.market)
    assert np.corrcoef(items.level, trials.tasks["level"])[0, 1] > 0.95
    assert (items.slope > 0).all()


def test_the_mode_is_where_the_posterior_is_flat(trials: Trials) -> None:
    items, market = Items.of(trials.market), trials.market
    seen = trials.hidden.buy(trials.design("fluid", Fluid(), 0.3 * trials.bill, 0))
    z, precision = items.mode(seen, market.at)
    rows = np.searchsorted(market.at, seen["at"])
    y = (seen["outcome"] == "success").to_numpy(float)
    design = items.design()[rows]
    p = expit(design @ z - items.level[rows])
    np.testing.assert_allclose(design.T @ (y - p), z, atol=1e-6)
    np.testing.assert_allclose(
        precision, (design.T * (p * (1 - p))) @ design + np.eye(3), rtol=1e-4
    )


def test_it_buys_what_tells_most_first(trials: Trials) -> None:
    items, market = Items.of(trials.market), trials.market
    p = expit(-items.level)  # at no ability known
    told = items.slope**2 * p * (1.0 - p)
    for rival, worth in ((Fluid(), told), (Fluid(per_cost=True), told / market.price())):
        first = next(rival.stages(market, 0.5 * trials.bill, np.random.default_rng(0)))
        assert first.tasks.tolist() == [int(np.take(market.at, np.argmax(worth)))]
        row = trials.judged(trials.design("fluid", rival, 0.5 * trials.bill, 0), 0)
        assert row["spent"] <= 0.5 * trials.bill * (1 + 1e-9)


def test_everything_bought_is_known_to_it(trials: Trials) -> None:
    seen = trials.hidden.runs
    drawn = Fluid().completions(trials.market, seen, np.random.default_rng(0))
    assert (drawn == trials.outcome.astype(bool)).all()


def test_it_is_compared_with_both_readings(runs: pd.DataFrame) -> None:
    found = backtest(
        record_of(runs), budgets=(0.3,), repetitions=1, ai_models=["model 2"],
        inference=ResponseModel(draws=48),
    )  # fmt: skip
    spent = found.trials.groupby("strategy")["spent"].first().to_dict()
    for name in ("fluid", "fluid, per cost"):
        assert spent[name] == spent[f"{name}, own reading"]
