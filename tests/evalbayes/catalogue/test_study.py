"""Studies: read, written, read back in words, set, and refused where they are not right."""

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

TRIAL = {
    "name": "uplift trial",
    "domain": "bio",
    "effort": 0.0,
    "participants": 60,
    "effect_scale": 1.5,
    "usd": [5_000, 9_000],
    "usd_per_participant": 200,
    "hours": 80,
    "days": 30,
}
RED_TEAM = {
    "name": "red team",
    "domain": "bio",
    "effort": 1.0,
    "reading_sd": 0.8,
    "usd": 20_000,
    "mandatory": True,
    "run_by": "an external firm",
}


def two(*studies: dict[str, Any], **budget: Any) -> dict[str, Any]:
    return {
        "budget": budget,
        "domain": [
            {"name": "bio", "unit": "sd of experts", "threshold": 2.0, "shown_capability": [-1, 2]}
        ],
        "eval": [
            {
                "name": "questions",
                "domain": "bio",
                "tasks": 100,
                "difficulty": 0.5,
                "usd_per_run": [1, 2],
                "staff_hours": 5,
                "staff_hours_repair": 5,
                "staff_hours_elicitation": 5,
            }
        ],
        "study": list(studies),
    }


def test_both_forms_read_back_as_given(tmp_path: Path) -> None:
    catalogue = parse_catalogue(two(TRIAL, RED_TEAM))
    trial, red_team = catalogue.studies
    assert (trial.participants, trial.effort, trial.usd) == (60, 0.0, Interval(5_000, 9_000))
    assert (red_team.effort, red_team.reading_sd, red_team.days) == (1.0, 0.8, 0.0)
    assert trial.lasting_sd == 1.1  # the default, as an eval's
    assert red_team.lasting_sd == 0.8
    assert red_team.validity_sd is None
    assert catalogue.assumed("study 'uplift trial'", "validity_sd")
    assert not catalogue.assumed("study 'red team'", "validity_sd")
    (tmp_path / "c.toml").write_text(catalogue_to_toml(catalogue))
    (tmp_path / "c.xlsx").write_bytes(catalogue_to_workbook(catalogue))
    for path in tmp_path.iterdir():
        assert read_catalogue(path).studies == catalogue.studies


def test_a_catalogue_without_studies_is_what_it_was_and_one_with_them_is_another() -> None:
    bare, more = parse_catalogue(two()), parse_catalogue(two(TRIAL))
    assert "studies" not in catalogue_to_toml(bare)
    assert bare.hash != more.hash


def test_hours_are_split_as_the_budget_is_and_figures_can_be_set() -> None:
    skilled = parse_catalogue(two(TRIAL, RED_TEAM, staff_hours={"bio": 200}))
    assert [spec.hours for spec in skilled.studies] == [{"bio": 80.0}, {"bio": 0.0}]
    by_skill = parse_catalogue(two(TRIAL | {"hours": {"bio": 60, "legal": 20}}, RED_TEAM))
    assert by_skill.skills == ("bio", "legal")
    larger = parse_catalogue(two(TRIAL, RED_TEAM), settings=["uplift trial.participants*2"])
    assert larger.studies[0].participants == 120
    dearer = parse_catalogue(two(TRIAL, RED_TEAM), settings=["studies.usd*2"])
    assert [spec.usd.high for spec in dearer.studies] == [18_000, 40_000]


def test_the_check_says_what_it_reads_and_takes() -> None:
    report = check_inputs(parse_catalogue(two(TRIAL, RED_TEAM)))
    assert (
        "uplift trial: study of bio; reads shown capability to ±1.1 (one sd, in sd of experts): 80 "
        "staff hours, 5,000 to 9,000 usd, 30 days; 60 participants in each of two arms, 200 usd "
        "each" in report.lines
    )
    assert (
        "red team: study of bio; reads shown capability and 100% of the elicitation gap to ±0.8 "
        "(one sd, in sd of experts): 0 staff hours, 20,000 usd, 0 days" in report.lines
    )


def test_the_template_shows_one_of_each() -> None:
    trial, red_team = commented(toml_template())["study"]
    catalogue = parse_catalogue(
        two(
            trial | {"domain": "bio"},
            {k: v for k, v in red_team.items() if k != "level"} | {"domain": "bio"},
        )
    )
    assert [spec.effort for spec in catalogue.studies] == [0.0, 0.8]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "questions"}, "names of studies must be unique, got 'questions' 2 times"),
        ({"domain": "bios"}, "its domain must be one of the catalogue's, got 'bios'; did you mean"),
        (
            {"level": "High"},
            "level must be one of its domain's, got 'High'; it has no [[level]] tables, so leave",
        ),
        ({"effort": None}, "effort must be given, got nothing; add effort = ..."),
        ({"effort": 30}, "effort must be a share from 0 to 1, got 30; write 0.25 for 25 %"),
        (
            {"effect_scale": None},
            "its error must be stated as reading_sd, or as participants and effect_scale, got "
            "participants; give one of the two whole",
        ),
        (
            {"reading_sd": 1},
            "its error must be stated as reading_sd, or as participants and effect_scale, got "
            "reading_sd and participants and effect_scale; give one of the two whole",
        ),
        (
            {"participants": None, "effect_scale": None},
            "its error must be stated as reading_sd, or as participants and effect_scale, got "
            "neither; give one of the two whole",
        ),
        ({"usd": [0, 10]}, "usd must be one number or a range above 0, got [0, 10]; give a small"),
        ({"participants": 0}, "participants must be a whole number, 1 or more, got 0"),
        ({"particpants": 10}, "every key must be a known one, got 'particpants'; did you mean"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(change: dict[str, Any], said: str) -> None:
    row = {k: v for k, v in (TRIAL | change).items() if v is not None}
    with pytest.raises(InputError, match=re.escape(said)) as error:
        parse_catalogue(two(row))
    assert "study 'uplift trial'" in str(error.value) or "questions" in str(error.value)
