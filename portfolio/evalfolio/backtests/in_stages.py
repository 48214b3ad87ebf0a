"""evalfolio as a strategy: a part of the money, a look, a plan for what is really left."""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from evalbayes.arrays import Array
from evalfolio.backtests.by_task import ByTask
from evalfolio.backtests.market import Bought, Market, Sight
from evalfolio.backtests.programme import AsRun
from evalfolio.backtests.record import Design

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
