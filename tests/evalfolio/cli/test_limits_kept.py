"""A limit cannot be forgotten: every command that plans keeps one and the same table of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from tests.evalfolio.cli.test_documented import commands

import evalfolio as ef

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Result, Run

PLAN = {"recommend", "sensitivity", "require"}
READ = {"score", "explain", "harness"}  # these take a plan as it is
STEPS = {"replan", "run", "conclude"}  # of a programme, under the limits of its first plan
YEARS = {"forecast", "schedule"}  # of a plan in years to come, under its limits
NEITHER = {  # nothing is chosen from a menu of the catalogue's options, or nothing at all
    *("init", "check", "import table", "import inspect", "import metr", "prior", "fit", "curves"),
    *("gains", "capability", "horizons", "repeats", "backtest", "rule", "doctor", "verify"),
}
TABLE = "type,of,amount\nforbidden,ctf,\nceiling,exploits,6000\n"


def names(value: Any) -> set[str]:
    """Return every eval named by options anywhere in a result, as text or as lists."""
    text = value if isinstance(value, str) else json.dumps(value)
    return {name for name in ("ctf", "exploits") if f"{name} / " in text}


def well(result: Result) -> Result:
    assert result.code == 0, result.err
    return result


def test_every_command_is_known_to_plan_or_not() -> None:
    found = commands()
    assert set(found) == PLAN | READ | STEPS | YEARS | NEITHER, "say whether the new command plans"
    assert {name for name, options in found.items() if "--constraints" in options} == PLAN
    assert {name for name, options in found.items() if "--plan" in options} == READ | {
        "sensitivity"
    }


def kept_by_sensitivity(run: Run, plan: ef.Plan, words: tuple[object, ...], name: str) -> None:
    few = ("--samples", "2", "--pilots", "1", "--vary", "usd")
    well(run("sensitivity", *words, *few, "--out", name))
    found = ef.Plan.load(name)
    assert found.value == pytest.approx(plan.value, rel=2e-3)
    assert found.record.limits == plan.record.limits
    assert names([point.options for point in found.record.frontier]) == {"exploits"}
    for table in ("frontier_usd", "robust", "pilots", "entries_usd"):
        assert "ctf" not in names((Path(name) / "sensitivity" / f"{table}.csv").read_text())
    for table in ("stability_draws", "stability_assumptions"):
        evals = pd.read_csv(Path(name) / "sensitivity" / f"{table}.csv", index_col=0)
        assert evals["included"].get("ctf", 0.0) == 0.0


def test_every_command_that_plans_keeps_the_same_limits(
    run: Run, files: tuple[Path, Path], posterior_file: Path, plan_folder: Path
) -> None:
    free = ef.Plan.load(plan_folder)
    assert "ctf" in set(free.choices["eval"])  # without the limit it is bought
    Path("limits.csv").write_text(TABLE)
    asked = ("--constraints", "limits.csv")
    inputs = (files[0], "--posterior", posterior_file)

    well(run("recommend", *inputs, *asked, "--out", "plan"))
    plan = ef.Plan.load("plan")
    assert set(plan.choices["eval"]) == {"exploits"}
    assert plan.choices["usd"].sum() <= 6_000
    record = plan.record
    assert names([point.options for point in record.frontier]) == {"exploits"}

    well(run("replan", "plan", "--out", "next"))
    assert set(ef.Plan.load("next").choices["eval"]) == {"exploits"}
    assert ef.Plan.load("next").record.limits == record.limits
    kept = [(row.text, row.by) for row in record.limits if row.by == "constraints"]
    assert kept == [("forbidden: ctf", "constraints"), (kept[1][0], "constraints")]

    kept_by_sensitivity(run, plan, (*inputs, *asked), "asked")
    assert ef.Plan.load("plan").to_json() == plan.to_json()  # the plan itself is as it was

    target = ("--posterior-sd", f"cyber={1.02 * plan.domains['posterior_sd'].iloc[0]:.4f}")
    for words in ((plan_folder, *asked), ("plan",), ("plan", *asked), ("plan/menu", *asked)):
        least = json.loads(well(run("require", *words, *target, "--json")).out)
        assert names(least["chosen"]) == {"exploits"}
        waived = json.loads(
            well(run("require", *words, *target, "--budget", "usd=10", "--waive", "--json")).out
        )
        assert names(waived) <= {"exploits"}
    assert "ctf" in names(json.loads(run("require", plan_folder, *target, "--json").out)["chosen"])

    free.choices.reset_index()[["option"]].to_csv("free.csv", index=False)
    said = well(run("score", "free.csv", "--plan", "plan")).out
    assert "It does not keep the plan's limits: forbidden: ctf" in said
    assert "plan's limits" not in run("score", "plan/mix.csv", "--plan", "plan").out
    scored = json.loads(run("score", "free.csv", "--plan", "plan", "--json").out)
    assert scored["limits_broken"][0] == "forbidden: ctf"


@pytest.mark.slow  # a whole sensitivity: about a CPU-minute
def test_the_sensitivity_of_a_plan_keeps_its_limits(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    Path("limits.csv").write_text(TABLE)
    asked = ("--posterior", posterior_file, "--constraints", "limits.csv")
    well(run("recommend", files[0], *asked, "--out", "plan"))
    # Posterior, budgets and limits are the plan's.
    kept_by_sensitivity(run, ef.Plan.load("plan"), (files[0], "--plan", "plan"), "of_plan")


def test_sensitivity_does_not_write_over_a_plan(
    run: Run, files: tuple[Path, Path], posterior_file: Path, plan_folder: Path
) -> None:
    before = (plan_folder / "plan.json").read_bytes()
    result = run("sensitivity", files[0], "--posterior", posterior_file, "--out", plan_folder)
    assert result.code == 2
    assert "or one that `evalfolio sensitivity` wrote, but the plan there is of" in result.err
    assert (plan_folder / "plan.json").read_bytes() == before


def test_sensitivity_refuses_a_limit_on_what_is_not_there_before_it_plans(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    Path("limits.csv").write_text("type,of\nforbidden,ctff\n")
    words = ("--posterior", posterior_file, "--constraints", "limits.csv")
    result = run("sensitivity", files[0], *words)
    assert result.code == 2
    assert "'ctff' must name a domain, tier, eval, family or option" in result.err
    result = run("sensitivity", files[0], "--plan", "nowhere")
    assert result.code == 2
    assert "nowhere: must be a folder that `evalfolio recommend` wrote" in result.err
