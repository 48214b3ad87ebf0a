"""`check --posterior` names the five figures to find out first; without one it says what does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.evalbayes.menus.synthetic import prior_posterior
from tests.evalbayes.menus.test_studies import bio
from typer.testing import CliRunner

from evalbayes.catalogue import catalogue_to_toml, parse_catalogue, read_catalogue
from evalbayes.menus import build_menu
from evalfolio.cli.app import app
from evalfolio.recommendations.recommender import question_of, tipping_of
from evalfolio.sensitivities.basis import Basis


def test_check_names_the_figures_to_find_out_first(tmp_path: Path) -> None:
    catalogue = parse_catalogue(bio() | {"budget": {"usd": 30_000, "staff_hours": 300}})
    (tmp_path / "c.toml").write_text(catalogue_to_toml(catalogue))
    belief = prior_posterior(catalogue, n_draws=400)
    belief.save(tmp_path / "posterior.nc")
    command = ["check", str(tmp_path / "c.toml")]
    plain = CliRunner().invoke(app, command)
    assert plain.exit_code == 0, plain.output
    said = " ".join(plain.output.split())
    assert "`recommend`, and `check --posterior` of a fit, name the five of them that move" in said
    stored = [*command, "--posterior", str(tmp_path / "posterior.nc")]
    found = json.loads(CliRunner().invoke(app, [*stored, "--json"]).stdout)["find_out_first"]
    read = read_catalogue(tmp_path / "c.toml")
    question = question_of(read, build_menu(belief, read, with_draws=False)[0])
    theirs = tipping_of(Basis(question, read, belief)).find_out_first()
    assert [row["name"] for row in found] == theirs["name"].tolist()
    assert 1 <= len(found) <= 5
    assert all(row["ask"] for row in found)
    assert found[0]["moves"] == pytest.approx(theirs["moves"].iloc[0], rel=0.05)
    shown = CliRunner().invoke(app, [*stored, "--quiet"])
    assert "Find out first" in shown.output
