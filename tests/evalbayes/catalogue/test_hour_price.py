"""The price of a staff hour, by skill or for all, from TOML, a workbook and Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from evalbayes import read_catalogue
from evalbayes.catalogue import parse_catalogue
from evalbayes.catalogue.writing import catalogue_to_toml
from evalbayes.errors import InputError

DOMAIN = {"name": "cyber", "threshold_human_time": "8 h", "mitigate_above": 0.1}
EVAL: dict[str, Any] = {"name": "ctf", "domain": "cyber", "tasks": 10, "usd_per_run": 3.0}
EVAL |= {"staff_hours": {"ml": 2}, "staff_hours_elicitation": {"ml": 20}}


def tables(price: Any) -> dict[str, Any]:
    budget = {"usd": 1000, "staff_hours": {"ml": 10, "bio": 5}, "usd_per_staff_hour": price}
    portfolio = {"ai_model": "Next", "horizon_months": 6}
    return {"portfolio": portfolio, "budget": budget, "domain": [DOMAIN], "eval": [EVAL]}


@pytest.mark.parametrize("price", [140.0, {"ml": 130.0, "bio": 160.0}])
def test_it_reads_the_same_in_python_toml_and_back(price: Any, tmp_path: Path) -> None:
    read = parse_catalogue(tables(price), "here")
    assert read.budget.usd_per_staff_hour == price
    path = tmp_path / "catalogue.toml"
    path.write_text(catalogue_to_toml(read))
    assert read_catalogue(path).budget == read.budget
    assert "usd_per_staff_hour" not in {each.key for each in read.assumptions}


def test_a_workbook_has_a_row_for_each_skill() -> None:
    path = Path(__file__).parents[3] / "examples" / "portfolio" / "catalogue.xlsx"
    keys = {
        row[0].value: row[1].value for row in openpyxl.load_workbook(path)["budget"].iter_rows()
    }
    price = read_catalogue(path).budget.usd_per_staff_hour
    assert isinstance(price, dict)
    assert price["engineering"] == keys["usd_per_staff_hour.engineering"] == 140
    assert set(price) == {"engineering", "cyber", "bio", "chem", "persuasion"}


def test_a_price_below_0_is_refused() -> None:
    with pytest.raises(InputError, match="usd_per_staff_hour"):
        parse_catalogue(tables({"ml": -1}), "here")
