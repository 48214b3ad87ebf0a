"""Filling a budget: a plan's tasks drawn at random and fitted to the money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.backtests.ways import Way

Array = NDArray[np.float64]
Index = NDArray[np.int64]

LEAST = 1e-9  # of a mean price that is divided by


class Bought(NamedTuple):
    """One task bought: its row, share of the highest cap, and attempts."""

    row: int
    share: float
    attempts: int


def chosen_of(menu: Menu, ways: Mapping[str, Way], options: Iterable[str]) -> dict[str, Way]:
    """Return the way of each block that a plan's options buy of."""
    return {str(menu.options.loc[name, "eval"]): ways[name] for name in options}


def filled(
    blocks: Mapping[str, Index],
    chosen: Mapping[str, Way],
    left_out: Mapping[str, tuple[float, int]],
    price: Callable[[float, int], Array],
    luck: Array,
    money: float,
    rng: np.random.Generator,
) -> list[Bought]:
    """Draw the plan's tasks at random and fit them to the money.

    A plan counts with mean prices and may leave money over; the tasks drawn have prices of their
    own. So tasks are bought in random order, the cheap ways of the plan first, as far as they fit,
    and what is left buys tasks that were left out, blocks with the most luck for the money first.

    Parameters
    ----------
    blocks
        Rows of the tasks of every block, by name.
    chosen
        The plan's way of each block that it buys of.
    left_out
        Share of the highest cap and attempts with which each block's other tasks are bought.
    price
        Of every task, for a share of the highest cap and a number of attempts.
    luck
        Variance that each task's outcome adds to the horizon.
    money
        The budget, or what is left of it.
    rng
        Draws the tasks.
    """
    planned: list[tuple[float, Bought]] = []  # mean price first
    later: list[tuple[float, Bought]] = []
    for name, rows in blocks.items():
        way = chosen.get(name, Way(0, 1.0, 0, 1))
        order = rng.permutation(rows).tolist()
        for share, attempts, tasks in (
            (1.0, way.attempts, order[: way.deep]),
            (way.share, 1, order[way.deep : way.n_tasks]),
        ):
            mean = float(price(share, attempts)[rows].mean())
            planned += [(mean, Bought(row, share, attempts)) for row in tasks]
        share, attempts = left_out[name]
        worth = -float(luck[rows].mean() / max(float(price(share, attempts)[rows].mean()), LEAST))
        later += [(worth, Bought(row, share, attempts)) for row in order[way.n_tasks :]]
    found, left = [], float(money)
    for _, one in (
        *sorted(planned, key=lambda each: each[0]),  # stable: at random inside a way
        *sorted(later, key=lambda each: each[0]),
    ):
        cost = float(price(one.share, one.attempts)[one.row])
        if cost <= left:
            found.append(one)
            left -= cost
    return found
