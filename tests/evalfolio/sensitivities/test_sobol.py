"""Sobol indices: known ones of a test function, and a double loop over a small plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import evalfolio as ef
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.sobol import sobol_indices, sobol_of_plan
from evalfolio.sensitivities.sweep import Sweep

RANGES = dict.fromkeys(("a", "b", "c"), (-np.pi, np.pi))
BUDGET = {"usd": 9_500.0, "staff_hours": 90.0}
FIGURES = [
    Assumed("threshold", "cyber", 8.0, 9.0, 10.0, True),
    Assumed("gap_sd", "cyber", 0.2, 1.0, 2.0, False),
]


def ishigami(points: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    a, b, c = np.array(points).T
    values = np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)
    return [{"ishigami": float(value), "constant": 3.0} for value in values]


# Ishigami & Homma 1990 with 7 and 0.1: variance and its parts in closed form
B8, B18 = 0.1 * np.pi**4 / 5, 0.1**2 * np.pi**8
FIRST = np.array([0.5 * (1 + B8) ** 2, 7**2 / 8, 0.0])
BOTH = B18 * (1 / 18 - 1 / 50)  # of a and c together
VARIANCE = FIRST.sum() + BOTH


def test_a_function_with_known_indices() -> None:
    table = sobol_indices(ishigami, RANGES, samples=2048, seed=3).set_index(["answer", "name"])
    total = FIRST + np.array([BOTH, 0.0, BOTH])
    own = table.loc["ishigami"]
    np.testing.assert_allclose(own["first"], FIRST / VARIANCE, atol=0.03)
    np.testing.assert_allclose(own["total"], total / VARIANCE, atol=0.03)
    assert (np.abs(own["first"] - FIRST / VARIANCE) <= 2 * own["first_ci"] + 1e-3).all()
    assert (table.loc["constant"].to_numpy() == 0).all()


def test_figures_of_a_group_count_together() -> None:
    table = sobol_indices(ishigami, RANGES, samples=2048, seed=3, groups=["ac", "b", "ac"])
    own = table[table["answer"] == "ishigami"].set_index("name")
    assert list(own.index) == ["ac", "b"]
    assert own.loc["ac", "first"] == pytest.approx((FIRST[0] + BOTH) / VARIANCE, abs=0.03)
    assert own.loc["ac", "total"] == pytest.approx((FIRST[0] + BOTH) / VARIANCE, abs=0.03)
    assert own.loc["b", "total"] == pytest.approx(FIRST[1] / VARIANCE, abs=0.03)


def test_a_double_loop_over_a_small_plan_agrees() -> None:
    table = sobol_of_plan(
        Basis(Question(small_menu(), BUDGET)),
        FIGURES,
        samples=32,
        by_kind=False,
        seed=1,
    )
    value = table[table["answer"] == "value"].set_index("name")
    grid = [
        np.linspace(a.low, a.high, 7)[:-1] + (a.high - a.low) / 12  # midpoints of six cells
        for a in FIGURES
    ]
    basis = Basis(Question(small_menu(), BUDGET))
    values = np.array(
        [
            [
                ef.optimise(basis.menu_under({FIGURES[0]: x, FIGURES[1]: y}), budget=BUDGET).value
                for y in grid[1]
            ]
            for x in grid[0]
        ]
    )
    whole = values.var()
    first = np.array([values.mean(axis=1).var(), values.mean(axis=0).var()]) / whole
    total = np.array([values.var(axis=0).mean(), values.var(axis=1).mean()]) / whole
    for own, index in ((first, "first"), (total, "total")):
        # 32 base samples against 36 cells
        off = np.abs(value[index].to_numpy() - own)
        assert (off <= np.minimum(value[f"{index}_ci"] + 0.02, 0.12)).all(), (index, off)
    assert set(table["answer"]) == {
        "value",
        "share on max elicitation",
        "share of cyber",
        "share of autonomy",
    }


def test_workers_do_not_matter() -> None:
    one, two = (
        sobol_of_plan(
            Basis(Question(small_menu(), BUDGET)),
            FIGURES,
            samples=4,
            sweep=Sweep(workers=workers),
        )
        for workers in (1, 2)
    )
    assert one.equals(two)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InputError, match="samples must be a power of 2, got 100"):
        sobol_indices(ishigami, RANGES, samples=100)
    with pytest.raises(InputError, match="at least one figure to vary"):
        sobol_indices(ishigami, {}, samples=4)
