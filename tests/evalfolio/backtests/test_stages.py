"""Buying in stages: what is added, what it may cost, and that nothing hidden is seen."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from benchmarks.staged_buying import world

from evalfolio.backtests.by_task import picked
from evalfolio.backtests.in_stages import InStages
from evalfolio.backtests.market import FRACTIONS, Bought, Market, Sight, at_quantiles
from evalfolio.backtests.record import Design, record_of
from evalfolio.backtests.teaching import ResponseModel
from evalfolio.backtests.trial import Setting, Trials, prepared
from evalfolio.errors import InputError

SHARE = 0.3
OURS = InStages()


def trials_of(runs: pd.DataFrame, attempts: int = 1) -> Trials:
    setting = Setting((SHARE,), 1, inference=ResponseModel(draws=48))
    found = prepared("model 2", record_of(runs, attempts=attempts), setting)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def trials(runs: pd.DataFrame) -> Trials:
    return trials_of(runs)


@pytest.fixture(scope="module")
def repeated(runs: pd.DataFrame) -> Trials:
    """Three attempts at every task; later ones of other luck."""
    rng = np.random.default_rng(5)
    rows = [runs.assign(attempt=1)]
    for attempt in (2, 3):
        spend = (runs["spend"] * np.exp(rng.normal(0.0, 0.3, len(runs)))).clip(upper=1000.0)
        other = rng.random(len(runs)) < 0.2
        kept = runs["outcome"].where(~other, "gave_up")
        rows.append(runs.assign(attempt=attempt, spend=spend, outcome=kept))
    return trials_of(pd.concat(rows, ignore_index=True), attempts=3)


def stages_of(trials: Trials, budget: float) -> list[tuple[Design, float]]:
    """Return the designs of all stages, each with what its runs have really spent."""
    found = []
    buying = OURS.stages(trials.market, budget, np.random.default_rng([0, 0, 1]))
    design = next(buying)
    while True:
        runs = trials.hidden.buy(design)
        found.append((design, float(runs["spend"].sum())))
        try:
            design = buying.send(
                Sight(runs, lambda seen: trials.teaching.foresight(seen, trials.attempts, 0))
            )
        except StopIteration as stop:
            design = stop.value
            found.append((design, float(trials.hidden.buy(design)["spend"].sum())))
            return found


@pytest.mark.parametrize("which", ["trials", "repeated"])
def test_stages_add_to_what_was_bought_and_heed_what_was_spent(
    which: str, request: pytest.FixtureRequest
) -> None:
    trials: Trials = request.getfixturevalue(which)
    found = stages_of(trials, SHARE * trials.bill)
    assert len(found) == 3
    for (before, spent), (after, more) in pairwise(found):
        held = {task: bought for task, *bought in after.rows()}
        assert all(held[task][0] >= cap and held[task][1] >= n for task, cap, n in before.rows())
        assert more >= spent
    assert len(found[2][0]) > len(found[0][0]) > 0
    assert found[2][0].rows() == trials.design("ours", OURS, SHARE * trials.bill, 0).rows()


def test_what_an_attempt_failed_is_tried_again(repeated: Trials) -> None:
    once = repeated.hidden.buy(Design(repeated.at, repeated.market.caps, 1))
    sight = Sight(once, lambda seen: repeated.teaching.foresight(seen, 3, 0))
    found, explained = chosen(repeated, sight, 1e9)
    assert {each.attempts for each in found} == {3}
    assert explained == pytest.approx(1.0, abs=0.02)
    lost = once.loc[once["outcome"] != "success", "at"].to_numpy()
    assert sorted(np.take(repeated.at, [each.row for each in found])) == sorted(lost)


def chosen(trials: Trials, sight: Sight, money: float, seed: int = 0) -> tuple[list[Bought], float]:
    order = np.random.default_rng(seed).permutation(len(trials.at))
    price = trials.market.price if sight.price is None else sight.foresight.price
    return picked(trials.market, sight, money, price, order)


def test_nothing_is_bought_where_all_is_settled(trials: Trials) -> None:
    everything = trials.hidden.buy(Design(trials.at, trials.market.caps, 1))
    sight = Sight(everything, lambda seen: trials.teaching.foresight(seen, 1, 0))
    assert chosen(trials, sight, 1e9)[0] == []


def test_what_is_picked_explains_what_conditioning_all_at_once_does(trials: Trials) -> None:
    market = trials.market
    found, explained = chosen(trials, market.unseen, 0.1 * trials.bill)
    foresight, judge = market.unseen.foresight, market.outlook.judge
    p = foresight.solved
    c = np.mean([judge.influence(p[k]) for k in at_quantiles(judge.horizons(p))], axis=0)
    rows = [each.row for each in found]
    upto = np.cumsum(foresight.parts(FRACTIONS), axis=1)
    q = np.stack([upto[:, FRACTIONS.index(each.share), each.row] for each in found], axis=1)
    # The covariance of all outcomes and of what is seen of those bought, and the regression.
    seen = np.cov(q, rowvar=False, bias=True) + np.diag((q * (1.0 - q)).mean(axis=0))
    away = (p - p.mean(axis=0)) @ c
    tied = away @ (q - q.mean(axis=0)) / len(q) + c[rows] * (q * (1.0 - p[:, rows])).mean(axis=0)
    total = away.var() + (c**2 * p * (1.0 - p)).mean(axis=0).sum()
    assert len(found) >= 8
    # Steps on the way, a task to a low cap and then on, tell no more than where they end.
    assert explained == pytest.approx(tied @ np.linalg.solve(seen, tied) / total, rel=0.02)


def test_tasks_of_an_eval_are_bought_in_the_order_drawn(trials: Trials) -> None:
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(trials.at))
        found, _ = chosen(trials, trials.market.unseen, 0.2 * trials.bill, seed)
        for name in trials.market.evals:
            rows = trials.market.of_eval(name)
            place = np.argsort(np.argsort(order[rows]))
            bought = place[np.isin(rows, [each.row for each in found])]
            assert sorted(bought) == list(range(len(bought)))


def test_what_was_not_bought_is_not_seen(trials: Trials) -> None:
    budget = SHARE * trials.bill
    design = trials.design("ours", OURS, budget, 0)
    caps = np.zeros(len(trials.hidden.tasks))
    caps[design.tasks] = design.caps
    runs = trials.hidden.runs
    unseen = runs["spend"].to_numpy() > caps[runs["at"].to_numpy()]
    assert unseen.any()
    assert not unseen.all()
    other = runs.assign(
        outcome=runs["outcome"].where(~unseen, "gave_up"),
        spend=runs["spend"].where(~unseen, runs["cap"] * 0.999),
    )
    changed = trials.on(replace(trials.hidden, runs=other))
    assert changed.design("ours", OURS, budget, 0).rows() == design.rows()
    assert changed.bill != trials.bill


@dataclass(frozen=True)
class Scripted:
    """Buys what the test says."""

    first: Design
    later: Design

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        yield self.first
        return self.later


def test_refuses_a_stage_that_takes_back_or_buys_too_much(trials: Trials) -> None:
    tasks, caps = trials.at, trials.market.caps
    first = Design(tasks[:2], caps[:2])
    for later, said in (
        (Design(tasks[:1], caps[:1]), f"got less of task {tasks[1]}"),
        (Design(tasks[:2], 0.5 * caps[:2]), f"got less of task {tasks[0]}"),
        (Design(tasks, caps), "expected spend must keep within the budget"),
        (Design([*tasks[:2], 99_999], [*caps[:2], 1.0]), "got task 99999"),
    ):
        with pytest.raises(InputError, match=said):
            trials.design("scripted", Scripted(first, later), SHARE * trials.bill, 0)


def test_worlds_differ_and_hold_every_task(trials: Trials) -> None:
    one, two = (world(trials, seed) for seed in (1, 2))
    assert list(one.run_on) == list(trials.hidden.run_on)
    assert (one.truth != two.truth).any()
    stopped = one.runs["outcome"] == "stopped_by_cap"
    assert np.allclose(one.runs["spend"][stopped], one.runs["cap"][stopped])
    assert trials.on(one).market is trials.market
