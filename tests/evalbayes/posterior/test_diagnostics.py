"""The gate: every way to fail it is named."""

from __future__ import annotations

from math import comb
from typing import Any

import pandas as pd
import pytest

from evalbayes.posterior.diagnostics import Diagnostics, too_many


def diagnostics(
    quantities: dict[str, float] | None = None,
    cells: dict[str, Any] | None = None,
    divergences: int = 0,
) -> Diagnostics:
    good = {"r_hat": 1.0, "ess_bulk": 900.0, "ess_tail": 800.0}
    table = pd.DataFrame(
        [good, good | (quantities or {})],
        index=pd.Index(["slope_mean", "shown[cyber, A]"], name="quantity"),
    )
    rows = pd.DataFrame(
        {
            "eval": [f"eval {k}" for k in range(20)],
            "ai_model": "A",
            "n": 20,
            "n_success": 10,
            "expected": 10.2,
            "p_success": 0.5,
            "p_spend": 0.5,
            "p_gain": 0.5,
            "pareto_k": 0.1,
        }
    )
    for column, values in (cells or {}).items():
        rows.loc[: len(values) - 1, column] = values
    return Diagnostics(table, rows, divergences, draws=4000)


def test_a_good_fit_passes() -> None:
    fit = diagnostics()
    assert fit.passed
    assert fit.reasons == ()
    assert fit.summary().startswith("The fit passes its gate.")


@pytest.mark.parametrize(
    ("quantities", "sentence"),
    [
        ({"r_hat": 1.04}, "R-hat must be at most 1.01, got 1.040 for shown[cyber, A]"),
        ({"ess_bulk": 90.0}, "bulk effective sample size must be at least 400, got 90 for shown"),
        ({"ess_tail": 9.0}, "tail effective sample size must be at least 400, got 9 for shown"),
    ],
)
def test_poor_sampling_is_named(quantities: dict[str, float], sentence: str) -> None:
    (reason,) = diagnostics(quantities).reasons
    assert reason.startswith(sentence)


@pytest.mark.parametrize(
    ("quantities", "times"),
    [
        ({}, 1),
        ({"ess_bulk": 275.0, "r_hat": 1.014}, 3),  # 1.5 · 400/275
        ({"ess_tail": 100.0}, 6),
        ({"r_hat": 1.04}, 6),
        ({"ess_bulk": 399.0}, 2),
    ],
)
def test_too_few_draws_say_how_many_would_do(quantities: dict[str, float], times: int) -> None:
    fit = diagnostics(quantities)
    assert fit.times_the_draws == times
    assert (f"{times} times as many draws would do" in fit.summary()) == (times > 1)


def test_what_draws_cannot_mend_asks_for_none() -> None:
    assert diagnostics(divergences=50).times_the_draws == 1
    assert diagnostics(cells={"p_success": [0.999] * 5}).times_the_draws == 1
    assert Diagnostics(pd.DataFrame(), pd.DataFrame(), 0, 100).times_the_draws == 1


def test_divergences_beyond_one_in_a_thousand_fail_and_fewer_do_not() -> None:
    assert diagnostics(divergences=4).passed
    (reason,) = diagnostics(divergences=5).reasons
    assert reason == "divergences must be at most 0.1% of draws, got 5 of 4000"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("p_success", 0.999, "predictive probability of the successes"),
        ("p_spend", 0.001, "predictive probability of the spend of successes"),
        ("p_gain", 0.999, "predictive probability of the gain of elicited runs"),
        ("pareto_k", 0.9, "Pareto k must be at most 0.7"),
    ],
)
def test_one_odd_cell_in_twenty_passes_and_two_are_named(
    column: str, value: float, words: str
) -> None:
    assert diagnostics(cells={column: [value]}).passed
    (reason,) = diagnostics(cells={column: [value, value]}).reasons
    assert reason.startswith(words)
    assert "eval 0 by A, eval 1 by A" in reason


def test_the_table_has_a_row_per_eval() -> None:
    table = diagnostics(cells={"p_success": [0.999]}).to_frame()
    assert table.index.name == "eval"
    assert table["unlikely"].sum() == 1


def test_one_odd_cell_of_twelve_is_chance_and_two_are_not() -> None:
    """The rule against the binomial counted out."""
    for n, found in ((12, 1), (12, 2), (40, 2), (40, 3), (200, 10), (200, 11)):
        luck = sum(comb(n, k) * 0.01**k * 0.99 ** (n - k) for k in range(found, n + 1))
        assert too_many(found, n, 0.05, 0.01) == (found > 0.05 * n and luck < 0.05)
    assert not too_many(1, 12, 0.05, 0.01)
    assert too_many(2, 12, 0.05, 0.01)
