"""Whatever happened to a file, reading it ends in what it says or in one sentence that names it.

Every reader, and every file that evalfolio writes and reads back, is given files that were valid
and are damaged in one to three places (`tests/strategies`). `EVALFOLIO_FUZZ=N` tries N of each.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.evalfolio.cli.conftest import CATALOGUE, CELLS
from tests.strategies.damage import (
    CELLS as STRANGE,
)
from tests.strategies.damage import (
    damaged_bytes,
    damaged_json,
    damaged_table,
    damaged_text,
)

from evalfolio.errors import EvalfolioError

MOST = int(os.environ.get("EVALFOLIO_FUZZ", "15"))
LONGEST = 3000  # characters of a line: all mistakes of a table come at once, with the known names
WITH_LIMITS = (
    CATALOGUE
    + """
[[limit]]
type = "floor share"
of = "tier = max-elicitation"
amount = "20 %"
[[study]]
name = "trial"
domain = "cyber"
effort = 0
participants = 60
effect_scale = 1.5
usd = [4_000, 6_000]
hours = 10
[[elicitation]]
name = "scaffold"
evals = ["ctf", "exploits"]
hours = 10
days = 5
"""
)
RUNS = "eval,ai_model,task,outcome,spend,cap\n" + "".join(
    f"{e},{m},{e}-{k},{('success', 'gave_up', 'stopped_by_cap')[k % 3]},"
    f"{9000 + 100 * k if k % 3 < 2 else 2_000_000},2000000\n"
    for e in ("ctf", "exploits")
    for m in ("A", "B")
    for k in range(6)
)
LIMITS = (
    "type,of,amount,note\nfloor share,tier = plateau,40 %,\nmandatory,ctf,,promised\n"
    "max evals,domain = cyber,2,\n"
)
SCENARIOS = "name,settings\nhalf,budget.usd=10000\nwide,cyber.elicitation_gap*2;budget.usd=20000\n"
STANDARD = """
name = "ours"
[[clause]]
clause = "1"
asks = "danger is missed rarely"
danger_missed = 0.05
domain = ["cyber"]
[[clause]]
clause = "2"
asks = "something is run at depth"
deep_evals = 1
[level.high]
danger_missed = "2 %"
"""
MAPPING = """
drop = ["note"]
[map]
eval = "Suite"
ai_model = "Model"
spend = "tokens*1000"
[set]
cap = 1000
[outcome]
solved = "success"
"""
PRICES = """
[[price]]
model = "A"
input = 3.0
output = 15.0
date = 2026-11-01
source = "assumption"
"""


def sentence(error: EvalfolioError, name: str) -> None:
    """Hold an error to what every error promises."""
    text = str(error)
    assert max(map(len, text.splitlines()), default=0) < LONGEST, text
    assert text.strip(), "an empty sentence"
    assert "Traceback" not in text, text
    assert name in text or "\n" not in text, text


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name, what a valid one holds, how it is damaged, and who reads it."""

    name: str
    valid: str
    damage: Callable[[str], st.SearchStrategy[str]]
    read: Callable[[Path], Any]


def _catalogue(path: Path) -> Any:
    from evalbayes.catalogue import read_catalogue

    return read_catalogue(path)


def _observations(path: Path) -> Any:
    from evalbayes.observations import read_observations

    return read_observations(path)


def _limits(path: Path) -> Any:
    from evalfolio.limits import constraints_from_table

    return constraints_from_table(path)


def _scenarios(path: Path) -> Any:
    from evalfolio.recommendations.alternatives import read_scenarios

    return read_scenarios(path)


def _standard(path: Path) -> Any:
    from evalfolio.targets.standard import read_standard

    return read_standard(path)


def _mapping(path: Path) -> Any:
    from evalbayes.observations.importing import read_mapping

    return read_mapping(path)


def _prices(path: Path) -> Any:
    from evalfolio.readers.prices import read_prices

    return read_prices(path)


def _by_table(text: str) -> st.SearchStrategy[str]:
    return st.one_of(damaged_table(table(text)), damaged_text(text))


KINDS = (
    Kind("catalogue.toml", WITH_LIMITS, damaged_text, _catalogue),
    Kind("cells.csv", CELLS, _by_table, _observations),
    Kind("runs.csv", RUNS, _by_table, _observations),
    Kind("limits.csv", LIMITS, _by_table, _limits),
    Kind("scenarios.csv", SCENARIOS, _by_table, _scenarios),
    Kind("standard.toml", STANDARD, damaged_text, _standard),
    Kind("mapping.toml", MAPPING, damaged_text, _mapping),
    Kind("prices.toml", PRICES, damaged_text, _prices),
)

quietly = settings(
    max_examples=MOST,
    deadline=None,
    derandomize="EVALFOLIO_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate] if "EVALFOLIO_FUZZ" not in os.environ else list(Phase),
)


