r"""evalfolio, by task: how many tasks of each eval to run next, and to which caps.

The horizon is T ≈ T₀ + Σ_j c_j y_j. What can be seen next is whether task j is solved within a
share of its cap, or in any of its attempts: y_o with chance q_o at every draw of what is believed.
With covariances over draws and, of one task, of its luck,

Cov(T, y_o) = Cov(Σ_i c_i p_i, q_o) + c_j·E[q_o·(1 − p_j)],   Var(y_o) = E q_o·(1 − E q_o),

seeing y_o takes Cov(T, y_o)²/Var(y_o) off the variance of T. The most for the money is bought, all
is conditioned on it as if it were normal (a pivoted Cholesky factor), and so on while money is left
(Krause, Singh & Guestrin 2008: such gains shrink as more is bought, so greedy is close to best).

Which task of an eval comes next is not for the plan to choose: tasks stand in random order. Left
free, it buys the tasks that cost least, and what these show of an eval's others is not what the
model says: on the cyber runs the error grows by half, and 90 % intervals hold six of ten.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Index
from evalfolio.backtests.conclusion import promised
from evalfolio.backtests.market import FRACTIONS, Bought, Market, Sight, at_quantiles

SMALLEST = 1e-9  # of a variance: what counts as one
LEAST_PRICE = 1e-9  # that is divided by


@dataclass(frozen=True)
class ByTask:
    """Buys tasks, carries on those that a cap stopped and tries failed ones again."""

    def bought(
        self, market: Market, sight: Sight | None, money: float, rng: np.random.Generator
    ) -> tuple[list[Bought], Array]:
        """Return what a stage adds, and the EVSI of that by threshold."""
        now = market.unseen if sight is None else sight
        price = market.price if sight is None else now.foresight.price
        order = rng.permutation(len(market.tasks))
        found, explained = picked(market, now, money, price, order)
        solved = now.foresight.solved
        drawn = market.outlook.judge.horizons(rng.random(solved.shape) < solved)
        return found, promised(drawn, explained, market.losses)

    def promised(self, market: Market, budget: float) -> Array:
        """Return the EVSI, by threshold, of a budget spent before anything is seen."""

        def made() -> Array:
            order = np.random.default_rng(0).permutation(len(market.tasks))
            explained = picked(market, market.unseen, budget, market.price, order)[1]
            return promised(market.horizons, explained, market.losses)

        return market.remembered((self, budget), made)


def picked(
    market: Market,
    sight: Sight,
    money: float,
    price: Callable[[float, int], Array],
    order: Index,
) -> tuple[list[Bought], float]:
    """Return the tasks to buy, and the share of the horizon's variance that they explain."""
    foresight, judge = sight.foresight, market.outlook.judge
    solved = foresight.solved
    c = np.mean([judge.influence(solved[k]) for k in at_quantiles(judge.horizons(solved))], axis=0)
    kinds = [(share, 1) for share in FRACTIONS]
    kinds += [(1.0, market.attempts)] if market.attempts > 1 else []
    chance = np.cumsum(foresight.parts(FRACTIONS), axis=1)  # of every kind, task by task
    eval_of = pd.factorize(market.tasks["eval"])[0]
    kind, row = np.nonzero((chance.mean(axis=0) > SMALLEST) & ~foresight.settled)
    sort = np.lexsort((order[row], kind, eval_of[row]))
    kind, row = kind[sort], row[sort]
    starts = np.flatnonzero(np.diff(eval_of[row] * len(kinds) + kind, prepend=-1))
    q, cost = chance[:, kind, row], np.stack([price(*each) for each in kinds])[kind, row]
    mean, target = q.mean(axis=0), solved @ c
    total = float(target.var() + (c**2 * solved * (1.0 - solved)).mean(axis=0).sum())
    away, variance = q - mean, mean * (1.0 - mean)
    tied = (target - target.mean()) @ away / len(q)
    tied += c[row] * (q * (1.0 - solved[:, row])).mean(axis=0)
    least, left, gained = SMALLEST * (1.0 + variance), money, 0.0
    alive, factor, steps = np.ones(len(row), dtype=bool), np.empty((len(row), len(row))), 0
    chosen: dict[int, Bought] = {}
    while True:
        alive &= variance > least
        first = np.minimum.reduceat(np.where(alive, np.arange(len(row)), len(row)), starts)
        first = first[first < len(row)]  # the next of every eval and kind, none passed over:
        first = first[cost[first] <= left]  # those that still fit would be the cheap ones
        if not len(first):
            return list(chosen.values()), min(gained / max(total, SMALLEST), 1.0)
        gain = tied[first] ** 2 / variance[first]
        best = int(first[np.argmax(gain / np.maximum(cost[first], LEAST_PRICE))])
        own = np.flatnonzero(row == row[best])
        low, high = np.minimum(q[:, own], q[:, [best]]), np.maximum(q[:, own], q[:, [best]])
        column = away[:, best] @ away / len(q)
        column -= factor[:steps, best] @ factor[:steps]
        column[own] += (low * (1.0 - high)).mean(axis=0)
        column /= np.sqrt(variance[best])
        gained += float(tied[best] ** 2 / variance[best])
        tied = tied - column * tied[best] / np.sqrt(variance[best])
        variance, factor[steps], steps = variance - column**2, column, steps + 1
        chosen[int(row[best])] = Bought(int(row[best]), *kinds[kind[best]])
        left -= float(cost[best])
        alive[own[kind[own] <= kind[best]]] = False
        cost[own] -= cost[best]
