"""The cost outlook: composition, shares, bands, what binds, and what drives it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalfolio.outlook.fleet import fleet
from evalfolio.outlook.forecast import (
    FIXED,
    FIXED_RUNS,
    HOURS,
    LONG,
    LONG_RUNS,
    STUDIES,
    Forecast,
    composition,
    first_above,
    forecast_of,
)
from evalfolio.outlook.presets import read_presets
from evalfolio.record.record import Choice

LEDGER = [
    ("ctf", "usd", LONG, 100_000.0),
    ("ctf", "agent_hours", LONG_RUNS, 500.0),
    ("quiz", "usd", FIXED, 2_000.0),
    ("quiz", "agent_hours", FIXED_RUNS, 10.0),
    ("trial", "usd", STUDIES, 30_000.0),
    ("", "staff_hours.bio", HOURS, 100.0),
    ("", "staff_hours.ml", HOURS, 300.0),
]


def made(scenario: str | None = None, **how: Any) -> Forecast:
    frame = pd.DataFrame(LEDGER, columns=["eval", "resource", "cost", "amount"])
    stock = {"usd": 150_000.0, "staff_hours.bio": 1_000.0, "staff_hours.ml": 310.0}
    prices = {"staff_hours.bio": 200.0, "staff_hours.ml": 100.0}
    return replace(Forecast(read_presets(scenario=scenario), frame, stock, prices), **how)


def test_the_parts_compose_as_published() -> None:
    table = composition(read_presets())
    np.testing.assert_allclose(table["length"], [6.9, 17.2], rtol=2e-3)
    np.testing.assert_allclose(table["low"], [2.7, 12.6], rtol=0.02)
    np.testing.assert_allclose(table["high"], [9.5, 59.0], rtol=0.01)
    assert table["inside"][0] == pytest.approx(np.log(9.543 / 3) / np.log(9.543 / 2.672), rel=1e-3)
    assert table["inside"][1] == pytest.approx(
        np.log(18 / 12.595) / np.log(59.13 / 12.595), rel=1e-3
    )


def test_shares_sum_to_one_now_and_later_and_begin_at_what_is_spent() -> None:
    table = made().totals()
    shares = table[["share_agents", "share_studies", "share_staff"]].sum(axis=1)
    np.testing.assert_allclose(shares, 1.0, rtol=1e-12)
    now = table.iloc[0]
    assert (now["agents"], now["studies"], now["staff"]) == (102_000.0, 30_000.0, 50_000.0)
    assert now["total_low"] == now["total_high"] == 182_000.0
    assert (table["total_low"] <= table["total"]).all()
    assert (table["total"] <= table["total_high"]).all()


def test_bands_are_those_of_the_closed_form_and_the_drift_is_in_them() -> None:
    presets, years = read_presets(), 2
    flat = {name: [1.0, 1.0] for name in ("attempts", "ai_models", "domains")}
    tables = {**presets.tables, "scenario": {presets.scenario: {"words": "", **flat}}}
    found = made(n_draws=60_000, years=years, presets=replace(presets, tables=tables))
    rate = presets.driver("frontier_price").log_rate
    sd = np.sqrt(rate.variance(years))
    logs = np.log(found.factor(FIXED)[:, years])
    ends = rate.mean * years + np.array([-1.645, 0, 1.645]) * sd
    np.testing.assert_allclose(np.quantile(logs, (0.05, 0.5, 0.95)), ends, atol=0.06)
    assert sd > 1.05 * rate.sd * years


def test_each_driver_has_its_share_and_the_longer_the_tasks_the_dearer() -> None:
    table = made().drivers()
    np.testing.assert_allclose(table.groupby("cost")["of_variance"].sum(), 1.0, rtol=1e-9)
    long = table[table["cost"] == LONG].set_index("driver")
    assert long["of_variance"].idxmax() == "tokens"
    assert long["factor"]["tokens"] > 20 > 1 > long["factor"]["price_at_capability"]
    steep = made(fitted=np.full(10, 2.0)).usd["agents"][:, -1]
    flat = made(fitted=np.full(10, 1.0)).usd["agents"][:, -1]
    assert np.median(steep) > 5 * np.median(flat)


def test_what_binds_first_and_when() -> None:
    table = made().binding().set_index("resource")
    assert table["first_to_bind"].sum() == pytest.approx(1.0, abs=0.02)
    assert table["first_to_bind"].idxmax() == "usd"
    assert 0 < table["years"]["usd"] < 1
    assert table["years"]["staff_hours.bio"] == np.inf
    logs = np.array([[-1.0, -0.5, 0.5, -1.0]])
    assert first_above(logs, 0.5).tolist() == [0.75]


def test_scenarios_are_apart_and_the_own_one_is_as_forecast() -> None:
    found = made()
    table = found.scenarios().set_index("scenario")
    own = table.loc[found.presets.scenario]
    assert own["total"] == found.totals()["total"].iloc[-1]
    assert table["factor"]["RL stalls"] < table["factor"]["inference scaling goes on"]
    assert table["factor"]["prices collapse"] < table["factor"]["inference scaling goes on"]


def test_by_eval_adds_up_now_and_seeds_repeat() -> None:
    found = made()
    assert found.by_eval().query("year == 0")["usd"].sum() == 132_000.0
    pd.testing.assert_frame_equal(made().totals(), found.totals())
    assert not made(seed=1).totals().equals(found.totals())


def test_agents_per_server_are_those_of_the_founding_comment() -> None:
    table = fleet(read_presets(), 26_000.0).set_index(["agent", "served"])
    assert table["agents"].round().tolist() == [129.0, 395.0, 42.0, 127.0, 19.0, 57.0]
    yearly = 300_000 / 4 + 40_000
    busy: Any = table.reset_index().iloc[1].to_dict()
    assert (busy["agent"], busy["served"]) == ("text", "in batches")
    assert busy["usd_per_agent_hour"] == pytest.approx(yearly / 8766 / (14_800 * 0.8 / 30))
    assert busy["servers"] * busy["agents"] * 8766 == pytest.approx(26_000.0)
    assert busy["usd_a_year"] == yearly


@pytest.mark.parametrize(
    ("stated", "prices"),
    [(None, [143.6, 143.6]), (150.0, [150.0, 150.0]), ({"bio": 160.0}, [160.0, 143.6])],
)
def test_an_hour_has_the_price_of_its_skill_or_an_assumed_one(
    stated: Any, prices: list[float]
) -> None:
    portfolio, budget = (
        SimpleNamespace(horizon_months=6),
        SimpleNamespace(usd_per_staff_hour=stated),
    )
    catalogue: Any = SimpleNamespace(portfolio=portfolio, budget=budget, domains=())
    row = Choice.model_construct(domain="bio", tier="plateau", eval="quiz", usd=100.0)
    use = {"usd": 100.0, "staff_hours.bio": 3.0, "staff_hours.ml": 5.0}
    record: Any = SimpleNamespace(choices=(row,), spend=use, budget={"usd": 200.0}, kept_back={})
    record.shared, record.to_run = (SimpleNamespace(name="scaffold", usd=40.0),), (row,)
    found = forecast_of(record, catalogue, read_presets())
    assert list(found.hour_usd.values()) == prices
    assert found.usd["staff"][0, 0] == 2 * (3 * prices[0] + 5 * prices[1])
    assert found.used("usd")[0, 0] == 2 * (100.0 + 40.0)  # what several evals share is paid too
    assert found.usd["studies"][0, 0] == 2 * 40.0
