"""`evalfolio rule` answers without data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

ASKED = ("--cost-ratio", "25", "--validity-sd", "1", "--gap-sd", "0.7", "--gap-spread", "0.5")


def test_the_rule_is_said_in_words(run: Run) -> None:
    result = run("rule", *ASKED)
    assert result.code == 0, result.err
    assert "of the rest run one in 9.8 deep" in result.out


def test_a_budget_gives_whole_numbers(run: Run) -> None:
    result = run("rule", *ASKED, "--budget", "200", "--evals", "50", "--json")
    figures = json.loads(result.out)
    assert figures["plateau"] + figures["deep"] <= 50
    assert figures["plateau"] + 25 * figures["deep"] <= 200
    assert figures["deep"] >= 1


def test_a_wrong_figure_is_refused(run: Run) -> None:
    result = run("rule", *ASKED, "--effort", "2")
    assert result.code == 2
    assert "effort must be above 0 and at most 1, got 2" in result.err


def test_a_price_list_names_the_evals(run: Run) -> None:
    asked = ("--cost-ratio", "9", "--validity-sd", "0.5", "--gap-sd", "1.5", "--gap-spread", "0.3")
    given = (*asked, "--shown-sd", "1", "--prices", "0.5,1,1.5", "--budget", "5")
    result = run("rule", *given)
    assert result.code == 0, result.err
    assert "Run deep: 1 (0.5). At plateau level: none. That is 4.5 of 5." in result.out
    figures = json.loads(run("rule", *given, "--json").out)
    assert (figures["deep"], figures["plateau"], figures["spent"]) == ([1], [], 4.5)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--prices", "1,x", "--budget", "5"), "must be amounts above 0 separated by commas"),
        (("--prices", "1,-2", "--budget", "5"), "must be amounts above 0 separated by commas"),
        (("--prices", "1,2"), "--prices asks for --budget"),
        (("--prices", "1,2", "--budget", "5", "--evals", "2"), "--evals is the number of --prices"),
    ],
)
def test_a_wrong_price_list_is_refused(more: tuple[str, ...], message: str, run: Run) -> None:
    result = run("rule", *ASKED, *more)
    assert result.code == 2
    assert message in result.err
