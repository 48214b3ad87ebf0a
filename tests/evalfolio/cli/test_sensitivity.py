"""`evalfolio sensitivity` writes the plan with what it hangs on."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from openpyxl import load_workbook

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


@pytest.mark.slow  # a whole sensitivity: about a CPU-minute
def test_the_plan_is_written_with_its_sensitivity(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    Path("last_year.csv").write_text("eval,tier,tasks\nctf,plateau,30\ngone,plateau,5\n")
    arguments = (
        *("--posterior", posterior_file, "--samples", "4", "--out", "plan"),
        *("--mix", "last_year.csv", "--pilots", "1", "--vary", "usd"),
    )
    result = run("sensitivity", files[0], *arguments)
    assert result.code == 0, result.err
    assert "The value hangs most on" in result.out
    tables = {path.name for path in Path("plan/sensitivity").iterdir()}
    assert {"frontier_usd.csv", "tornado.csv", "regret.csv", "knowing.csv"} <= tables
    assert {"robust.csv", "entries_usd.csv", "pilots.csv", "summary.txt"} <= tables
    assert "last_year.csv: not on the menu and left out: gone (plateau)" in result.err
    largest = pd.read_csv("plan/sensitivity/regret.csv").set_index("mix")["largest"].to_dict()
    assert largest["last_year"] >= largest["least regret"]
    tornado = pd.read_csv("plan/sensitivity/tornado.csv")
    assert "all evals: validity error (factor)" in set(tornado["name"])
    record = json.loads(Path("plan/plan.json").read_text())
    assert [row["name"] for row in record["sensitivity"]] == tornado["name"].tolist()
    assert len(record["frontier"]) >= 10
    book = load_workbook("plan/plan.xlsx")
    assert {"Sensitivity", "Firmness"} <= set(book.sheetnames)
    page = html.unescape(Path("plan/report.html").read_text())
    assert "How firm the mix is" in page
    for table in record["firmness"]["tables"]:
        assert table["title"] in page
        assert f"firmness_{table['name']}" in book["Firmness"].tables
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    for sentence in record["firmness"]["sentences"]:
        assert sentence in [cell.value for cell in book["Firmness"]["A"]]
    assert not Path("plan.checkpoint").exists()


def test_a_scheduler_that_does_not_answer_is_named(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    result = run(
        "sensitivity",
        files[0],
        "--posterior",
        posterior_file,
        "--scheduler",
        "nowhere",
    )
    assert result.code == 2
    assert "scheduler must be the address of a Dask scheduler, got 'nowhere'" in result.err


def test_a_bootstrap_needs_the_observations(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    result = run("sensitivity", files[0], "--posterior", posterior_file, "--bootstrap", "3")
    assert result.code == 2
    assert "--bootstrap draws the observations again" in result.err


def test_a_mix_that_is_none_is_named(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    for text, message in (
        ("name,share\nctf,1\n", "must have a column 'option', or 'eval' and 'tier'"),
        ("eval,tier\ngone,plateau\n", "at least one row must be on the menu, but none is"),
    ):
        Path("mix.csv").write_text(text)
        result = run("sensitivity", files[0], "--posterior", posterior_file, "--mix", "mix.csv")
        assert result.code == 2
        assert message in result.err
