"""The whole analysis of a small plan, and what knowing a figure is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import evalfolio as ef
from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.robust import WEIGHTS, worth_of_knowing
from evalfolio.sensitivities.sweep import Sweep

BUDGET = {"usd": 9_500.0, "staff_hours": 90.0}
FIGURES = [
    Assumed("threshold", "cyber", 8.0, 9.0, 10.0, True),
    Assumed("gap_sd", "cyber", 0.05, 1.0, 2.0, False),
    Assumed("price", "", 0.5, 1.0, 2.0, False),
]


def test_knowing_is_worth_what_enumeration_says(
    every_choice: Callable[[Menu], NDArray[np.float64]],
) -> None:
    menu = small_menu()
    choices = every_choice(menu)
    fits = (choices @ menu.costs <= np.array(list(BUDGET.values()))).all(axis=1)
    mixes = [list(menu.options.index[x > 0.5]) for x in choices[fits]]
    table = worth_of_knowing(
        Basis(Question(menu, BUDGET)), FIGURES, method=Certified(gap=1e-6)
    ).set_index("name")
    assert set(table.index) == {figure.name for figure in FIGURES[:2]}
    for figure in FIGURES[:2]:
        levels = [figure.low, figure.mid, figure.high]
        menus = [Basis(Question(menu, BUDGET)).menu_under({figure: level}) for level in levels]
        values = np.array([[ef.evaluate(m, mix).value for m in menus] for mix in mixes])
        true = float(values.max(axis=0) @ WEIGHTS - (values @ WEIGHTS).max())
        row = table.loc[figure.name]
        assert row["worth"] == pytest.approx(true, abs=1e-5)
        assert row["worth_low"] - 1e-12 <= true <= row["worth_high"] + 1e-12


def test_the_analysis_holds_every_part_and_writes_it(tmp_path: Path) -> None:
    menu = small_menu()
    draws = np.array([0.5, 1.0, 2.0])[:, None, None, None] * menu.information
    plan = ef.optimise(replace(menu, information_draws=draws), budget=BUDGET)
    found = ef.sensitivity(
        plan,
        assumptions=FIGURES,
        points=5,
        samples=4,
        sobol=4,
        mixes={"last year's": ["b plateau"]},
        sweep=Sweep(checkpoint=tmp_path / "points"),
    )
    assert found.over_draws is not None
    assert found.over_draws.n_mixes == 3
    assert {"this plan", "greedy", "even split", "all plateau", "all maximum"} <= set(
        found.regret.index
    )
    assert found.regret["largest"].to_dict()["last year's"] > 0
    folder = found.write(tmp_path / "sensitivity")
    names = {path.stem for path in folder.glob("*.csv")}
    assert names == set(found.tables())
    assert {"frontier_usd", "kinks_usd", "entries_usd", "tornado", "regret", "robust"} <= names
    assert {"stability_draws", "options_assumptions", "knowing", "pilots", "sobol"} <= names
    robust = pd.read_csv(folder / "robust.csv").set_index("criterion")
    scores, bounds = robust["score"].to_dict(), robust["bound"].to_dict()
    assert scores["regret"] >= bounds["regret"] >= 0
    assert scores["cvar"] <= bounds["cvar"]
    assert len(pd.read_csv(folder / "tornado.csv")) == len(FIGURES)
    assert (folder / "summary.txt").read_text() == f"{found}\n"
    assert {path.stem for path in (tmp_path / "points").iterdir()} == {
        *(f"frontier_{name}" for name in found.frontiers),
        "entries_usd",
        "tornado",
        "scenarios",
        "draws",
        "assumptions",
        "knowing",
        "pilots",
        "sobol",
    }
    assert "the mix of least regret gives up" in str(found).lower()


def test_without_assumptions_there_is_nothing_to_vary() -> None:
    plan = ef.optimise(small_menu(), budget=BUDGET)
    with pytest.raises(InputError, match="there must be assumptions, or a catalogue and a"):
        ef.sensitivity(plan)
