"""What a programme in stages says: its rule, worth and spend in sentences and tables."""

from __future__ import annotations

import re

import pytest

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.programmes.told import told


@pytest.fixture(scope="module")
def found() -> ef.Stages:
    question = ef.Question(small_menu(), {"usd": 10_000.0, "staff_hours": 90.0}, contingency=0.1)
    return ef.stages(question)


def test_no_figure_in_a_sentence_has_more_than_two_digits(found: ef.Stages) -> None:
    for sentence in told(found).sentences[:-1]:
        for number in re.findall(r"\d[\d,.]*\d|\d", sentence):
            assert len(number.replace(",", "").replace(".", "").strip("0")) <= 2, sentence


def test_where_losses_are_in_usd_it_says_what_the_next_dollar_returns(found: ef.Stages) -> None:
    last = told(found, in_usd=True).sentences[-2]
    assert last.startswith("The next dollar returns $")
    assert last.endswith(": stop here.")
    assert found.price < 1


def test_tables_hold_the_programmes_own_figures(found: ef.Stages) -> None:
    now, releases, value, spend = told(found).tables
    assert [row[0] for row in now.rows] == list(found.now)
    assert [row[1] for row in releases.rows] == found.releases["decision"].tolist()
    assert [row[1] for row in value.rows] == [found.value, found.at_once, found.bound]
    assert spend.rows[0][2:] == tuple(found.spend.loc["usd"])[1:]
