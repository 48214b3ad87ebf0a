"""Tables of runs as evidence; every refusal names what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalbayes.errors import InputError
from evalbayes.tasks.recap import recapped
from evalbayes.tasks.runs import BEYOND, GAVE_UP, STOPPED, SUCCESS, WITHIN, evidence_of
from evalbayes.tasks.table import table_of


def runs(**columns: object) -> pd.DataFrame:
    base = {"eval": "e", "task": "t", "outcome": "success", "spend": 5.0, "cap": 10.0}
    return pd.DataFrame({**base, **columns}, index=range(1))


@pytest.mark.parametrize(
    ("outcome", "spend", "kind", "at"),
    [
        ("success", 5.0, SUCCESS, 5.0),
        ("success", np.nan, WITHIN, 10.0),
        ("gave_up", 5.0, GAVE_UP, 5.0),
        ("gave_up", np.nan, BEYOND, 10.0),
        ("stopped_by_cap", 10.5, STOPPED, 10.0),
        ("stopped_otherwise", 4.0, STOPPED, 4.0),
    ],
)
def test_every_outcome_becomes_its_kind_at_the_spend_that_tells(
    outcome: str, spend: float, kind: int, at: float
) -> None:
    used, kinds, ln = evidence_of(runs(outcome=outcome, spend=spend))
    assert used.all()
    assert kinds.tolist() == [kind]
    assert np.exp(ln) == pytest.approx([at])


@pytest.mark.parametrize(("outcome", "spend"), [("excluded", 5.0), ("spurious", np.nan)])
def test_what_tells_nothing_is_left_out(outcome: str, spend: float) -> None:
    used, kinds, _ = evidence_of(runs(outcome=outcome, spend=spend))
    assert not used.any()
    assert not len(kinds)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"outcome": "won"}, "outcome must be one of .* got 'won' for task 't'"),
        ({"effort": 0.8}, "effort must be 0, .* got 0.8"),
        ({"outcome": "stopped_by_cap", "cap": 0.0}, "cap must be above 0, got 0 for task 't'"),
    ],
)
def test_bad_runs_are_refused_in_words(columns: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evidence_of(runs(**columns))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="got no 'cap'"):
        evidence_of(runs().drop(columns="cap"))


def test_minutes_below_zero_are_refused() -> None:
    with pytest.raises(InputError, match="human_minutes must be above 0, got -1 for task 't'"):
        table_of(runs(human_minutes=-1.0))


def test_runs_with_a_smaller_cap_keep_it_and_a_cap_must_be_positive() -> None:
    frame = runs(cap=3.0, spend=3.2)
    assert recapped(frame, 4.0)["cap"].tolist() == [3.0]
    with pytest.raises(InputError, match="smaller cap must be above 0, got 0"):
        recapped(frame, 0.0)
