from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalfolio.readers.outcomes import SuccessRule, outcomes, succeeded


def one(meter: str = "token", *, success: bool = False, **given: Any) -> tuple[str, str]:
    row = {
        "invalidated": False,
        "human": False,
        "ai_model": "m",
        "error": None,
        "again": False,
        "score": 1.0 if success else 0.0,
        "unread": None,
        "score_reason": None,
        "limit": None,
        "meter": meter,
        "cap": 100.0,
        "stop": "stop",
        "silent": False,
        "log_status": "success",
        **given,
    }
    text = ("limit", "error", "unread", "score_reason")
    frame = pd.DataFrame([row]).astype(dict.fromkeys(text, object))
    found = outcomes(frame, pd.Series([success])).iloc[0]
    return str(found["outcome"]), str(found["reason"])


@pytest.mark.parametrize(
    ("meter", "limit", "outcome"),
    [
        ("token", "token", "stopped_by_cap"),
        ("cost", "cost", "stopped_by_cap"),
        ("cost", "token", "stopped_otherwise"),
        ("working", "working", "stopped_by_cap"),
        ("working", "time", "stopped_otherwise"),
        ("time", "time", "stopped_by_cap"),
        *(("token", k, "stopped_otherwise")
          for k in ("cost", "time", "working", "message", "turn", "context", "operator", "custom")),
    ],
)  # fmt: skip
def test_a_failure_at_a_limit_is_censored(meter: str, limit: str, outcome: str) -> None:
    assert one(meter, limit=limit) == (outcome, "")
    unscored = one(meter, limit=limit, score=np.nan)
    assert unscored == (outcome, "unscored")


def test_a_success_past_the_limit_is_a_success() -> None:
    assert one(success=True, limit="token") == ("success", "")


def test_a_failure_without_a_limit_gave_up() -> None:
    assert one() == ("gave_up", "")


def test_a_token_stop_at_an_unknown_cap_is_censored_at_its_own_spend() -> None:
    assert one(limit="token", cap=np.nan) == ("stopped_otherwise", "")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"error": "boom", "score": np.nan}, "errored"),
        ({"error": "boom", "again": True}, "errored"),
        ({"error": "boom", "score": np.nan, "limit": "token"}, "errored"),
        ({"score": np.nan}, "unscored"),
        ({"score": np.nan, "unread": "E"}, "score is no number"),
        ({"human": True}, "human"),
        ({"ai_model": " "}, "no AI model named"),
        ({"score": np.nan, "log_status": "cancelled"}, "cancelled"),
        ({"error": "CancelledError()", "log_status": "cancelled"}, "cancelled"),
        ({"error": "boom", "score": np.nan, "log_status": "cancelled"}, "errored"),
        ({"invalidated": True}, "invalidated"),
    ],
)
def test_what_does_not_count_is_excluded_with_a_reason(given: dict[str, Any], reason: str) -> None:
    assert one(success=True, **given) == ("excluded", reason)


@pytest.mark.parametrize(
    ("given", "outcome", "reason"),
    [
        ({"error": "boom"}, "stopped_otherwise", "errored"),
        ({"stop": "max_tokens"}, "stopped_otherwise", "cut off"),
        ({"stop": "max_tokens", "silent": True}, "stopped_otherwise", "cut off"),
        ({"stop": "model_length"}, "stopped_otherwise", "cut off"),
        ({"silent": True}, "spurious", "no output"),
        ({"silent": True, "stop": None}, "spurious", "no output"),
        ({"stop": "content_filter"}, "spurious", "refusal"),
        ({"score_reason": "refusal"}, "spurious", "refusal"),
        ({"score_reason": "invalid_response_format"}, "spurious", "format"),
        ({"score_reason": "grader_failed"}, "excluded", "grading failed"),
        ({"score_reason": "no_response"}, "gave_up", ""),
    ],
)
def test_a_failure_that_tells_nothing_of_capability_is_none(
    given: dict[str, Any], outcome: str, reason: str
) -> None:
    assert one(**given) == (outcome, reason)
    assert one(success=True, **given) == ("success", "")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (1.0, [False, True, False, False]),
        (0.5, [True, True, False, False]),
        ({"b": 0.2}, [False, True, True, False]),
        (lambda s: s < 0.4, [False, False, True, False]),
    ],
)
def test_success_is_a_threshold_or_a_rule(rule: SuccessRule, expected: list[bool]) -> None:
    evals = pd.Series(["a", "a", "b", "b"])
    scores = pd.Series([0.5, 1.0 - 1e-12, 0.3, np.nan])
    assert succeeded(evals, scores, rule).tolist() == expected
