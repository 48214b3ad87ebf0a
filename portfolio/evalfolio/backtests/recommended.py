"""evalfolio as a strategy: the certified plan on the menu of the horizon, or tasks in stages."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from evalbayes.arrays import Array
from evalfolio import objectives
from evalfolio.backtests.by_task import ByTask
from evalfolio.backtests.horizon_menu import HorizonMenu, horizon_menu, promised
from evalfolio.backtests.market import Market, Sight
from evalfolio.backtests.programme import AsRun
from evalfolio.backtests.record import Design
from evalfolio.backtests.ways import Bought, chosen_of, filled
from evalfolio.search import Answer, Certified, Greedy, Method, Question

ROUGHLY = Certified(gap=0.05)  # replays plan by the thousand


@dataclass(frozen=True)
class Recommended:
    """The plan of evalfolio for each budget."""

    method: Method = ROUGHLY  # how it is searched; its plan is held to the greedy one too

    def __call__(self, market: Market, budget: float, rng: np.random.Generator) -> Design:
        """Buy what the plan says, tasks at random, and fill the budget."""
        menu = self.menu(market)
        chosen = chosen_of(menu.menu, menu.ways, self.plan(market, budget).chosen)
        rest = {name: (chosen[name].share if name in chosen else 1.0, 1) for name in menu.blocks}
        bought = filled(menu.blocks, chosen, rest, market.price, market.luck, budget, rng)
        return _with(Design([], 1.0, promised=self.promised(market, budget)), bought, market)

    def menu(self, market: Market) -> HorizonMenu:
        """Return the menu that the plans are made of."""
        return market.remembered("menu", lambda: horizon_menu(market))

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


ENDS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class InStages:
    """A plan for a part of the money, a look at what came out, a plan for what is really left.

    Every stage but the first knows all runs seen. The whole budget promises what a plan at once
    does: EVSI is what is expected before anything is bought, and a look can only add to it.
    """

    planner: ByTask | AsRun = field(default_factory=ByTask)
    # money spent by the end of every stage, as shares of the budget, ascending to 1
    ends: tuple[float, ...] = ENDS

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Yield what to have bought by the end of every stage; see `Staged`."""
        design = Design([], 1.0, promised=self.planner.promised(market, budget))
        seed = int(rng.integers(2**32))  # one order of tasks for all stages
        for k, end in enumerate(self.ends):
            sight = (yield design) if k else None
            money = end * budget - (0.0 if sight is None else sight.spent)
            bought, added = (
                self.planner.bought(market, sight, money, np.random.default_rng(seed))
                if money > 0
                else ([], np.zeros_like(design.promised))
            )
            design = _with(design, bought, market, added)
        return design


def _with(
    design: Design, bought: list[Bought], market: Market, added: Array | None = None
) -> Design:
    """Return a design with further tasks, or the same ones carried on."""
    share, attempts = np.zeros(len(market.at)), np.zeros(len(market.at), dtype=np.int64)
    rows = np.searchsorted(market.at, design.tasks)
    share[rows], attempts[rows] = design.caps / market.caps[rows], design.attempts
    for one in bought:
        share[one.row] = max(share[one.row], one.share)
        attempts[one.row] = max(attempts[one.row], one.attempts)
    rows = np.flatnonzero(share)
    tasks = market.at[rows]
    return Design(tasks, share[rows] * market.caps[rows], attempts[rows], design.promised, added)
