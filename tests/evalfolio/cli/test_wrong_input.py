"""Wrong input: one clear sentence, the right exit code, no traceback, nothing half-written."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.evalfolio.cli.sentences import one_sentence

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

CATALOGUE_FAULTS = [
    ("unknown key", ("tasks = 40", "taskz = 40"), "taskz"),
    ("missing domain", ('domain = "cyber"\ntasks = 40', "tasks = 40"), "domain"),
    ("unknown domain", ('domain = "cyber"\ntasks = 40', 'domain = "bio"\ntasks = 40'), "bio"),
    ("duplicate eval", ('name = "exploits"', 'name = "ctf"'), "ctf"),
    ("cap of zero", ("max_cap = 10_000_000", "max_cap = 0"), "max_cap"),
    ("negative cap", ("max_cap = 10_000_000", "max_cap = -5"), "max_cap"),
    ("NaN cap", ("max_cap = 10_000_000", "max_cap = nan"), "max_cap"),
]
ROW_FAULTS = [
    ("share above 1", ("ctf,A,10,20,10,", "ctf,A,-3,20,10,"), "n_success"),
    ("negative cap", ("1.2,2000000\nctf,B", "1.2,-2\nctf,B"), "cap"),
    ("NaN cap", ("1.2,2000000\nctf,B", "1.2,\nctf,B"), "cap"),
    ("cap of zero", ("1.2,2000000\nctf,B", "1.2,0\nctf,B"), "cap"),
    ("not in the catalogue", ("exploits,A", "exploit,A"), "exploits"),
]


@pytest.mark.parametrize(
    ("change", "named"), [f[1:] for f in CATALOGUE_FAULTS], ids=[f[0] for f in CATALOGUE_FAULTS]
)
def test_a_faulty_catalogue(
    run: Run, files: tuple[Path, Path], change: tuple[str, str], named: str
) -> None:
    catalogue, cells = files
    text = catalogue.read_text()
    assert change[0] in text
    catalogue.write_text(text.replace(change[0], change[1], 1))
    result = run("recommend", catalogue, cells, "--out", "plan")
    assert result.code == 2
    assert named in one_sentence(result.err)
    assert not Path("plan").exists()


@pytest.mark.parametrize(
    ("change", "named"), [f[1:] for f in ROW_FAULTS], ids=[f[0] for f in ROW_FAULTS]
)
def test_faulty_observations(
    run: Run, files: tuple[Path, Path], change: tuple[str, str], named: str
) -> None:
    catalogue, cells = files
    text = cells.read_text()
    assert change[0] in text
    cells.write_text(text.replace(change[0], change[1], 1))
    result = run("recommend", catalogue, cells, "--out", "plan")
    assert result.code == 2
    sentence = one_sentence(result.err)
    assert named in sentence
    assert "cells.csv" in sentence
    assert not Path("plan").exists()


def test_counts_with_more_successes_than_runs(run: Run, files: tuple[Path, Path]) -> None:
    counts = Path("counts.csv")
    counts.write_text("eval,ai_model,cap,n_runs,n_success\nctf,A,2e6,5,6\n")
    result = run("check", files[0], counts)
    assert result.code == 2
    assert "n_success" in one_sentence(result.err)


def test_runs_far_above_their_cap(run: Run, files: tuple[Path, Path]) -> None:
    runs = Path("runs.csv")
    head = "eval,task,ai_model,outcome,spend,cap\n"
    runs.write_text(head + "ctf,t1,D,stopped_by_cap,2.15e6,2e6\n")
    assert run("check", files[0], files[1], runs).code == 0
    runs.write_text(head + "ctf,t1,D,stopped_by_cap,3e6,2e6\n")
    result = run("check", files[0], files[1], runs)
    assert result.code == 2
    assert "spend" in one_sentence(result.err)


def test_an_empty_table(run: Run, files: tuple[Path, Path]) -> None:
    files[1].write_text(files[1].read_text().splitlines()[0] + "\n")
    result = run("check", *files)
    assert result.code == 2
    assert "cells.csv" in one_sentence(result.err)


@pytest.mark.parametrize("name", ["catalogue.toml", "cells.csv"])
def test_a_file_that_is_not_there(run: Run, files: tuple[Path, Path], name: str) -> None:
    Path(name).unlink()
    result = run("check", *files)
    assert result.code == 2
    assert name in one_sentence(result.err)


def test_a_file_that_is_no_text(run: Run, files: tuple[Path, Path]) -> None:
    files[0].write_bytes(b"\xff\xfe\x00\x01")
    result = run("check", *files)
    assert result.code == 2
    assert "catalogue.toml" in one_sentence(result.err)


def test_a_folder_that_cannot_be_written(run: Run, files: tuple[Path, Path]) -> None:
    Path("taken").write_text("a file")
    result = run("recommend", *files, "--out", "taken/plan")
    assert result.code == 2
    assert "taken" in one_sentence(result.err)
    assert Path("taken").read_text() == "a file"


@pytest.mark.parametrize(
    ("budget", "named"),
    [
        ("bananas=3", "bananas"),
        ("usd=-1", "usd"),
        ("usd=nan", "usd"),
        ("usd", "name=number"),
    ],
)
def test_a_wrong_budget(
    run: Run, files: tuple[Path, Path], posterior_file: Path, budget: str, named: str
) -> None:
    result = run(
        "recommend", files[0], "--posterior", posterior_file, "--budget", budget, "--out", "plan"
    )
    assert result.code == 2
    assert named in one_sentence(result.err)
    assert not Path("plan").exists()


def test_mandatory_evals_beyond_the_budget(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    text = files[0].read_text().replace("tasks = 40", "tasks = 40\nmandatory = true")
    files[0].write_text(text)
    result = run(
        "recommend",
        files[0],
        "--posterior",
        posterior_file,
        "--budget",
        "usd=0.01",
        "--out",
        "plan",
    )
    assert result.code == 3
    sentence = one_sentence(result.err)
    assert "ctf" in sentence
    assert "usd" in sentence
    assert "budget of 0.01 usd less 10 %" in sentence
    assert not Path("plan").exists()


def test_observations_and_a_posterior_at_once(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    result = run("curves", *files, "--posterior", posterior_file)
    assert result.code == 2
    assert "not both" in one_sentence(result.err)


def test_an_eval_without_any_figure(run: Run, files: tuple[Path, Path]) -> None:
    text = files[0].read_text() + '\n[[eval]]\nname = "new"\ndomain = "cyber"\ntasks = 3\n'
    files[0].write_text(text)
    result = run("check", *files)
    assert result.code == 2
    assert "new" in one_sentence(result.err)


def test_a_fit_that_fails_its_gate_writes_and_ends_with_4(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    """Too few draws are named with how many would do; what draws cannot mend is not."""
    from evalbayes.posterior.posterior import Posterior

    posterior = Posterior.load(posterior_file)
    gate = posterior.diagnostics
    few = gate.quantities.copy()
    few.loc[few.index[0], ["r_hat", "ess_bulk"]] = 1.014, 275.0
    for failing, words in (
        (replace(gate, quantities=few), "fit again with --draws 7500 (3 times as many), give"),
        (replace(gate, divergences=500), "its first line; give more or cleaner observations"),
    ):
        replace(posterior, diagnostics=failing).save("failing.nc")
        arguments = ("recommend", files[0], "--posterior", "failing.nc", "--out", "plan")
        result = run(*arguments)
        assert result.code == 4
        assert failing.reasons[0] in one_sentence(result.err)
        assert words in result.err
        assert result.out.startswith("THE FIT FAILED ITS GATE.")
        assert Path("plan/plan.json").exists()
        assert run(*arguments, "--allow-failed-fit").code == 0
    more = run(*arguments, "--draws", "5000")
    assert more.code == 2
    assert "--draws 5000 or --posterior, not both" in one_sentence(more.err)


@pytest.mark.slow  # two fits
def test_as_many_draws_as_a_failed_fit_asks_for_pass(run: Run, files: tuple[Path, Path]) -> None:
    few = run("fit", *files, "--draws", "200", "--seed", "2")
    assert few.code == 4
    asked = re.search(r"fit again with --draws (\d+) \((\d+) times as many\)", few.err)
    assert asked is not None, few.err
    assert int(asked[1]) == 200 * int(asked[2])
    enough = run("fit", *files, "--draws", asked[1], "--seed", "2")
    assert enough.code == 0, enough.err


def test_a_catalogue_saved_with_a_byte_order_mark(run: Run, files: tuple[Path, Path]) -> None:
    files[0].write_text(files[0].read_text(), encoding="utf-8-sig")
    assert run("check", *files).code == 0
