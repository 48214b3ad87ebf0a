r"""A second look: what is left to learn and to pay of an AI model some of whose runs are seen.

A task is settled (it succeeded, gave up or met the highest cap), still going (a lower cap stopped
it; it may be carried on, at the price of what it spends from there), or fresh. Chances, paces and
so prices are draws of the response model's posterior given the runs seen. The menu is that of
`evalfolio.backtests.horizon_menu` with blocks of fresh and of going tasks of each eval, at one
point, the posterior's: states are what each part k of each block b adds,
t_bk = Σ_{j∈b} c_j·q_jk + r_bk, the first term's covariance that over the draws, and the luck's, r,
the mean over the draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.special import expit, log_ndtr, ndtr

from evalbayes import Decision, Menu
from evalbayes.responses.spending import FAILURE, SUCCESS
from evalbayes.responses.stops import spend_levels
from evalfolio import objectives
from evalfolio.backtests.horizon_menu import FLOOR, FRACTIONS, MOST_TOLD, Way, steps_of, ways_of
from evalfolio.backtests.teaching import ResponseTeaching
from evalfolio.backtests.trial import Trials
from evalfolio.optimiser import optimise

Array = NDArray[np.float64]
Index = NDArray[np.int64]

QUANTILES = (0.2, 0.5, 0.8)  # of the posterior horizon, where tasks' influence is averaged
SAME = 1e-6  # ln units: caps this close are one


def spend_within(mean: Array, sd: Array, ln_cap: Array, ln_top: Array | None = None) -> Array:
    r"""Return E[min(S, c)] for ln S ~ N(mean, sd²), below `ln_top` where that is given.

    Examples
    --------
    >>> spend_within(np.zeros(1), np.ones(1), np.array([50.0])).round(4)  # e^(1/2)
    array([1.6487])
    >>> rng = np.random.default_rng(0)
    >>> s = np.exp(rng.normal(0.0, 1.0, 1_000_000))
    >>> np.minimum(s[s < 3.0], 2.0).mean().round(2)
    np.float64(0.97)
    >>> spend_within(np.zeros(1), np.ones(1), np.log([2.0]), np.log([3.0])).round(2)
    array([0.97])
    """
    cap = ln_cap if ln_top is None else np.minimum(ln_cap, ln_top)
    below = np.exp(mean + 0.5 * sd**2) * ndtr((cap - mean) / sd - sd)
    if ln_top is None:
        found: Array = below + np.exp(cap) * ndtr((mean - cap) / sd)
        return found
    top = np.maximum(ndtr((ln_top - mean) / sd), 1e-12)
    return np.asarray((below + np.exp(cap) * np.maximum(top - ndtr((cap - mean) / sd), 0.0)) / top)


class Look:
    """Chances and further spends of every task on offer, by draw, given the runs seen.

    Parameters
    ----------
    trials
        Of the AI model, single attempts, its history read by the response model.
    bought
        Its runs seen, as `Hidden.buy` returns them.
    seed
        Of the inference.
    """

    def __init__(self, trials: Trials, bought: pd.DataFrame, seed: int) -> None:
        teaching = trials.teaching
        if trials.attempts > 1 or not isinstance(teaching, ResponseTeaching):
            raise SystemExit("a second look needs single attempts and the response model")
        population, at = teaching.history.population, teaching.positions
        newcomer = teaching.belief(bought, seed).newcomer
        seen, spending = newcomer.seen, population.spending
        # The same draws of the pace as in the belief, so that its chances and these agree.
        levels = spend_levels(population, spending, seen, np.random.default_rng([seed, 4]))
        self.mean = [spending.mean[kind, at] + levels[kind][:, at] for kind in (SUCCESS, FAILURE)]
        self.sd = spending.sd[:, at]
        self.ln_top = np.log(trials.market.caps)
        self.going, self.settled = seen.going[at] > 0, seen.attempts[at] > 0
        self.ln_cap = np.where(self.going, seen.ln_cap[at], -np.inf)
        odds = 0.0 if newcomer.ln_odds is None else newcomer.ln_odds[:, at]
        chance = expit(newcomer.logits(at) + np.where(self.going, odds, 0.0))
        self.chance = np.where(self.settled, seen.successes[at] > 0, chance)

    def within(self, share: float) -> Array:
        """Chance that each task is solved within a share of the highest cap, (n_draws, n_tasks)."""
        on = self._came(self.ln_cap)
        came = (self._came(np.log(share) + self.ln_top) - on) / np.maximum(1.0 - on, 1e-9)
        found: Array = self.chance * np.where(self.settled, 1.0, np.clip(came, 0.0, 1.0))
        return found

    def price(self, share: float) -> Array:
        """Return what carrying each task on to a share of the highest cap will cost, (n_tasks,)."""
        ln_cap = np.log(share) + self.ln_top
        both = [self._further(kind, ln_cap) for kind in (SUCCESS, FAILURE)]
        mean = self.chance * both[SUCCESS] + (1.0 - self.chance) * both[FAILURE]
        found: Array = np.where(self.settled, 0.0, mean.mean(axis=0))
        return found

    def _came(self, ln_cap: Array) -> Array:
        """Chance that a success has come within a cap."""
        mean, sd = self.mean[SUCCESS], self.sd[SUCCESS]
        share = log_ndtr((ln_cap - mean) / sd) - log_ndtr((self.ln_top - mean) / sd)
        return np.where(ln_cap >= self.ln_top - SAME, 1.0, np.exp(np.minimum(share, 0.0)))

    def _further(self, kind: int, ln_cap: Array) -> Array:
        """Return E[min(S, c) − c₀ | S > c₀]; c₀ is 0 of fresh tasks."""
        mean, sd = self.mean[kind], self.sd[kind]
        top = self.ln_top if kind == SUCCESS else None
        before = np.where(self.going, spend_within(mean, sd, self.ln_cap, top), 0.0)
        on = 1.0 - self._came(self.ln_cap) if kind == SUCCESS else ndtr((mean - self.ln_cap) / sd)
        more = spend_within(mean, sd, ln_cap, top) - before
        return np.maximum(more / np.maximum(on, 1e-9), 0.0)


@dataclass(frozen=True, eq=False)
class LookMenu:
    """What may be bought after a look.

    Parameters
    ----------
    menu, ways
        Options, and what each buys.
    blocks
        Rows of the market's tasks of every block, by name.
    prices
        Of carrying each task on, by share of the highest cap.
    luck
        Variance that each task's outcome adds to the horizon.
    """

    menu: Menu
    ways: dict[str, Way]
    blocks: dict[str, Index]
    prices: dict[float, Array]
    luck: Array

    def bought(self, money: float, rng: np.random.Generator) -> list[tuple[int, float]]:
        """Return rows and shares of the cap: the plan's, tasks at random, and what else fits."""
        plan = optimise(
            self.menu, budget={"spend": money}, objective=objectives.variance(), method="greedy"
        )
        chosen = {self.menu.options.loc[name, "eval"]: self.ways[name] for name in plan.chosen}
        planned: list[tuple[float, int, float]] = []
        later: list[tuple[float, int, float]] = []
        for block, rows in self.blocks.items():
            way = chosen.get(block, Way(0, self._least(block), 0, 1))
            order = rng.permutation(rows).tolist()
            for share, tasks in (
                (1.0, order[: way.deep]),
                (way.share, order[way.deep : way.n_tasks]),
            ):
                mean = float(self.prices[share][rows].mean())
                planned += [(mean, task, share) for task in tasks]
            rest = max(float(self.prices[way.share][rows].mean()), 1e-9)
            worth = -float(self.luck[rows].mean()) / rest
            later += [(worth, task, way.share) for task in order[way.n_tasks :]]
        found, left = [], money
        for _, task, share in (
            *sorted(planned, key=lambda one: one[0]),
            *sorted(later, key=lambda one: one[0]),
        ):
            price = float(self.prices[share][task])
            if price <= left:
                found.append((task, share))
                left -= price
        return found

    def _least(self, block: str) -> float:
        return min(way.share for name, way in self.ways.items() if name.startswith(f"{block}: "))


