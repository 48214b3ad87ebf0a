"""The record: what is hidden, what is bought, what is true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalfolio.backtests.record import Design, record_of
from evalfolio.errors import InputError


def test_history_holds_nothing_of_the_ai_model_under_test(runs: pd.DataFrame) -> None:
    record = record_of(runs)
    assert set(record.history("model 2", "others")["ai_model"]) == {
        f"model {m}" for m in (0, 1, 3, 4)
    }
    assert set(record.history("model 2", "earlier")["ai_model"]) == {"model 0", "model 1"}
    assert not len(record.history("model 0", "earlier"))


def test_truth_is_all_runs_and_the_bill_all_their_spend(runs: pd.DataFrame) -> None:
    hidden = record_of(runs).of("model 3")
    own = runs[runs["ai_model"] == "model 3"].sort_values(["eval", "task"])
    np.testing.assert_array_equal(hidden.truth, (own["outcome"] == "success").to_numpy(float))
    assert hidden.bill == pytest.approx(own["spend"].sum())


def test_a_bought_run_is_seen_as_far_as_the_cap_paid_for(runs: pd.DataFrame) -> None:
    hidden = record_of(runs).of("model 3")
    at = hidden.run_on
    whole = hidden.buy(Design(at, 1000.0)).sort_values("at")
    assert whole["spend"].sum() == pytest.approx(hidden.bill)
    assert ((whole["outcome"] == "success").to_numpy(float) == hidden.truth).all()
    half = hidden.buy(Design(at, 60.0)).sort_values("at")
    cut = whole["spend"].to_numpy() > 60.0
    assert cut.any()
    assert (half["outcome"].to_numpy()[cut] == "stopped_by_cap").all()
    assert (half["spend"].to_numpy()[cut] == 60.0).all()
    np.testing.assert_allclose(half["spend"].to_numpy()[~cut], whole["spend"].to_numpy()[~cut])
    assert (half["outcome"].to_numpy()[~cut] == whole["outcome"].to_numpy()[~cut]).all()


def test_attempts_end_with_the_first_success() -> None:
    words = ["gave_up", "success", "gave_up", "success"]
    frame = pd.DataFrame(
        {
            "eval": "a", "task": "x", "ai_model": ["m"] * 4 + ["n"], "outcome": [*words, "gave_up"],
            "spend": [1.0, 2.0, 3.0, 4.0, 1.0], "cap": 10.0, "human_minutes": 5.0,
        }
    )  # fmt: skip
    hidden = record_of(frame, attempts=3).of("m")
    assert hidden.truth.tolist() == [1.0]
    assert hidden.bill == 6.0
    bought = hidden.buy(Design([0], 10.0, attempts=3))
    assert bought["spend"].tolist() == [1.0, 2.0]
    assert hidden.buy(Design([0], 10.0))["outcome"].tolist() == ["gave_up"]


def test_messages(runs: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="two or more AI models"):
        record_of(runs[runs["ai_model"] == "model 1"])
    with pytest.raises(InputError, match="human_minutes above 0, got none"):
        record_of(runs.drop(columns="human_minutes"))
    with pytest.raises(
        InputError, match="release_date, or dates by AI model; got none for 'model 0'"
    ):
        record_of(runs.drop(columns="release_date")).history("model 1", "earlier")
    with pytest.raises(InputError, match="must be a date such as"):
        record_of(runs, released={"model 1": "soon"})
    with pytest.raises(InputError, match="ai_model must be one of model 0"):
        record_of(runs).of("model 9")
    with pytest.raises(InputError, match="history must be others or earlier"):
        record_of(runs).history("model 1", "later")
    with pytest.raises(InputError, match="attempts must be 1 or more"):
        record_of(runs, attempts=0)
    with pytest.raises(InputError, match="at most once, got task 3 twice"):
        Design([3, 4, 3], 1.0)
    with pytest.raises(InputError, match="must be above 0"):
        Design([3], 0.0)
