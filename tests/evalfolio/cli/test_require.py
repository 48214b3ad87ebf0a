"""`evalfolio require` finds the least programme, a table over standards, and what to waive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import evalfolio as ef
from evalfolio.examples import small_menu
from evalfolio.targets.clauses import MEETS, MISSES

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


@pytest.fixture
def menu_folder(run: Run) -> str:
    small_menu().save(Path("plan") / "menu")
    return "plan"


def test_the_least_programme_is_printed_and_given_as_json(run: Run, menu_folder: str) -> None:
    result = run("require", menu_folder, "--posterior-sd", "cyber=1.1")
    assert result.code == 0, result.err
    assert "The target needs 1,100 usd" in result.out
    assert "b plateau" in result.out
    result = run("require", "plan/menu", "--posterior-sd", "cyber=1.1", "--json")
    found = json.loads(result.out)
    assert found["need"] == 1100
    assert found["chosen"] == ["a plateau", "b plateau"]


def test_several_levels_make_a_table(run: Run, menu_folder: str) -> None:
    result = run("require", menu_folder, "--posterior-sd", "1.4", "--posterior-sd", "1.0", "--json")
    assert result.code == 0, result.err
    easy, hard = json.loads(result.out)
    assert easy["standard"] == "sd 1.4"
    assert easy["need"] < hard["need"]


def test_targets_that_do_not_fit_are_waived(run: Run, menu_folder: str) -> None:
    result = run(
        "require",
        menu_folder,
        *("--posterior-sd", "cyber=0.9", "--posterior-sd", "autonomy=0.95"),
        *("--budget", "usd=1500", "--waive"),
    )
    assert result.code == 0, result.err
    assert "Waive sd of cyber is at most 0.9" in result.out


def test_rows_of_a_table_bind(run: Run, menu_folder: str) -> None:
    Path("limits.csv").write_text("type,of\nforbidden,a\n")
    result = run(
        "require", menu_folder, "--posterior-sd", "cyber=1.1", "--constraints", "limits.csv"
    )
    assert result.code == 0, result.err
    assert "a plateau" not in result.out


def test_the_budgets_and_limits_of_a_plan_hold_unless_left_out(run: Run, plan_folder: Path) -> None:
    plan = ef.Plan.load(plan_folder)
    most = f"{100 * plan.domains['p_wrong_call_expected'].iloc[0] * 1.02:.4g}%"
    kept = run("require", plan_folder, "--wrong-call", f"cyber={most}", "--budget", "usd=50")
    assert kept.code == 3
    assert "budget of 50 usd" in kept.err
    assert "knowing most" in kept.out  # how far it goes comes first
    assert "bound by" in kept.out
    free = run("require", plan_folder, "--danger-missed", "cyber=50%", "--free", "--json")
    assert free.code == 0, free.err
    assert json.loads(free.out)["chosen"] == []  # it holds with nothing run
    share = run("require", plan_folder, "--value", "20%", "--json")
    unit = run("require", plan_folder, "--value", f"{0.2 * plan.evpi:.9g}", "--json")
    assert json.loads(share.out)["need"] == pytest.approx(json.loads(unit.out)["need"], rel=1e-3)


def test_what_meets_nothing_is_said_without_a_gap_in_the_sentence(
    run: Run, menu_folder: str
) -> None:
    words = ("--danger-missed", "1%", "--needless", "1%", "--budget", "usd=1", "--waive")
    result = run("require", menu_folder, *words)
    assert result.code == 0, result.err
    assert "No other target was given." in result.out or "met with nothing run." in result.out


def test_wrong_input_and_what_cannot_be_met(run: Run, menu_folder: str) -> None:
    result = run("require", menu_folder)
    assert result.code == 2
    assert "give at least one target" in result.err
    result = run("require", menu_folder, "--wrong-call", "cyber=low")
    assert result.code == 2
    assert "--wrong-call must be a number or decision=number" in result.err
    result = run("require", menu_folder, "--wrong-call", "cyber=0.1", "--wrong-call", "0.1")
    assert result.code == 2
    assert "must name a decision every time or never" in result.err
    twice = ("--wrong-call", "cyber=0.3", "--wrong-call", "cyber=25%")
    result = run("require", menu_folder, *twice)
    assert result.code == 2
    assert "--wrong-call cyber must be given once, got 0.3 and 0.25; keep one" in result.err
    result = run("require", menu_folder, "--value", "half")
    assert result.code == 2
    assert "or a share of what perfect information is worth, got 'half'; write" in result.err
    result = run("require", menu_folder, "--posterior-sd", "0.01")
    assert result.code == 3
    assert "No choice meets" in result.err
    two = ("--wrong-call", "0.1", "--wrong-call", "0.2")
    result = run("require", menu_folder, *two, "--waive")
    assert result.code == 2
    assert "must be one standard with --waive" in result.err


def test_the_command_prints_writes_and_gives_json(run: Run) -> None:
    small_menu().save(Path("plan") / "menu")
    Path("house.toml").write_text(
        'name = "House"\n[level.basic]\nposterior_sd = 1.4\n[level.high]\n'
        '[[level.high.clause]]\nclause = "2.1"\nasks = "an sd of 1"\nposterior_sd = 1.0\n'
    )
    Path("mix.csv").write_text("option\na plateau\n")
    shown = run("require", "plan", "--standard", "house.toml", "--out", "tables")
    assert shown.code == 0, shown.err
    assert "House: high, held against its least programme" in shown.out
    assert pd.read_csv("tables/levels.csv")["level"].tolist() == ["basic", "high"]
    assert pd.read_csv("tables/clauses.csv")["answer"].tolist() == [MEETS, MEETS]
    words = ("require", "plan", "--standard", "house.toml", "--standard", "eu-cop", "--json")
    told = json.loads(run(*words, "--mix", "mix.csv").out)
    assert [row["answer"] for row in told["clauses"] if row["clause"] == "2.1"] == [MISSES]
    assert len(told["levels"]) == 3
    for more, said in (
        (("--standard", "none.toml"), "must be a TOML file or one of eu-cop, and there is no such"),
        (("--standard", "eu-cop", "--needless", "0.1"), "--standard must stand without other"),
        (("--needless", "0.1", "--mix", "mix.csv"), "--mix must stand with --standard"),
        (("--needless", "0.1", "--out", "x"), "--out must stand with --standard"),
    ):
        wrong = run("require", "plan", *more)
        assert (wrong.code, said in wrong.err) == (2, True), wrong.err
