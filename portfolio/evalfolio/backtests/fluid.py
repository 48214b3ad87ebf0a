r"""A rival that buys items one by one: adaptive testing, as in Fluid Benchmarking.

η_jm = a_j·θ_m − d_j + v_em, success ~ Bernoulli(expit η): two parameters an item, fitted on the
history at the joint mode under θ ~ N(0, 1), v ~ N(0, ½²) (an AI model's own on an eval), ln a ~
N(0, ½²), d ~ N(0, 3²). Next comes the item of most Fisher information a²p(1 − p) on θ at the mode
of the AI model under test, or of most for its money (Lord 1980; Hofmann et al. 2025, Fluid Language
Model Benchmarking). Items in hand beyond ten, it looks again after every tenth more.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from evalbayes.arrays import Array, Flags, Index
from evalfolio.backtests.market import Market, Sight
from evalfolio.backtests.record import Design

EFFECT_SD, LN_SLOPE_SD, LEVEL_SD = 0.5, 0.5, 3.0
AGAIN = 10  # looks: after every item up to so many, then after a share of one over so many
STEPS, DRAWS = 12, 128


class Items(NamedTuple):
    """Items on offer: logits per sd of ability, level, and the index of their eval, (n_tasks,)."""

    slope: Array
    level: Array
    eval_of: Index

    @classmethod
    def of(cls, market: Market) -> "Items":
        """Fit the items on the history's runs of them; those without one stay at the prior."""
        codes = pd.factorize(market.tasks["eval"], sort=True)[0].astype(np.int64)
        runs = market.history[market.history["at"].isin(market.at)]
        j = np.searchsorted(market.at, runs["at"].to_numpy(np.int64))
        m, names = pd.factorize(runs["ai_model"])
        y = (runs["outcome"] == "success").to_numpy(np.float64)
        n, k = len(codes), len(names)
        pair = m * (codes.max() + 1) + codes[j]
        ends = np.cumsum([n, n, k])

        def unlikely(z: Array) -> tuple[float, Array]:
            ln_slope, level, ability, own = np.split(z, ends)
            slope = np.exp(LN_SLOPE_SD * ln_slope)[j]
            eta = slope * ability[m] - LEVEL_SD * level[j] + EFFECT_SD * own[pair]
            off = expit(eta) - y
            size = len(z) - ends[-1]
            gradient = np.concatenate([
                np.bincount(j, LN_SLOPE_SD * off * slope * ability[m], n),
                np.bincount(j, -LEVEL_SD * off, n),
                np.bincount(m, off * slope, k),
                np.bincount(pair, EFFECT_SD * off, size),
            ])  # fmt: skip
            return float((np.logaddexp(0.0, eta) - y * eta).sum() + 0.5 * z @ z), gradient + z

        start = np.zeros(int(ends[-1]) + k * (int(codes.max()) + 1))
        found = minimize(unlikely, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
        return cls(np.exp(LN_SLOPE_SD * found[:n]), LEVEL_SD * found[n : 2 * n], codes)

    def mode(self, seen: pd.DataFrame, at: Index) -> tuple[Array, Array]:
        """Return mode and precision of (θ, own effects over their sd) given runs."""
        j = np.searchsorted(at, seen["at"].to_numpy(np.int64))
        y, design = (seen["outcome"] == "success").to_numpy(np.float64), self.design()[j]
        z = np.zeros(design.shape[1])
        for _ in range(STEPS):
            p = expit(design @ z - self.level[j])
            precision = (design.T * (p * (1.0 - p))) @ design + np.eye(design.shape[1])
            z = z + np.clip(np.linalg.solve(precision, design.T @ (y - p) - z), -1.0, 1.0)
        return z, precision

    def design(self) -> Array:
        """Return what each of (θ, own effects over their sd) adds to the items' logits."""
        own = self.eval_of[:, None] == np.arange(self.eval_of.max() + 1)
        return np.column_stack([self.slope, EFFECT_SD * own])


@dataclass(frozen=True)
class Fluid:
    """Buys the item of most information on ability, or of most for its money."""

    per_cost: bool = False

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Yield what to have bought so far; see `Staged`."""
        items, price = self.items(market), market.price()
        seen, left, bought = market.unseen.runs, budget, np.zeros(len(price), dtype=bool)
        while True:
            p = expit(items.design() @ items.mode(seen, market.at)[0] - items.level)
            told = items.slope**2 * p * (1.0 - p) / (price if self.per_cost else 1.0)
            more = max(1, int(bought.sum()) // AGAIN)
            for row in np.argsort(-np.where(bought, -1.0, told), kind="stable"):
                if more and not bought[row] and price[row] <= left:
                    bought[row], left, more = True, left - price[row], more - 1
            rows = np.flatnonzero(bought)
            design = Design(np.take(market.at, rows), market.caps[rows], market.attempts)
            if more:  # nothing else fits
                return design
            sight = yield design
            seen, left = sight.runs, budget - sight.spent

    def completions(self, market: Market, seen: pd.DataFrame, rng: np.random.Generator) -> Flags:
        """Draw whether each task is solved, by its own model, (n_draws, n_tasks)."""
        items = self.items(market)
        z, precision = items.mode(seen, market.at)
        spread = np.linalg.solve(
            np.linalg.cholesky(precision).T, rng.standard_normal((len(z), DRAWS))
        )
        p = expit((items.design() @ (z[:, None] + spread)).T - items.level)
        done = np.isin(market.at, seen["at"])
        won = np.isin(market.at, seen.loc[seen["outcome"] == "success", "at"])
        drawn = rng.random(p.shape) < 1.0 - (1.0 - p) ** market.attempts
        return np.asarray(np.where(done, won, drawn))

    def items(self, market: Market) -> Items:
        """Return the items as the market's history has them."""
        return market.remembered("items", lambda: Items.of(market))
