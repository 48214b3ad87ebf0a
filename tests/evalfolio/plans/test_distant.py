"""Thresholds that no eval comes near are said, with what an eval there would add."""

from __future__ import annotations

from typing import Any

import pytest

import evalfolio as ef
from evalbayes import Menu
from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.menus import menu_of
from evalbayes.model.fit import fit
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalfolio.plans.cautions import distant_thresholds


def catalogue(*minutes: float, **domain: Any) -> Catalogue:
    evals = [
        {
            "name": f"tasks of {m:g}",
            "domain": "cyber",
            "tasks": 50,
            "human_minutes": m,
            "usd_per_run": [1, 2],
        }
        for m in minutes
    ]
    data = {
        "portfolio": {"ai_model": "C"},
        "domain": [
            {
                "name": "cyber",
                "threshold_human_time": "32 h",
                "shown_capability": [6, 12],
                **domain,
            }
        ],
        "eval": evals,
    }
    return parse_catalogue(data)


def planned(specs: Catalogue) -> tuple[ef.Plan, Posterior, Menu]:
    posterior = fit(specs, Observations(), draws=2000)
    menu = menu_of(posterior, specs)
    plan = ef.optimise(menu, budget={"usd": 1e4, "staff_hours": 400})
    return plan, posterior, menu


def test_what_an_eval_at_the_threshold_would_add_is_what_buying_it_adds() -> None:
    specs = catalogue(10, 60)
    plan, posterior, _ = planned(specs)
    (sentence,) = distant_thresholds(plan, posterior, specs).values()
    assert "No eval here is within 3 doublings of cyber's threshold, 32 h" in sentence
    assert "the nearest, tasks of 60, is 5 away" in sentence
    assert "tasks of 16 h to 64 h" in sentence
    assert "tasks of 60 at the threshold / " in sentence
    said = float(sentence.split("would add ")[1].split(" %")[0])
    # The same with a third eval at the threshold, of the same price: its best option beside them.
    wider = catalogue(10, 60, 1920)
    menu = menu_of(fit(wider, Observations(), draws=2000), wider)
    base = [option for option in plan.chosen if option in menu.options.index]
    assert len(base) == len(plan.chosen)
    own = menu.options.index[menu.options["eval"] == "tasks of 1920"]
    evpi = ef.optimise(menu, budget={"usd": 1e4, "staff_hours": 400}).evpi
    before = ef.evaluate(menu, base).value
    more = max(ef.evaluate(menu, [*base, option]).value for option in own) - before
    assert said / 100 == pytest.approx(more / evpi, rel=0.25)
    assert said > 5


@pytest.mark.parametrize("near", [480.0, 1920.0])
def test_nothing_is_said_where_an_eval_is_near(near: float) -> None:
    specs = catalogue(10, near)
    plan, posterior, _ = planned(specs)
    assert distant_thresholds(plan, posterior, specs) == {}
