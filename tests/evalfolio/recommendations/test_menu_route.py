"""Continuous spends and the menu agree: a menu of ever finer spends closes in on the allocator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import evalfolio as ef
from evalbayes import Decision, Menu
from evalfolio.spends.separable import allocate
from evalfolio.value.sample_information import DecisionValue

Array = NDArray[np.float64]

PRIOR, UNIT_SPEND = 4.0, np.array([20.0, 50.0, 90.0])
DISTANCES, LOSSES = (0.4, -1.5, 2.5), (3.0, 8.0, 20.0)
BUDGET = 300.0


@dataclass(frozen=True, eq=False)
class EvalCurves:
    """One eval per decision, information in proportion to its spend: S-shaped or concave."""

    values: tuple[DecisionValue, ...]
    n_items: int = 3

    def value(self, spend: Array) -> Array:
        v = PRIOR - 1 / (1 / PRIOR + spend / UNIT_SPEND)
        gains = [g.gain(v[..., k]) for k, g in enumerate(self.values)]
        return np.stack(gains, axis=-1)

    def slope(self, spend: Array) -> Array:
        left = 1 / (1 / PRIOR + spend / UNIT_SPEND)
        slopes = [g.slope(PRIOR - left[..., k]) for k, g in enumerate(self.values)]
        return np.asarray(np.stack(slopes, axis=-1) * left**2 / UNIT_SPEND)


def menu_of_spends(spends: Array) -> Menu:
    rows, information = [], []
    for k in range(3):
        for spend in spends:
            rows.append((f"e{k} {spend:.6g}", f"e{k}", f"d{k}", "plateau", spend))
            information.append(np.diag(np.eye(3)[k] * spend / UNIT_SPEND[k]))
    options = pd.DataFrame(rows, columns=["option", "eval", "domain", "tier", "usd"])
    decisions = tuple(
        Decision(f"d{k}", np.eye(3)[k], 6.0 - DISTANCES[k], LOSSES[k], LOSSES[k]) for k in range(3)
    )
    return Menu(
        options.set_index("option"),
        ("usd",),
        np.array(information),
        ("d0", "d1", "d2"),
        np.full(3, 6.0),
        PRIOR * np.eye(3),
        decisions,
    )


def test_finer_menus_close_in_on_the_continuous_split() -> None:
    coarsest = menu_of_spends(np.array([BUDGET]))
    values = tuple(DecisionValue.of(coarsest, d) for d in coarsest.decisions)
    smooth = allocate(EvalCurves(values), BUDGET, gap=1e-7)
    assert smooth.gap <= 1e-7
    short = []
    for n_spends in (3, 9, 27):
        menu = menu_of_spends(np.linspace(0, BUDGET, n_spends + 1)[1:])
        plan = ef.optimise(menu, budget={"usd": BUDGET}, gap=1e-4)
        assert plan.value <= smooth.bound * (1 + 1e-9)
        short.append(1 - plan.value / smooth.value)
    assert short[0] > short[1] > short[2]
    assert short[2] < 5e-3
    assert smooth.value == pytest.approx(
        float(EvalCurves(values).value(smooth.spend).sum()), rel=1e-12
    )