def menu_after(trials: Trials, look: Look) -> LookMenu | None:
    """Return the menu of what is not settled; None where all is."""
    blocks = _blocks(trials, look)
    if not blocks:
        return None
    within = [look.within(share) for share in FRACTIONS]
    order = np.argsort(trials.judge.horizons(within[-1]), kind="stable")
    at = order[(np.asarray(QUANTILES) * (len(order) - 1)).round().astype(int)]
    c = np.mean([trials.judge.influence(within[-1][row]) for row in at], axis=0)
    parts = np.maximum(np.diff(np.stack([np.zeros_like(within[0]), *within]), axis=0), 0.0)
    pulls = np.concatenate([(parts[:, :, rows] @ c[rows]) for rows in blocks.values()])
    moved = np.cov(pulls)
    luck = []
    for rows in blocks.values():
        q = parts[:, :, rows]
        pairs = np.einsum("kdj,ldj,j->kl", q, q, c[rows] ** 2) / q.shape[1]
        luck.append(np.diag((q.mean(axis=1) * c[rows] ** 2).sum(axis=1)) - pairs)
    least = FLOOR * max(float(np.trace(moved)), *(float(np.trace(each)) for each in luck))
    luck = [each + least * np.eye(len(each)) for each in luck]
    prices = {share: look.price(share) for share in FRACTIONS}
    menu, ways = _menu(look, blocks, luck, moved, prices)
    spread = c**2 * (look.chance * (1.0 - look.chance)).mean(axis=0)
    return LookMenu(menu, ways, blocks, prices, spread)


