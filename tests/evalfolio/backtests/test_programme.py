"""The programme as users run it in the back-test: `evalfolio replan` buys the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.menus.synthetic import prior_posterior

from evalbayes.catalogue import Catalogue
from evalbayes.posterior.posterior import Posterior
from evalfolio.backtests.in_stages import ENDS, InStages
from evalfolio.backtests.market import Sight
from evalfolio.backtests.programme import COLUMNS, DRAWS, AsRun, catalogue_of
from evalfolio.backtests.record import Design, record_of
from evalfolio.backtests.replay import BY_TASK, OURS, as_run, backtest
from evalfolio.backtests.teaching import ResponseModel
from evalfolio.backtests.trial import Setting, Trials, prepared
from evalfolio.export import write_all
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.replanning import replan
from evalfolio.recommendations.recommender import recommend

PLANNER = AsRun(Path("unused"))
SHARE = 0.3


@dataclass(frozen=True)
class World:
    """An AI model's trials, and what the programme begins with."""

    trials: Trials
    catalogue: Catalogue
    start: Posterior

    @property
    def budget(self) -> float:
        return SHARE * self.trials.bill

    def sight(self, design: Design) -> Sight:
        """Return what a design's runs have shown."""
        teaching = self.trials.teaching
        return Sight(self.trials.hidden.buy(design), lambda runs: teaching.foresight(runs, 1, 0))

    def stages(self, planner: AsRun = PLANNER) -> list[Design]:
        """Return the designs of all stages."""
        buying = InStages(planner).stages(
            self.trials.market, self.budget, np.random.default_rng([0, 0, 1])
        )
        found = [next(buying)]
        while True:
            try:
                found.append(buying.send(self.sight(found[-1])))
            except StopIteration as stop:
                return [*found, stop.value]


@pytest.fixture(scope="module")
def world(runs: pd.DataFrame) -> World:
    setting = Setting((SHARE,), 1, inference=ResponseModel(draws=48))
    trials = prepared("model 2", record_of(runs), setting)
    assert trials is not None
    catalogue = catalogue_of(trials.market)
    start = replace(prior_posterior(catalogue), ai_models=("older", "tested"))  # quick to make
    # Spends of the world, in place of the 3,000 tokens a minute of `prior_posterior`.
    pace = {
        key: start.draws[key] - np.log(100.0) for key in ("success_location", "gave_up_location")
    }
    start = replace(start, draws={**start.draws, **pace})
    trials.market.remembered(("start", PLANNER), lambda: (catalogue, start))
    return World(trials, catalogue, start)


def test_replan_on_files_chooses_what_the_strategy_does_in_memory(
    world: World, tmp_path: Path
) -> None:
    market, first = world.trials.market, world.stages()[0]
    sight = world.sight(first)
    whole = {"usd": ENDS[1] * world.budget, "staff_hours": 0.0}
    made = recommend(
        world.catalogue, None, world.start,
        budget=whole, contingency={}, method=PLANNER.method, frontier_points=0,
    )  # fmt: skip
    at_once = PLANNER.plan(market, None, whole["usd"])
    assert list(made.plan.chosen) == list(at_once.chosen)
    write_all(made, tmp_path / "plan")
    file = tmp_path / "results.csv"
    sight.runs.assign(ai_model="tested")[COLUMNS].to_csv(file, index=False)
    replanned = replan(
        Programme.load(tmp_path / "plan"), [file],
        used={"usd": sight.spent}, method=PLANNER.method, frontier_points=0,
    ).recommendation.plan  # fmt: skip
    next_stage = PLANNER.plan(market, sight, whole["usd"] - sight.spent)
    assert list(replanned.chosen) == list(next_stage.chosen)
    assert replanned.chosen
    assert replanned.spend["usd"] == pytest.approx(next_stage.spend["usd"])


def test_stages_buy_what_plans_say_and_nothing_twice(world: World) -> None:
    designs, market = world.stages(), world.trials.market
    assert len(designs) == len(ENDS)
    assert len(designs[0])
    for before, after in pairwise([Design([], 1.0), *designs]):
        was, now = set(before.rows()), after.rows()
        assert was <= set(now)  # none again, none carried on
        assert (after.attempts == 1).all()
    first = PLANNER.plan(market, None, ENDS[0] * world.budget)
    tasks = market.tasks.set_index("at").loc[designs[0].tasks, "eval"].value_counts()
    planned = first.choices.set_index("eval")["tasks"]
    assert (tasks <= planned.reindex(tasks.index)).all()


def test_no_stage_is_expected_to_pass_the_budget(world: World) -> None:
    design = world.trials.design("ours", InStages(PLANNER), world.budget, 0)  # checks every stage
    assert design.rows() == world.stages()[-1].rows()
    assert design.promised is not None
    assert design.promised.shape == world.trials.market.losses.levels.shape
    assert (design.promised >= 0).all()
    evpi = world.trials.setting.losses.perfect(world.trials.market.horizons)
    assert design.promised.mean() <= 2 * evpi.mean()


def test_a_stage_without_money_adds_nothing(world: World) -> None:
    first = world.stages()[0]
    sight = world.sight(first)
    nothing, added = PLANNER.bought(world.trials.market, sight, 1e-9, np.random.default_rng(0))
    assert nothing == []
    assert added.shape == world.trials.market.losses.levels.shape


def test_fits_are_kept(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def fitted(*_: Any, keep: Path, **__: Any) -> Posterior:
        asked.append(keep)
        return world.start

    monkeypatch.setattr("evalbayes.model.fit.fit", fitted)
    planner = AsRun(tmp_path / "fits")
    catalogue, start = planner.start(world.trials.market)
    planner.start(world.trials.market)
    assert catalogue == world.catalogue
    assert start.n_draws == min(world.start.n_draws, DRAWS)
    assert asked[0] == asked[1]
    assert Posterior.load(asked[0]).n_draws == world.start.n_draws


def test_the_back_test_compares_it_with_the_planner_by_task(
    world: World, runs: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalbayes.model.fit.fit", lambda *_, **__: world.start)
    found = backtest(
        record_of(runs), budgets=(SHARE,), repetitions=1, ai_models=["model 2"],
        inference=ResponseModel(draws=48), extra=as_run(tmp_path),
    )  # fmt: skip
    by = found.trials.set_index("strategy")
    assert {OURS, BY_TASK} <= set(by.index)
    assert by.loc[OURS, "promised"] is not None
    own, other = by.loc[OURS, "spent"], by.loc[BY_TASK, "spent"]
    assert isinstance(own, float)
    assert 0 < own != other
    assert f"of {BY_TASK}" not in found.findings[0].figures  # no rival of itself
