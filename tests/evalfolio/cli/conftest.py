"""A small catalogue, its observations, and a way to run commands as a person would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.once import once

CATALOGUE = """
[portfolio]
ai_model = "Next"
[budget]
usd = 20_000
staff_hours = 150
[[domain]]
name = "cyber"
threshold_human_time = "8 h"
elicitation_gap = [0.2, 2.5]
mitigate_above = 0.1
[[eval]]
name = "ctf"
domain = "cyber"
tasks = 40
human_minutes = 40
spend_unit = "tokens"
usd_per_unit = [4e-6, 9e-6]
max_cap = 10_000_000
[[eval]]
name = "exploits"
domain = "cyber"
tasks = 60
human_minutes = 120
spend_unit = "tokens"
usd_per_unit = [4e-6, 9e-6]
max_cap = 10_000_000
"""
HEADER = (
    "eval,ai_model,n_success,n_gave_up,n_stopped_by_cap,mean_ln_spend_success,"
    "sd_ln_spend_success,mean_ln_spend_gave_up,sd_ln_spend_gave_up,cap\n"
)
CELLS = HEADER + (
    "ctf,A,10,20,10,12.1,1.1,12.9,1.2,2000000\n"
    "ctf,B,18,14,8,11.9,1.0,12.7,1.1,2000000\n"
    "ctf,C,26,10,4,11.5,1.2,12.5,1.0,2000000\n"
    "exploits,A,8,30,22,12.8,1.0,13.2,1.1,2000000\n"
    "exploits,B,15,25,20,12.9,1.1,13.3,1.0,2000000\n"
    "exploits,C,28,18,14,12.7,1.2,13.1,1.2,2000000\n"
)


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a function that runs `evalfolio ARGS...` in an empty folder."""
    from evalfolio.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["evalfolio", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Write the small catalogue and its cells; return their paths."""
    catalogue, cells = tmp_path / "catalogue.toml", tmp_path / "cells.csv"
    catalogue.write_text(CATALOGUE)
    cells.write_text(CELLS)
    return catalogue, cells


@pytest.fixture(scope="session")
def posterior_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fit the small catalogue once for all tests, by the command itself."""

    def make(folder: Path) -> None:
        (folder / "catalogue.toml").write_text(CATALOGUE)
        (folder / "cells.csv").write_text(CELLS)
        words = ("fit", "catalogue.toml", "cells.csv", "--seed", "1", "--draws", "2500")
        command = [sys.executable, "-m", "evalfolio", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (folder / "said.txt").write_text(done.stdout)

    return once(tmp_path_factory, "small-fit", make) / "posterior.nc"


@pytest.fixture(scope="session")
def plan_folder(posterior_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recommend and write a plan of the small catalogue once, with its frontier."""

    def make(folder: Path) -> None:
        from evalbayes.catalogue import read_catalogue
        from evalbayes.posterior.posterior import Posterior
        from evalfolio.export import write_all
        from evalfolio.recommendations.recommender import recommend

        catalogue = read_catalogue(posterior_file.with_name("catalogue.toml"))
        made = recommend(catalogue, None, Posterior.load(posterior_file), frontier_points=6)
        write_all(made, folder / "plan")

    return once(tmp_path_factory, "small-plan", make) / "plan"
