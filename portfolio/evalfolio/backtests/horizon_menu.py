r"""The menu of a back-test: evals, how many tasks, caps and attempts, for the horizon's variance.

The truth is of finitely many tasks, T ≈ T₀ + Σ_j c_j y_j, and a success comes in one of several
parts (`evalfolio.backtests.ways`). States are what each part k of each eval b adds,
t_bk = Σ_{j∈b} c_j y_jk = g_bk·z + r_bk. z is the AI model's capability, its departures on evals,
its own slope and how slowly it succeeds, in all and on an eval (normal, from the history),
g = Σ c_j ∂q_jk/∂z with q the chance of the part, and r the luck of the runs, of covariance
Λ_b = diag(Σ c² q) − Σ c² q qᵀ: luck is part of the truth, and buying everything leaves none of it.

As c and q depend on how capable the AI model turns out to be, the states are repeated at several
points of its prior predictive, and the objective is the variance left, averaged over the points
(pseudo-Bayesian A-optimality, Chaloner & Verdinelli 1995). Choices rest on the history alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from evalbayes import Decision, Menu
from evalbayes.arrays import Array, Index
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.market import Market, at_quantiles
from evalfolio.backtests.ways import (
    FRACTIONS,
    Way,
    luck_covariance,
    options_of,
    ways_of,
    with_floor,
)

STEP = 0.25  # of difference quotients, in the unit of a level and in ln spend


@dataclass(frozen=True, eq=False)
class HorizonMenu:
    """A menu, and what its options buy."""

    menu: Menu  # options indexed by name; columns eval, domain, tier, spend
    ways: dict[str, Way]  # of every option, by name
    blocks: dict[str, Index]  # rows of the market's tasks of every eval, by name


def horizon_menu(market: Market) -> HorizonMenu:
    """Build the menu from the prior predictive outlook of the market."""
    blocks = {name: market.of_eval(name) for name in market.evals}
    points = at_quantiles(market.outlook.levels())
    luck, moved = _states(market, blocks, points, FRACTIONS)
    ways = {name: ways_of(len(rows), FRACTIONS, market.attempts) for name, rows in blocks.items()}
    return HorizonMenu(*_menu(blocks, ways, luck, moved, market.price), blocks)


def _menu(
    blocks: dict[str, Index],
    ways: dict[str, list[Way]],
    luck: list[list[Array]],
    moved: list[Array],
    price: Callable[[float, int], Array],
) -> tuple[Menu, dict[str, Way]]:
    """Return the menu whose states are every block's parts at every point, and its ways."""
    prior = block_diag(*(block_diag(*own) + rest for own, rest in zip(luck, moved, strict=True)))
    options, way_of, information = options_of(blocks, ways, luck, FRACTIONS, price)
    parts, points = range(1, luck[0][0].shape[0] + 1), range(1, len(luck) + 1)
    states = tuple(f"{b}, part {k}, point {i}" for i in points for b in blocks for k in parts)
    contrasts = np.kron(np.eye(len(luck)), np.ones(len(blocks) * len(parts)))
    decisions = tuple(Decision(f"point {i}", contrasts[i - 1], 0.0, 1.0, 1.0) for i in points)
    mean = np.zeros(len(states))
    return Menu(options, ("spend",), information, states, mean, prior, decisions), way_of


def promised(horizons: Array, explained: float, losses: Losses) -> Array:
    r"""Return the EVSI of calls at every threshold, from draws of the horizon T.

    What is bought explains a share r of the variance. The posterior's mean is taken as
    μ + √r·(T − μ) and what stays unknown as √(1 − r)·(T' − μ), T and T' independent draws: no
    normal, as the prior is skewed and ends where the tasks end. Values are those of the losses.

    >>> draws, losses = np.array([2.0, 4.0]), Losses(thresholds=(8.0,), missed=1.0)
    >>> [promised(draws, share, losses).tolist() for share in (0.0, 1.0)]
    [[0.0], [0.5]]
    """
    away = horizons - horizons.mean()
    known, unknown = np.sqrt(explained) * away, np.sqrt(1.0 - explained) * away
    drawn = horizons.mean() + known[:, None] + unknown
    found = []
    for level in losses.levels:
        called = losses.false_alarm * np.maximum(level - drawn, 0.0).mean(axis=1)
        passed = losses.missed * np.maximum(drawn - level, 0.0).mean(axis=1)
        found.append(min(called.mean(), passed.mean()) - np.minimum(called, passed).mean())
    return np.asarray(found, dtype=np.float64)


def _states(
    market: Market, blocks: dict[str, Index], rows: Index, shares: tuple[float, ...]
) -> tuple[list[list[Array]], list[Array]]:
    """Return at every point the luck's covariance of each eval's parts, and the rest's of all."""
    outlook, chances = market.outlook, market.outlook.chances
    influence = outlook.influences(rows)
    chance = outlook.parts(rows, shares)
    rise = (outlook.parts(rows, shares, STEP) - outlook.parts(rows, shares, -STEP)) / (2.0 * STEP)
    slower = outlook.parts(rows, shares, slower=STEP) - outlook.parts(rows, shares, slower=-STEP)
    slower /= 2.0 * STEP
    late, own_late = chances.slower_variance
    evals = np.repeat(
        [int(chances.eval_of[tasks[0]]) for tasks in blocks.values()], chance.shape[1]
    )
    same = evals[:, None] == evals
    shown = chances.level_covariance[np.ix_(evals, evals)]
    luck, moved = [], []
    for k in range(len(rows)):
        c = influence[k]

        def pull(by_task: Array, c: Array = c) -> Array:
            return np.concatenate(
                [(c * by_task)[:, tasks].sum(axis=1) for tasks in blocks.values()]
            )

        level, tilt, slow = pull(rise[k]), pull(rise[k] * chances.tilt), pull(slower[k])
        covariance = np.outer(level, level) * shown
        covariance += np.outer(tilt, tilt) * chances.tilt_variance
        covariance += np.outer(slow, slow) * (late + own_late * same)
        by_eval = [
            luck_covariance(c[tasks], chance[k, None][..., tasks]) for tasks in blocks.values()
        ]
        luck.append(with_floor(by_eval, covariance))
        moved.append(covariance)
    return luck, moved
