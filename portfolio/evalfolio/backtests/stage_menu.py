r"""The menu of a later stage: what is left to learn and to pay once some runs are seen.

As `evalfolio.backtests.horizon_menu`, with blocks of the fresh tasks of each eval, of those that a
lower cap stopped (which cost what they spend from there) and of those that may be tried again. It
is worked out at one point, the posterior's: states are what each part k of each block b adds,
t_bk = Σ_{j∈b} c_j·q_jk + r_bk, the first term's covariance that over the posterior's draws, and the
luck's, r, the mean over the draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from evalbayes import Decision, Menu
from evalfolio.backtests.horizon_menu import at_quantiles
from evalfolio.backtests.market import Market
from evalfolio.backtests.teaching import Foresight
from evalfolio.backtests.ways import (
    FRACTIONS,
    Way,
    luck_covariance,
    options_of,
    ways_again,
    ways_of,
    with_floor,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

SAME = 1e-6  # ln units: caps this close are one


@dataclass(frozen=True, eq=False)
class StageMenu:
    """What may be bought after a look.

    Parameters
    ----------
    menu, ways
        Options, and what each buys.
    blocks
        Rows of the market's tasks of every block, by name.
    left_out
        Share of the highest cap and attempts with which the tasks of a block not chosen are bought.
    luck
        Variance that each task's outcome adds to the horizon.
    """

    menu: Menu
    ways: dict[str, Way]
    blocks: dict[str, Index]
    left_out: dict[str, tuple[float, int]]
    luck: Array


def stage_menu(market: Market, foresight: Foresight) -> StageMenu | None:
    """Return the menu of what is not settled; None where all is."""
    blocks, ways = _on_offer(market, foresight)
    if not blocks:
        return None
    judge, solved = market.outlook.judge, foresight.solved
    at = at_quantiles(judge.horizons(solved))
    c = np.mean([judge.influence(solved[row]) for row in at], axis=0)
    parts = foresight.parts(FRACTIONS)
    pulls = np.concatenate([parts[:, :, rows] @ c[rows] for rows in blocks.values()], axis=1)
    moved = np.cov(pulls, rowvar=False)
    luck = with_floor(
        [luck_covariance(c[rows], parts[:, :, rows]) for rows in blocks.values()], moved
    )
    options, way_of, information = options_of(blocks, ways, [luck], FRACTIONS, foresight.price)
    size = information.shape[1]
    states = tuple(f"{block}, part {k + 1}" for block in blocks for k in range(parts.shape[1]))
    menu = Menu(
        options,
        ("spend",),
        information,
        states,
        np.zeros(size),
        block_diag(*luck) + moved,
        (Decision("horizon", np.ones(size), 0.0, 1.0, 1.0),),
    )
    left_out = {
        name: (min(way.share for way in ways[name]), market.attempts if again else 1)
        for name, again in ((name, foresight.tried[rows[0]]) for name, rows in blocks.items())
    }
    spread = c**2 * (solved * (1.0 - solved)).mean(axis=0)
    return StageMenu(menu, way_of, blocks, left_out, spread)


def _on_offer(
    market: Market, foresight: Foresight
) -> tuple[dict[str, Index], dict[str, list[Way]]]:
    """Return rows of each eval's fresh, going and tried tasks, and their ways; see the module."""
    blocks: dict[str, Index] = {}
    ways: dict[str, list[Way]] = {}
    fresh = ~(foresight.going | foresight.tried | foresight.settled)
    reached = np.round(foresight.ln_cap - foresight.ln_top, 6)
    for name in market.evals:
        rows = market.of_eval(name)
        found = {f"{name}, fresh": (rows[fresh[rows]], -np.inf)}
        for level in np.unique(reached[rows[foresight.going[rows]]]).tolist():
            key = f"{name}, going at {np.exp(level):.3g} of the cap"
            found[key] = (rows[reached[rows] == level], level)
        for key, (own, level) in found.items():
            if len(own):
                shares = [share for share in FRACTIONS if np.log(share) > level + SAME]
                blocks[key], ways[key] = own, ways_of(len(own), shares, market.attempts)
        again = rows[foresight.tried[rows]]
        if len(again):
            key = f"{name}, tried"
            blocks[key], ways[key] = again, ways_again(len(again), market.attempts)
    return blocks, ways
