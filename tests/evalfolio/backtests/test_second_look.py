"""A second look: chances and prices of runs still going, against draws of spends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.second_look import Look, menu_after
from benchmarks.staged_buying import LOOKS, staged, world

from evalbayes.responses.spending import FAILURE, SUCCESS
from evalfolio.backtests.design import Design
from evalfolio.backtests.recommended import Recommended
from evalfolio.backtests.record import record_of
from evalfolio.backtests.trial import Setting, Trials, prepared

LOW, MIDDLE = 0.2, 0.6  # of the highest cap


@pytest.fixture(scope="module")
def trials(runs: pd.DataFrame) -> Trials:
    found = prepared("model 2", record_of(runs), Setting((0.3,), 1))
    assert found is not None
    return found


def test_runs_still_going_cost_and_win_what_spends_drawn_say(trials: Trials) -> None:
    caps = LOW * trials.market.caps
    look = Look(trials, trials.hidden.buy(Design(trials.at, caps, 1)), seed=0)
    rng = np.random.default_rng(1)
    n_draws, n = look.chance.shape[0], 4000
    for row in np.flatnonzero(look.going)[:3]:
        came, cost = np.zeros(n_draws), np.zeros((2, n_draws))
        for kind in (SUCCESS, FAILURE):
            mean, sd = look.mean[kind][:, row, None], look.sd[kind, row]
            s = np.exp(mean + sd * rng.standard_normal((n_draws, n)))
            kept = (s > caps[row]) & ((s < trials.market.caps[row]) | (kind == FAILURE))
            reached = MIDDLE * trials.market.caps[row]
            further = np.minimum(s, reached) - caps[row]
            weight = kept / np.maximum(kept.sum(axis=1, keepdims=True), 1)
            cost[kind] = (weight * further).sum(axis=1)
            if kind == SUCCESS:
                came = (weight * (s <= reached)).sum(axis=1)
        p = look.chance[:, row]
        drawn = float((p * cost[SUCCESS] + (1.0 - p) * cost[FAILURE]).mean())
        assert look.price(MIDDLE)[row] == pytest.approx(drawn, rel=0.03)
        assert look.within(MIDDLE)[:, row].mean() == pytest.approx((p * came).mean(), abs=0.01)
    settled = look.settled
    assert settled.any()
    assert (look.price(1.0)[settled] == 0.0).all()
    assert set(np.unique(look.within(1.0)[:, settled])) <= {0.0, 1.0}


def test_stages_add_to_what_was_bought_and_heed_what_was_spent(trials: Trials) -> None:
    budget = 0.3 * trials.bill
    first = Recommended(method="greedy")(
        trials.market, LOOKS[0] * budget, np.random.default_rng([0, 1])
    )
    found = staged(trials, budget, np.random.default_rng([0, 1]), seed=0)
    caps = dict(zip(found.tasks.tolist(), found.caps.tolist(), strict=True))
    assert len(found) > len(first)
    assert all(
        caps[task] >= cap
        for task, cap in zip(first.tasks.tolist(), first.caps.tolist(), strict=True)
    )
    everything = trials.hidden.buy(Design(trials.at, trials.market.caps, 1))
    assert menu_after(trials, Look(trials, everything, 0)) is None


def test_worlds_differ_and_hold_every_task(trials: Trials) -> None:
    one, two = (world(trials, seed) for seed in (1, 2))
    assert list(one.run_on) == list(trials.hidden.run_on)
    assert (one.truth != two.truth).any()
    stopped = one.runs["outcome"] == "stopped_by_cap"
    assert np.allclose(one.runs["spend"][stopped], one.runs["cap"][stopped])