def refused_or_read(read: Callable[[Path], Any], path: Path, named: str) -> None:
    try:
        read(path)
    except EvalfolioError as error:
        sentence(error, named)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_damaged_text_is_read_or_refused_in_one_sentence(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / kind.name
    path.write_text(kind.valid)
    kind.read(path)  # undamaged it is read

    @quietly
    @given(text=kind.damage(kind.valid))
    def tried(text: str) -> None:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        refused_or_read(kind.read, path, kind.name)

    tried()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_file_of_other_bytes_is_refused_in_one_sentence(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / kind.name

    @quietly
    @given(data=damaged_bytes(kind.valid.encode()))
    def tried(data: bytes) -> None:
        path.write_bytes(data)
        refused_or_read(kind.read, path, kind.name)

    tried()


def _record(path: Path) -> Any:
    from evalfolio.record.record import Record

    return Record.load(path.parent)


def _plan(path: Path) -> Any:
    from evalfolio.plans.plan import Plan

    return Plan.load(path.parent)


def _menu(path: Path) -> Any:
    from evalbayes import Menu

    return Menu.load(path.parent)


def _programme(path: Path) -> Any:
    from evalfolio.programmes.programme import Programme

    return Programme.load(path.parent)


def _posterior(path: Path) -> Any:
    from evalbayes.posterior.posterior import Posterior

    return Posterior.load(path)


def _mix(path: Path) -> Any:
    from evalfolio.plans.judge import score_mix
    from evalfolio.plans.plan import Plan

    return score_mix(path, Plan.load(path.parent))


STORED = (
    ("plan.json", damaged_json, _record, "text"),
    ("plan.json", damaged_json, _plan, "plan"),
    ("menu/menu.json", damaged_json, _menu, "text"),
    ("programme.json", damaged_json, _programme, "text"),
    ("catalogue.json", damaged_json, _programme, "text"),
    ("mix.csv", _by_table, _mix, "plan"),
)


@pytest.mark.parametrize(
    ("name", "damage", "read", "cost"), STORED, ids=lambda v: getattr(v, "__name__", v)
)
def test_a_stored_file_is_read_or_refused_in_one_sentence(
    name: str,
    damage: Callable[[str], st.SearchStrategy[str]],
    read: Callable[[Path], Any],
    cost: str,
    programme_folder: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "plan"
    shutil.copytree(programme_folder, folder)
    path = folder / name
    valid = path.read_text()
    read(path)

    @settings(quietly, max_examples=MOST if cost == "text" else max(MOST // 3, 1))
    @given(text=damage(valid))
    def tried(text: str) -> None:
        path.write_text(text)
        refused_or_read(read, path, folder.name)

    tried()


BINARY = (
    ("menu/arrays.npz", _menu),
    ("menu/options.parquet", _menu),
    ("posterior.nc", _posterior),
)


@pytest.mark.parametrize(("name", "read"), BINARY, ids=lambda v: getattr(v, "__name__", v))
def test_a_damaged_binary_file_is_read_or_refused(
    name: str, read: Callable[[Path], Any], programme_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "plan"
    shutil.copytree(programme_folder, folder)
    path = folder / name
    valid = path.read_bytes()

    @settings(quietly, max_examples=max(MOST // 2, 1))
    @given(data=damaged_bytes(valid))
    def tried(data: bytes) -> None:
        path.write_bytes(data)
        refused_or_read(read, path, folder.name)

    tried()


def test_a_damaged_certificate_proves_nothing_else(programme_folder: Path) -> None:
    from evalfolio.certificates.verifier import Refused, verify

    valid = (programme_folder / "certificate.json").read_text()
    whole = json.loads(valid)["claim"]

    @settings(quietly, max_examples=max(MOST // 3, 1))
    @given(text=damaged_json(valid))
    def tried(text: str) -> None:
        try:
            data = json.loads(text)
        except ValueError:
            return
        try:
            verify(data)
        except Refused:
            return
        except RecursionError:
            return
        same_menu = data["menu_hash"] == json.loads(valid)["menu_hash"]
        same_asked = data["question"] == json.loads(valid)["question"]
        if same_menu and same_asked:  # another choice may be as good; the bound still holds
            assert data["claim"]["value"] <= whole["bound"] * (1 + 1e-9)

    tried()


def test_a_damaged_spreadsheet_is_read_or_refused(tmp_path: Path) -> None:
    from evalbayes.catalogue import read_catalogue

    source, path = Path("examples/portfolio/catalogue.xlsx"), tmp_path / "catalogue.xlsx"
    read_catalogue(source)

    @settings(quietly, max_examples=max(MOST // 4, 1))
    @given(data=st.data())
    def cells(data: st.DataObject) -> None:
        book = openpyxl.load_workbook(source)
        for _ in range(data.draw(st.integers(1, 3))):
            sheet = data.draw(st.sampled_from(book.worksheets))
            row = data.draw(st.integers(1, sheet.max_row))
            column = data.draw(st.integers(1, sheet.max_column))
            strange = [each for each in STRANGE if "\x00" not in each]
            sheet.cell(row, column).value = data.draw(
                st.sampled_from((None, 0, -1, True, *strange))
            )
        book.save(path)
        refused_or_read(read_catalogue, path, path.name)

    @settings(quietly, max_examples=max(MOST // 4, 1))
    @given(data=damaged_bytes(source.read_bytes()))
    def other(data: bytes) -> None:
        path.write_bytes(data)
        refused_or_read(read_catalogue, path, path.name)

    cells()
    other()
