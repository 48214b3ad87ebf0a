"""Budgets: read from words and catalogues, refused with the reason."""

from __future__ import annotations

import pytest

from evalfolio.errors import InputError
from evalfolio.limits.budget import check_budget, parse_budgets

RESOURCES = ("usd", "staff_hours", "agent_hours")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["usd"], "--budget must be name=number, got 'usd'"),
        (["usd=lots"], "--budget must be name=number, got 'usd=lots'"),
        (["=3"], "--budget must be name=number, got '=3'"),
        (["usd=1", "usd=2"], "--budget usd must be given once"),
    ],
)
def test_words_that_are_no_budget_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_budgets(words)


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"staff_hour": 3.0}, "got 'staff_hour'; did you mean 'staff_hours'"),
        ({"bananas": 3.0}, "must be one of agent_hours, staff_hours, usd, got 'bananas'"),
        ({"usd": -1.0}, "usd must be 0 or more, got -1"),
        ({"usd": float("nan")}, "usd must be 0 or more, got nan"),
    ],
)
def test_wrong_budgets_are_refused(budget: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_budget(budget, RESOURCES)


def test_zero_is_a_budget() -> None:
    assert check_budget({"usd": 0.0}, RESOURCES) == {"usd": 0.0}


def test_nan_in_words_reaches_the_check() -> None:
    budget = parse_budgets(["usd=nan"])
    with pytest.raises(InputError, match="must be 0 or more, got nan"):
        check_budget(budget, RESOURCES)
