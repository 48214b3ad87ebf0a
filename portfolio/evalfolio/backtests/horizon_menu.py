r"""The menu of a back-test: evals, how many tasks, caps and attempts, for the horizon's variance.

The truth is of finitely many tasks, T ≈ T₀ + Σ_j c_j y_j, and a success comes in one of several
parts: within the lowest cap on offer, between that and the next, ..., in a later attempt. States
are what each part k of each eval b adds, t_bk = Σ_{j∈b} c_j y_jk = g_bk·z + r_bk. z is the AI
model's capability, its departures on evals, its own slope and how slowly it succeeds, in all and
on an eval (normal, from the history), g = Σ c_j ∂q_jk/∂z with q the chance of the part, and r the
luck of the runs, of covariance Λ_b = diag(Σ c² q) − Σ c² q qᵀ: luck is part of the truth, and
buying everything leaves none of it.

A run shows the first parts, as far as its cap and attempts reach. Where m of N tasks reach part k
or further, precision is Σ_k f_k/(1 − f_k)·(Λ⁻¹ on the first k parts − Λ⁻¹ on the first k − 1), with
f_k = m_k/N: all tasks at a low cap and some at the highest together tell what comes late. As c and
q depend on how capable the AI model turns out to be, the states are repeated at several points of
its prior predictive, and the objective is the variance left, averaged over the points
(pseudo-Bayesian A-optimality, Chaloner & Verdinelli 1995). Choices rest on the history alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import block_diag

from evalbayes import Decision, Menu
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.market import Market

Array = NDArray[np.float64]
Index = NDArray[np.int64]

POINTS = (0.2, 0.5, 0.8)  # quantiles of the prior predictive horizon
FRACTIONS = (0.005, 0.02, 0.06, 0.2, 1.0)  # of the highest cap
MOST_TOLD = 0.999  # of a part: precision stays finite
COUNT_STEP = 1.8  # numbers of tasks grow by this factor
FLOOR = 1e-7  # least share of the largest variance that a state's luck has
STEP = 0.25  # of difference quotients, in the unit of a level and in ln spend


@dataclass(frozen=True)
class Way:
    """How an option runs an eval.

    Parameters
    ----------
    n_tasks
        Tasks drawn at random.
    share
        Of the highest cap, for all of them but ...
    deep
        ... so many, which get the highest cap ...
    attempts
        ... and so many attempts.
    """

    n_tasks: int
    share: float
    deep: int
    attempts: int

    def __str__(self) -> str:
        rest = self.n_tasks - self.deep
        said = [f"{rest} tasks at {self.share:.3g} of the cap"] if rest else []
        said += [f"{self.deep} tasks x {self.attempts}"] if self.deep else []
        return " + ".join(said)


@dataclass(frozen=True, eq=False)
class HorizonMenu:
    """A menu, and what its options buy.

    Parameters
    ----------
    menu
        Options indexed by name; columns eval, domain, tier, spend.
    ways
        Of every option, by name.
    blocks
        Rows of the market's tasks of every eval, by name.
    horizons
        Draws of the horizon before anything is bought, log2 minutes.
    """

    menu: Menu
    ways: dict[str, Way]
    blocks: dict[str, Index]
    horizons: Array

    def promised(self, explained_share: float, market: Market) -> Array:
        """Return the EVSI at every threshold when this share of the variance is explained."""
        return promised(self.horizons, explained_share, market.losses)


def horizon_menu(market: Market, *, caps: bool = True) -> HorizonMenu:
    """Build the menu from the prior predictive outlook of the market.

    Parameters
    ----------
    market
        What the history says.
    caps
        Whether caps below the highest are on offer.
    """
    shares = FRACTIONS if caps else (1.0,)
    horizons = market.outlook.levels()
    rows = points_of(horizons)
    blocks = {name: market.of_eval(name) for name in market.evals}
    luck, moved = _states(market, blocks, rows, shares)
    prior = block_diag(*(block_diag(*luck[k]) + moved[k] for k in range(len(rows))))
    options, ways, information = _options(market, blocks, luck, shares)
    parts = luck[0][0].shape[0]
    states = tuple(
        f"{name}, part {k + 1}, point {i + 1}"
        for i in range(len(rows))
        for name in blocks
        for k in range(parts)
    )
    contrasts = np.kron(np.eye(len(rows)), np.ones(len(blocks) * parts))
    decisions = tuple(
        Decision(f"point {k + 1}", contrasts[k], 0.0, 1.0, 1.0) for k in range(len(rows))
    )
    size = len(states)
    menu = Menu(options, ("spend",), information, states, np.zeros(size), prior, decisions)
    return HorizonMenu(menu, ways, blocks, horizons)


def promised(horizons: Array, explained: float, losses: Losses) -> Array:
    r"""Return the EVSI of calls at every threshold, from draws of the horizon T.

    What is bought explains a share r of the variance. The posterior's mean is taken as
    μ + √r·(T − μ) and what stays unknown as √(1 − r)·(T' − μ), T and T' independent draws: no
    normal, as the prior is skewed and ends where the tasks end. Values are those of the losses.

    Examples
    --------
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
            found: Array = np.concatenate(
                [(c * by_task)[:, tasks].sum(axis=1) for tasks in blocks.values()]
            )
            return found

        level, tilt, slow = pull(rise[k]), pull(rise[k] * chances.tilt), pull(slower[k])
        covariance = np.outer(level, level) * shown
        covariance += np.outer(tilt, tilt) * chances.tilt_variance
        covariance += np.outer(slow, slow) * (late + own_late * same)
        by_eval = []
        for tasks in blocks.values():
            q = chance[k][:, tasks]
            weighed = c[tasks] ** 2 * q
            by_eval.append(np.diag(weighed.sum(axis=1)) - weighed @ q.T)
        least = FLOOR * max(float(np.trace(covariance)), *(float(np.trace(m)) for m in by_eval))
        luck.append([m + least * np.eye(len(m)) for m in by_eval])
        moved.append(covariance)
    return luck, moved


def _options(
    market: Market,
    blocks: dict[str, Index],
    luck: list[list[Array]],
    shares: tuple[float, ...],
) -> tuple[pd.DataFrame, dict[str, Way], Array]:
    """Return the options, their ways, and the information of each, (n_options, n, n)."""
    points, parts = len(luck), luck[0][0].shape[0]
    size = points * len(blocks) * parts
    table, ways, information = [], {}, []
    prices = {share: market.price(share, 1) for share in shares}
    if market.attempts > 1:
        prices[np.inf] = market.price(1.0, market.attempts)
    for b, (name, tasks) in enumerate(blocks.items()):
        steps = [steps_of(luck[k][b]) for k in range(points)]
        price = {share: float(each[tasks].mean()) for share, each in prices.items()}
        for way in ways_of(len(tasks), shares, market.attempts):
            told = np.zeros(parts)  # share of the tasks that reach each part
            rest = way.n_tasks - way.deep
            told[: shares.index(way.share) + 1] += rest / len(tasks)
            told[: parts if way.attempts > 1 else len(shares)] += way.deep / len(tasks)
            told = np.minimum(told, MOST_TOLD)
            matrix = np.zeros((size, size))
            for k in range(points):
                at = (k * len(blocks) + b) * parts
                matrix[at : at + parts, at : at + parts] = np.tensordot(
                    told / (1.0 - told), steps[k], axes=1
                )
            deep = price[np.inf] if way.attempts > 1 else price[1.0]
            option = f"{name}: {way}"
            ways[option] = way
            information.append(matrix)
            table.append(
                {
                    "option": option,
                    "eval": name,
                    "domain": "horizon",
                    "tier": "max-elicitation" if way.attempts > 1 else "plateau",
                    "spend": rest * price[way.share] + way.deep * deep,
                }
            )
    return pd.DataFrame(table).set_index("option"), ways, np.stack(information)


def ways_of(n: int, shares: tuple[float, ...], attempts: int) -> list[Way]:
    """Return the ways on offer: some tasks in one way, or all of them, some of these deep.

    Examples
    --------
    >>> [str(way) for way in ways_of(2, (0.1, 1.0), 1)]  # doctest: +NORMALIZE_WHITESPACE
    ['1 tasks x 1', '2 tasks x 1', '1 tasks at 0.1 of the cap', '2 tasks at 0.1 of the cap',
     '1 tasks at 0.1 of the cap + 1 tasks x 1']
    """
    counts = _counts(n)
    found = [Way(count, 1.0, count, 1) for count in counts]
    if attempts > 1:
        found += [Way(count, 1.0, count, attempts) for count in counts]
        found += [Way(n, 1.0, deep, attempts) for deep in counts if deep < n]
    for share in shares[:-1]:
        found += [Way(count, share, 0, 1) for count in counts]
        found += [Way(n, share, deep, attempts) for deep in counts if deep < n]
    return found


def steps_of(luck: Array) -> Array:
    """Return what each part adds to the precision of those before it, (n_parts, n, n)."""
    size = len(luck)
    found, before = [], np.zeros((size, size))
    for k in range(1, size + 1):
        now = np.zeros((size, size))
        now[:k, :k] = np.linalg.inv(luck[:k, :k])
        found.append(now - before)
        before = now
    return np.stack(found)


def _counts(n: int) -> list[int]:
    """Return numbers of tasks on offer: 1, then growing by `COUNT_STEP` or by one, and all."""
    counts, count = [], 1.0
    while count < n:
        counts.append(round(count))
        count = max(count * COUNT_STEP, count + 1)
    return sorted({*counts, n})


def points_of(horizons: Array) -> Index:
    """Return the draws at the quantiles where the menu is worked out."""
    order = np.argsort(horizons, kind="stable")
    found: Index = order[(np.asarray(POINTS) * (len(order) - 1)).round().astype(int)]
    return found
