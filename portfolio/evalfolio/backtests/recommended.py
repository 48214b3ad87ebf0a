"""evalfolio as a strategy: the plan of `optimise` on the menu of the horizon, tasks at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalfolio import objectives
from evalfolio.backtests.design import Design
from evalfolio.backtests.horizon_menu import HorizonMenu, horizon_menu
from evalfolio.backtests.market import Market
from evalfolio.backtests.strategies import luck_of
from evalfolio.optimiser import optimise
from evalfolio.plan import Plan

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Recommended:
    """The plan of evalfolio for each budget.

    Parameters
    ----------
    method
        "certified" or "greedy", as of `optimise`.
    gap
        Relative gap of the certificate.
    caps
        Whether caps below the highest are on offer, where the inference can read them.
    """

    method: Literal["certified", "greedy"] = "certified"
    gap: float = 1e-3
    caps: bool = False

    def __call__(self, market: Market, budget: float, rng: np.random.Generator) -> Design:
        """Buy what the plan says, and fill the budget."""
        menu = market.remembered(
            ("menu", self.caps), lambda: horizon_menu(market, caps=self.caps and market.lower_caps)
        )
        plan = market.remembered((self, budget), lambda: self.plan(menu, budget))
        return filled(market, menu, plan, budget, rng)

    def plan(self, menu: HorizonMenu, budget: float) -> Plan:
        """Return the plan for a budget."""
        return optimise(
            menu.menu,
            budget={"spend": budget},
            objective=objectives.variance(),
            method=self.method,
            gap=self.gap,
        )


def filled(
    market: Market, menu: HorizonMenu, plan: Plan, budget: float, rng: np.random.Generator
) -> Design:
    """Draw the plan's tasks at random and fit them to the budget.

    The plan counts with mean prices and may leave money over; the tasks drawn have prices of their
    own. So tasks are bought block by block in random order, cheap blocks first, as far as they fit,
    and what is left buys further tasks, evals with the most luck of runs for the money first.
    """
    chosen = menu.menu.options.loc[list(plan.chosen)]
    each = chosen["spend"].to_numpy(np.float64) / chosen["n_tasks"].to_numpy(np.float64)
    evals, counts = chosen["eval"].astype(str).tolist(), chosen["n_tasks"].tolist()
    shares, tries = chosen["share_of_cap"].tolist(), chosen["attempts"].tolist()
    luck = market.remembered("luck", lambda: luck_of(market))
    worth = {
        name: float(luck[rows].mean() / market.price()[rows].mean())
        for name, rows in menu.blocks.items()
    }
    first: list[tuple[int, float, int]] = []
    later: list[tuple[float, int, float, int]] = []
    for k in np.argsort(each, kind="stable").tolist():
        order = rng.permutation(menu.blocks[evals[k]]).tolist()
        first += [(task, shares[k], tries[k]) for task in order[: counts[k]]]
        later += [(-worth[evals[k]], task, shares[k], tries[k]) for task in order[counts[k] :]]
    for name, rows in menu.blocks.items():
        if name not in evals:
            later += [(-worth[name], task, 1.0, 1) for task in rng.permutation(rows).tolist()]
    later.sort(key=lambda one: one[0])  # stable: at random inside an eval
    bought, left = [], float(budget)
    for task, share, attempts in (*first, *(one[1:] for one in later)):
        price = float(market.price(share, attempts)[task])
        if price <= left:
            bought.append((task, share, attempts))
            left -= price
    tasks = np.array([one[0] for one in bought], dtype=np.int64)
    return Design(
        market.at[tasks],
        np.array([one[1] for one in bought]) * market.caps[tasks],
        np.array([one[2] for one in bought], dtype=np.int64),
        menu.promised(plan.value / plan.evpi if plan.evpi > 0 else 0.0, market),
    )