def _blocks(trials: Trials, look: Look) -> dict[str, Index]:
    """Return rows of fresh tasks of every eval, and of going ones by the cap that stopped them."""
    found: dict[str, Index] = {}
    for name in trials.market.evals:
        rows = trials.market.of_eval(name)
        fresh = rows[~look.going[rows] & ~look.settled[rows]]
        if len(fresh):
            found[f"{name}, fresh"] = fresh
        on = rows[look.going[rows]]
        shares = np.round(np.exp(look.ln_cap[on] - look.ln_top[on]), 6)
        for share in np.unique(shares):
            found[f"{name}, going at {share:.3g} of the cap"] = on[shares == share]
    return found


def _menu(
    look: Look,
    blocks: dict[str, Index],
    luck: list[Array],
    moved: Array,
    prices: dict[float, Array],
) -> tuple[Menu, dict[str, Way]]:
    parts = len(FRACTIONS)
    size = parts * len(blocks)
    table, ways, information = [], {}, []
    for b, (block, rows) in enumerate(blocks.items()):
        steps, n = steps_of(luck[b]), len(rows)
        reached = look.ln_cap[rows[0]] - look.ln_top[rows[0]]
        shares = tuple(share for share in FRACTIONS if np.log(share) > reached + SAME)
        for way in ways_of(n, shares, 1):
            told = np.full(parts, way.deep / n)
            told[: FRACTIONS.index(way.share) + 1] += (way.n_tasks - way.deep) / n
            told = np.minimum(told, MOST_TOLD)
            matrix = np.zeros((size, size))
            own = slice(b * parts, (b + 1) * parts)
            matrix[own, own] = np.tensordot(told / (1.0 - told), steps, axes=1)
            information.append(matrix)
            option = f"{block}: {way}"
            ways[option] = way
            spend = (way.n_tasks - way.deep) * prices[way.share][rows].mean()
            spend += way.deep * prices[1.0][rows].mean()
            row = {"option": option, "eval": block, "domain": "horizon", "tier": "plateau"}
            table.append(row | {"spend": float(spend)})
    menu = Menu(
        pd.DataFrame(table).set_index("option"),
        ("spend",),
        np.stack(information),
        tuple(f"{block}, part {k + 1}" for block in blocks for k in range(parts)),
        np.zeros(size),
        block_diag(*luck) + moved,
        (Decision("horizon", np.ones(size), 0.0, 1.0, 1.0),),
    )
    return menu, ways
