"""The square-root law with a price list: which evals to run deep where prices differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalfolio.rule.like_evals import RuleFigures, check_purchase, left_variance


def priced_mix(
    prices: Sequence[float],
    budget: float,
    *,
    cost_ratio: float,
    validity_sd: float,
    gap_sd: float,
    gap_spread: float,
    shown_sd: float = math.inf,
    noise_sd: float = 0.0,
    effort: float = 1.0,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return which evals to run at plateau level and which deep, where prices differ.

    The q cheapest evals run deep, then the cheapest others at plateau level while the money lasts,
    then what is left deepens further ones; of all q, the one that leaves the least variance by the
    law's formula. Prices close to the budget make this necessary: a deep run of a cheap eval may
    be affordable where one at the mean price is not.

    Parameters
    ----------
    prices
        Price of a plateau-level run of every eval; deep runs cost `cost_ratio` times as much.
    budget
        In the unit of the prices.
    cost_ratio, validity_sd, gap_sd, gap_spread, shown_sd, noise_sd, effort
        As `depth_rule` has them.

    Examples
    --------
    >>> priced_mix(
    ...     [1.0, 3.0, 1.0], 6.0, cost_ratio=4, validity_sd=1, gap_sd=1, gap_spread=0.5, shown_sd=1
    ... )
    ((2,), (0,))
    """
    check_purchase(cost_ratio, budget, None)
    case = RuleFigures(validity_sd, gap_sd, gap_spread, shown_sd, noise_sd, effort)
    order = sorted(range(len(prices)), key=lambda i: (prices[i], i))
    best: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    least = math.inf
    for q in range(len(order) + 1):
        if sum(prices[i] for i in order[:q]) * cost_ratio > budget * (1 + 1e-12):
            break
        plateau, deep = _filled(prices, order, q, budget, cost_ratio)
        n = len(plateau) + len(deep)
        left = left_variance(n, len(deep), case)
        if left < least:
            best, least = (plateau, deep), left
    return best


def _filled(
    prices: Sequence[float], order: Sequence[int], q: int, budget: float, cost_ratio: float
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return plateau-level and deep evals with the q cheapest deep and all money used."""
    deep = list(order[:q])
    left = budget - cost_ratio * sum(prices[i] for i in deep)
    plateau = []
    for i in order[q:]:
        if prices[i] <= left:
            plateau.append(i)
            left -= prices[i]
    for i in [*plateau] if len(deep) + len(plateau) == len(order) else []:
        if prices[i] * (cost_ratio - 1) <= left:
            left -= prices[i] * (cost_ratio - 1)
            plateau.remove(i)
            deep.append(i)
    return tuple(plateau), tuple(deep)
