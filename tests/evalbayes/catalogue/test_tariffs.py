"""Prices that go by steps: read, written, read back in words, and refused where not right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalbayes.catalogue import (
    catalogue_to_toml,
    catalogue_to_workbook,
    parse_catalogue,
    read_catalogue,
    toml_template,
)
from evalbayes.catalogue.writing import commented, write_template
from evalbayes.errors import InputError
from evalbayes.inputs import check_inputs

STEPS = {"name": "lab", "evals": ["a", "b"], "steps": {"1e6": 0.8, "5_000_000": 0.6}}


def three(*tariffs: dict[str, Any]) -> dict[str, Any]:
    common = {"domain": "cyber", "tasks": 10, "usd_per_run": [1, 4], "human_minutes": 60}
    prices = {"a": [4e-6, 9e-6], "b": [4e-6, 9e-6], "c": [1e-6, 2e-6]}
    return {
        "domain": [{"name": "cyber", "threshold_human_time": "8 h"}],
        "eval": [
            {"name": name, "spend_unit": "tokens", "usd_per_unit": price, **common}
            for name, price in prices.items()
        ],
        "tariff": list(tariffs),
    }


def test_both_forms_read_back_as_given(tmp_path: Path) -> None:
    catalogue = parse_catalogue(three(STEPS, {"name": "c", "evals": "c", "steps": {"0": 0}}))
    lab, free = catalogue.tariffs
    assert (lab.evals, lab.kind, lab.resource) == (("a", "b"), "incremental", "units.lab")
    assert lab.steps == {"1000000": 0.8, "5000000": 0.6}
    assert free.steps == {"0": 0.0}
    text, book = tmp_path / "c.toml", tmp_path / "c.xlsx"
    text.write_text(catalogue_to_toml(catalogue))
    book.write_bytes(catalogue_to_workbook(catalogue))
    for path in (text, book):
        assert read_catalogue(path).tariffs == catalogue.tariffs
        changed = read_catalogue(path, ["lab.kind=all-units"])
        assert changed.tariffs[0].kind == "all-units"


def test_a_catalogue_without_tariffs_keeps_its_hash() -> None:
    without = parse_catalogue(three())
    assert '"tariffs"' not in without.model_dump_json(exclude={"tariffs"})
    assert without.hash != parse_catalogue(three(STEPS)).hash


def test_check_reads_it_back() -> None:
    said = str(check_inputs(parse_catalogue(three({**STEPS, "kind": "all-units"}))))
    assert "lab: tariff of a, b together: usd_per_unit × 0.8 from 1,000,000 tokens on" in said
    assert "× 0.6 from 5,000,000 tokens on, for all units" in said


def test_the_template_explains_it_in_both_forms(tmp_path: Path) -> None:
    (row,) = commented(toml_template())["tariff"]
    assert set(row) == {"name", "evals", "steps", "kind"}
    write_template(tmp_path / "c.xlsx")
    read_catalogue(tmp_path / "c.xlsx")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evals": ["a", "c"]}, "must have one spend_unit and one usd_per_unit"),
        ({"evals": ["a", "d"]}, "evals must be the catalogue's"),
        ({"steps": {"1e6": -1}}, "steps must be a table of different volumes"),
        ({"steps": {"1e6": 1, "1000000": 2}}, "steps must be a table of different volumes"),
        ({"steps": {"many": 1}}, "steps must be a table of different volumes"),
        ({"steps": {}}, "steps must be a table of different volumes"),
        ({"steps": 0.8}, "steps must be a table of different volumes"),
        ({"kind": "volume"}, "kind"),
        ({"price": 3}, "price"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_catalogue(three(STEPS | change))


def test_an_eval_is_in_one_tariff() -> None:
    with pytest.raises(InputError, match="an eval must be in one, got 'a' in two"):
        parse_catalogue(three(STEPS, {**STEPS, "name": "other", "evals": ["a"]}))
