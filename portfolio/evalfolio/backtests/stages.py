"""evalfolio's strategy: buy in stages, and plan anew with what the runs bought have shown."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from evalfolio import objectives
from evalfolio.backtests.design import Design
from evalfolio.backtests.filling import Bought, chosen_of, filled
from evalfolio.backtests.market import Market
from evalfolio.backtests.recommended import Recommended
from evalfolio.backtests.sight import Sight
from evalfolio.backtests.stage_menu import StageMenu, stage_menu
from evalfolio.backtests.teaching import Foresight
from evalfolio.search.greedy import Greedy
from evalfolio.search.question import Question

ENDS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class InStages:
    """The plan of evalfolio for a part of the money, a look at what came out, a new plan.

    The first stage is `Recommended`'s for a part of the budget. Every later one reads all runs
    seen, makes the menu of what they have not settled, fresh tasks and those to be carried on, and
    splits what is really left of the money up to its end.

    Parameters
    ----------
    ends
        Money spent by the end of every stage, as shares of the budget, ascending to 1.
    once
        How the first stage is planned, and what the whole budget promises: EVSI is what is
        expected before anything is bought, and a look can only add to it.
    """

    ends: tuple[float, ...] = ENDS
    once: Recommended = field(default_factory=Recommended)

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
        self, menu: StageMenu, foresight: Foresight, money: float, rng: np.random.Generator
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
