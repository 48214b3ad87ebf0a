"""One small plan and programme, whose files the tests damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.evalfolio.cli.conftest import plan_folder, posterior_file
from tests.once import once

__all__ = ["plan_folder", "posterior_file"]  # fixtures: pytest finds them by name here


@pytest.fixture(scope="session")
def programme_folder(plan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan's folder with the log, first belief and results of one step, as `replan` writes it."""

    def make(folder: Path) -> None:
        from evalfolio.programmes.programme import Programme, step_of
        from evalfolio.record.record import Record

        plan = folder / "programme"
        shutil.copytree(plan_folder, plan)
        results = folder / "results.csv"
        results.write_text("eval,ai_model,task,success,spend,cap\nctf,Next,t1,1,9000,2000000\n")
        step = step_of(1, Record.load(plan), {"usd": 3.0}, "updated", [results])
        Programme.load(plan).write(plan, [results], step)

    return once(tmp_path_factory, "small-programme", make) / "programme"
