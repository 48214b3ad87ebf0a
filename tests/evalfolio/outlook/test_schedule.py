"""A year of looks: no drift, one; fast drift and cheap evals, many shallow ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.objectives import variance
from evalfolio.outlook.presets import Rate
from evalfolio.outlook.schedule import LOOKS, looked
from evalfolio.search import Question


def menu_of(usd: Array, information: Array) -> Menu:
    names = [f"e{i}" for i in range(len(usd))]
    options = pd.DataFrame(
        {"eval": names, "domain": "cyber", "tier": "plateau", "usd": usd},
        index=pd.Index([f"{name} plateau" for name in names], name="option"),
    )
    decision = Decision("cyber", np.ones(1), 6.5, 2.0, 2.0)
    k = information[:, None, None] * np.ones((1, 1, 1))
    return Menu(options, ("usd",), k, ("cyber.shown",), np.array([6.0]), np.eye(1), (decision,))


def year(menu: Menu, usd: float, rate: Rate) -> pd.DataFrame:
    question = Question(menu, {"usd": usd}, objective=variance())
    return pd.DataFrame([looked(question, rate, n, 1.0, {}) for n in LOOKS])


def test_no_drift_one_deep_look() -> None:
    table = year(menu_of(np.full(12, 100.0), np.full(12, 0.5)), 1200.0, Rate(0.0))
    assert table["lost"].idxmin() == 0
    assert table["evals"].tolist() == [12, 6, 4, 3, 2, 1]
    assert table["lost"].is_monotonic_increasing
    assert (table["lost"] < table["never"]).all()


def test_fast_drift_and_cheap_evals_many_shallow_looks() -> None:
    menu = menu_of(np.full(12, 1.0), np.full(12, 20.0))
    table = year(menu, 12.0, Rate(0.0, scatter=3.0))
    assert table["looks"].to_numpy()[table["lost"].to_numpy().argmin()] == 12
    assert table["evals"].iloc[-1] == 1
    assert table["lost"].is_monotonic_decreasing


def test_between_them_the_oftener_the_faster() -> None:
    menu = menu_of(np.full(12, 100.0), np.full(12, 0.5))
    best = []
    for scatter in (0.0, 0.3, 1.0, 3.0):
        table = year(menu, 1200.0, Rate(0.0, scatter=scatter))
        best.append(table["looks"].to_numpy()[table["lost"].to_numpy().argmin()])
    assert best == sorted(best)
    assert best[0] == 1 < best[-1]


def test_danger_waits_half_an_interval_and_the_law_needs_prices() -> None:
    question = Question(menu_of(np.full(2, 100.0), np.ones(2)), {"usd": 200.0})
    free = looked(question, Rate(0.0, scatter=1.0), 2, 1.0, {})
    paid = looked(question, Rate(0.0, scatter=1.0), 2, 1.0, {"usd": 1e-4})
    assert free["months_unseen"] == 3.0
    assert free["law_months"] == np.inf
    a = 2 / 3 / np.sqrt(2 * np.pi) * 2.0
    assert paid["law_months"] == pytest.approx(12 * (2 * 0.01 / a) ** (2 / 3))
