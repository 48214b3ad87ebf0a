# ruff: noqa: E501 -- one line per mistake, so that they read as the table they are
"""Plans, records and mixes that cannot be read: named with their row, nothing half-written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from tests.evalfolio.cli.sentences import one_sentence

from evalfolio.errors import InputError
from evalfolio.plans.mix_file import read_mix

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


@pytest.mark.parametrize(
    "words",
    [
        ("score", "mix.csv", "--plan", "plam"),
        ("explain", "ctf", "--plan", "plam"),
        ("harness", "catalogue.toml", "--plan", "plam", "--model", "m", "--out", "runs"),
        ("require", "plam", "--wrong-call", "0.1"),
    ],
    ids=lambda words: words[0],
)
def test_a_plan_that_is_not_there(
    run: Run, files: tuple[Path, Path], words: tuple[str, ...]
) -> None:
    result = run(*words)
    assert result.code == 2
    assert one_sentence(result.err) == (
        "error: plam: must be a folder that `evalfolio recommend` wrote, but there is no such "
        "folder; check its name"
    )
    Path("plam").mkdir()
    assert ", but it has no " in one_sentence(run(*words).err)


def test_a_posterior_that_is_not_there(run: Run, files: tuple[Path, Path]) -> None:
    result = run("curves", files[0], "--posterior", "other.nc")
    assert result.code == 2
    assert "other.nc: must be a posterior.nc" in one_sentence(result.err)


RECORDS = [
    ("[]", "it is no JSON object"),
    ('{"a"', "cannot be read"),
    ("{}", "must be there and valid"),
    (
        '{"diagnostics": ' + "[" * 900 + "]" * 900 + "}",
        "nested too deep|must be there",
    ),  # by the stack left
    ("[" * 99_999, "cannot be read"),
]


@pytest.mark.parametrize(("text", "message"), RECORDS)
def test_a_record_that_is_none(run: Run, text: str, message: str) -> None:
    Path("plan").mkdir()
    Path("plan/plan.json").write_text(text)
    result = run("explain", "ctf", "--plan", "plan")
    assert result.code == 2
    sentence = one_sentence(result.err)
    assert sentence.startswith("error: plan/plan.json: ")
    assert re.search(message, sentence)


MIXES = [
    ("option\nctf / platoo\n", "mix.csv row 2: option must be one of the menu's, got 'ctf / platoo'; "),
    ("option,usd\n\n,3\n", "mix.csv row 3: option must be one of the menu's, got nothing; the sheet Menu of"),
    ("eval,tier\nctf,plateau\n", "mix.csv: must have a column 'option', got eval, tier; start from a plan's mix.csv"),
    ("option;usd\nctf;3\n", "mix.csv: cells must be parted by commas, got semicolons"),
    ("option\n", "mix.csv: must hold at least one row, got an empty table"),
    ("", "mix.csv: must have the names of its columns in the first row, got an empty file"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MIXES)
def test_a_mix_that_cannot_be_judged(run: Run, plan_folder: Path, text: str, message: str) -> None:
    Path("mix.csv").write_text(text)
    result = run("score", "mix.csv", "--plan", plan_folder)
    assert result.code == 2
    assert message in one_sentence(result.err)


def test_a_mix_that_is_no_table(run: Run, plan_folder: Path) -> None:
    Path("mix.txt").write_text("ctf")
    for name, message in (
        ("mix.txt", "a mix must be a file ending in .csv or .xlsx, got '.txt'; save it as one"),
        ("mix.csv", "mix.csv: must be a file that exists, but there is none; check its name"),
        (".", ".: must be a file, got a folder; name a file in it"),
    ):
        result = run("score", name, "--plan", plan_folder)
        assert result.code == 2
        assert message in one_sentence(result.err)


def test_a_task_of_an_eval_nobody_knows(
    run: Run, files: tuple[Path, Path], plan_folder: Path
) -> None:
    words = ("--model", "mockllm/model", "--out", "runs", "--task")
    result = run("harness", files[0], "--plan", plan_folder, *words, "ctff=ctf.py")
    assert result.code == 2
    assert "every eval must be a known one, got 'ctff'; did you mean 'ctf'?" in result.err
    result = run("harness", files[0], "--plan", plan_folder, *words, "ctf")
    assert "--task must be name=value, got 'ctf'; write cybench=" in one_sentence(result.err)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("tasks.csv", "", "plan/tasks.csv: must have the names of its columns in the first row"),
        ("tasks.csv", "x\n1\n", "plan/tasks.csv: must have the columns option and task, got x"),
        ("plan.json", "{}", "plan/plan.json: 'format' must be there and valid, got Field required; make the plan again"),
        ("mix.csv", "a,b\n1,2\n", "columns eval, tier, cap, cap_unit, attempts, tasks; eval is missing"),
        ("menu/menu.json", "[]", "must be a folder written by Menu.save, but it cannot be read (menu.json is no JSON object)"),
    ],
)  # fmt: skip
def test_a_plan_with_one_file_broken(
    run: Run, files: tuple[Path, Path], plan_folder: Path, file: str, text: str, message: str
) -> None:
    shutil.copytree(plan_folder, "plan")
    (Path("plan") / file).write_text(text)
    words = ("--plan", "plan", "--model", "mockllm/model", "--out", "runs")
    drawn = ("--drawn-tasks",) if file == "tasks.csv" else ()
    result = run("harness", files[0], *words, *drawn)
    assert result.code == 2
    assert message in one_sentence(result.err)
    assert not Path("runs").exists()


def test_figures_without_end(run: Run, files: tuple[Path, Path], plan_folder: Path) -> None:
    result = run("require", plan_folder, "--value", "nan")
    assert result.code == 2
    assert "--value must be a number in the unit of the losses" in one_sentence(result.err)


MIX = "option,eval,tier,cap,cap_unit,attempts,tasks,effort\nctf / plateau,ctf,plateau,{cap},tokens,{attempts},{tasks},{effort}\n"
CELLS = {"cap": "1000", "attempts": "1", "tasks": "4", "effort": "0"}


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("tasks", "inf", "tasks must be a number, got 'inf'"),
        ("tasks", "nan", "tasks must be a number, got 'nan'"),
        ("tasks", "-4", "tasks must be a whole number from 1 to 1,000,000, got '-4'; mend the cell"),
        ("tasks", "1e30", "tasks must be a whole number from 1 to 1,000,000, got '1e30'"),
        ("tasks", "2.5", "tasks must be a whole number from 1 to 1,000,000, got '2.5'"),
        ("attempts", "0", "attempts must be a whole number from 1 to 1,000,000, got '0'"),
        ("attempts", "1e999", "attempts must be a number, got '1e999'; write a finite number"),
        ("cap", "0", "cap must be a number above 0 to 1,000,000,000,000,000, got '0'"),
        ("cap", "1,5", "cap must be a number, got '1,5'; a comma may only part groups of three digits"),
        ("cap", "-inf", "cap must be a number, got '-inf'"),
        ("effort", "80", "effort must be 0 to 1, got '80'"),
        ("effort", "high", "effort must be a number, got 'high'"),
        ("cap_unit", "x\x1b", "text must hold no control characters, got '\\x1b'"),
    ],
)  # fmt: skip
def test_figures_of_a_mix_that_nobody_means(
    run: Run, files: tuple[Path, Path], column: str, text: str, message: str
) -> None:
    """No count is emptied, none runs without end, whatever reads the mix."""
    folder = Path("plan")
    folder.mkdir()
    mix = MIX.format(**{**CELLS, column: f'"{text}"'})
    (folder / "mix.csv").write_text(mix.replace("tokens", text) if column == "cap_unit" else mix)
    words = ("--plan", "plan", "--model", "mockllm/model", "--out", "runs")
    result = run("harness", files[0], *words)
    assert result.code == 2
    assert message in one_sentence(result.err)
    assert not Path("runs").exists()
    with pytest.raises(InputError, match=re.escape(message)):
        read_mix(folder / "mix.csv")  # as `score` and `sensitivity --earlier` do


@pytest.mark.parametrize("column", ["tasks", "cap", "eval"])
def test_a_row_that_contradicts_its_option_is_refused(
    run: Run, plan_folder: Path, column: str
) -> None:
    mix = pd.read_csv(plan_folder / "mix.csv", dtype=str)
    mix.loc[0, column] = "other" if column == "eval" else "7"
    mix.to_csv("mix.csv", index=False)
    result = run("score", "mix.csv", "--plan", plan_folder)
    assert result.code == 2
    sentence = one_sentence(result.err)
    assert f"mix.csv row 2: {column} must be that of its option, " in sentence
    assert "name another one of the sheet Menu, or empty the cell" in sentence
    mix.loc[0, column] = None
    mix.to_csv("mix.csv", index=False)
    assert run("score", "mix.csv", "--plan", plan_folder).code == 0


def test_names_in_a_mix_are_read_as_they_look(
    run: Run, files: tuple[Path, Path], plan_folder: Path
) -> None:
    first = (plan_folder / "mix.csv").read_text().splitlines()[1].split(",")[0]
    Path("mix.csv").write_text(f"option\n\u200b{first.replace(' ', chr(0xA0))}\u2009\n", "utf-8")
    result = run("score", "mix.csv", "--plan", plan_folder)
    assert result.code == 0, result.err
