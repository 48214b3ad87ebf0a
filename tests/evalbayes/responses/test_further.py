"""Further runs: chances and prices of carrying tasks on, against runs drawn one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from evalbayes.errors import InputError
from evalbayes.responses import Further, Newcomer
from evalbayes.responses.further import LEAST
from evalbayes.responses.population import Population
from evalbayes.responses.spending import FAILURE, SUCCESS, Spending
from evalbayes.responses.table import tasks_of

Array = NDArray[np.float64]

LN_CAP, LN_LOW = 6.0, 4.0
SHARES = (0.05, 0.2, 0.5, 1.0)
ATTEMPTS, DRAWS, RUNS = 3, 40, 20_000


def population_of(pair_sd: float = 0.8) -> Population:
    """Four tasks of one eval, few draws, tasks repeated in the history."""
    rng = np.random.default_rng(3)
    known = pd.DataFrame({"eval": "a", "task": list("wxyz"), "human_minutes": [2.0, 4.0, 8.0, 9.0]})
    ones = np.ones(DRAWS)
    spending = Spending(
        np.array([[4.0, 4.5, 5.0, 4.2], [5.2, 5.5, 5.0, 4.8]]),
        np.array([[0.8, 0.7, 0.9, 0.8], [1.0, 1.2, 0.9, 1.1]]),
        np.array([0.4, 0.3]),
        np.array([0.2, 0.2]),
        np.full(4, LN_CAP),
    )
    return Population(
        tasks_of(known), rng.normal(0.3, 0.5, (DRAWS, 4)), np.full((DRAWS, 1), 1.2), 0.05 * ones,
        0.1 * ones, ones, 0.4 * ones, 0.1 * ones, pair_sd, spending,
    )  # fmt: skip


def seen_runs() -> pd.DataFrame:
    """W is going at a low cap, x failed once, y was solved; z is fresh."""
    return pd.DataFrame(
        {
            "eval": "a", "task": list("wxy"),
            "outcome": ["stopped_by_cap", "gave_up", "success"],
            "spend": np.exp([LN_LOW, 3.0, 4.4]), "cap": np.exp([LN_LOW, LN_CAP, LN_CAP]),
        }
    )  # fmt: skip


def drawn_out(newcomer: Newcomer, row: int, tries: int, rng: np.random.Generator) -> Array:
    """Draw what is still to come of a task: part in which it is solved (−1: never), and spends.

    Returns the part, what the next run spends to every share, and what the later attempts spend;
    of a tried task the next run is a later one too. (RUNS, 2 + len(SHARES)) draws.
    """
    population = newcomer.population
    spending, pace = population.spends(), newcomer.pace
    assert pace is not None
    going = newcomer.seen.going[row] > 0
    eta, weight = (a[:, 0] for a in newcomer.by_node(np.array([row])))
    draw = rng.integers(DRAWS, size=RUNS)
    node = (rng.random(RUNS)[:, None] > np.cumsum(weight, axis=1)[draw]).sum(axis=1)
    p = 1.0 / (1.0 + np.exp(-eta[draw, node]))

    def runs(on: float) -> tuple[NDArray[np.bool_], Array]:
        """Draw runs until all are still going at ln cap `on`; a success comes by the cap."""
        won, ln = np.zeros(RUNS, dtype=bool), np.full(RUNS, -np.inf)
        left = np.arange(RUNS)
        while len(left):
            own = rng.random(len(left)) < p[left]
            kind = np.where(own, SUCCESS, FAILURE)
            level = np.where(own, pace[SUCCESS][draw[left], row], pace[FAILURE][draw[left], row])
            s = spending.mean[kind, row] + level
            s = s + spending.sd[kind, row] * rng.standard_normal(len(left))
            again = own & (s > LN_CAP)  # a success beyond the cap is drawn again, still a success
            while again.any():
                fresh = spending.mean[SUCCESS, row] + pace[SUCCESS][draw[left], row]
                fresh = fresh + spending.sd[SUCCESS, row] * rng.standard_normal(len(left))
                s = np.where(again, fresh, s)
                again = own & (s > LN_CAP)
            kept = s > on
            won[left[kept]], ln[left[kept]] = own[kept], s[kept]
            left = left[~kept]
        return won, ln

    part, found = np.full(RUNS, -1), np.zeros((RUNS, 2 + len(SHARES)))
    rest = ATTEMPTS - tries
    if tries == 0:
        won, ln = runs(LN_LOW if going else -np.inf)
        start = np.exp(LN_LOW) if going else 0.0
        for k, share in enumerate(SHARES):
            found[:, 1 + k] = np.minimum(np.exp(ln), share * np.exp(LN_CAP)) - start
        came = np.searchsorted(np.log(SHARES) + LN_CAP, ln)
        part = np.where(won, np.minimum(came, len(SHARES) - 1), part)
        rest -= 1
    open_ = part < 0
    for _ in range(rest):
        won, ln = runs(-np.inf)
        found[:, -1] += np.where(open_, np.minimum(np.exp(ln), np.exp(LN_CAP)), 0.0)
        part = np.where(open_ & won, len(SHARES), part)
        open_ = open_ & ~won
    found[:, 0] = part
    return found


@pytest.mark.parametrize(
    ("row", "tries"), [(0, 0), (1, 1), (3, 0)], ids=["going", "tried", "fresh"]
)
def test_chances_and_prices_are_those_of_runs_drawn(row: int, tries: int) -> None:
    population = population_of()
    newcomer = Newcomer.inferred(population, seen_runs(), seed=1)
    further = Further(newcomer, np.arange(4), ATTEMPTS, seed=1)
    assert list(further.going) == [True, False, False, False]
    assert list(further.tried) == [False, True, False, False]
    assert list(further.settled) == [False, False, True, False]
    drawn = drawn_out(newcomer, row, tries, np.random.default_rng(2))
    parts = further.parts(SHARES).mean(axis=0)[:, row]
    for k, chance in enumerate(parts):
        assert chance == pytest.approx(float((drawn[:, 0] == k).mean()), abs=0.015)
    assert (further.solved <= 1.0).all()
    assert further.solved.mean(axis=0)[row] == pytest.approx(float(parts.sum()))
    for k, share in enumerate(SHARES):
        if np.log(share) + LN_CAP < LN_LOW and row == 0:
            continue  # below where it is going: nothing to carry on to
        spend = float(drawn[:, 1 + k].mean())
        assert further.price(share)[row] == pytest.approx(spend, rel=0.03, abs=1e-9)
    whole = float((drawn[:, len(SHARES)] + drawn[:, -1]).mean())
    assert further.price(1.0, ATTEMPTS)[row] == pytest.approx(whole, rel=0.03)


def test_what_is_settled_costs_and_tells_nothing_more() -> None:
    newcomer = Newcomer.inferred(population_of(0.0), seen_runs())
    further = Further(newcomer, np.arange(4), 1, seed=0)
    assert list(further.settled) == [False, True, True, False]
    assert (further.parts(SHARES)[:, :, further.settled] == 0.0).all()
    assert (further.price(1.0)[further.settled] == 0.0).all()
    assert (further.solved[:, 1] == 0.0).all()
    assert (further.solved[:, 2] == 1.0).all()
    below = further.parts(SHARES)[:, :1, 0]
    assert (below <= LEAST).all()  # w went on past the lowest share


def test_needs_the_spends_of_the_history() -> None:
    blind = replace(population_of(), spending=None)
    with pytest.raises(InputError, match="spend and cap of every run"):
        Further(Newcomer.inferred(blind, None), np.arange(4), 1, seed=0)
