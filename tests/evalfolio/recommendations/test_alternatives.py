"""Scenarios side by side: read from a table, planned from one posterior, told beside the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior, small_catalogue

from evalbayes.catalogue import catalogue_to_toml, read_catalogue
from evalbayes.menus import build_menu
from evalfolio.errors import InputError
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.optimiser import answer
from evalfolio.recommendations.alternatives import read_scenarios, side_by_side
from evalfolio.recommendations.recommender import question_of
from evalfolio.sensitivities.basis import believed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.toml"
    path.write_text(catalogue_to_toml(small_catalogue()))
    return path


def test_both_forms_of_a_table_say_the_same(tmp_path: Path) -> None:
    table, toml = tmp_path / "s.csv", tmp_path / "s.toml"
    table.write_text(
        "Name,budget.usd,settings\npoor,/2,\nrich,30000,cyber.threshold+1; evals.tasks*2\n,,\n"
    )
    toml.write_text(
        'poor = "budget.usd/2"\nrich = ["cyber.threshold+1", "evals.tasks*2", "budget.usd=30000"]\n'
    )
    assert read_scenarios(table) == read_scenarios(toml)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.csv", "what,settings\na,budget.usd*2\n", "there must be a column 'name'"),
        ("s.csv", "name,settings\na,budget.usd*2\na,budget.usd*3\n", "of its own, got 'a' twice"),
        ("s.csv", "name,settings\n,budget.usd*2\n", "of its own, got none"),
        ("s.csv", "name,settings\na,\n", "scenario 'a' must set something"),
        ("s.csv", "name,settings\na,budget\n", "scenario 'a': setting 'budget': must be a path"),
        ("s.csv", "name,settings\n", "must be at least one scenario"),
        ("s.toml", "a = 3\n", "scenario 'a' must be a list of settings in quotes, got 3"),
        ("s.txt", "", "must be a .csv or .toml file, got '.txt'"),
    ],
)
def test_a_table_that_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_scenarios(path)
    assert message in str(error.value)


def test_plans_stand_beside_the_plan_at_their_own_catalogues(file: Path) -> None:
    catalogue = read_catalogue(file)
    posterior = prior_posterior(catalogue).thinned(400)
    menu, _ = build_menu(posterior, catalogue)
    plan = answer(question_of(catalogue, menu))
    scenarios = {
        "rich": ["budget.usd*4", "budget.staff_hours*4"],
        "none": ["budget.usd=0"],
        "asked": ["cybench.mandatory=true", "budget.usd=1"],
        "late": ["autonomy.threshold+2"],
    }
    table = side_by_side(plan, file, posterior, scenarios)
    assert list(table.index) == ["as planned", *scenarios]
    rows = table.to_dict("index")
    assert rows["as planned"]["value"] == pytest.approx(plan.value)
    assert rows["as planned"]["changes"] == ""
    assert rows["rich"]["value"] > plan.value
    assert rows["rich"]["of_this_plan"] == pytest.approx(plan.value)
    assert (rows["none"]["evals"], rows["none"]["value"]) == (0, 0.0)
    assert np.isnan(rows["none"]["of_this_plan"])
    assert rows["asked"]["changes"] == "nothing meets all limits"
    moved = read_catalogue(file, scenarios["late"])
    held = build_menu(posterior, moved, with_draws=False)[0]
    assert rows["late"]["of_this_plan"] == pytest.approx(evaluate(held, plan.chosen).value)
    assert rows["late"]["value"] >= rows["late"]["of_this_plan"] * (1 - 1e-3)
    with pytest.raises(
        InputError, match=r"scenario 'a': budget\.usd=3 and --budget usd=9 are about"
    ):
        side_by_side(plan, file, posterior, {"a": ["budget.usd=3"]}, budget={"usd": 9.0})


def test_a_stored_posterior_follows_the_gap_as_its_prior_moves(file: Path) -> None:
    catalogue = read_catalogue(file)
    posterior = prior_posterior(catalogue).thinned(400)
    k = posterior.domains.index("cyber")
    twice = believed(posterior, catalogue, read_catalogue(file, ["cyber.elicitation_gap*2"]))
    assert np.allclose(twice.draws["gap"][:, k], 2 * posterior.draws["gap"][:, k])
    again = believed(twice, catalogue, read_catalogue(file, ["cyber.elicitation_gap*2"]))
    assert np.array_equal(again.draws["gap"], twice.draws["gap"])  # it tells what it was made with
    other = posterior.domains.index("autonomy")
    assert np.array_equal(twice.draws["gap"][:, other], posterior.draws["gap"][:, other])
    stated = believed(posterior, catalogue, read_catalogue(file, ["cyber.elicitation_gap=[1, 4]"]))
    low, high = np.quantile(stated.draws["gap"][:, k], [0.05, 0.95])
    assert (low, high) == (pytest.approx(1.0, rel=0.25), pytest.approx(4.0, rel=0.25))
    assert believed(posterior, catalogue, catalogue).draws["gap"] is posterior.draws["gap"]
    assert replace(posterior).draws.keys() == twice.draws.keys()


def test_what_is_learned_asks_for_a_fit(file: Path) -> None:
    catalogue = read_catalogue(file)
    posterior = prior_posterior(catalogue).thinned(50)
    for setting in ("cyber.shown_capability+1", "cybench.human_minutes*2", "cybench.family=x"):
        with pytest.raises(InputError, match="is learned with the results, so that a stored"):
            believed(posterior, catalogue, read_catalogue(file, [setting]))
