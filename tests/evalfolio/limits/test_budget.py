"""Budgets: read from words and catalogues, refused with the reason."""

from __future__ import annotations

from typing import Any

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
        (["usd=nan"], "got 'usd=nan'; write it in digits"),
        (["usd=inf"], "got 'usd=inf'; write it in digits"),
        (["usd=1,5"], "a comma may only part groups of three digits: write 1.5"),
        (["usd=100.000"], "it may mean 100 or 100000: write 100 or 100000"),
        (["usd=1.250.000"], "a point may only stand before decimals: write 1250000"),
        (["usd=250k"], "got 'usd=250k'; write it in digits"),
        (["usd=1", "usd=2"], "--budget usd must be given once"),
    ],
)
def test_words_that_are_no_budget_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_budgets(words)


def test_a_message_names_the_option_that_was_typed() -> None:
    with pytest.raises(InputError, match="--paid must be name=number, got 'usd=abc'"):
        parse_budgets(["usd=abc"], "--paid")


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


@pytest.mark.parametrize("amount", ["1,5", None, True])
def test_what_is_no_number_is_no_budget(amount: Any) -> None:
    with pytest.raises(InputError, match=f"budget: usd must be a number, got {amount!r}; write"):
        check_budget({"usd": amount}, RESOURCES)


def test_zero_is_a_budget() -> None:
    assert check_budget({"usd": 0.0}, RESOURCES) == {"usd": 0.0}


@pytest.mark.parametrize(
    ("word", "amount"),
    [
        ("250,000", 250e3),
        ("2.5e5", 250e3),
        ("250_000", 250e3),
        ("250 000", 250e3),
        ("250'000", 250e3),
        ("0.125", 0.125),
        ("1,250.5", 1250.5),
    ],
)
def test_amounts_are_read_as_people_write_them(word: str, amount: float) -> None:
    assert parse_budgets([f"usd={word}"]) == {"usd": amount}
