from __future__ import annotations

import numpy as np
import pandas as pd

from evalfolio.readers.outcomes import numbered_attempts, settle_caps


def table(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"eval": ["a"] * n, "reason": [""] * n, **columns})


def test_an_uncapped_run_gets_the_largest_spend_of_its_eval() -> None:
    runs = table(
        eval=["a", "a", "b"],
        outcome=["success", "gave_up", "success"],
        spend=[1234.0, 10.0, 7.0],
        cap=[np.nan] * 3,
    )
    settled = settle_caps(runs, None)
    assert settled["cap"].tolist() == [1300.0, 1300.0, 7.0]
    assert set(settled["cap_from"]) == {"largest spend"}
    assert settled["outcome"].tolist() == runs["outcome"].tolist()


def test_a_cap_given_for_an_eval_goes_before_the_largest_spend() -> None:
    runs = table(eval=["a", "b"], outcome=["success"] * 2, spend=[10.0, 10.0], cap=[np.nan, np.nan])
    settled = settle_caps(runs, {"a": 500.0})
    assert settled["cap"].tolist() == [500.0, 10.0]
    assert settle_caps(runs, 99.0)["cap_from"].tolist() == ["given"] * 2


def test_a_cap_in_the_log_stays_unless_passed_by_a_tenth() -> None:
    runs = table(outcome=["success"] * 3, spend=[50.0, 109.0, 150.0], cap=[100.0] * 3)
    settled = settle_caps(runs, 7.0)
    assert settled["cap"].tolist() == [100.0, 100.0, 150.0]
    assert settled["cap_from"].tolist() == ["log", "log", "own spend"]


def test_a_stop_far_below_the_cap_was_another_limit() -> None:
    runs = table(outcome=["stopped_by_cap"] * 2, spend=[20.0, 99.0], cap=[100.0] * 2)
    assert settle_caps(runs, None)["outcome"].tolist() == ["stopped_otherwise", "stopped_by_cap"]


def test_a_run_with_neither_spend_nor_cap_is_excluded() -> None:
    runs = table(outcome=["success"], spend=[np.nan], cap=[np.nan])
    settled = settle_caps(runs, None)
    assert settled["outcome"].tolist() == ["excluded"]
    assert settled["reason"].tolist() == ["neither spend nor cap"]
    assert settle_caps(runs, 100.0)["outcome"].tolist() == ["success"]


def test_excluded_runs_need_no_cap_and_give_none() -> None:
    runs = table(outcome=["excluded", "success"], spend=[9e9, 5.0], cap=[np.nan, np.nan])
    settled = settle_caps(runs, None)
    assert np.isnan(settled["cap"].iloc[0])
    assert settled["cap"].iloc[1] == 5.0


def test_attempts_are_numbered_over_logs_and_no_effort_is_effort_zero() -> None:
    runs = pd.DataFrame(
        {
            "eval": "a",
            "task": ["t", "t", "t", "u"],
            "ai_model": "m",
            "effort": [np.nan, 0.0, 0.8, np.nan],
        }
    )
    assert numbered_attempts(runs).tolist() == [1, 2, 1, 1]
