"""The README's commands, line by line, as a newcomer would type them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.evalfolio.cli.conftest import CATALOGUE, CELLS

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

README = Path(__file__).parents[3] / "README.md"


def lines() -> list[list[str]]:
    """Return the commands in the README's blocks, their comments taken off."""
    blocks = re.findall(r"^```\n(.*?)^```", README.read_text("utf-8"), flags=re.S | re.M)
    return [
        shlex.split(line, comments=True)[1:]
        for block in blocks
        for line in block.splitlines()
        if line.startswith("evalfolio ")
    ]


@pytest.mark.slow  # a fit, and a plan with its tornado
def test_the_commands_of_the_readme_run_in_their_order(run: Run) -> None:
    Path("results.csv").write_text(CELLS.replace("ctf,", "cybench,"))
    done = []
    for words in lines():
        if words[0] == "run":  # asks a provider for a key; tests/evalfolio/inspect runs it
            assert set(words[2:]) >= {"--tasks", "--model"}
            continue
        if words[0] == "score":
            Path("my_mix.csv").write_bytes(Path("plan/mix.csv").read_bytes())
        result = run(*words)
        assert result.code == 0, (words, result.err)
        assert result.out
        if words[:2] == ["init", "catalogue.toml"]:  # it is edited before it is used
            Path("catalogue.toml").write_text(CATALOGUE.replace('"ctf"', '"cybench"'))
        done.append(words[0])
    assert done == [
        *("init", "init", "init", "check", "recommend", "score", "verify"),
        *("explain", "harness", "doctor"),
    ]
    assert Path("plan/report.html").stat().st_size > 50_000
    assert Path("runs/run.sh").read_text().count("inspect eval --model") >= 1


def test_the_json_schema_is_where_the_readme_says() -> None:
    (path,) = re.findall(r"`(portfolio/\S+\.schema\.json)`", README.read_text("utf-8"))
    assert (README.parent / path).is_file()
