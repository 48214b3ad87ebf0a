"""`evalfolio init --from` drafts a catalogue that passes its own check."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.evalfolio.cli.conftest import CELLS

from evalbayes.catalogue import read_catalogue
from evalbayes.errors import InputError
from evalbayes.inputs import draft
from evalbayes.observations import Observations

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

EXAMPLE = Path(__file__).parents[3] / "examples" / "cyber"
RUNS = (
    "eval,task,ai_model,outcome,spend,cap,human_minutes\n"
    '"odd ""name"" # [x]",t1,D,success,0.5,8,16\n'
    '"odd ""name"" # [x]",t1,D,gave_up,0.7,8,16\n'
    '"odd ""name"" # [x]",t2,D,stopped_by_cap,8,8,64\n'
)


@pytest.mark.parametrize("ending", ["toml", "xlsx"])
def test_cells_and_runs_become_a_catalogue_that_passes_its_check(run: Run, ending: str) -> None:
    Path("cells.csv").write_text(CELLS)
    Path("runs.csv").write_text(RUNS)
    name = f"mine.{ending}"
    result = run("init", name, "--from", "cells.csv", "--from", "runs.csv")
    assert result.code == 0, result.err
    assert f"evalfolio check {name} cells.csv runs.csv" in result.out
    assert run("check", name, "cells.csv", "runs.csv").code == 0
    catalogue = read_catalogue(name)
    odd = catalogue.eval('odd "name" # [x]')
    assert (odd.tasks, odd.human_minutes, odd.spend_unit, odd.max_cap) == (2, 32, "hours", 8)
    ctf = catalogue.eval("ctf")
    assert (ctf.tasks, ctf.spend_unit, ctf.max_cap) == (40, "tokens", 2e6)
    assert ctf.human_minutes is None


def test_an_eval_of_which_every_run_is_excluded_is_no_fault_of_the_draft(run: Run) -> None:
    Path("runs.csv").write_text(RUNS + "broken,t1,D,excluded,0.5,8,16\n")
    assert run("init", "c.toml", "--from", "runs.csv").code == 0
    assert "broken" not in Path("c.toml").read_text()
    checked = run("check", "c.toml", "runs.csv")
    assert checked.code == 0, checked.err
    Path("runs.csv").write_text(RUNS + "broken,t1,D,success,0.5,8,16\n")
    assert "got 'broken'" in run("check", "c.toml", "runs.csv").err


def test_the_observations_of_the_example_give_its_evals(run: Run) -> None:
    tables = [EXAMPLE / "cyber_cells.csv", EXAMPLE / "metr_counts.csv"]
    assert run("init", "c.toml", "--from", tables[0], "--from", tables[1], "-q").out == ""
    assert run("check", "c.toml", *tables).code == 0
    written = read_catalogue("c.toml")
    ours = read_catalogue(EXAMPLE / "catalogue.toml")
    for spec in written.evals:
        assert spec.spend_unit == ours.eval(spec.name).spend_unit
        if spec.human_minutes is not None:
            assert spec.human_minutes == pytest.approx(ours.eval(spec.name).human_minutes)


def test_what_nobody_gave_is_marked_to_fill_in(run: Run) -> None:
    Path("cells.csv").write_text(CELLS)
    assert run("init", "c.toml", "--from", "cells.csv").code == 0
    text = Path("c.toml").read_text()
    assert tomllib.loads(text)["domain"][0]["threshold_human_time"] == "8 h"
    observed = ("name", "human_minutes")
    for line in text.splitlines():
        if " = " in line and not line.startswith(("#", *observed)):
            assert "assumption, FILL IN" in line, line


def test_a_draft_as_json_names_the_evals(run: Run) -> None:
    Path("cells.csv").write_text(CELLS)
    result = run("init", "c.toml", "--from", "cells.csv", "--json")
    drafted = {"wrote": "c.toml", "evals": ["ctf", "exploits"], "notes": []}
    assert json.loads(result.out) == drafted


def test_what_cannot_be_drafted_is_refused(run: Run) -> None:
    Path("cells.csv").write_text(CELLS)
    result = run("init", "c.json", "--from", "cells.csv")
    assert result.code == 2
    assert "must be written to a file ending in .toml or .xlsx, got '.json'" in result.err
    result = run("init", "c.toml", "--from", "absent.csv")
    assert result.code == 2
    assert "absent.csv" in result.err
    with pytest.raises(InputError, match="must hold results of at least one eval, got none"):
        draft(Observations())


@pytest.mark.parametrize(
    ("name", "ending", "n_evals"), [("portfolio", "xlsx", 42), ("cyber", "toml", 14)]
)
def test_a_published_example_is_a_start(run: Run, name: str, ending: str, n_evals: int) -> None:
    result = run("init", f"lab.{ending}", "--example", name)
    assert result.code == 0, result.err
    files = ("cyber_cells.csv", "metr_counts.csv")
    assert result.out.endswith(f"run: evalfolio check lab.{ending} {' '.join(files)}\n")
    ours = read_catalogue(f"lab.{ending}")
    theirs = read_catalogue(EXAMPLE.parent / name / "catalogue.toml")
    assert len(ours.evals) == n_evals
    assert [each.name for each in ours.evals] == [each.name for each in theirs.evals]
    assert ours.budget == theirs.budget
    assert run("check", f"lab.{ending}", *files).code == 0
    again = run("init", f"other.{ending}", "--example", name)
    assert again.code == 2
    assert "the example's results are written beside" in again.err
    assert run("init", f"other.{ending}", "--example", name, "--force").code == 0


def test_wrong_examples_are_told(run: Run) -> None:
    result = run("init", "lab.toml", "--example", "portfolo")
    assert result.code == 2
    assert "--example must be cyber or portfolio, got 'portfolo'; did you mean" in result.err
    both = run("init", "lab.toml", "--example", "cyber", "--from", "cells.csv")
    assert "--example and --from must not both be given" in both.err
