"""Every command runs as documented and writes what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evalbayes.posterior.posterior import Posterior

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

FILES = {
    "mix.csv",
    "mix.parquet",
    "tasks.csv",
    "menu.csv",
    "frontier.csv",
    "plan.json",
    "catalogue.json",
    "certificate.json",
    "plan.xlsx",
    "report.html",
    "posterior.nc",
    "menu",
}


@pytest.mark.parametrize("name", ["catalogue.toml", "catalogue.xlsx"])
def test_init_writes_a_catalogue_that_passes_its_check(run: Run, name: str) -> None:
    assert run("init", name).code == 0
    result = run("check", name)
    assert result.code == 0, result.err
    assert "under test" in result.out
    again = run("init", name)
    assert again.code == 2
    assert "must not exist yet" in again.err
    assert run("init", name, "--force").code == 0


def test_check_reads_the_inputs_back(run: Run, files: tuple[Path, Path]) -> None:
    result = run("check", *files)
    assert result.code == 0
    assert "cyber" in result.out
    assert "elicitation gap" in result.out


def test_import_table_makes_runs(run: Run, files: tuple[Path, Path]) -> None:
    Path("raw.csv").write_text(
        "benchmark,task,model,success,tokens\nctf,t1,D,1,40000\nctf,t2,D,0,1990000\n"
        "ctf,t3,D,0,90000\n"
    )
    result = run(
        "import",
        "table",
        "raw.csv",
        "--out",
        "runs.csv",
        "--map",
        "eval=benchmark",
        "--map",
        "ai_model=model",
        "--map",
        "spend=tokens",
        "--set",
        "cap=2000000",
    )
    assert result.code == 0, result.err
    assert list(pd.read_csv("runs.csv")["outcome"]) == ["success", "stopped_by_cap", "gave_up"]
    assert run("check", files[0], files[1], "runs.csv").code == 0


def test_fit_then_curves_then_recommend_then_score(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    first = posterior_file.with_name("said.txt").read_text()  # of the fit that sampled
    assert "The fit passes its gate." in first
    shutil.copy(posterior_file, "posterior.nc")
    fitted = run("fit", *files, "--out", "posterior.nc", "--seed", 1, "--draws", 2500)
    assert fitted.code == 0, fitted.err
    assert "The fit passes its gate." in fitted.out  # kept, as nothing has changed
    again, before = Posterior.load("posterior.nc"), Posterior.load(posterior_file)
    np.testing.assert_array_equal(again.draws["shown"], before.draws["shown"])

    curves = run("curves", files[0], "--posterior", "posterior.nc", "--json")
    assert curves.code == 0, curves.err
    assert {row["eval"] for row in json.loads(curves.out)} == {"ctf", "exploits"}

    words = ("--posterior", "posterior.nc", "--sensitivity", "--out", "plan")
    plan = run("recommend", files[0], *words)
    assert plan.code == 0, plan.err
    assert plan.out.startswith("Run ")
    assert plan.out.splitlines()[1].startswith("It hangs on ")
    assert {path.name for path in Path("plan").iterdir()} == FILES
    tipped = {row["name"] for row in json.loads(Path("plan/plan.json").read_text())["sensitivity"]}
    assert {"cyber: danger threshold", "all evals: validity error (factor)"} <= tipped
    page = Path("plan/report.html").read_text("utf-8")
    assert all(f'<th scope="row">{name}</th>' in page for name in tipped)

    proved = run("verify", "plan", "--menu", "plan/menu")
    assert proved.code == 0, proved.err
    assert proved.out.startswith("Proved by the stand-in for skewed gaps that it carries as data: ")
    claim = json.loads(run("verify", "plan/certificate.json", "--json").out)
    assert set(claim["choice"]) == set(pd.read_csv("plan/mix.csv")["option"])
    certificate = Path("plan/certificate.json")
    true = certificate.read_text()
    asked = json.loads(true)
    asked["question"]["budgets"]["usd"] *= 0.999  # a question of its own, truly answered
    certificate.write_text(json.dumps(asked))
    assert run("verify", certificate).code == 0
    of_another = run("verify", "plan")
    assert of_another.code == 2
    assert "its budgets are not those asked for" in of_another.err
    certificate.write_text(true)

    score = run("score", "plan/mix.csv", "--plan", "plan", "--json")
    assert score.code == 0, score.err
    assert json.loads(score.out)["regret"] == pytest.approx(0.0, abs=1e-12)
    assert not json.loads(score.out)["over_budget"]


def test_recommend_as_json_is_the_record(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    words = ("recommend", files[0], "--posterior", posterior_file, "--out", "plan")
    result = run(*words, "--json")
    assert result.code == 0, result.err
    record = json.loads(result.out)
    assert record == json.loads(Path("plan/plan.json").read_text())
    assert "sensitivity" not in record


@pytest.mark.slow  # three plans by cvxpy, frontiers too
def test_a_plan_near_the_best_split_is_told_as_one(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    words = ("recommend", files[0], "--posterior", posterior_file)
    made = run(*words, "--method", "convex", "--out", "plan")
    assert made.code == 0, made.err
    record = json.loads(Path("plan/plan.json").read_text())
    assert record["value"]["status"] == "convex"
    assert "The best split in parts: " in made.out
    assert "not certified to the gap asked for (convex), but within" in made.err + made.out
    best = run(*words, "--out", "best", "--json")
    certified = json.loads(best.out)["value"]
    # both are by the stand-in for skewed gaps, which is apart by as much on either mix
    assert record["value"]["bound"] >= certified["evsi"] * (1 - 1e-3)
    assert set(record["split"]) <= set(pd.read_csv("plan/menu.csv")["option"])
    again = run("replan", "plan", "--out", "next", "--method", "convex", "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["value"]["status"] == "convex"
    wrong = run(*words, "--method", "magic", "--out", "no")
    assert wrong.code == 2
    assert "method must be one of certified, greedy, convex, got 'magic'" in wrong.err


def test_a_stored_posterior_follows_what_is_set_once_however_often_it_is_set(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    at = posterior_file
    for out in ("once", "twice"):
        words = ("recommend", files[0], "--posterior", at, "--set", "cyber.elicitation_gap*2")
        result = run(*words, "--out", out, "--quiet")
        assert result.code == 0, result.err
        at = Path(out) / "posterior.nc"
    once, twice = (json.loads(Path(o, "plan.json").read_text()) for o in ("once", "twice"))
    assert once["domains"] == twice["domains"]


@pytest.mark.parametrize("budget", ["usd=0", "usd=0.001"])
def test_a_budget_too_small_for_anything_is_an_answer(
    run: Run, files: tuple[Path, Path], posterior_file: Path, budget: str
) -> None:
    result = run(
        "recommend",
        files[0],
        "--posterior",
        posterior_file,
        "--budget",
        budget,
        "--out",
        "plan",
    )
    assert result.code == 0, result.err
    assert result.out.startswith("Run nothing")
    assert "least useful budget" in result.out
    record = json.loads(Path("plan/plan.json").read_text())
    assert record["choices"] == []


def test_the_same_seed_gives_the_same_plan(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    texts = []
    words = ("recommend", files[0], "--posterior", posterior_file)
    for out in ("one", "two"):
        assert run(*words, "--out", out).code == 0
        texts.append(Path(out, "plan.json").read_text())
    assert texts[0] == texts[1]
