"""A plan run by Inspect itself, from its first sample to its conclusion, and carried on."""

from __future__ import annotations

import json
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.evalfolio.cli.conftest import Run
from tests.evalfolio.cli.conftest import run as run
from tests.evalfolio.inspect.conftest import CURVES, INSPECTS, QUICK, by_curve

from evalfolio.errors import InputError
from evalfolio.inspect import Running, plan_source
from evalfolio.inspect.running import hooks
from evalfolio.programmes.programme import Programme

pytest.importorskip("inspect_ai", reason="plans are run by the extra `inspect`")
pytestmark = [pytest.mark.filterwarnings(f"ignore:{each}") for each in INSPECTS]
RUN = ["eval", "effort", "task", "option", "step", "epoch"]


@pytest.fixture(scope="module")
def ran(small_plan: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Running, list[str]]:
    """Run the small plan to its end."""
    plan = Path(shutil.copytree(small_plan, tmp_path_factory.mktemp("ran") / "plan"))
    said: list[str] = []
    running = Running(plan, by_curve(), **{**QUICK, "tell": said.append})
    running.run("mockllm/model")
    return running, said


def test_inspect_runs_a_plan_to_its_end_within_its_budget(ran: tuple[Running, list[str]]) -> None:
    running, said = ran
    rows = running.read()
    assert running.step >= 1
    assert running.reason
    assert not rows.duplicated(RUN).any()
    assert 0 < rows["usd"].sum() <= 300
    assert running.meter.spent[0] == pytest.approx(rows["usd"].sum())
    assert set(rows["eval"]) <= set(CURVES)
    assert "Step 0 runs" in said[0]
    assert any("of 300 usd spent" in line for line in said)
    assert (running.folder / "conclusion" / "conclusion.html").is_file()


def test_every_step_is_a_folder_of_replan_and_results_are_those_of_the_logs(
    ran: tuple[Running, list[str]],
) -> None:
    running, _ = ran
    last = Programme.load(running.folder / "steps" / f"{running.step:03d}")
    assert [step["step"] for step in last.steps] == list(range(running.step + 1))
    ((_, file),) = last.files
    rows = running.read()
    told = pd.read_csv(file)
    assert len(told) == len(rows)
    assert told["spend"].sum() == pytest.approx(rows["spend"].sum())
    # what was paid is what the ledger says, at prices as they were stated
    assert last.steps[-1]["paid"]["usd"] == pytest.approx(rows["told"].sum(), rel=1e-3)
    for option in {row["option"] for row in rows.to_dict("records")}:
        assert option in {str(o) for s in last.steps for o in s["options"]} | set(rows["option"])


def test_a_programme_that_has_ended_runs_nothing_more(ran: tuple[Running, list[str]]) -> None:
    running, _ = ran
    plan = running.folder.parent
    again = Running(plan, by_curve(), **QUICK)
    assert again.batch == []
    assert again.reason == running.reason
    assert again.meter.spent[0] == pytest.approx(running.meter.spent[0])
    with pytest.raises(InputError, match=r"must go on to be run, but it ended: "):
        plan_source(plan, by_curve(), **QUICK)


def test_the_source_is_what_eval_takes(small_plan: Path, tmp_path: Path) -> None:
    from inspect_ai import TaskSource
    from inspect_ai import eval as run_by_inspect

    plan = Path(shutil.copytree(small_plan, tmp_path / "plan"))
    source = plan_source(plan, by_curve(), **QUICK, at_once=2, limits={"usd": 60.0})
    assert isinstance(source, TaskSource)
    logs = run_by_inspect(
        source, "mockllm/model", log_dir=str(plan / "run" / "logs"), log_buffer=1, display="none"
    )
    assert {log.status for log in logs} == {"success"}
    rows = Running(plan, by_curve(), **QUICK, limits={"usd": 60.0}).read()
    # no more than two samples of an eval between two looks, and never past the limit
    assert rows.groupby(["step", "eval"])["task"].nunique().max() <= 2
    assert rows["usd"].sum() <= 60.0


def test_samples_that_go_wrong_are_paid_and_not_told(small_plan: Path, tmp_path: Path) -> None:
    plan = Path(shutil.copytree(small_plan, tmp_path / "plan"))
    wrong = {"0": "errors", "1": "refuses", "2": "unscored"}
    tasks = by_curve(fails=lambda name, sample: wrong.get(sample, ""))
    running = Running(plan, tasks, **QUICK)
    running.run("mockllm/model")
    rows = running.read()
    broken = rows[rows["outcome"] == "excluded"]
    assert set(broken["task"]) == set(wrong)
    # what its cap stopped counts without a score; what was refused never does
    counted = rows[rows["outcome"] != "excluded"]
    assert "1" not in set(counted["task"])
    assert set(counted.loc[counted["task"].isin(["0", "2"]), "outcome"]) <= {"stopped_by_cap"}
    last = Programme.load(running.folder / "steps" / f"{running.step:03d}")
    told = pd.read_csv(last.files[0][1])
    assert set(told["outcome"]) <= {"success", "gave_up", "stopped_by_cap"}
    lost = broken.loc[broken["step"] < running.step, "usd"].sum()
    assert last.steps[-1]["corrected"]["usd"] == pytest.approx(lost)
    assert running.meter.spent[0] == pytest.approx(rows["usd"].sum())


def test_a_provider_that_refuses_everything_ends_the_programme(
    small_plan: Path, tmp_path: Path
) -> None:
    plan = Path(shutil.copytree(small_plan, tmp_path / "plan"))
    running = Running(plan, by_curve(fails=lambda name, sample: "refuses"), **QUICK)
    running.run("mockllm/model")
    assert running.reason == "No sample that was bought last gave a result."
    assert not (running.folder / "conclusion").exists()
    assert running.step == 0


