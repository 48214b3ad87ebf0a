"""Stages asked for on the command line: told in the terminal, plan.json and workbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook

import evalfolio as ef

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


@pytest.mark.slow  # a programme of a catalogue's whole menu
def test_recommend_in_stages(run: Run, files: tuple[Path, Path], posterior_file: Path) -> None:
    asked = ("--posterior", posterior_file, "--stages", "2")
    result = run("recommend", files[0], *asked, "--out", "plan")
    assert result.code == 0, result.err
    assert "Run now: " in result.out
    record = ef.Plan.load("plan").record
    assert record.stages is not None
    assert record.stages.sentences[0].startswith("Run now: ")
    value = next(table for table in record.stages.tables if table.name == "value")
    assert value.rows[0][1] >= value.rows[1][1]  # type: ignore[operator]  # both are numbers
    assert "Stages" in load_workbook("plan/plan.xlsx").sheetnames


def test_stages_must_be_two_or_three(run: Run, files: tuple[Path, Path]) -> None:
    result = run("recommend", files[0], "--stages", "4")
    assert result.code == 2
    assert "--stages must be 2 or 3, got 4; 2 looks at results once" in result.err
