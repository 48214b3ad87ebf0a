"""Studies on a menu: what they tell and take, against simulation of their participants."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior

import evalfolio as ef
from evalbayes import Menu
from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.menus import build_menu
from evalfolio.limits import Limit, MinEvals
from evalfolio.limits.vocabulary import check_names
from evalfolio.search.question import Question

LOSSES = {"loss_missed": 3.0, "loss_false_alarm": 1.0}


def bio(**changes: Any) -> dict[str, Any]:
    common = {"domain": "bio", "review_minutes_per_run": 0, "staff_hours_elicitation": 60}
    return {
        "portfolio": {"ai_model": "newest"},
        "domain": [
            {
                "name": "bio",
                "unit": "sd of experts",
                "threshold": 1.2,
                "shown_capability": [-1.0, 2.5],
                "elicitation_gap": [0.1, 1.5],
                **LOSSES,
            }
        ],
        "eval": [
            {"name": "q1", "tasks": 60, "difficulty": 0.2, "usd_per_run": [5, 20], **common},
            {"name": "q2", "tasks": 40, "difficulty": 1.0, "usd_per_run": [9, 30], **common},
        ],
        "study": [
            {
                "name": "trial",
                "domain": "bio",
                "effort": 0.0,
                "participants": 40,
                "effect_scale": 1.5,
                "validity_sd": 0.4,
                "usd": 4_000,
                "usd_per_participant": 100,
                "hours": 80,
                "days": 30,
                **changes,
            },
            {
                "name": "red team",
                "domain": "bio",
                "effort": 0.8,
                "reading_sd": 0.7,
                "usd": [6_000, 12_000],
                "hours": 40,
                "run_by": "an external firm",
            },
        ],
    }


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return parse_catalogue(bio())


@pytest.fixture(scope="module")
def menu(catalogue: Catalogue) -> Menu:
    return build_menu(prior_posterior(catalogue), catalogue)[0]


def test_a_trial_is_offered_with_all_half_and_a_quarter_of_its_people(menu: Menu) -> None:
    own = menu.options[menu.options["eval"] == "trial"]
    assert list(own.index) == [f"trial / study / {n} + {n}" for n in (40, 20, 10)]
    assert list(own["usd"]) == [12_000.0, 8_000.0, 6_000.0]
    assert (own["tier"] == "study").all()
    assert (own["staff_hours"] == 80).all()
    assert (own["days"] == 30).all()
    other = menu.options.loc["red team / study"]
    assert 6_000 < other["usd"] < other["usd_p90"] < other["usd_ceiling"]
    assert other["run_by"] == "an external firm"
    names = list(menu.states)
    k = menu.options.index.get_loc("red team / study")
    told = {"bio.shown": 1.0, "bio.gap": 0.8}
    h = np.array([told.get(name, 0.0) for name in names])
    assert np.allclose(menu.information[k], np.outer(h, h) / 0.7**2)


def test_the_effects_sd_is_that_of_simulated_arms(catalogue: Catalogue) -> None:
    trial, rng = catalogue.studies[0], np.random.default_rng(3)
    for n in (5, 40):
        sd, effect = 7.0, 2.4  # of scores: whatever their scale, effect_scale is per sd
        control = rng.normal(0.0, sd, (40_000, n)).mean(axis=1)
        treated = rng.normal(effect, sd, (40_000, n)).mean(axis=1)
        read = 1.5 * (treated - control) / sd
        assert read.std() == pytest.approx(trial.sampling_sd(n), rel=0.015)
        assert read.mean() == pytest.approx(1.5 * effect / sd, abs=0.02)


def test_its_value_is_that_of_simulated_results(menu: Menu, catalogue: Catalogue) -> None:
    """People are drawn, their effect is read, the belief follows by Bayes, and a call is made."""
    rng, n, many = np.random.default_rng(5), 20, 400_000
    decision, spec = menu.decisions[0], catalogue.studies[0]
    z = rng.multivariate_normal(menu.prior_mean, menu.prior_covariance, many)
    y = z @ decision.contrast + rng.normal(decision.later_gain_mean, decision.later_gain_sd, many)
    shown = z[:, menu.states.index("bio.shown")]
    lasting = rng.normal(0.0, spec.lasting_sd, many)
    arms = rng.normal(0.0, 1.0 / np.sqrt(n), (2, many))
    read = shown + lasting + 1.5 * (arms[0] - arms[1])
    # E[y | read] of the normal belief, by regression on the draws themselves
    slope = np.cov(y, read)[0, 1] / read.var()
    mean = y.mean() + slope * (read - read.mean())
    left = np.sqrt(y.var() - slope**2 * read.var())

    def losses(mean: Any, sd: Any) -> Any:
        from scipy.stats import norm

        d = (mean - decision.threshold) / sd
        above = sd * (norm.pdf(d) + d * norm.cdf(d))
        below = sd * (norm.pdf(d) - d * norm.cdf(-d))
        return np.minimum(decision.loss_missed * above, decision.loss_false_alarm * below)

    simulated = float(losses(y.mean(), y.std()) - losses(mean, left).mean())
    surrogate = ef.optimise(
        Menu(
            **{
                **{f: getattr(menu, f) for f in ("options", "resources", "information", "states")},
                **{f: getattr(menu, f) for f in ("prior_mean", "prior_covariance", "decisions")},
            }
        ).subset(menu.options.index == "trial / study / 20 + 20"),
        budget={},
    )
    assert surrogate.chosen == ("trial / study / 20 + 20",)
    assert surrogate.value == pytest.approx(simulated, rel=0.02)


@pytest.mark.parametrize("usd", [3_000.0, 9_000.0, 15_000.0, 30_000.0])
def test_the_certified_mix_is_that_of_brute_force(menu: Menu, usd: float) -> None:
    budget = {"usd": usd, "staff_hours": 190.0}
    limits: tuple[Limit, ...] = (MinEvals("bio", 2),)
    plan = ef.optimise(menu, budget=budget, constraints=limits, gap=1e-6)
    evals = [[None, *rows.index] for _, rows in menu.options.groupby("eval")]
    problem = Question(menu, budget, limits)
    best = 0.0
    for mix in product(*evals):
        names = [name for name in mix if name is not None]
        own = menu.options.loc[names]
        fits = own["usd"].sum() <= usd and own["staff_hours"].sum() <= 190.0
        if fits and len(names) >= 2:
            best = max(best, float(ef.evaluate(menu, names).value))
    assert problem.menu is menu
    assert plan.value == pytest.approx(best, rel=1e-6)


def test_more_people_tell_more_up_to_what_they_cannot(menu: Menu) -> None:
    shown = menu.states.index("bio.shown")
    people = menu.options.index.str.startswith("trial")
    told = menu.information[people, shown, shown][::-1]  # the fewest first
    assert np.diff(told).min() > 0
    assert told.max() < 1 / 0.4**2


def test_a_study_that_takes_too_long_is_left_off_and_said() -> None:
    catalogue = parse_catalogue(bio() | {"budget": {"calendar_days": 20}})
    menu, notes = build_menu(prior_posterior(catalogue), catalogue)
    assert "trial" not in set(menu.options["eval"])
    assert ("trial", "it takes 30 days by itself, and there are 20") in notes.left_off


def test_floors_know_what_studies_can_tell(catalogue: Catalogue) -> None:
    posterior = prior_posterior(catalogue)
    bare = catalogue.model_copy(update={"studies": ()})
    floor = "validity_floor_sd"
    with_studies = build_menu(posterior, catalogue)[1].floors["bio"][floor]
    assert with_studies < build_menu(posterior, bare)[1].floors["bio"][floor]


def test_limits_may_name_a_study(catalogue: Catalogue) -> None:
    check_names([ef.Mandatory("trial"), ef.Forbidden("red team / study")], catalogue)