def test_a_price_ten_times_what_was_expected_is_seen_and_the_limit_holds(
    small_plan: Path, tmp_path: Path
) -> None:
    plan = Path(shutil.copytree(small_plan, tmp_path / "plan"))
    said: list[str] = []
    running = Running(plan, by_curve(times=10.0), **{**QUICK, "tell": said.append})
    running.run("mockllm/model", max_samples=2)
    rows = running.read()
    dearest = rows["usd"].nlargest(2).sum()
    assert rows["usd"].sum() <= 300 + dearest  # passed by no more than two samples in flight
    assert any("runs cost 10 times what was expected" in line for line in said)
    spec = running.catalogue.eval(str(rows["eval"].iloc[0]))
    assert spec.usd_per_unit.exact
    assert spec.usd_per_unit.low == pytest.approx(8e-5, rel=0.02)


@pytest.mark.parametrize(
    ("cap", "unit", "limit", "most"),
    [(1e6, "tokens", "token_limit", 1_000_000), (0.5, "hours", "working_limit", 1800)],
)
def test_attempts_caps_and_effort_are_inspects_own_settings(
    small_plan: Path, tmp_path: Path, cap: float, unit: str, limit: str, most: int
) -> None:
    """Best of k at cap t each: k epochs with the reducers mean and pass@k, t the sample's limit."""
    plan, tasks = Path(shutil.copytree(small_plan, tmp_path / "plan")), by_curve()
    asked: list[float] = []

    def ctf(effort: float) -> Any:
        asked.append(effort)
        return tasks["ctf"](effort)

    running = Running(plan, {**tasks, "ctf": ctf}, **QUICK)
    row = {"eval": "ctf", "tier": "max-elicitation", "cap": cap, "cap_unit": unit, "tasks": 2,
           "effort": 0.8, "option": "ctf deep @ step 0", "ids": ["1", "5"]}  # fmt: skip
    best, single = (running._task({**row, "attempts": k}, running.read()) for k in (3, 1))
    assert asked[-2:] == [0.8, 0.8]
    assert (best.epochs, single.epochs) == (3, 1)
    assert [len(best.epochs_reducer), single.epochs_reducer] == [2, None]
    assert getattr(best, limit) == getattr(single, limit) == most
    assert [sample.id for sample in best.dataset] == ["1", "5"]
    ours = best.metadata["evalfolio"]
    assert (ours["effort"], ours["option"]) == (0.8, "ctf deep @ step 0")


def test_what_cannot_be_run_is_refused(small_plan: Path, tmp_path: Path) -> None:
    plan = Path(shutil.copytree(small_plan, tmp_path / "plan"))
    tasks = by_curve()
    with pytest.raises(InputError, match=r"must have a function of `effort`.* got none for 'ctf'"):
        Running(plan, {"exploits": tasks["exploits"]}, **QUICK)
    with pytest.raises(InputError, match=r"must have a function of `effort`.* got none for 'ctf'"):
        Running(plan, {**tasks, "ctf": lambda: None}, **QUICK)
    with pytest.raises(InputError, match="tasks"):
        Running(plan, {**tasks, "ctff": tasks["ctf"]}, **QUICK)

    def short(effort: float) -> Any:
        task = tasks["ctf"](effort)
        task.dataset = task.dataset[:3]
        return task

    with pytest.raises(InputError, match="ctf: its Inspect task must have the 8 samples"):
        Running(plan, {**tasks, "ctf": short}, **QUICK)


def test_a_run_of_another_plan_is_not_carried_on(
    ran: tuple[Running, list[str]], tmp_path: Path
) -> None:
    running, _ = ran
    plan = Path(shutil.copytree(running.folder.parent, tmp_path / "plan"))
    for log in plan.glob("run/steps/*/programme.json"):
        text = json.loads(log.read_text())
        text["steps"][0]["value"] = 1e9
        log.write_text(json.dumps(text))
    with pytest.raises(InputError, match="must be a run of the plan beside it"):
        Running(plan, by_curve(), **QUICK)


def test_an_inspect_without_the_hooks_gets_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    old = types.ModuleType("inspect_ai")
    old.__version__ = "0.3.200"  # type: ignore[attr-defined]  # as modules of packages have it
    monkeypatch.setitem(sys.modules, "inspect_ai", old)
    with pytest.raises(InputError, match=r"by inspect_ai 0\.3\.285 or later.* got 0\.3\.200; upg"):
        hooks()
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    with pytest.raises(InputError, match="which is not installed; install it"):
        hooks()


TASKS = """
from tests.evalfolio.inspect.conftest import by_curve
TASKS = by_curve()
"""


def test_the_command_carries_on_to_the_same_end(
    ran: tuple[Running, list[str]], run: Run, tmp_path: Path
) -> None:
    running, _ = ran
    plan = Path(shutil.copytree(running.folder.parent, tmp_path / "plan"))
    (tmp_path / "tasks.py").write_text(TASKS)
    words = ("run", plan, "--tasks", tmp_path / "tasks.py", "--model", "mockllm/model")
    done = run(*words)
    assert done.code == 0, done.err
    assert running.reason in done.out
    assert "of 300 usd spent" in done.out
    found = json.loads(run(*words, "--json").out)
    assert [row["name"] for row in found["decisions"]] == ["cyber"]
    refused = run(*words[:3], tmp_path / "none.py", *words[4:])
    assert refused.code == 2
    assert "must be a Python file with TASKS" in refused.err
    (tmp_path / "broken.py").write_text("1 / 0")
    refused = run(*words[:3], tmp_path / "broken.py", *words[4:])
    assert refused.code == 2
    assert "a Python file that runs, got ZeroDivisionError (division by zero)" in refused.err
