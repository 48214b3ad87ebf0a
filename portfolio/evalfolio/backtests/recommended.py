"""evalfolio as a strategy: the plan on the menu of the horizon, at once or in stages."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from evalbayes.arrays import Array
from evalbayes.responses import Further
from evalfolio import objectives
from evalfolio.backtests.horizon_menu import (
    HorizonMenu,
    StageMenu,
    horizon_menu,
    promised,
    stage_menu,
)
from evalfolio.backtests.market import Market, Sight
from evalfolio.backtests.record import Design
from evalfolio.backtests.ways import Bought, chosen_of, filled
from evalfolio.search.answer import Answer, Method
from evalfolio.search.certified import Certified
from evalfolio.search.greedy import Greedy
from evalfolio.search.question import Question

ROUGHLY = Certified(gap=0.05)  # replays plan by the thousand


@dataclass(frozen=True)
class Recommended:
    """The plan of evalfolio for each budget."""

    method: Method = ROUGHLY  # how it is searched; its plan is held to the greedy one too
    caps: bool = True  # whether caps below the highest are on offer

    def __call__(self, market: Market, budget: float, rng: np.random.Generator) -> Design:
        """Buy what the plan says, and fill the budget."""
        menu = self.menu(market)
        best = self.plan(market, budget)
        chosen = chosen_of(menu.menu, menu.ways, best.chosen)
        rest = {name: (chosen[name].share if name in chosen else 1.0, 1) for name in menu.blocks}
        bought = filled(menu.blocks, chosen, rest, market.price, market.luck, budget, rng)
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


ENDS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class InStages:
    """The plan of evalfolio for a part of the money, a look at what came out, a new plan.

    The first stage is `Recommended`'s for a part of the budget. Every later one reads all runs
    seen, makes the menu of what they have not settled, fresh tasks and those to be carried on, and
    splits what is really left of the money up to its end. The whole budget promises what `once`
    does: EVSI is what is expected before anything is bought, and a look can only add to it.
    """

    # money spent by the end of every stage, as shares of the budget, ascending to 1
    ends: tuple[float, ...] = ENDS
    once: Recommended = field(default_factory=Recommended)  # how the first stage is planned

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Yield what to have bought by the end of every stage; see `Staged`."""
        promised = self.once.promised(market, budget)
        first = self.once(market, self.ends[0] * budget, rng)
        design = Design(first.tasks, first.caps, first.attempts, promised)
        for end in self.ends[1:]:
            sight = yield design
            money = end * budget - sight.spent
            menu = stage_menu(market, sight.foresight) if money > 0 else None
            if menu is not None:
                bought = self._bought(menu, sight.foresight, money, rng)
                design = _with(design, bought, market)
        return design

    def _bought(
        self, menu: StageMenu, foresight: Further, money: float, rng: np.random.Generator
    ) -> list[Bought]:
        question = Question(menu.menu, {"spend": money}, objective=objectives.variance())
        chosen = chosen_of(menu.menu, menu.ways, Greedy().find(question).chosen)
        rest = {
            name: (chosen[name].share, attempts) if name in chosen else (share, attempts)
            for name, (share, attempts) in menu.left_out.items()
        }
        return filled(menu.blocks, chosen, rest, foresight.price, menu.luck, money, rng)


def _with(design: Design, bought: list[Bought], market: Market) -> Design:
    """Return a design with further tasks, or the same ones carried on."""
    share, attempts = np.zeros(len(market.at)), np.zeros(len(market.at), dtype=np.int64)
    rows = np.searchsorted(market.at, design.tasks)
    share[rows], attempts[rows] = design.caps / market.caps[rows], design.attempts
    for one in bought:
        share[one.row] = max(share[one.row], one.share)
        attempts[one.row] = max(attempts[one.row], one.attempts)
    rows = np.flatnonzero(share)
    tasks = market.at[rows]
    return Design(tasks, share[rows] * market.caps[rows], attempts[rows], design.promised)
