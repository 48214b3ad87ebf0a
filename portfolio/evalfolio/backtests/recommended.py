"""evalfolio as a strategy: the plan on the menu of the horizon, tasks at random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from evalfolio import objectives
from evalfolio.backtests.design import Design
from evalfolio.backtests.filling import chosen_of, filled
from evalfolio.backtests.horizon_menu import HorizonMenu, horizon_menu, promised
from evalfolio.backtests.market import Market
from evalfolio.backtests.strategies import luck_of
from evalfolio.search.answer import Answer, Method
from evalfolio.search.certified import Certified
from evalfolio.search.greedy import Greedy
from evalfolio.search.question import Question

Array = NDArray[np.float64]


ROUGHLY = Certified(gap=0.05)  # replays plan by the thousand


@dataclass(frozen=True)
class Recommended:
    """The plan of evalfolio for each budget.

    Parameters
    ----------
    method
        How it is searched; its plan is held to the greedy one too.
    caps
        Whether caps below the highest are on offer.
    """

    method: Method = ROUGHLY
    caps: bool = True

    def __call__(self, market: Market, budget: float, rng: np.random.Generator) -> Design:
        """Buy what the plan says, and fill the budget."""
        menu = self.menu(market)
        best = self.plan(market, budget)
        chosen = chosen_of(menu.menu, menu.ways, best.chosen)
        rest = {name: (chosen[name].share if name in chosen else 1.0, 1) for name in menu.blocks}
        luck = market.remembered("luck", lambda: luck_of(market))
        bought = filled(menu.blocks, chosen, rest, market.price, luck, budget, rng)
        rows = np.array([one.row for one in bought], dtype=np.int64)
        return Design(
            market.at[rows],
            np.array([one.share for one in bought]) * market.caps[rows],
            np.array([one.attempts for one in bought], dtype=np.int64),
            self.promised(market, budget),
        )

    def menu(self, market: Market) -> HorizonMenu:
        """Return the menu that the plans are made of."""
        return market.remembered(("menu", self.caps), lambda: horizon_menu(market, caps=self.caps))

    def promised(self, market: Market, budget: float) -> Array:
        """Return the EVSI that the plan for a budget promises, by threshold."""

        def made() -> Array:
            plan = self.plan(market, budget)
            evpi = plan.problem.evpi
            explained = plan.value / evpi if evpi > 0 else 0.0
            return promised(market.horizons, explained, market.losses)

        return market.remembered(("promised", self, budget), made)

    def plan(self, market: Market, budget: float) -> Answer:
        """Return the best plan for a budget that the method and greedy find."""
        question = Question(
            self.menu(market).menu, {"spend": budget}, objective=objectives.variance()
        )
        # Strategies share plans of a method.
        plans = [
            market.remembered(
                (replace(self, method=method), budget), partial(method.find, question)
            )
            for method in dict.fromkeys((self.method, Greedy()))
        ]
        return max(plans, key=lambda plan: plan.value)
