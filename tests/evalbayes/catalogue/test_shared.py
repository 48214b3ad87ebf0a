"""Shared elicitation: read, written, read back in words, and refused where it is not right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from evalbayes.catalogue import (
    Interval,
    catalogue_to_toml,
    catalogue_to_workbook,
    parse_catalogue,
    read_catalogue,
    toml_template,
)
from evalbayes.catalogue.writing import commented
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs


def three(*elicitations: dict[str, Any], **budget: Any) -> dict[str, Any]:
    common = {"tasks": 10, "usd_per_run": [1, 4], "staff_hours_elicitation": 8}
    return {
        "portfolio": {"ai_model": "New"},
        "budget": budget,
        "domain": [{"name": n, "threshold_human_time": "8 h"} for n in ("cyber", "bio")],
        "eval": [
            {"name": "a", "domain": "cyber", "family": "ctf", "human_minutes": 10, **common},
            {"name": "b", "domain": "cyber", "family": "ctf", "human_minutes": 90, **common},
            {"name": "c", "domain": "bio", "human_minutes": 60, **common},
        ],
        "elicitation": list(elicitations),
    }


SCAFFOLD = {"name": "scaffold", "family": "ctf", "hours": 60, "days": 7, "usd": [1_000, 4_000]}
TOOLS = {"name": "tools", "evals": ["b", "c"], "usd": 500}


def test_both_forms_read_back_as_given(tmp_path: Path) -> None:
    catalogue = parse_catalogue(three(SCAFFOLD, TOOLS))
    scaffold, tools = catalogue.elicitations
    assert (scaffold.evals, scaffold.hours, scaffold.days) == (("a", "b"), 60.0, 7.0)
    assert (tools.evals, tools.hours, tools.usd) == (("b", "c"), 0.0, Interval(500, 500))
    assert [each.name for each in catalogue.elicitations_of("b")] == ["scaffold", "tools"]
    text = tmp_path / "c.toml"
    text.write_text(catalogue_to_toml(catalogue))
    book = tmp_path / "c.xlsx"
    book.write_bytes(catalogue_to_workbook(catalogue))
    for path in (text, book):
        assert read_catalogue(path).elicitations == catalogue.elicitations
    in_domain = parse_catalogue(three({"name": "x", "domain": "cyber", "hours": 1}))
    assert in_domain.elicitations[0].evals == ("a", "b")


def test_hours_are_split_as_the_budget_is() -> None:
    split = {"cyber": 100, "bio": 50, "infra": 30}
    by_domain = parse_catalogue(three(SCAFFOLD, staff_hours=split))
    assert by_domain.elicitations[0].hours == {"cyber": 60.0}
    named = {**SCAFFOLD, "hours": {"infra": 20, "cyber": 5, "bio": 0}}
    assert parse_catalogue(three(named)).skills == ("cyber", "bio", "infra")
    free = parse_catalogue(three(TOOLS, staff_hours=split))
    hours = free.elicitations[0].hours
    assert isinstance(hours, dict)
    assert not any(hours.values())


def test_the_template_has_one() -> None:
    (row,) = commented(toml_template())["elicitation"]
    assert set(row) == {"name", "evals", "hours", "days", "usd"}


def test_check_says_what_is_shared_and_what_is_left() -> None:
    report = check_inputs(parse_catalogue(three(SCAFFOLD, TOOLS)))
    assert (
        "scaffold: shared elicitation of 2 evals, paid once where any of them runs at max "
        "elicitation: 60 staff hours, 1,000 to 4,000 usd, 7 days; staff hours of elicitation left "
        "for each: a 8, b 8; b needs scaffold and tools"
    ) in report.lines
    alone = three({"name": "own", "evals": "c", "hours": 1})
    del alone["eval"][2]["staff_hours_elicitation"]
    (one, left) = check_inputs(parse_catalogue(alone)).warnings
    assert one == "the elicitation 'own' serves c alone: nothing is shared"
    assert left.startswith("staff_hours_elicitation of c is a default, though the elicitation")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"family": "ctff"},
            "family must be one that evals of the catalogue have, got 'ctff'",
        ),
        ({"family": None, "domain": "bop"}, "domain must be one that evals of the catalogue have"),
        ({"domain": "cyber"}, "one of evals, family and domain must say what it serves, got fam"),
        (
            {"family": None},
            "one of evals, family and domain must say what it serves, got none",
        ),
        ({"family": None, "evals": []}, "evals must name at least one eval, got none; write"),
        ({"family": None, "evals": ["a", "A"]}, "evals must be the catalogue's, got 'A'; did you"),
        ({"family": None, "evals": ["a", "a"]}, "evals must name each eval once, got 'a' twice"),
        ({"family": None, "evals": ["a", 3]}, "evals must be a list of names, got 3; write"),
        ({"family": None, "evals": 3}, "evals must be a list of names, got 3; write"),
        ({"hours": None, "usd": None}, "hours or usd must be given, got neither; add hours = ..."),
        ({"hours": -3}, "hours must be 0 or more, got -3"),
        ({"days": -3}, "days must be 0 or more, got -3"),
        ({"usd": [0, 4]}, "usd must be one number or a range above 0, got [0, 4]; give a small"),
        ({"usd": [-1, 4]}, "usd must be 0 or more, got [-1, 4]"),
        ({"usd": "much"}, "usd must be"),
        ({"name": "a"}, "its name must not be an eval's, got 'a'; rename it"),
        ({"name": "tools"}, "names of elicitations must be unique, got 'tools' 2 times"),
        ({"name": None}, "name must be given, got nothing"),
        ({"hourz": 3}, "hourz"),
    ],
)
def test_what_is_not_right_is_said_in_a_sentence(change: dict[str, Any], message: str) -> None:
    row = {key: value for key, value in (SCAFFOLD | change).items() if value is not None}
    with pytest.raises(InputError, match=re.escape(message)) as error:
        parse_catalogue(three(row, TOOLS))
    assert "elicitation " in str(error.value)


def test_one_number_must_tell_its_skill_where_evals_are_of_several_domains() -> None:
    row = {"name": "all", "evals": ["a", "c"], "hours": 9}
    with pytest.raises(InputError, match="hours must be split by skill"):
        parse_catalogue(three(row, staff_hours={"cyber": 1, "bio": 2}))


def test_the_effort_reached_is_that_of_own_and_shared_hours_together() -> None:
    data = three(SCAFFOLD, TOOLS)
    data["eval"][1]["effort_max"] = 0.9
    catalogue = parse_catalogue(data)
    alone = three()
    alone["eval"][0]["staff_hours_elicitation"] = 68
    assert catalogue.eval("a").effort_max == parse_catalogue(alone).eval("a").effort_max
    assert catalogue.eval("b").effort_max == 0.9  # as stated
    assert catalogue.eval("c").effort_max == parse_catalogue(three()).eval("c").effort_max
    (why,) = (
        each
        for each in catalogue.assumptions
        if (each.where, each.key) == ("eval 'a'", "effort_max")
    )
    assert why.value == catalogue.eval("a").effort_max
    assert why.reason.startswith("what 68 staff hours (8 of its own and 60 shared) reach")
