"""Limits that a plan keeps in its record are made again as they were."""

from __future__ import annotations

import json

import cvxpy as cp
import pandas as pd
import pytest

from evalfolio.errors import InputError
from evalfolio.limits import (
    ChanceLimit,
    EveryDomain,
    Excludes,
    Floor,
    Mandatory,
    TailLimit,
    Where,
    constraints_from_table,
)
from evalfolio.limits.table import _ROWS, KINDS, kept, made_again

AMOUNTS = {
    "chance": "50000",
    "tail mean": "50000",
    "floor share": "20 %",
    "ceiling share": "20 %",
    **dict.fromkeys(("wrong call", "danger missed", "needless mitigation"), "5 %"),
}


def test_every_row_of_a_table_is_kept_and_made_again() -> None:
    rows = [
        {
            "type": kind,
            **{column: "cyber" for column in needs if column in ("of", "with")},
            **({"amount": AMOUNTS.get(kind, "2")} if "amount" in needs else {}),
            **({"with": "5 %"} if kind in ("chance", "tail mean") else {}),
        }
        for kind, (needs, _) in _ROWS.items()
    ]
    limits = constraints_from_table(pd.DataFrame(rows))
    assert {type(limit).__name__ for limit in limits} == set(KINDS)
    written = json.loads(json.dumps(kept(limits, "constraints")))
    assert [made_again(row) for row in written] == list(limits)
    assert [row["text"] for row in written] == [str(limit) for limit in limits]


@pytest.mark.parametrize(
    "limit",
    [
        Mandatory(("a = b; c", "d | e")),  # names no cell of a table could hold
        Floor(Where(tier="plateau", domain=("cyber", "bio")), 0.4, "staff_hours", share=True),
        Excludes(Where(option="a / plateau"), "everything"),
        ChanceLimit(5e4, 0.05, by="normal"),
        TailLimit(5e4, 0.2, above=10.0, n_draws=32),
        EveryDomain(2),
    ],
)
def test_what_no_table_can_say_is_made_again_too(limit: object) -> None:
    (row,) = json.loads(json.dumps(kept([limit], "constraints")))
    assert made_again(row) == limit


def test_a_limit_only_python_can_say_is_kept_in_words() -> None:
    x = cp.Variable(3)
    (row,) = kept([cp.sum(x) <= 2], "constraints")
    assert row["kind"] == "Affine"
    assert made_again(row) is None


def test_a_figure_that_was_damaged_is_told() -> None:
    (row,) = kept([EveryDomain(2)], "catalogue")
    with pytest.raises(InputError, match="at_least"):
        made_again({**row, "at_least": "many"})
