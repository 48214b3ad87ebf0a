r"""Ways to run an eval, as options of a menu: how many tasks, to which cap, how many attempts.

A success comes in one of several parts: within the lowest cap on offer, between that and the next,
..., in a later attempt. A run shows the first parts, as far as its cap and attempts reach. Where m
of N tasks reach part k or further, the precision of what the parts add is Σ_k f_k/(1 − f_k)·(Λ⁻¹ on
the first k parts − Λ⁻¹ on the first k − 1), with f_k = m_k/N and Λ the covariance of the luck: all
tasks at a low cap and some at the highest together tell what comes late.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array, Index

FRACTIONS = (0.005, 0.02, 0.06, 0.2, 1.0)  # caps on offer, shares of the highest
MOST_TOLD = 0.999  # of a part: precision stays finite
COUNT_STEP = 1.8  # numbers of tasks grow by this factor
FLOOR = 1e-7  # least share of the largest variance that a part's luck has, and ...
LEAST = 1e-8  # ... least variance, doublings²: below it precisions leave the range of a menu


@dataclass(frozen=True)
class Way:
    """How an option runs an eval."""

    n_tasks: int  # drawn at random
    share: float  # of the highest cap, for all of them but ...
    deep: int  # ... so many, which get the highest cap ...
    attempts: int  # ... and so many attempts

    def __str__(self) -> str:
        rest = self.n_tasks - self.deep
        said = [f"{rest} tasks at {self.share:.3g} of the cap"] if rest else []
        said += [f"{self.deep} tasks x {self.attempts}"] if self.deep else []
        return " + ".join(said)

    def told(self, n: int, shares: Sequence[float], parts: int) -> Array:
        """Return the share of n tasks that reach each part, (parts,), at most `MOST_TOLD`.

        >>> Way(4, 0.1, 1, 1).told(4, (0.1, 1.0), 2)
        array([0.999, 0.25 ])
        """
        found = np.zeros(parts)
        found[: shares.index(self.share) + 1] += (self.n_tasks - self.deep) / n
        found[: parts if self.attempts > 1 else len(shares)] += self.deep / n
        return np.minimum(found, MOST_TOLD)


def ways_of(n: int, shares: Sequence[float], attempts: int) -> list[Way]:
    """Return the ways on offer: some tasks in one way, or all of them, some of these deep.

    >>> [str(way) for way in ways_of(2, (0.1, 1.0), 1)]  # doctest: +NORMALIZE_WHITESPACE
    ['1 tasks x 1', '2 tasks x 1', '1 tasks at 0.1 of the cap', '2 tasks at 0.1 of the cap',
     '1 tasks at 0.1 of the cap + 1 tasks x 1']
    """
    counts = _counts(n)
    found = [Way(count, 1.0, count, 1) for count in counts]
    if attempts > 1:
        found += [Way(count, 1.0, count, attempts) for count in counts]
        found += [Way(n, 1.0, deep, attempts) for deep in counts if deep < n]
    for share in shares[:-1]:
        found += [Way(count, share, 0, 1) for count in counts]
        found += [Way(n, share, deep, attempts) for deep in counts if deep < n]
    return found


def options_of(
    blocks: Mapping[str, Index],
    ways: Mapping[str, Sequence[Way]],
    luck: Sequence[Sequence[Array]],
    shares: Sequence[float],
    price: Callable[[float, int], Array],
) -> tuple[pd.DataFrame, dict[str, Way], Array]:
    """Return the options of a menu, the way of each, and their information, (n_options, n, n).

    Blocks are rows of the tasks, luck the covariance of each block's parts at every point where the
    menu is worked out, shares those of the highest cap where the parts end, ascending to 1. The
    price is of every task, for a share of the highest cap and a number of attempts.
    """
    points, parts = len(luck), luck[0][0].shape[0]
    size = points * len(blocks) * parts
    table, found, information = [], {}, []
    for b, (name, rows) in enumerate(blocks.items()):
        steps = [_steps(luck[k][b]) for k in range(points)]
        for way in ways[name]:
            told = way.told(len(rows), shares, parts)
            matrix = np.zeros((size, size))
            for k in range(points):
                at = (k * len(blocks) + b) * parts
                own = slice(at, at + parts)
                matrix[own, own] = np.tensordot(told / (1.0 - told), steps[k], axes=1)
            information.append(matrix)
            option = f"{name}: {way}"
            found[option] = way
            spend = (way.n_tasks - way.deep) * price(way.share, 1)[rows].mean()
            spend += way.deep * price(1.0, way.attempts)[rows].mean()
            table.append(
                {
                    "option": option,
                    "eval": name,
                    "domain": "horizon",
                    "tier": "max-elicitation" if way.attempts > 1 else "plateau",
                    "spend": float(spend),
                }
            )
    return pd.DataFrame(table).set_index("option"), found, np.stack(information)


def luck_covariance(c: Array, q: Array) -> Array:
    r"""Return the mean over draws of diag(Σ c² q) − Σ c² q qᵀ, the luck of a block's parts.

    c is doublings per task, (n_tasks,), q the chance that each task is solved in each part,
    (n_draws, n_parts, n_tasks).

    >>> luck_covariance(np.ones(1), np.array([[[0.5], [0.25]]]))  # of one trial in three outcomes
    array([[ 0.25  , -0.125 ],
           [-0.125 ,  0.1875]])
    """
    pairs = np.einsum("dkj,dlj,j->kl", q, q, c**2) / len(q)
    return np.asarray(np.diag((q.mean(axis=0) * c**2).sum(axis=1)) - pairs)


def with_floor(luck: Sequence[Array], moved: Array) -> list[Array]:
    """Return the luck of blocks, kept invertible against the covariance of all that moves them."""
    largest = max(float(np.trace(moved)), *(float(np.trace(each)) for each in luck))
    least = max(FLOOR * largest, LEAST)
    return [each + least * np.eye(len(each)) for each in luck]


def _steps(luck: Array) -> Array:
    """Return what each part adds to the precision of those before it, (n_parts, n, n)."""
    size = len(luck)
    found, before = [], np.zeros((size, size))
    for k in range(1, size + 1):
        now = np.zeros((size, size))
        now[:k, :k] = np.linalg.inv(luck[:k, :k])
        found.append(now - before)
        before = now
    return np.stack(found)


def _counts(n: int) -> list[int]:
    """Return numbers of tasks on offer: 1, then growing by `COUNT_STEP` or by one, and all."""
    counts, count = [], 1.0
    while count < n:
        counts.append(round(count))
        count = max(count * COUNT_STEP, count + 1)
    return sorted({*counts, n})


LEAST_PRICE = 1e-9  # of a mean price that is divided by


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
    `left_out` has the share of the highest cap and the attempts with which each block's other tasks
    are bought, where any are; luck is the variance that each task's outcome adds to the horizon.
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
        if name not in left_out:
            continue
        share, attempts = left_out[name]
        worth = -float(
            luck[rows].mean() / max(float(price(share, attempts)[rows].mean()), LEAST_PRICE)
        )
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
