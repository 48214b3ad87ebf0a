r"""A programme's rule: at every look, the releases worth most over their price that still fit.

Only one resource is priced, the money: λ, the value of one more unit of it, is such that the
*expected* spend meets the expected budget. Every other resource, the stated budget itself, the
calendar and the limits hold in every outcome. Where what the parts of the menu would release does
not fit together, the best set that does is released, by enumeration.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from evalbayes.arrays import Array, Positions
from evalfolio.objectives.valuation import direct_gains
from evalfolio.plans.evaluation import choice_vector
from evalfolio.programmes.release import Block, Branch
from evalfolio.search import Problem, Question

FINE = np.linspace(-6.0, 6.0, 8001)  # sds of t: nodes of the quadrature
ROUNDS, MOST_SETS = 40, 4096  # of bisection for the price; of branches that are held to limits


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Frame:
    """What the programmes of a question have in common."""

    question: Question
    blocks: Sequence[Block]
    """Parts of its menu, those of most worth first."""
    hard: Array
    """What may never be passed of each resource."""
    priced: int | None
    """Position of the resource that is priced."""
    expected: float
    """What may be spent of it in expectation."""
    days: float
    """Calendar days of all stages together."""

    @cached_property
    def _limits(self) -> Problem:
        # budgets are counted apart, as what is run anew is paid twice
        return Problem(replace(self.question.lean, budget={}, contingency=0.0))

    def allows(self, options: Sequence[str]) -> bool:
        """Whether the limits beside the budgets hold for what has been run in the end."""
        x = choice_vector(self.question.menu, options)
        return not self.question.limits or self._limits.completed(x) is not None


@dataclass(eq=False)  # a programme is itself; its price is set once its branches are known
class Policy:
    """What is bought now, what that may release, and the price λ by which it is released."""

    frame: Frame
    options: tuple[str, ...]
    first: Sequence[Branch]
    """The branch of each block that buys its part of the options."""
    price: float = 0.0
    points: Array | None = None
    """Means t of every block at the first look to judge by, (n, n_blocks); None: quadrature."""
    chances: dict[Branch, float] = field(default_factory=dict)
    """Of every release at the first look, as last judged."""
    _fits: dict[tuple[Branch, ...], bool] = field(default_factory=dict)

    @cached_property
    def now(self) -> Array:
        """Use of what is bought now."""
        menu = self.frame.question.menu
        return menu.use_of(choice_vector(menu, self.options))

    @cached_property
    def fixed(self) -> Array:
        """Use of what is bought now and belongs to no block."""
        return np.asarray(self.now - np.sum([branch.total for branch in self.first], axis=0))

    @property
    def prices(self) -> Array:
        """Of a unit of every resource."""
        here = np.arange(len(self.frame.hard)) == self.frame.priced
        return np.where(here, self.price, 0.0)

    def fits(self, at: Sequence[Branch]) -> bool:
        """Whether budgets, calendar and limits hold where every block stands on its branch."""
        key = tuple(at)
        if key not in self._fits:
            used = self.fixed + np.sum([branch.total for branch in at], axis=0)
            held = {name: option for branch in at for name, option in branch.held.items()}
            of = self.frame.question.menu.options["eval"]
            rest = {name for name in self.options if of[name] not in held}  # as it was, or done
            self._fits[key] = (
                bool((used <= self.frame.hard * (1 + 1e-9)).all())
                and days_of(at) <= self.frame.days * (1 + 1e-9)
                and self.frame.allows(sorted({*held.values(), *rest}))
            )
        return self._fits[key]

    def choose(self, at: Sequence[Branch], t: Array, done: Sequence[int] = ()) -> Positions:
        """Return which of its branches every block releases at means t, (n, n_blocks); -1: none.

        `done` are blocks that release nothing any more.
        """
        later = [() if b in done else branch.later for b, branch in enumerate(at)]
        every = [self.nets(b, branch, later[b], t[:, b]) for b, branch in enumerate(at)]
        picks, shape = [nets.argmax(axis=0) for nets in every], tuple(map(len, every))
        found, which = np.unique(np.ravel_multi_index(picks, shape), return_inverse=True)

        def able(pick: Sequence[int]) -> bool:
            return self.fits(
                [late[k - 1] if k else b for b, late, k in zip(at, later, pick, strict=True)]
            )

        each = zip(*np.unravel_index(found, shape), strict=True)
        clash = ~np.array([able(pick) for pick in each])[which]
        chosen = np.array(picks).T
        if clash.any():
            fit = np.array([k for k in itertools.product(*map(range, shape)) if able(k)])
            scores = np.sum([nets[fit[:, b]][:, clash] for b, nets in enumerate(every)], axis=0)
            chosen[clash] = fit[np.argmax(scores, axis=0)]
        return np.asarray(chosen - 1)

    def nets(self, b: int, branch: Branch, later: Sequence[Branch], t: Array) -> Array:
        """Return what nothing, and each release of a block, is worth over its price at means t."""
        block = self.frame.blocks[b]
        tables = [block.going(branch, then, self.prices)[0] for then in later]
        return np.array([0.0 * t, *(np.interp(t, block.line.means, table) for table in tables)])

    @cached_property
    def competing(self) -> bool:
        """Whether some of what blocks may release does not fit together, now or later."""
        trees = [list(branch.all()) for branch in self.first]
        most = np.sum([np.max([b.total for b in tree], axis=0) for tree in trees], axis=0)
        over = (self.fixed + most > self.frame.hard * (1 + 1e-9)).any()
        if over or days_of([b for tree in trees for b in tree]) > self.frame.days:
            return True
        sets = itertools.islice(itertools.product(*trees), MOST_SETS + 1)
        limited = self.frame.question.limits
        return bool(limited) and not all(k < MOST_SETS and self.fits(s) for k, s in enumerate(sets))

    def judged(self) -> tuple[float, float]:
        """Return what releases are expected to add, and to spend, at the price as it is."""
        net = spend = 0.0
        weights = np.exp(-0.5 * FINE**2) / np.exp(-0.5 * FINE**2).sum()
        joint = None if self.points is None else self.choose(self.first, self.points)
        for b, (block, first) in enumerate(zip(self.frame.blocks, self.first, strict=True)):
            if joint is None or self.points is None:
                t = block.line.value.distance + FINE * np.sqrt(block.own(first))
                picks = self.nets(b, first, first.later, t).argmax(axis=0) - 1
            else:
                t, picks = self.points[:, b], joint[:, b]
                weights = np.full(len(joint), 1 / len(joint))
            for k, then in enumerate(first.later):
                own, at = weights[picks == k], t[picks == k]
                worth, spent = block.going(first, then, self.prices)
                net += float(own @ np.interp(at, block.line.means, worth))
                spend += float(own @ np.interp(at, block.line.means, spent))
                self.chances[then] = float(own.sum())
        return net + self.price * spend, spend

    @property
    def room(self) -> float:
        """What later stages may spend in expectation of the resource that is priced."""
        priced = self.frame.priced
        return np.inf if priced is None else float(self.frame.expected - self.now[priced])

    def priced(self, less: float = 0.0) -> "Policy":
        """Set the least price at which expected spend is within expected budget, less so much."""
        self.price, room = 0.0, (self.room - less) * (1 + 1e-9)
        if self.judged()[1] <= room or self.frame.priced is None:
            return self
        pairs = [pair for pair in zip(self.frame.blocks, self.first, strict=True) if pair[1].later]
        costs = [each.cost[self.frame.priced] for _, first in pairs for each in first.later]
        most = max(float(b.released(first, self.prices)[0].max()) for b, first in pairs)
        low, high = 0.0, most / max(min(cost for cost in costs if cost > 0), 1e-12)
        for _ in range(ROUNDS):
            self.price = (low + high) / 2
            low, high = (low, self.price) if self.judged()[1] <= room else (self.price, high)
        self.price = high
        return self

    @cached_property
    def at_once(self) -> float:
        """What the results of what is bought now are worth by themselves."""
        menu = self.frame.question.menu
        return float(direct_gains(menu, choice_vector(menu, self.options)).sum())

    @property
    def value(self) -> float:
        """What the programme is worth, releases valued along the blocks' lines."""
        return self.at_once + self.judged()[0]


def days_of(at: Sequence[Branch]) -> float:
    """Return the calendar days of all stages, one after the other, each as long as its longest."""
    return sum(map(max, itertools.zip_longest(*(branch.days for branch in at), fillvalue=0.0)))
