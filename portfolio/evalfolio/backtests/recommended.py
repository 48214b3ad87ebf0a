"""evalfolio as a strategy: the plan of `optimise` on the menu of the horizon, tasks at random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalfolio import objectives
from evalfolio.backtests.design import Design
from evalfolio.backtests.horizon_menu import HorizonMenu, Way, horizon_menu
from evalfolio.backtests.market import Market
from evalfolio.backtests.strategies import luck_of
from evalfolio.optimiser import optimise
from evalfolio.plan import Plan

Array = NDArray[np.float64]
Index = NDArray[np.int64]


Method = Literal["certified", "greedy"]
METHODS: dict[Method, tuple[Method, ...]] = {
    "certified": ("certified", "greedy"),
    "greedy": ("greedy",),
}


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
        Whether caps below the highest are on offer.
    """

    method: Method = "certified"
    gap: float = 0.05
    caps: bool = True

    def __call__(self, market: Market, budget: float, rng: np.random.Generator) -> Design:
        """Buy what the plan says, and fill the budget."""
        menu = market.remembered(("menu", self.caps), lambda: horizon_menu(market, caps=self.caps))
        # The better of the certified and the greedy plan; strategies share plans of a method.
        plans = [
            market.remembered(
                (replace(self, method=method), budget),
                partial(self.plan, menu, budget, method),
            )
            for method in METHODS[self.method]
        ]
        return filled(market, menu, max(plans, key=lambda plan: plan.value), budget, rng)

    def plan(self, menu: HorizonMenu, budget: float, method: Method) -> Plan:
        """Return the plan of a method for a budget."""
        return optimise(
            menu.menu,
            budget={"spend": budget},
            objective=objectives.variance(),
            method=method,
            gap=self.gap,
        )


def filled(
    market: Market, menu: HorizonMenu, plan: Plan, budget: float, rng: np.random.Generator
) -> Design:
    """Draw the plan's tasks at random and fit them to the budget.

    The plan counts with mean prices and may leave money over; the tasks drawn have prices of their
    own. So tasks are bought in random order, the cheap ways of the plan first, as far as they fit,
    and what is left buys tasks that were left out, evals with the most luck for the money first.
    """
    luck = market.remembered("luck", lambda: luck_of(market))
    planned: list[tuple[float, int, float, int]] = []  # mean price, task, share, attempts
    later: list[tuple[float, int, float, int]] = []
    chosen = {menu.menu.options.at[option, "eval"]: menu.ways[option] for option in plan.chosen}
    for name, rows in menu.blocks.items():
        way = chosen.get(name, Way(0, 1.0, 0, 1))
        order = rng.permutation(rows).tolist()
        for share, attempts, tasks in (
            (1.0, way.attempts, order[: way.deep]),
            (way.share, 1, order[way.deep : way.n_tasks]),
        ):
            mean = float(market.price(share, attempts)[rows].mean())
            planned += [(mean, task, share, attempts) for task in tasks]
        rest = market.price(way.share, 1)[rows].mean()
        worth = -float(luck[rows].mean() / rest)
        later += [(worth, task, way.share, 1) for task in order[way.n_tasks :]]
    bought, left = [], float(budget)
    for _, task, share, attempts in (
        *sorted(planned, key=lambda one: one[0]),  # stable: at random inside a way
        *sorted(later, key=lambda one: one[0]),
    ):
        price = float(market.price(share, attempts)[task])
        if price <= left:
            bought.append((task, share, attempts))
            left -= price
    found = np.array([one[0] for one in bought], dtype=np.int64)
    return Design(
        market.at[found],
        np.array([one[1] for one in bought]) * market.caps[found],
        np.array([one[2] for one in bought], dtype=np.int64),
        menu.promised(plan.value / plan.evpi if plan.evpi > 0 else 0.0, market),
    )
