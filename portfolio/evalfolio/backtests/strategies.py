"""Strategies: what to buy, decided on the history alone.

A strategy is a function of a market, a budget and a random generator that returns a `Design`. The
expected spend of a design must keep within the budget; what it really spends is measured. One that
looks at what came out before it buys more is `evalfolio.backtests.market.Staged`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from evalbayes.arrays import Array, Index
from evalfolio.backtests.market import FRACTIONS, Market
from evalfolio.backtests.record import Design

NEARLY = 0.95  # of the successes within the highest cap: where the plateau is taken as reached


class Strategy(Protocol):
    """Decides what to buy."""

    def __call__(self, market: Market, budget: float, rng: np.random.Generator) -> Design:
        """Return the runs to buy, expected to spend no more than the budget."""
        ...


def uniform(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Buy tasks in random order until the next does not fit."""
    price = market.price()
    order = rng.permutation(len(price))
    return _bought(market, order[np.cumsum(price[order]) <= budget])


def uniform_filled(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Buy tasks in random order, each that still fits: the last of the money buys cheap ones."""
    price = market.price()
    return _bought(market, fitted(rng.permutation(len(price)), price, budget)[0])


def cheapest(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Buy the evals with the cheapest runs first."""
    return _in_order(market, budget, rng, lambda price, rows: float(price[rows].mean()))


def most_informative(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Buy the evals whose runs tell most first, whatever they cost."""
    return _in_order(market, budget, rng, lambda price, rows: -float(market.luck[rows].mean()))


def flagship(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Buy the one eval that tells most when it is bought whole, and nothing else."""
    best = max(market.evals, key=lambda name: float(market.luck[market.of_eval(name)].sum()))
    rows = rng.permutation(market.of_eval(best))
    return _bought(market, fitted(rows, market.price(), budget)[0])


def all_plateau(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Split the money evenly over evals, single runs at the cap where each nears its plateau."""
    caps = market.remembered("plateau caps", lambda: _plateau_caps(market))
    price = np.empty(len(caps))
    for cap in np.unique(caps):
        price[caps == cap] = market.price(float(cap), 1)[caps == cap]
    even = dict.fromkeys(market.evals, 1.0)
    rows = shared_out(market, price, budget, even, rng)
    return Design(market.at[rows], (caps * market.caps)[rows], 1)


def all_maximum(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Split the money evenly over evals, all attempts at the highest cap."""
    even = dict.fromkeys(market.evals, 1.0)
    return _bought(market, shared_out(market, market.price(), budget, even, rng))


def screen(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Run every task at the lowest cap on offer, then carry random ones on at the highest."""
    low, full = market.price(min(FRACTIONS), 1), market.price()
    rows, left = fitted(rng.permutation(len(low)), low, budget)
    deep, _ = fitted(rng.permutation(rows), full - low, left)
    caps, attempts = np.full(len(low), min(FRACTIONS)), np.ones(len(low), dtype=np.int64)
    caps[deep], attempts[deep] = 1.0, market.attempts
    return Design(market.at[rows], (caps * market.caps)[rows], attempts[rows])


def like_last_time(market: Market, budget: float, rng: np.random.Generator) -> Design:
    """Split the money over evals as the runs of the history did."""
    spent = market.remembered(
        "last spend",
        lambda: {
            str(name): float(total)
            for name, total in market.history.groupby("eval")["spend"].sum().items()
        },
    )
    return _bought(market, shared_out(market, market.price(), budget, spent, rng))


def fitted(order: Sequence[int] | Index, price: Array, budget: float) -> tuple[Index, float]:
    """Walk along tasks and buy each that still fits; return those bought and what is left.

    >>> fitted([0, 1, 2], np.array([3.0, 9.0, 2.0]), 6.0)
    (array([0, 2]), 1.0)
    """
    bought, left = [], float(budget)
    for row in order:
        if price[row] <= left:
            bought.append(int(row))
            left -= float(price[row])
    return np.asarray(bought, dtype=np.int64), left


def shared_out(
    market: Market, price: Array, budget: float, shares: dict[str, float], rng: np.random.Generator
) -> Index:
    """Split a budget over evals, tasks at random in each; what an eval cannot use goes to the rest.

    Evals are filled from the one that needs least to the one that needs most, so that money left
    over by small ones is shared by the others.
    """
    names = [name for name in market.evals if shares.get(name, 0.0) > 0]
    weight = {name: shares[name] for name in names}
    names.sort(key=lambda name: float(price[market.of_eval(name)].sum()) / weight[name])
    bought: list[Index] = []
    left, rest = float(budget), sum(weight.values())
    over = []
    for name in names:
        rows = rng.permutation(market.of_eval(name))
        part = left * weight[name] / rest
        got, unused = fitted(rows, price, part)
        bought.append(got)
        over += [row for row in rows.tolist() if row not in set(got.tolist())]
        left, rest = left - part + unused, rest - weight[name]
    more, _ = fitted(rng.permutation(np.asarray(over, dtype=np.int64)), price, left)
    return np.concatenate([*bought, more]).astype(np.int64)


def _in_order(
    market: Market, budget: float, rng: np.random.Generator, key: Callable[[Array, Index], float]
) -> Design:
    price = market.price()
    names = sorted(market.evals, key=lambda name: key(price, market.of_eval(name)))
    order = np.concatenate([rng.permutation(market.of_eval(name)) for name in names])
    return _bought(market, fitted(order, price, budget)[0])


def _bought(market: Market, rows: Iterable[int] | Index) -> Design:
    chosen = np.asarray(rows, dtype=np.int64)
    return Design(market.at[chosen], market.caps[chosen], market.attempts)


def _plateau_caps(market: Market) -> Array:
    """Least cap on offer, by eval, within which 95 % of the successes come."""
    caps = np.ones(len(market.at))
    full = market.outlook.within(1.0)
    for fraction in sorted(FRACTIONS, reverse=True):
        within = market.outlook.within(fraction)
        for name in market.evals:
            rows = market.of_eval(name)
            if within[rows].sum() >= NEARLY * full[rows].sum():
                caps[rows] = fraction
    return caps
