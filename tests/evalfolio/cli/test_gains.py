"""`evalfolio gains`: the population prior of the gap with measurements of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

HEAD = "study,domain,lever,doublings,low,high\n"


def test_wrong_measurements_are_refused_before_any_fit(run: Run, tmp_path: Path) -> None:
    bare = run("gains", "--alone")
    assert bare.code == 2
    assert "--alone asks for measurements of your own, got none; name their file" in bare.err
    file = tmp_path / "ours.csv"
    file.write_text(HEAD + "a,cyber,magic,1,0,2\n")
    wrong = run("gains", file)
    assert wrong.code == 2
    assert "ours.csv row 2 (a): lever must be one of" in wrong.err


@pytest.mark.slow  # a fit with all the draws that its gate asks for
def test_measurements_of_one_s_own_make_a_table(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"s{k},net,scaffold,{1 + k / 10},0.4,2.4\n" for k in range(6))
    (tmp_path / "ours.csv").write_text(HEAD + rows)
    told = run("gains", tmp_path / "ours.csv", "--alone", "--out", tmp_path / "p.toml", "--json")
    assert told.code == 0, told.err
    gaps = {row["domain"]: row for row in json.loads(told.out)["gaps"]}
    assert set(gaps) == {"net", "all domains"}
    assert gaps["net"]["studies"] == 6
    assert 'domain = "net"' in (tmp_path / "p.toml").read_text()
