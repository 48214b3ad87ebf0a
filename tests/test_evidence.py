"""The page on more evidence runs as it stands: its catalogues, its recipes, its commands."""

from __future__ import annotations

import math
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from tests.evalbayes.catalogue.test_study import two
from tests.evalfolio.readers.test_recipes import AGGREGATE, HAL, LM, SWE, TERMINAL, instance, write
from typer.testing import CliRunner

from evalbayes.catalogue import parse_catalogue
from evalbayes.inputs import check_inputs
from evalbayes.model.study_readings import read_by_study
from evalbayes.observations import read_observations

PAGE = (Path(__file__).parents[1] / "docs" / "how-to" / "evidence.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.S | re.M)


def test_the_studies_of_the_page_are_read_as_told() -> None:
    trial, red_team = parse_catalogue(two(*tomllib.loads(blocks("toml")[0])["study"])).studies
    assert trial.participants is not None
    assert trial.sampling_sd(trial.participants) == pytest.approx(1.2 * (2 / 60) ** 0.5)
    assert (red_team.lasting_sd, red_team.effort) == (0.6, 0.7)


def test_the_results_of_studies_on_the_page_are_read_as_told(tmp_path: Path) -> None:
    given = two(*tomllib.loads(blocks("toml")[0])["study"])
    catalogue = parse_catalogue(given | {"portfolio": {"ai_model": "Model under test"}})
    (tmp_path / "studies.csv").write_text(blocks("csv")[0])
    found = read_observations(tmp_path / "studies.csv", catalogue)
    red_team, trial, before = found.studies.to_dict("records")
    assert read_by_study(red_team, catalogue.studies[1], catalogue)[:2] == (2.1, 0.6**2)
    read, variance, _ = read_by_study(trial, catalogue.studies[0], catalogue)
    assert read == pytest.approx(2.0 + 1.2 * (0.7 - 0.8))  # the threshold is at 2
    spread = 1 / 58 + 1 / 60 + 0.7**2 / (2 * 118)
    assert variance == pytest.approx(0.5**2 + 1.2**2 * spread)
    read, variance, _ = read_by_study(before, catalogue.studies[0], catalogue)
    odds = math.log(31.5 / 29.5 * 42.5 / 18.5) * math.sqrt(3) / math.pi
    assert read == pytest.approx(2.0 + 1.2 * (odds - 0.8))
    spread = 3 / math.pi**2 * (1 / 31.5 + 1 / 29.5 + 1 / 18.5 + 1 / 42.5)
    assert variance == pytest.approx(0.5**2 + 1.2**2 * spread)
    lines = check_inputs(catalogue, found).lines
    assert "uplift trial of Model under test reads 1.9 ± 0.55 (sd)" in lines


def test_every_recipe_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalfolio.cli.app import app

    monkeypatch.chdir(tmp_path)
    write(Path("gaia_samples.jsonl"), [instance("s1", True), instance("s2", False)])
    write(Path("samples_arc.jsonl"), [row | {"acc_norm": row["acc"]} for row in LM])
    for name, content in {
        "gpqa.json": AGGREGATE,
        "gaia_UPLOAD.json": HAL,
        "report.json": SWE,
        "results.json": TERMINAL,
    }.items():
        write(Path(name), content)
    lines = blocks("sh")[0].splitlines()
    assert len(lines) == 7
    for line in lines:
        words = shlex.split(line)[1:]
        said = CliRunner().invoke(app, words)
        assert said.exit_code == 0, (line, said.output)
        assert "note: " in said.output
        assert Path(words[words.index("--out") + 1]).read_text().count("\n") >= 2
