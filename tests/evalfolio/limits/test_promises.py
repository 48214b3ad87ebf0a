"""Promises and limits of a catalogue: from TOML, a workbook and Python to the rows that bind."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evalfolio as ef
from evalbayes.catalogue import parse_catalogue, read_catalogue
from evalbayes.catalogue.writing import catalogue_to_toml, catalogue_to_workbook
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.export.mix import mix_table
from evalfolio.limits import Floor, Mandatory, MinEvals, constraints_from_table
from evalfolio.limits.table import _ROWS, catalogue_table, kept, made_again
from evalfolio.limits.vocabulary import check_names
from evalfolio.plans.judge import explain_eval
from evalfolio.plans.recording import record_of
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

PROMISE: dict[str, Any] = {
    "tasks": "all",
    "tier": "plateau",
    "attempts": 2,
    "to": "the board",
    "note": "May",
}


def catalogue_with(mandatory: Any = False, limits: Any = ()) -> dict[str, Any]:
    evals = [{"name": n, "domain": "cyber", "tasks": 38, "human_minutes": 42} for n in "ab"]
    evals[0]["mandatory"] = mandatory
    data = {"domain": [{"name": "cyber", "threshold_human_time": "8 h"}], "eval": evals}
    return data | ({"limit": list(limits)} if limits else {})


def promised_menu() -> ef.Menu:
    """The small menu with tasks and attempts: the largest count of an eval is all its tasks."""
    menu = small_menu()
    n = len(menu)
    return replace(menu, options=menu.options.assign(tasks=range(10, 10 + n), attempts=[2] * n))


@pytest.mark.parametrize("promise", [True, PROMISE, {"tasks": 12}, {"to": "AISI"}])
def test_what_is_promised_and_limits_come_back_from_toml_and_a_workbook(
    promise: Any, tmp_path: Path
) -> None:
    limits = [
        {"type": "floor share", "of": "a", "amount": "20 %", "note": "agreed"},
        {"type": "min evals", "of": ["a", "b"], "amount": 1},
    ]
    catalogue = parse_catalogue(catalogue_with(promise, limits))
    (tmp_path / "c.xlsx").write_bytes(catalogue_to_workbook(catalogue))
    for again in (
        parse_catalogue(tomllib.loads(catalogue_to_toml(catalogue))),
        read_catalogue(tmp_path / "c.xlsx"),
    ):
        assert again.eval("a").mandatory == catalogue.eval("a").mandatory == promise
        read = catalogue_table(again)
        assert read == (Floor("a", 0.2, share=True), MinEvals(("a", "b"), 1))
        check_names(read, again)


def test_the_table_and_the_catalogue_are_read_by_one_reader(tmp_path: Path) -> None:
    file = tmp_path / "limits.csv"
    file.write_text("type,of,with,amount\nrequires,a,b,\nmax evals,everything,,2\n")
    rows = [
        {"type": "requires", "of": "a", "with": "b"},
        {"type": "max evals", "of": "everything", "amount": 2.0},
    ]
    stated = parse_catalogue(catalogue_with(limits=rows))
    assert catalogue_table(stated) == constraints_from_table(file)


def test_a_promise_binds_the_options_that_keep_it() -> None:
    menu = promised_menu()
    for limit in (
        Mandatory("a", tasks="all"),
        Mandatory("a", tier="max-elicitation"),
        Mandatory("a", tasks=11),
        Mandatory("a", attempts=2),
    ):
        problem = Problem(Question(menu, limits=(limit,)))
        own = menu.options[menu.options["eval"] == "a"]
        for name, row in own.iterrows():
            x = (menu.options.index == name).astype(np.float64)
            keeps = (
                (limit.tasks != "all" or row["tasks"] == own["tasks"].max())
                and (not isinstance(limit.tasks, int) or row["tasks"] >= limit.tasks)
                and limit.tier in (None, row["tier"])
            )
            assert (problem.completed(x) is not None) == keeps, (limit, name)
    assert made_again(kept([Mandatory("a", **PROMISE)], "catalogue")[0]) == Mandatory(
        "a", **PROMISE
    )
    with pytest.raises(
        InputError, match=r"mandatory: a, at least 9 attempts a task: there must be"
    ):
        Mandatory("a", attempts=9).rows(menu)
    with pytest.raises(InputError, match="the menu must say attempts of its options"):
        Mandatory("a", attempts=2).rows(small_menu())


def test_a_sampled_rung_is_not_all_tasks() -> None:
    menu = promised_menu()
    said = [f"{tasks} random tasks of 99, and so on" for tasks in menu.options["tasks"]]
    menu = replace(menu, options=menu.options.assign(description=said))
    with pytest.raises(InputError, match="mandatory: a, all tasks: there must be an option"):
        Mandatory("a", tasks="all").rows(menu)


def test_rows_and_explain_say_to_whom_it_was_promised() -> None:
    menu = promised_menu()
    promise = Mandatory("a", tasks="all", to="the board", note="May 2026")
    plan = ef.optimise(menu, budget={"usd": 10_000.0}, constraints=[promise, Mandatory("b")])
    record = record_of(plan)
    said = "mandatory: all tasks, promised to the board (May 2026)"
    table = mix_table(record).set_index("eval")
    assert table.loc["a", "mandatory"] == said
    assert table.loc["b", "mandatory"] == "mandatory"
    assert str(table["reason"]["a"]).startswith(f"{said}; ")
    assert said in explain_eval("a", record)["text"]
    free = record_of(ef.optimise(menu, budget={"usd": 10_000.0}))
    assert {row.mandatory for row in free.choices} == {""}


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ({}, "mandatory must say what is promised, got an empty table"),
        ({"task": 3}, "mandatory must hold tasks, tier, .* got 'task'; did you mean 'tasks'"),
        ({"tasks": 0}, 'mandatory must have tasks as a whole number from 1 or "all", got 0'),
        ({"tasks": "some"}, "from 1 or \"all\", got 'some'"),
        ({"attempts": 1.5}, "mandatory must have attempts as a whole number from 1, got 1.5"),
        ({"tier": "deep"}, "mandatory must have a tier of sweet-spot, .*, got 'deep'"),
        ({"to": 3}, "mandatory must have to as text, got 3"),
        ({"tasks": 39}, "mandatory must promise at most its 38 tasks, got 39"),
        ("perhaps", "mandatory must be true or false, got 'perhaps'"),
    ],
)
def test_wrong_promises_are_told_with_the_eval(promise: Any, words: str) -> None:
    with pytest.raises(InputError, match=f"eval 'a': {words}" if "from" not in words else words):
        parse_catalogue(catalogue_with(promise))


def named_by(data: dict[str, Any]) -> None:
    """Read a catalogue and check the names that its own limits speak of."""
    catalogue = parse_catalogue(data)
    check_names(catalogue_table(catalogue), catalogue)


def test_wrong_limits_of_a_catalogue_are_told_by_their_number() -> None:
    for row, words in (
        ({"type": "flor", "of": "a"}, "catalogue: limit number 1: type must be one of"),
        ({"type": "floor", "of": "a"}, "limit number 1: a row of type 'floor' must have 'amount'"),
        ({"type": "forbidden", "of": "c"}, "'c' must name a domain, tier, eval"),
        ({"typ": "floor"}, "limit number 1: every key must be a known one, got 'typ'"),
        ({"type": "floor", "of": True}, "limit number 1: of must be text, a number or a list"),
    ):
        with pytest.raises(InputError, match=words):
            named_by(catalogue_with(limits=[row]))


def test_every_type_of_the_page_is_read_and_none_is_missing() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "limits.md").read_text("utf-8")
    (block,) = re.findall(r"```csv\n(.*?)```", text, flags=re.S)
    table = pd.read_csv(StringIO(block), dtype=str)
    assert sorted(table["type"]) == sorted(_ROWS)
    read = constraints_from_table(table)
    rows = table.drop(columns="note").dropna(axis=1, how="all")
    given = [{k: v for k, v in row.items() if v == v} for row in rows.to_dict("records")]
    assert catalogue_table(parse_catalogue(catalogue_with(limits=given))) == read
    assert len(read) == len(table)


def test_of_a_promise_the_tasks_that_were_run_count() -> None:
    menu = small_menu()
    menu = replace(menu, options=menu.options.assign(tasks=10, tasks_done=0))
    options = menu.options.copy()
    options.loc["a plateau", ["tasks", "tasks_done"]] = [0, 40]
    done = replace(menu, options=options)
    rule = Mandatory("a", tasks=40)
    assert "a plateau" in ef.optimise(done, budget={"usd": 10_000.0}, constraints=[rule]).chosen
    with pytest.raises(InputError, match="there must be an option that is so"):
        ef.optimise(menu, budget={"usd": 10_000.0}, constraints=[rule])
