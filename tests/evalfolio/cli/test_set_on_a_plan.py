"""Figures of the catalogue set beside a plan that stands: what score and require say of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.evalfolio.cli.conftest import Run

SETTING = ("--set", "cyber.threshold+1")


def test_score_and_require_follow_what_is_set_as_recommend_does(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    Path("scenarios.csv").write_text("name,settings\nfar,cyber.threshold+1\n")
    common = ("recommend", files[0], "--posterior", posterior_file, "--json")
    made = run(*common, "--out", "plan", "--scenarios", "scenarios.csv")
    assert made.code == 0, made.err
    beside = {row["scenario"]: row for row in json.loads(made.out)["scenarios"]}
    assert beside["far"]["settings"] == "cyber.threshold+1"
    far = json.loads(run(*common, "--out", "far", *SETTING).out)

    words = ("score", "far/mix.csv", "--plan", "plan", "--catalogue", files[0], *SETTING, "--json")
    scored = run(*words)
    assert scored.code == 0, scored.err
    told = json.loads(scored.out)
    assert told["value"] == pytest.approx(far["value"]["evsi"], rel=1e-9)
    assert told["plan_value"] == pytest.approx(beside["far"]["of_this_plan"], rel=1e-9)
    for row in far["domains"]:
        own = told["decisions"][row["name"]]
        assert own["p_missed_expected"] == pytest.approx(row["p_missed_expected"], abs=1e-9)
    assert "probabilities, by decision" in told["units"]["decisions"]
    same = run("score", "plan/mix.csv", "--plan", "plan", "--quiet")
    assert "the same as the plan's" in same.out

    # What was set when a plan was made stays set beside what is set now.
    half, rest = ("--set", "cyber.threshold+0.4"), ("--set", "cyber.threshold+0.6")
    assert run(*common, "--out", "half", *half).code == 0
    both = run("score", "far/mix.csv", "--plan", "half", "--catalogue", files[0], *rest, "--json")
    assert json.loads(both.out)["value"] == pytest.approx(far["value"]["evsi"], rel=1e-6)

    most = far["domains"][0]["p_missed_expected"]
    target = ("--danger-missed", f"cyber={100 * most}%", *SETTING, "--catalogue", files[0])
    needed = run("require", "plan", *target, "--json")
    assert needed.code == 0, needed.err
    assert json.loads(needed.out)["need"] <= far["spend"]["usd"] * (1 + 1e-9)


def test_what_is_set_needs_the_plans_own_catalogue_and_posterior(
    run: Run, files: tuple[Path, Path], plan_folder: Path
) -> None:
    target = ("require", plan_folder, "--danger-missed", "0.1", *SETTING)
    for words, said in (
        ((), "--set and --catalogue must stand together"),
        (("--catalogue", files[1]), "must be the catalogue that"),
    ):
        result = run(*target, *words)
        assert result.code == 2
        assert said in result.err
