"""Buying: a strategy chooses, and is held to what it may spend."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evalfolio.backtests.design import Design
from evalfolio.backtests.market import Market
from evalfolio.backtests.sight import Sight, Staged
from evalfolio.backtests.strategies import Strategy
from evalfolio.errors import InputError

Array = NDArray[np.float64]
Price = Callable[[float, int], Array]

CLOSE = 1e-6  # relative: an expected spend this little above a budget keeps within it


def chosen_by(
    name: str,
    strategy: Strategy | Staged,
    market: Market,
    budget: float,
    rng: np.random.Generator,
    sell: Callable[[Design], Sight],
) -> Design:
    """Return all that a strategy buys, in stages if it wants to look in between.

    InputError if more is bought than may be, a task is not on offer, or a later stage takes back
    what an earlier one bought.

    Parameters
    ----------
    name, strategy
        Who buys.
    market
        What it may see before it buys.
    budget
        What it is expected to spend at most; of a later stage, what is really left of that.
    rng
        Of its draws.
    sell
        Returns what a design's runs have shown.
    """
    if not isinstance(strategy, Staged):
        design = strategy(market, budget, rng)
        _check(name, design, market, budget, market.price)
        return design
    stages = strategy.stages(market, budget, rng)
    design, sight = Design([], caps=1.0), None
    while True:
        try:
            later = next(stages) if sight is None else stages.send(sight)
            ended = False
        except StopIteration as stop:
            later, ended = stop.value, True
        added = _added(name, design, later)
        if sight is None:
            _check(name, added, market, budget, market.price)
        elif len(added):
            left = max(budget - sight.spent, 0.0)
            _check(name, added, market, left, sight.foresight.price)
        if ended:
            return later
        design, sight = later, sell(later)


def _added(name: str, before: Design, after: Design) -> Design:
    """Return what a stage adds to the one before: new tasks, and those carried on."""
    was = {task: (cap, tries) for task, cap, tries in before.rows()}
    held = {task: (cap, tries) for task, cap, tries in after.rows()}
    for task, (cap, tries) in was.items():
        now = held.get(task, (0.0, 0))
        if now[0] < cap or now[1] < tries:
            raise InputError(
                f"strategy {name}: a stage must keep what earlier ones bought, got less of task "
                f"{task}; add to the design yielded before"
            )
    new = [(task, *bought) for task, bought in held.items() if was.get(task) != bought]
    tasks, caps, attempts = zip(*new, strict=True) if new else ((), (), ())
    return Design(tasks, np.asarray(caps), np.asarray(attempts, dtype=np.int64))


def _check(name: str, design: Design, market: Market, budget: float, price: Price) -> None:
    outside = np.setdiff1d(design.tasks, market.at)
    if len(outside):
        raise InputError(
            f"strategy {name}: every task must be on offer in the market, got task "
            f"{int(outside[0])}; use positions from market.at"
        )
    rows = np.searchsorted(market.at, design.tasks)
    expected = 0.0
    shares = np.round(design.caps / market.caps[rows], 9)
    for share, tries in {*zip(shares.tolist(), design.attempts.tolist(), strict=True)}:
        part = rows[(shares == share) & (design.attempts == tries)]
        expected += float(price(float(share), int(tries))[part].sum())
    if expected > budget * (1.0 + CLOSE):
        raise InputError(
            f"strategy {name}: the expected spend must keep within the budget of {budget:.4g}, "
            f"got {expected:.4g}; buy fewer tasks or lower caps"
        )
