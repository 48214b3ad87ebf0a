"""The population prior as the catalogue's default: which domain, which basis, and what wins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from evalbayes.catalogue import Interval, catalogue_to_toml, catalogue_to_workbook, parse_catalogue
from evalbayes.catalogue.population import effort_of, effort_share, population_gap, spend_gain
from evalbayes.catalogue.reading import read_catalogue
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "explanation" / "elicitation.md"


def catalogue(eval_keys: dict[str, Any] | None = None, **keys: Any) -> Any:
    return parse_catalogue(
        {
            "domain": [{"name": "cyber", "threshold": 9, **keys}],
            "eval": [{"name": "ctf", "domain": "cyber", "tasks": 9, **(eval_keys or {})}],
        }
    )


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("cyber", "cyber"),
        ("Cybersecurity", "cyber"),
        ("vulnerability discovery", "cyber"),
        ("AI R&D", "AI R&D"),
        ("ai_rnd", "AI R&D"),
        ("AI research and development", "AI R&D"),
        ("AI self-improvement", "AI R&D"),
        ("biosecurity", "bio"),
        ("CBRN", "bio"),
        ("Virology", "bio"),
        ("autonomous replication", "autonomy"),
        ("coding", "software"),
        ("symbiosis", "all domains"),
        ("chem", "all domains"),
        ("persuasion", "all domains"),
    ],
)
def test_a_domain_s_prior_is_found_by_its_name(name: str, measured: str) -> None:
    found = population_gap(name)
    assert found.domain == measured
    assert 0 < found.interval.low < found.median < found.interval.high


def test_what_can_be_added_makes_the_prior_larger() -> None:
    usual = population_gap("cyber")
    assert population_gap("cyber", verifier=True).median > usual.median
    assert population_gap("cyber", tools=False).median > 2 * usual.median


def test_it_is_an_assumption_with_its_basis_and_a_stated_gap_wins() -> None:
    plain = catalogue()
    (note,) = (a for a in plain.assumptions if a.key == "elicitation_gap")
    assert note.value == plain.domains[0].gap == population_gap("cyber").interval
    assert re.match(r"population prior of \d+ studies in cyber: median \S+, 90 % ", note.reason)
    said = str(check_inputs(plain))
    assert note.reason in said
    stated = catalogue(elicitation_gap=[0.1, 3.0])
    assert stated.domains[0].gap == Interval(0.1, 3.0)
    assert not stated.assumed("domain 'cyber'", "elicitation_gap")
    deep = catalogue(adversary_verifier=True, baseline_tools=False)
    (note,) = (a for a in deep.assumptions if a.key == "elicitation_gap")
    assert "best of 8 attempts, from a baseline without tools" in note.reason


def test_keys_read_alike_from_toml_and_workbook(tmp_path: Path) -> None:
    given = catalogue({"effort_repaired": 0.25}, adversary_verifier=True, baseline_tools=False)
    for name, content in (
        ("c.toml", catalogue_to_toml(given).encode()),
        ("c.xlsx", catalogue_to_workbook(given)),
    ):
        (tmp_path / name).write_bytes(content)
        read = read_catalogue(tmp_path / name)
        assert (read.domains, read.evals) == (given.domains, given.evals)


def test_efforts_are_what_the_staff_hours_reach_with_diminishing_returns() -> None:
    spec = catalogue().evals[0]
    assert spec.effort_repaired == pytest.approx(effort_of(16), abs=0.005)
    assert spec.effort_max == pytest.approx(effort_of(100), abs=0.005)
    assert 0.1 < spec.effort_repaired < 0.4 < spec.effort_max < 0.85  # as published work has it
    assert effort_of(200) - effort_of(100) < effort_of(100) - effort_of(50)
    little = catalogue({"staff_hours_elicitation": 40}).evals[0]
    assert little.effort_max == pytest.approx(effort_of(40), abs=0.005)
    elsewhere = catalogue({"staff_hours_elicitation": 0}).evals[0]  # paid for by others
    assert elsewhere.effort_max == spec.effort_max
    assert catalogue({"effort_max": 0.7}).evals[0].effort_max == 0.7


def test_levers_pulled_together_give_less_than_their_sum() -> None:
    alone, tries = effort_share(0.6, 1), effort_share(1e-12, 4)
    assert max(alone, tries) < effort_share(0.6, 4) < alone + tries
    assert effort_share(1.0, 8) == 1.0
    several = catalogue(adversary_verifier=True).evals[0]
    assert several.effort_max == pytest.approx(effort_share(effort_of(100), 4), abs=0.01)
    single = catalogue({"verifier": False}, adversary_verifier=True).evals[0]
    assert single.effort_max == pytest.approx(effort_share(effort_of(100), 1), abs=0.01)
    own = {
        "domain": [{"name": "cyber", "threshold": 9, "adversary_verifier": True}],
        "eval": [{"name": "ctf", "domain": "cyber", "tasks": 9}],
    }
    stated = parse_catalogue({**own, "eval_defaults": {"effort_max": 0.8}})
    assert stated.evals[0].effort_max == 0.8  # a lab's own default is no guess of ours
    shared = parse_catalogue(
        {**own, "elicitation": [{"name": "scaffold", "evals": ["ctf"], "hours": 300}]}
    )
    assert shared.evals[0].effort_max == pytest.approx(effort_share(effort_of(400), 4), abs=0.01)
    with pytest.raises(InputError, match="attempts_max must be a number, got the text 'many'"):
        catalogue({"attempts_max": "many"}, adversary_verifier=True)


def test_tokens_add_more_on_newer_ai_models() -> None:
    older, newer = spend_gain(4, 2025.0), spend_gain(4, 2026.5)
    assert 0 < older.low < newer.low
    assert older.high < newer.high
    assert spend_gain(16, 2025.0).high == pytest.approx(2 * older.high)
    with pytest.raises(InputError, match=r"multiplier must be 1 or more, got 0\.5; swap the two"):
        spend_gain(0.5, 2025.0)
    with pytest.raises(InputError, match=r"released must be a year such as 2025\.5, got 25"):
        spend_gain(4, 25)


def test_the_pages_tables_are_the_table_that_ships() -> None:
    rows = dict(
        re.findall(r"^\| ([^|]+) \| (\d+ \| \S+ \| \S+ to \S+) \|$", PAGE.read_text("utf-8"), re.M)
    )
    readme = (ROOT / "README.md").read_text("utf-8")
    lines = [line.strip("| ") for line in readme.partition("## How wide")[2].splitlines()]
    head = next(line for line in lines if line.startswith("all | "))
    cells = {line.split(" | ")[0]: line.split(" | ")[1:] for line in lines}
    for place, name in enumerate(head.split(" | ")):
        found = population_gap(name)
        low, high = found.interval.low, found.interval.high
        told = [str(found.studies), f"{found.median:.2g}", f"{low:.2g} to {high:.2g}"]
        if name != "all":
            assert rows[name] == " | ".join(told)
        assert [cells[row][place] for row in ("studies", "median", "90 %")] == [
            *told[:2],
            told[2].replace(" to ", "\N{EN DASH}"),
        ]
    assert "all domains" in rows
