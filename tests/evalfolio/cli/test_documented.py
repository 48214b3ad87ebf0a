"""Every command there is runs here or beside, says what it found as JSON, and is quiet if asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import evalfolio as ef
from evalbayes import Menu
from evalfolio.examples import small_menu
from evalfolio.narrative import percent, two_digits

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

ROOT = Path(__file__).parents[3]
HOUR = 3_600_000  # METR's times are in milliseconds


def commands() -> dict[str, list[str]]:
    """Return the options of every command, as its help shows them."""
    import typer.main

    from evalfolio.cli.app import app

    found: dict[str, list[str]] = {}

    def walk(group: object, path: tuple[str, ...]) -> None:
        for name, command in group.commands.items():  # type: ignore[attr-defined]  # a click group
            if hasattr(command, "commands"):
                walk(command, (*path, name))
            else:
                options = [word for parameter in command.params for word in parameter.opts]
                found[" ".join((*path, name))] = options

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_speaks_json_and_is_run_by_a_test(name: str) -> None:
    assert {"--json", "--quiet"} <= set(commands()[name])
    words = r"\s*,\s*".join(f'"{word}"' for word in name.split())
    tests = "\n".join(path.read_text() for path in ROOT.glob("tests/evalfolio/**/test_*.py"))
    assert re.search(rf"[(\[]\*?\(?\s*{words}", tests), f"no test runs {name!r}"


def test_every_command_the_pages_name_exists() -> None:
    pages = [ROOT / "README.md", *ROOT.glob("examples/*/README.md")]
    named = {
        match
        for page in pages
        for match in re.findall(
            r"\bevalfolio ([a-z]+(?: (?:table|inspect|metr))?) ", page.read_text()
        )
    }
    named &= {word for word in named if word.split()[0] in {c.split()[0] for c in commands()}}
    assert {"recommend", "check", "score", "explain"} <= named
    assert named <= set(commands())


def test_explain_says_why_an_eval_is_in(run: Run, plan_folder: Path) -> None:
    record = json.loads((plan_folder / "plan.json").read_text())
    for row in record["choices"]:
        result = run("explain", row["eval"], "--plan", plan_folder)
        assert result.code == 0, result.err
        assert result.out.startswith(f"{row['eval']} runs at the tier {row['tier']} for $")
        share = row["value_if_dropped"] / record["value"]["evsi"]
        lost = f"; dropping it loses {percent(share)} of the plan's value. With the whole plan: "
        assert lost in result.out
        said = json.loads(run("explain", row["eval"], "--plan", plan_folder, "--json").out)
        assert said["chosen"] is True
        assert said["usd"] == row["usd"]
    result = run("explain", "ctff", "--plan", plan_folder)
    assert result.code == 2
    assert "ctff: must be an eval of the plan's menu" in result.err


def test_harness_writes_settings_and_a_script(
    run: Run, files: tuple[Path, Path], plan_folder: Path
) -> None:
    words = ("harness", files[0], "--plan", plan_folder, "--model", "mockllm/model")
    result = run(*words, "--out", "runs", "--task", "ctf=ctf.py@ctf")
    assert result.code == 0, result.err
    said = result.out.splitlines()
    assert said[0] == "wrote runs/settings.yaml and runs/run.sh"
    rows = json.loads((plan_folder / "plan.json").read_text())["choices"]
    assert f"cost an expected ${two_digits(sum(row['usd'] for row in rows))}, $" in said[1]
    assert said[2].startswith("No --task was given for exploits: Inspect is asked for a task of")
    script = Path("runs/run.sh").read_text()
    menu = Menu.load(plan_folder / "menu").options
    inside = [row["option"] for row in rows if menu.loc[row["option"], "baseline_runs"] > 0]
    assert script.count("\ninspect eval ") == len(rows) + len(inside)
    for row in rows:
        assert f"--token-limit {round(row['cap'])}" in script
    settings = json.loads(run(*words, "--out", "again", "--json").out)
    assert settings["without_task"] == ["ctf", "exploits"]
    assert settings["usd_at_every_cap"] > settings["expected_usd"] > 0
    options = [each["option"] for each in settings["runs"]]
    assert sorted(options) == sorted([row["option"] for row in rows] + inside)
    assert run(*words, "--out", "quiet", "-q").out == ""
    wrote = run(*words, "--out", "flow", "--flow").out.splitlines()[0]
    specs = list(Path("flow").glob("flow*.yaml"))
    assert specs
    assert all(str(spec) in wrote for spec in specs)
    assert run("harness", files[0], "--plan", ".", "--model", "m", "--out", "no").code == 2


def test_harness_runs_the_tasks_that_were_drawn(run: Run, files: tuple[Path, Path]) -> None:
    Path("plan").mkdir()
    Path("plan/mix.csv").write_text(
        "option,eval,tier,cap,cap_unit,attempts,tasks,effort\n"
        "ctf / two,ctf,plateau,2e6,tokens,1,2,0\n"
    )
    words = ("harness", files[0], "--plan", "plan", "--model", "mockllm/model", "--out", "runs")
    Path("plan/tasks.csv").write_text("option,task\nctf / two,007\nctf / two,003\n")
    result = run(*words, "--drawn-tasks", "--json")
    assert result.code == 0, result.err
    (settings,) = json.loads(result.out)["runs"]
    assert settings["run_config"]["eval_config"]["sample_id"] == ["007", "003"]
    assert "--sample-id 007,003" in Path("runs/run.sh").read_text()
    record = ef.optimise(small_menu(), budget={"usd": 10_000.0}).record
    record.replace(provenance={"inputs": [], "seed": 41, "versions": {}}).write("plan/plan.json")
    assert run(*words).code == 0
    assert "--sample-shuffle 41" in Path("runs/run.sh").read_text()
    Path("plan/tasks.csv").write_text("option,task\n")
    refused = run(*words, "--drawn-tasks")
    assert refused.code == 2
    assert "drop --drawn-tasks" in refused.err


def test_a_cap_in_usd_takes_its_price_from_the_command_line(
    run: Run, files: tuple[Path, Path], plan_folder: Path
) -> None:
    mix = pd.read_csv(plan_folder / "mix.csv")
    Path("plan").mkdir()
    mix.assign(cap=2.5, cap_unit="usd").to_csv("plan/mix.csv", index=False)
    words = ("harness", files[0], "--plan", "plan", "--model", "mockllm/model", "--out", "runs")
    result = run(*words)
    assert result.code == 2
    assert "no price is known for mockllm/model; give a price table (--prices" in result.err
    assert not Path("runs/run.sh").exists()
    Path("prices.toml").write_text(
        '[[price]]\nmodel = "model"\ninput = 1\noutput = 2\ndate = 2026-11-01\n'
        'source = "assumption"\n'
    )
    result = run(*words, "--prices", "prices.toml")
    assert result.code == 0, result.err
    assert "--cost-limit 2.5" in Path("runs/run.sh").read_text()
    assert "output: 2" in Path("runs/run.costs.yaml").read_text()


def test_import_metr(run: Run) -> None:
    rows = [
        {
            "task_id": "hcast/one",
            "task_family": "hcast",
            "run_id": f"r{n}",
            "alias": "Model A",
            "score_binarized": n % 2,
            "score_cont": 0.2,
            "fatal_error_from": None,
            "human_minutes": 30.0,
            "task_source": "HCAST",
            "generation_cost": 1.5,
            "tokens_count": 1000,
            "started_at": 1_735_689_600_000,
            "completed_at": 1_735_689_600_000 + HOUR,
        }
        for n in range(3)
    ]
    Path("runs.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\nno json\n")
    words = ("import", "metr", "runs.jsonl", "--out", "runs.csv", "--eval", "HCAST=hcast")
    result = run(*words, "--cap", "8", "--errors", "errors.csv")
    assert result.code == 0, result.err
    assert len(pd.read_csv("runs.csv")) == 3
    assert len(pd.read_csv("errors.csv")) == 1
    said = json.loads(run(*words, "--cap", "8", "--json").out)
    assert (said["runs"], said["spend_unit"], len(said["errors"])) == (3, "hours", 1)
    assert said["outcomes"]["success"] == 1
    assert run(*words, "--cap", "8", "-q").out == ""


def test_import_inspect(run: Run) -> None:
    pytest.importorskip("inspect_ai", reason="reading logs needs the extra `inspect`")
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec, write_eval_log

    log = EvalLog(
        status="success",
        eval=EvalSpec(
            created="2025-06-01T10:00:00+00:00", run_id="r", eval_id="e", task="ctf",
            model="openai/gpt-4o-mini", dataset=EvalDataset(samples=0), config=EvalConfig(),
        ),
        samples=[],
    )  # fmt: skip
    Path("logs").mkdir()
    write_eval_log(log, "logs/empty.eval")
    Path("logs/torn.eval").write_bytes(Path("logs/empty.eval").read_bytes()[:50])
    words = ("import", "inspect", "logs", "--out", "runs.csv", "--workers", "1")
    result = run(*words, "--errors", "errors.csv", "--json")
    assert result.code == 0, result.err
    said = json.loads(result.out)
    assert [error["log"].endswith("torn.eval") for error in said["errors"]] == [True]
    assert len(pd.read_csv("errors.csv")) == 1
    assert run(*words, "-q").out == ""


def test_doctor_tells_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalfolio.cli import doctor

    def broken() -> str:
        raise ImportError("No module named 'highspy'")

    monkeypatch.setattr(doctor, "small_plan", broken)
    told = run("doctor", "-q")
    assert told.code == 2
    assert "cannot be loaded: ImportError: No module named 'highspy'; install" in told.out


@pytest.mark.parametrize("package", ["highspy", "h5netcdf", "pyarrow"])
def test_a_package_that_is_missing_is_told_in_one_sentence_and_nothing_is_written(
    files: tuple[Path, Path], posterior_file: Path, tmp_path: Path, package: str
) -> None:
    # In a process of its own: modules loaded anew here would stand beside those of other tests.
    command = ["recommend", files[0], "--posterior", posterior_file, "--out", tmp_path / "plan"]
    code = (
        f"import sys; sys.modules[{package!r}] = None; from evalfolio.cli import main\n"
        f"sys.argv[1:] = {[str(word) for word in command]}; main()"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert made.returncode == 2
    (said,) = (line for line in made.stderr.splitlines() if line.startswith("error: "))
    assert " cannot be loaded (" in said
    assert package in said
    assert said.endswith("; install evalfolio again, see `doctor`")
    assert not (tmp_path / "plan").exists()


def test_doctor_tells_of_a_bound_below_a_certified_value(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalfolio.search.convex.relaxation import Relaxation

    true = Relaxation.solve

    def low(self: Relaxation, *given: object) -> object:
        return replace(true(self, *given), bound=0.5)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(Relaxation, "solve", low)
    told = run("doctor")
    assert told.code == 2
    assert "CLARABEL bounds every mix at 0.5 by cones, below the 0.72" in told.out


def test_an_output_that_is_not_utf_8_shows_what_it_can(files: tuple[Path, Path]) -> None:
    words = [sys.executable, "-m", "evalfolio", "check", *map(str, files)]
    text = files[0].read_text().replace('"ctf"', '"ctf × é"')
    files[0].write_text(text)
    files[1].write_text(files[1].read_text().replace("ctf,", "ctf × é,"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "ctf ? ?" in done.stdout


def test_doctor_solves_a_plan_and_names_versions(run: Run) -> None:
    found = json.loads(run("doctor", "--json").out)
    assert found["small_plan"] == "certified"
    assert "HIGHS" in found["cvxpy_solvers"]
    assert found["versions"]["numpy"]
    shown = run("doctor").out
    assert "a small plan was solved: certified" in shown
    assert "nutpie" in shown
    worth = float(found["second_opinion"].rpartition(" ")[2])
    bounds = re.findall(r"([0-9.]+) \((\w+), (?:cones|lines)\)", found["second_opinion"])
    assert {name for _, name in bounds} >= {"CLARABEL", "SCS"}
    assert all(float(bound) >= worth for bound, _ in bounds)
    assert f"second opinion: {found['second_opinion']}" in shown
    assert run("doctor", "-q").out == "a small plan was solved: certified\n"


def test_a_process_of_its_own_prints_nothing_but_json() -> None:
    # What a solver prints below Python, no capture inside this process would see.
    words = [sys.executable, "-m", "evalfolio", "doctor", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout)["small_plan"] == "certified"
    assert done.stderr == ""


def test_check_fit_and_curves_as_json(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    said = json.loads(run("check", *files, "--json").out)
    assert {row["eval"] for row in said["evals"]} == {"ctf", "exploits"}
    assert said["missing"] == []
    assert "elicitation_gap" not in {row["key"] for row in said["assumptions"]}
    table = run("curves", files[0], "--posterior", posterior_file, "-q")
    assert "exploits" in table.out
    assert table.err == ""


@pytest.mark.slow  # samples once more
def test_fit_as_json_names_its_gate(run: Run, files: tuple[Path, Path]) -> None:
    said = json.loads(run("fit", *files, "--seed", "1", "--json").out)
    assert said["wrote"] == "posterior.nc"
    assert said["passed"] == (said["reasons"] == [])
    assert {row["eval"] for row in said["evals"]} == {"ctf", "exploits"}


@pytest.mark.slow  # a tornado over every assumption
def test_sensitivity_as_json(run: Run, files: tuple[Path, Path], posterior_file: Path) -> None:
    words = ("sensitivity", files[0], "--posterior", posterior_file, "--out", "plan")
    result = run(*words, "--samples", "8", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["sensitivity"] != []


def test_score_is_quiet_if_asked(run: Run, plan_folder: Path) -> None:
    mix = plan_folder / "mix.csv"
    assert "the same as the plan's" in run("score", mix, "--plan", plan_folder, "-q").out
    assert len(run("score", mix, "--plan", plan_folder, "-q").out.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX's")
def test_colour_is_for_terminals_only(run: Run, files: tuple[Path, Path]) -> None:
    import pty

    start = "import sys; from evalfolio.cli import main; sys.argv[0] = 'evalfolio'; main()"
    command = [sys.executable, "-c", start, "check", *map(str, files)]
    dropped = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    plain = {key: value for key, value in os.environ.items() if key not in dropped}
    plain["TERM"] = "xterm-256color"
    piped = subprocess.run(command, capture_output=True, env=plain, timeout=120, check=True)
    assert b"\x1b" not in piped.stdout + piped.stderr
    leader, follower = pty.openpty()
    with subprocess.Popen(command, stdout=follower, stderr=follower, env=plain):
        os.close(follower)
        shown = b""
        while True:
            try:
                shown += os.read(leader, 65536)
            except OSError:  # how Linux says that a terminal has ended
                break
    os.close(leader)
    assert b"\x1b[1m" in shown or b"\x1b[1;" in shown


def test_a_table_piped_cuts_no_name_short(
    run: Run, plan_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    mix = pd.read_csv(plan_folder / "mix.csv")
    shown = run("score", plan_folder / "mix.csv", "--plan", plan_folder).out
    assert "…" not in shown
    lines = shown.splitlines()
    for row in mix.to_dict("records"):
        assert any(row["eval"] in line and row["tier"] in line for line in lines)
