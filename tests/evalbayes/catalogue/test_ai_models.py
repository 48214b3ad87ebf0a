"""Release dates and lineages: read from TOML and workbooks, refused where wrong."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from evalbayes.catalogue import (
    Interval,
    catalogue_to_toml,
    catalogue_to_workbook,
    parse_catalogue,
    read_catalogue,
)
from evalbayes.catalogue.catalogue import undated
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs

LEAST: dict[str, Any] = {
    "portfolio": {"ai_model": "new"},
    "domain": [{"name": "cyber", "threshold": 9.0}],
    "eval": [{"name": "cybench", "domain": "cyber", "tasks": 38, "human_minutes": 42}],
}
MODELS: list[dict[str, Any]] = [
    {"name": "old", "released": date(2025, 2, 1), "lineage": "A"},
    {"name": "new", "released": "2026-02-01", "lineage": "A", "notes": "weeks before release"},
    {"name": "other"},
]


def test_dates_come_as_dates_or_text_and_lineages_as_names() -> None:
    catalogue = parse_catalogue({**LEAST, "ai_model": MODELS})
    assert [spec.released for spec in catalogue.ai_models] == [
        date(2025, 2, 1),
        date(2026, 2, 1),
        None,
    ]
    assert catalogue.known_models["new"].lineage == "A"
    assert undated(catalogue.known_models, ("old", "other", "unheard of")) == (
        "other",
        "unheard of",
    )
    later = parse_catalogue(
        {**LEAST, "ai_model": [{"name": "x", "released": datetime(2025, 1, 2, 3)}]}
    )
    assert later.ai_models[0].released == date(2025, 1, 2)


def test_growth_is_assumed_only_where_a_date_is_given() -> None:
    assert not parse_catalogue(LEAST).assumed("domain 'cyber'", "growth_per_year")
    assert parse_catalogue({**LEAST, "ai_model": MODELS}).assumed(
        "domain 'cyber'", "growth_per_year"
    )
    stated = {**LEAST["domain"][0], "growth_per_year": [1, 2]}
    own = parse_catalogue({**LEAST, "domain": [stated], "ai_model": MODELS})
    assert not own.assumed("domain 'cyber'", "growth_per_year")
    assert own.domains[0].growth_per_year == Interval(1, 2)


@pytest.mark.parametrize("ending", [".toml", ".xlsx"])
def test_they_survive_being_written(tmp_path: Path, ending: str) -> None:
    catalogue = parse_catalogue({**LEAST, "ai_model": MODELS})
    path = tmp_path / f"catalogue{ending}"
    if ending == ".toml":
        path.write_text(catalogue_to_toml(catalogue), encoding="utf-8")
    else:
        path.write_bytes(catalogue_to_workbook(catalogue))
    assert read_catalogue(path).ai_models == catalogue.ai_models
    assert read_catalogue(path).domains == catalogue.domains


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"name": "x", "released": "soon"}, "released must be a date, got 'soon'; write it as"),
        ({"name": "x", "released": 2025}, "released must be a date, got 2025"),
        ({"name": "x", "linage": "A"}, "linage"),
        ({"released": "2025-01-01"}, "name must be given"),
        ({"name": "x", "lineage": " "}, "lineage must be a name in quotes"),
    ],
)
def test_what_is_wrong_is_told(row: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_catalogue({**LEAST, "ai_model": [row]})


def test_names_are_given_once() -> None:
    with pytest.raises(InputError, match="names of ai_models must be unique, got 'old' 2 times"):
        parse_catalogue({**LEAST, "ai_model": [MODELS[0], MODELS[0]]})


def test_check_says_whether_dates_and_relatives_count() -> None:
    def lines(models: list[dict[str, Any]]) -> str:
        return str(check_inputs(parse_catalogue({**LEAST, "ai_model": models})))

    assert "release dates count: shown capability is let rise" in lines(MODELS[:2])
    assert "release dates do not count, as there is none of other" in lines(MODELS)
    assert "relatives lie near each other: A" in lines(MODELS)
    assert "release dates" not in str(check_inputs(parse_catalogue(LEAST)))
