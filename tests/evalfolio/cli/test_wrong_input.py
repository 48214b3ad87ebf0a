# ruff: noqa: E501 -- one line per mistake, so that they read as the table they are
"""Wrong input: one clear sentence, the right exit code, no traceback, nothing half-written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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


def one_sentence(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


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
    assert "without the contingency of 10 %" in sentence
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
    run: Run, files: tuple[Path, Path], posterior_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalbayes.diagnostics import Diagnostics

    reason = ("R-hat must be at most 1.01, got 1.200 for shown[cyber, A]",)
    monkeypatch.setattr(Diagnostics, "reasons", property(lambda self: reason))
    arguments = ("recommend", files[0], "--posterior", posterior_file, "--out", "plan")
    result = run(*arguments)
    assert result.code == 4
    assert "R-hat" in one_sentence(result.err)
    assert result.out.startswith("THE FIT FAILED ITS GATE.")
    assert Path("plan/plan.json").exists()
    assert run(*arguments, "--allow-failed-fit").code == 0


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


@pytest.mark.parametrize("command", ["recommend", "sensitivity"])
def test_a_budget_nobody_knows_is_refused_before_the_long_work(
    run: Run, files: tuple[Path, Path], command: str
) -> None:
    result = run(command, *files, "--budget", "usdd=3", "--out", "plan")
    assert result.code == 2
    assert "did you mean 'usd'?" in one_sentence(result.err)
    assert "sampling" not in result.err


BEFORE_THE_FIT = [
    ("recommend", ("--budget", "usd=inf"), "--budget usd must be a finite number, got inf; leave it out where"),
    ("recommend", ("--budget", "usd=10,5"), "--budget must be name=number, got 'usd=10,5'"),
    ("recommend", ("--gap", "0"), "gap must lie between 0 and 1, got 0"),
    ("recommend", ("--time-limit", "-1"), "time_limit must be above 0 seconds, got -1"),
    ("sensitivity", ("--samples", "-1"), "--samples must be 1 or more, got -1; raise it"),
    ("sensitivity", ("--pilots", "-1"), "--pilots must be 0 or more, got -1"),
    ("sensitivity", ("--bootstrap", "-2"), "--bootstrap must be 0 or more, got -2"),
    ("sensitivity", ("--sobol", "-2"), "--sobol must be a power of 2, got -2"),
    ("sensitivity", ("--gap", "2"), "gap must lie between 0 and 1, got 2"),
    ("sensitivity", ("--mix", "last.csv"), "last.csv: must be a file that exists, but there is none"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "words", "message"), BEFORE_THE_FIT)
def test_options_out_of_place_are_refused_before_the_fit(
    run: Run,
    files: tuple[Path, Path],
    command: str,
    words: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_fit(*_: object, **__: object) -> None:
        raise AssertionError("options come first")

    monkeypatch.setattr("evalbayes.fit.fit", no_fit)
    result = run(command, *files, *words, "--out", "plan")
    assert result.code == 2
    assert message in one_sentence(result.err)
    assert {path.name for path in Path().iterdir()} == {path.name for path in files}


RECORDS = [
    ("[]", "it is no JSON object"),
    ('{"a"', "cannot be read"),
    ("{}", "must be there and valid"),
]


@pytest.mark.parametrize(("text", "message"), RECORDS)
def test_a_record_that_is_none(run: Run, text: str, message: str) -> None:
    Path("plan").mkdir()
    Path("plan/plan.json").write_text(text)
    result = run("explain", "ctf", "--plan", "plan")
    assert result.code == 2
    sentence = one_sentence(result.err)
    assert sentence.startswith("error: plan/plan.json: ")
    assert message in sentence


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


def test_a_name_given_twice(run: Run, files: tuple[Path, Path]) -> None:
    words = ("--map", "cap=a", "--map", "cap=b", "--out", "out.csv")
    result = run("import", "table", files[1], *words)
    assert result.code == 2
    assert "--map cap must be given once, got both a and b; keep one" in one_sentence(result.err)
    result = run("import", "table", files[1], "--map", "cap", "--out", "out.csv")
    assert "--map must be name=value, got 'cap'; write spend=spend_tokens" in result.err


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
        ("plan.json", "{}", "plan/plan.json: must hold the seed the plan was made with, got none"),
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
    assert "value must be a finite number, got nan" in one_sentence(result.err)


def test_a_release_date_of_an_ai_model_without_runs(run: Run) -> None:
    Path("runs.csv").write_text(
        "eval,task,ai_model,outcome,spend,cap,human_minutes\n"
        "ctf,t,A,success,1e5,2e6,30\nctf,t,B,gave_up,1e5,2e6,30\n"
    )
    result = run("backtest", "runs.csv", "--released", "C=2025-01-01", "--out", "replay")
    assert result.code == 2
    assert "--released: every AI model must be a known one, got 'C'" in one_sentence(result.err)


def test_logs_that_are_all_broken_write_nothing_but_their_errors(run: Run) -> None:
    pytest.importorskip("inspect_ai", reason="reading logs needs the extra `inspect`")
    Path("torn.eval").write_bytes(b"PK")
    words = ("import", "inspect", "torn.eval", "--workers", "1")
    result = run(*words, "--out", "runs.csv", "--errors", "errors.csv")
    assert result.code == 2
    assert "torn.eval: at least one file must be readable, but none of 1 is" in one_sentence(
        result.err
    )
    assert not Path("runs.csv").exists()
    assert "torn.eval" in Path("errors.csv").read_text()
    result = run(*words, "--out", "runs.txt")
    assert "runs.txt: observations must be written to a file ending in" in one_sentence(result.err)


def test_a_catalogue_saved_with_a_byte_order_mark(run: Run, files: tuple[Path, Path]) -> None:
    files[0].write_text(files[0].read_text(), encoding="utf-8-sig")
    assert run("check", *files).code == 0


def test_samples_of_sobol_indices(run: Run, files: tuple[Path, Path]) -> None:
    result = run("sensitivity", *files, "--sobol", "3", "--out", "plan")
    assert result.code == 2
    assert one_sentence(result.err).startswith("error: --sobol must be a power of 2, got 3")
    assert {path.name for path in Path().iterdir()} == {path.name for path in files}


UNKNOWN_NAMES = [
    ("mandatory,exploit,,", "'exploit' must name a domain, tier, eval, family or option of the catalogue; did you mean 'exploits'?"),
    ("forbidden,tier = platoo,,", "tier 'platoo' is not of the catalogue; did you mean 'plateau'?"),
    ("requires,ctf,,bio", "'bio' must name a domain, tier, eval"),
    ("posterior sd,ctf,0.5,", "a target must be on a domain of the catalogue, got 'ctf'; known are 'cyber'"),
    ("floor,ctf,5,,staff hours", "resource must be one of the catalogue's or 'evals', got 'staff hours'; did you mean 'staff_hours'?"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), UNKNOWN_NAMES, ids=[row for row, _ in UNKNOWN_NAMES])
def test_limits_on_unknown_names_are_refused_before_the_fit(
    run: Run, files: tuple[Path, Path], row: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_fit(*_: object, **__: object) -> None:
        raise AssertionError("the limits come first")

    monkeypatch.setattr("evalbayes.fit.fit", no_fit)
    Path("limits.csv").write_text(f"type,of,amount,with,resource\n{row}\n")
    result = run("recommend", *files, "--constraints", "limits.csv", "--out", "plan")
    assert result.code == 2
    assert message in one_sentence(result.err)
    assert not Path("plan").exists()


def test_names_that_a_menu_can_have_pass_before_the_fit(files: tuple[Path, Path]) -> None:
    from evalbayes.catalogue import read_catalogue
    from evalfolio.constraints import constraints_from_table
    from evalfolio.constraints.vocabulary import check_names

    rows = (
        "mandatory,ctf,,,",
        "forbidden,ctf / plateau / 40 tasks,,,",
        "max evals,cyber; max-elicitation,3,,",
        'ceiling,"domain = cyber, tier = plateau | sweet-spot",50,,staff_hours',
        "floor,everything,100,,agent_hours",
        "wrong call,cyber,5 %,,",
    )
    table = files[0].with_name("limits.csv")
    table.write_text("\n".join(["type,of,amount,with,resource", *rows]))
    check_names(constraints_from_table(table), read_catalogue(files[0]))
