r"""The menu of a back-test: evals, how many tasks, caps and attempts, for the horizon's variance.

The truth is of finitely many tasks, T ≈ T₀ + Σ_j c_j y_j. States are what each block of tasks adds
to it, t_b = Σ_{j∈b} c_j y_j = g_b·z + r_b, with z the AI model's capability, its departures on
evals and its own slope (normal, from the history), g_b = Σ c_j ∂p_j/∂z, and r_b the luck of the
runs, of variance ρ_b² = Σ c_j² p_j(1 − p_j): it is part of the truth, and buying all of a
block leaves nothing of it. Buying n of N tasks at random, each telling the share φ of its outcome,
reads t_b with error variance ρ_b²·(1 − f)/f, f = φ·n/N. As c, p and φ depend on how capable the AI
model turns out to be, the states are repeated at several points of its prior predictive, and the
objective is the variance left, averaged over the points (pseudo-Bayesian A-optimality, Chaloner &
Verdinelli 1995). Choices rest on the history alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes import Decision, Menu
from evalfolio.backtests.market import Market
from evalfolio.value import DecisionValue

Array = NDArray[np.float64]
Index = NDArray[np.int64]

POINTS = (0.15, 0.5, 0.85)  # quantiles of the prior predictive horizon
FRACTIONS = (1.0, 0.5, 0.25, 0.125, 0.0625)  # of the highest cap
MOST_TOLD = 0.999  # of a block: precision stays finite
COUNT_STEP = 1.8  # numbers of tasks grow by this factor
FLOOR = 1e-9  # least share of the largest variance that a state has


@dataclass(frozen=True, eq=False)
class HorizonMenu:
    """A menu, and what its options buy.

    Parameters
    ----------
    menu
        Options indexed by name; columns block (as eval), n_tasks, share_of_cap, attempts, spend.
    blocks
        Rows of the market's tasks of every block, by name.
    prior_level, prior_variance
        Mean and variance of the horizon before anything is bought, in doublings.
    """

    menu: Menu
    blocks: dict[str, Index]
    prior_level: float
    prior_variance: float

    def promised(self, explained_share: float, market: Market) -> Array:
        """Return the EVSI at every threshold when this share of the variance is explained."""
        losses = market.losses
        found = [
            DecisionValue(
                self.prior_level - float(level),
                self.prior_variance,
                losses.missed,
                losses.false_alarm,
            ).gain(explained_share * self.prior_variance)
            for level in losses.levels
        ]
        return np.asarray(found, dtype=np.float64)


def horizon_menu(market: Market, *, caps: bool = True) -> HorizonMenu:
    """Build the menu from the prior predictive outlook of the market.

    Parameters
    ----------
    market
        What the history says.
    caps
        Whether caps below the highest are on offer.
    """
    outlook, chances = market.outlook, market.outlook.chances
    horizons = outlook.levels()
    rows = points_of(horizons)
    influence = outlook.influences(rows)
    solved, rise = outlook.solved()[rows], outlook.rise()[rows]
    luck = influence**2 * solved * (1.0 - solved)
    blocks = {name: market.of_eval(name) for name in market.evals}
    names, shown = list(blocks), chances.levels
    common, own = _variances(shown)
    states, covariances, noise = [], [], []
    for k in range(len(rows)):
        pull = np.array([(influence[k] * rise[k])[blocks[b]].sum() for b in names])
        tilt = np.array([(influence[k] * rise[k] * chances.tilt)[blocks[b]].sum() for b in names])
        rho = np.array([luck[k][blocks[b]].sum() for b in names])
        evals = np.array([chances.eval_of[blocks[b][0]] for b in names])
        same = evals[:, None] == evals
        covariance = np.outer(pull, pull) * (common + own * same)
        covariance += np.outer(tilt, tilt) * chances.tilt_variance
        rho = np.maximum(rho, FLOOR * max(float(np.trace(covariance)), 1e-12))
        covariances.append(covariance + np.diag(rho))
        noise.append(rho)
        states += [f"{b} at point {k + 1}" for b in names]
    n, size = len(names), len(names) * len(rows)
    prior = np.zeros((size, size))
    for k, covariance in enumerate(covariances):
        prior[k * n : (k + 1) * n, k * n : (k + 1) * n] = covariance
    options, information = _options(market, blocks, luck, noise, rows, caps)
    contrasts = np.kron(np.eye(len(rows)), np.ones(n))
    decisions = tuple(
        Decision(f"point {k + 1}", contrasts[k], 0.0, 1.0, 1.0) for k in range(len(rows))
    )
    menu = Menu(options, ("spend",), information, tuple(states), np.zeros(size), prior, decisions)
    middle = np.clip(horizons, *np.quantile(horizons, (0.02, 0.98)))
    return HorizonMenu(menu, blocks, float(middle.mean()), float(middle.var()))


def _options(
    market: Market,
    blocks: dict[str, Index],
    luck: Array,
    noise: list[Array],
    rows: Index,
    lower_caps: bool,
) -> tuple[pd.DataFrame, Array]:
    """Return the options and the information of each, (n_options, n_states, n_states)."""
    outlook, n = market.outlook, len(blocks)
    ways = [(f, 1) for f in (FRACTIONS if lower_caps else (1.0,))]
    if market.attempts > 1:
        ways.append((1.0, market.attempts))
    table, information = [], []
    for cap, attempts in ways:
        told = outlook.told(cap, attempts)[rows]
        price = market.price(cap, attempts)
        for b, (name, tasks) in enumerate(blocks.items()):
            share = (luck * told)[:, tasks].sum(axis=1) / np.maximum(
                luck[:, tasks].sum(axis=1), 1e-300
            )
            for count in _counts(len(tasks)):
                f = np.minimum(share * count / len(tasks), MOST_TOLD)
                matrix = np.zeros((n * len(rows), n * len(rows)))
                for k in range(len(rows)):
                    at = k * n + b
                    matrix[at, at] = f[k] / (1.0 - f[k]) / noise[k][b]
                information.append(matrix)
                table.append(
                    {
                        "option": f"{name}: {count} tasks, {cap:.3g} cap, {attempts} attempts",
                        "eval": name,
                        "domain": "horizon",
                        "tier": "max-elicitation" if attempts > 1 else "plateau",
                        "n_tasks": count,
                        "share_of_cap": cap,
                        "attempts": attempts,
                        "spend": count * float(price[tasks].mean()),
                    }
                )
    return pd.DataFrame(table).set_index("option"), np.stack(information)


def _counts(n: int) -> list[int]:
    """Numbers of tasks on offer: 1, 2, 3, then steps of a third, and all."""
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


def _variances(levels: Array) -> tuple[float, float]:
    """Variance of capability common to all evals, and of each eval's own departure from it."""
    mean = levels.mean(axis=1, keepdims=True)
    n = levels.shape[1]
    own = float(((levels - mean) ** 2).sum() / (len(levels) * max(n - 1, 1)))
    common = max(float(mean.var()) - own / n, 1e-6)
    return common, own
