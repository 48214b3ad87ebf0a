"""The floor of a back-test, against every purchase there is."""

from __future__ import annotations

from itertools import product

import numpy as np
from benchmarks.luck_floor import departures_left, luck_left


def test_no_purchase_leaves_less_than_the_floor() -> None:
    rng = np.random.default_rng(3)
    tight = 0
    for _ in range(12):
        eval_of = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
        weight, spend = rng.uniform(0.02, 0.25, 9), rng.lognormal(0.0, 1.0, 9)
        influence = rng.uniform(0.5, 2.0, 3)[eval_of]
        money, sd = rng.uniform(0.2, 0.8) * spend.sum(), rng.uniform(0.3, 3.0)
        left, luck = [], []
        for choice in product((False, True), repeat=9):
            bought = np.array(choice)
            if spend[bought].sum() > money:
                continue
            luck.append(float((influence**2 * weight)[~bought].sum()))
            total = luck[-1]
            for name in range(3):
                own = eval_of == name
                pull = (influence * weight)[own & ~bought].sum()
                total += pull**2 / (sd**-2.0 + weight[own & bought].sum())
            left.append(total)
        floor = departures_left(weight, influence, spend, eval_of, money, sd)
        assert floor <= np.sqrt(min(left)) + 1e-9
        assert luck_left(influence**2 * weight, spend, money) <= np.sqrt(min(luck)) + 1e-9
        assert luck_left(influence**2 * weight, spend, money) <= floor
        tight += floor > 0.8 * np.sqrt(min(left))
    assert tight >= 8  # a floor of nothing would hold too


def test_everything_bought_leaves_nothing() -> None:
    one, evals = np.full(4, 0.2), np.array([0, 0, 1, 1])
    assert departures_left(one, np.ones(4), np.ones(4), evals, 5.0, 0.5) < 1e-7
