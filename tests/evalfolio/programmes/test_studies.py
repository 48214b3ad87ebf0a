"""Studies in a programme: made once, paid, never sold again, told of at every step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior
from tests.evalbayes.menus.test_studies import bio

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.menus import build_menu
from evalfolio.errors import InputError
from evalfolio.export import write_all
from evalfolio.programmes.concluding import conclude, write_conclusion
from evalfolio.programmes.further import further
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.replanning import replan
from evalfolio.programmes.stages import stages
from evalfolio.recommendations.recommender import recommend
from evalfolio.search.question import Question

TRIAL = "study,ai_model,effect,participants_with,participants_without\ntrial,newest,0.3,18,20\n"
RED_TEAM = "study,ai_model,reading\nred team,newest,1.4\n"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    budget = {"usd": 60_000, "staff_hours": 400, "calendar_days": 60}
    return parse_catalogue(bio(effect_at_threshold=0.8, mandatory=True) | {"budget": budget})


@pytest.fixture(scope="module")
def folder(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("programme")
    made = recommend(catalogue, None, prior_posterior(catalogue), frontier_points=0)
    assert "trial" in {row.eval for row in made.record.choices}  # it is mandatory
    write_all(made, where / "plan")
    (where / "trial.csv").write_text(TRIAL)
    (where / "red.csv").write_text(RED_TEAM)
    return where


def test_it_is_paid_told_of_and_not_sold_again(folder: Path) -> None:
    step = replan(Programme.load(folder / "plan"), [folder / "trial.csv"], frontier_points=0)
    assert step.paid == {"usd": 4_000 + 38 * 100, "staff_hours": 80, "agent_hours": 0}
    account = step.recommendation.record.programme
    assert account is not None
    assert account.sentences[0] == (
        "Step 1: results of trial have come in and used 7,800 of $60,000, 80 of 400 staff hours."
    )
    rows = {row["eval"]: row for row in step.step["changes"]}
    assert (rows["trial"]["run"], rows["trial"]["next"], rows["trial"]["why"]) == (
        "made", "", "run",
    )  # fmt: skip
    menu = step.recommendation.menu
    assert list(menu.options.index[menu.options["eval"] == "trial"]) == ["trial / done"]
    assert "trial" not in {row.eval for row in step.recommendation.record.to_run}
    assert "trial / done" in step.recommendation.plan.chosen  # so what is mandatory is kept
    programme = Programme.load(folder / "plan")
    write_all(
        step.recommendation,
        folder / "next",
        programme=lambda where: programme.write(where, [folder / "trial.csv"], step.step),
    )
    later = Programme.load(folder / "next")
    with pytest.raises(InputError, match="these came in at step 1 already"):
        replan(later, [folder / "trial.csv"], frontier_points=0)
    both = replan(later, [folder / "red.csv"], used={"usd": 20_000.0}, frontier_points=0)
    assert both.paid["usd"] == 20_000
    assert both.paid["staff_hours"] == 120
    assert set(both.step["changes"][0]) == {"eval", "before", "run", "next", "why"}
    again = replan(Programme.load(folder / "plan"), [folder / "red.csv", folder / "trial.csv"])
    assert again.recommendation.record.domains[0].p_exceeds == pytest.approx(
        both.recommendation.record.domains[0].p_exceeds
    )


def test_the_closing_report_holds_it_against_what_was_foretold(
    folder: Path, tmp_path: Path
) -> None:
    programme = Programme.load(folder / "plan")
    found = conclude(programme, [folder / "trial.csv", folder / "red.csv"])
    trial, red_team = found.studies
    assert (trial["study"], red_team["study"]) == ("trial", "red team")
    assert trial["read"] == pytest.approx(1.2 + 1.5 * (0.3 - 0.8))
    assert red_team["sd"] == pytest.approx(0.7)
    m = programme.start.ai_models.index("newest")
    s, gap = (programme.start.draws[key][:, 0, m] for key in ("shown", "gap"))
    spread = np.sqrt((s + 0.8 * gap).var() + 0.7**2)
    width = (red_team["high"] - red_team["low"]) / (2 * 1.645)
    assert width == pytest.approx(spread, rel=0.1)
    assert not found.results
    (tmp_path / "odd.csv").write_text("study,ai_model,reading\nred team,newest,9\n")
    odd = conclude(programme, [tmp_path / "odd.csv"])
    assert odd.surprises[0]["sentence"].startswith("red team read 9, more than the ")
    page = (write_conclusion(odd, programme, [], tmp_path / "out") / "conclusion.html").read_text()
    assert "red team read 9" in page
    assert ">Reads capability<" in page


def test_stages_buy_a_study_once_and_extend_a_trial(catalogue: Catalogue) -> None:
    menu, _ = build_menu(prior_posterior(catalogue), catalogue, with_draws=False)
    left = further(menu, ["trial / study / 10 + 10", "red team / study"])
    assert "red team / study" not in left.options.index
    more = left.options.loc["trial / study / 40 + 40"]  # what 60 more people cost, no set-up
    assert (more["usd"], more["staff_hours"]) == (6_000, 0)
    question = Question(menu, {"usd": 30_000.0, "staff_hours": 300.0})
    found = stages(question, 2)
    assert found.at_once <= found.value + 3 * found.error
    assert found.value <= found.bound * (1 + 1e-9)
    for own in [found.now, *found.releases["options"]]:
        assert len({menu.options.loc[name, "eval"] for name in own}) == len(own)
