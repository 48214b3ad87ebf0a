"""Greedy choice by value per cost: instant, without a certificate."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from evalbayes.arrays import Array, Flags
from evalfolio.search.answer import Answer, Status
from evalfolio.search.exchange import Exchanges, moved
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

LOOK = 250  # options valued at a time
SMALLEST = 1e-12  # of the largest total value; what counts as a gain


@dataclass(frozen=True)
class Greedy:
    """By value per cost: instant; its bound is what running everything would be worth."""

    def find(self, question: Question) -> Answer:
        """Return the choice it finds; see `Method`."""
        problem = Problem(question)
        x = greedy(problem)
        prices, worth = dict.fromkeys(problem.resource_names, 0.0), problem.value(x)
        bound = max(worth, problem.value(problem.allowed))
        return Answer(problem, x, worth, bound, Status.GREEDY, prices)

    def roughly(self, gap: float, seconds: float) -> Self:
        """Return itself; see `Method`."""
        return self


def greedy(problem: Problem) -> Array:
    """Return a choice built step by step: the exchange with the best value per cost comes next.

    An exchange puts an option in the place of its eval's present one. Its cost is the sum over the
    budgets of the extra use as a share of the budget, so that no currency matters; a shared
    purchase is part of it until it is made. So that several options can carry one together, a
    bundle competes with single exchanges: a purchase with options that need it, taken one after the
    other by value per cost, as many as make the value per cost of the whole largest. Values below a
    decision's convex start are ranked by the straight line to its best average, as a first small
    step there is worth almost nothing and yet leads somewhere. It is of shape (n_options,); where
    running nothing breaks a limit, a choice that meets all is improved on.
    """
    x = problem.start.copy()
    exchanges = problem.once(Exchanges, lambda: Exchanges(problem))
    chords = [_best_average(grid, gain) for grid, gain in exchanges.tables]
    n_budgets = len(problem.resource_names)
    refused = np.zeros(problem.needs.shape[1], dtype=bool)  # purchases that bring nothing more

    def worth(v: Array) -> Array:
        gains = exchanges.gains(v)
        for same, (point, average) in zip(problem.alike, chords, strict=True):
            some = v[:, same]
            gains[:, same] = np.where(some < point, average * some, gains[:, same])
        return problem.total.of(gains)

    def best_step(x: Array, among: Flags, last: Array) -> tuple[Array, float, float] | None:
        """Return the choice after the best exchange, what that gains and what it costs.

        `last` is every option's value per cost as it was when last valued. Others' steps seldom
        raise one, so those that were best come first, the rest while they may be better.
        """
        options = np.flatnonzero((problem.allowed > 0) & (x < 0.5) & among & (last > -np.inf))
        now, best = float(worth(problem.explained.at(x)[None])[0]), (-np.inf, 0, 0.0, 0.0)
        while len(options) and best[0] < last[options].max():
            first = np.argpartition(-last[options], min(LOOK, len(options)) - 1)[:LOOK]
            some, options = np.sort(options[first]), np.delete(options, first)
            last[some], without = -np.inf, problem.present(x)[problem.eval_codes[some]]
            ok = exchanges.fits(x, some, without)
            some, without = some[ok], without[ok]
            if not len(some):
                continue
            gain = worth(problem.explained.exchanged(x, without, some)) - now
            extra = exchanges.more(x, some, without)[:n_budgets].sum(axis=0)
            rate = gain / np.maximum(extra, 1e-9)
            last[some] = rate = np.where(gain > SMALLEST * problem.scale, rate, -np.inf)
            k = int(np.argmax(rate))
            best = max(best, (float(rate[k]), -int(some[k]), float(gain[k]), float(extra[k])))
        if best[0] == -np.inf:
            return None
        option = -best[1]
        step = moved(x, option, int(problem.present(x)[problem.eval_codes[option]]))
        if worth(problem.explained.at(step)[None])[0] <= now:
            return None  # the gain was the rounding of what tells very much
        if problem.curved and problem.cuts(step) is not None:
            return None
        return step, best[2], best[3]

    def bundle(x: Array, needing: Flags) -> tuple[Array, float, float] | None:
        """Return the best beginning of the steps among options that need a purchase."""
        best: tuple[Array, float, float] | None = None
        at, gain, extra = x, 0.0, 0.0
        while (step := best_step(at, needing, np.full(len(x), np.inf))) is not None:
            at, gain, extra = step[0], gain + step[1], extra + step[2]
            best = max(best or (at, gain, extra), (at, gain, extra), key=_rate)
        return best

    every, last = np.ones(problem.n_options, dtype=bool), np.full(problem.n_options, np.inf)
    while True:
        steps = [best_step(x, every, last)]
        if steps[0] is None:  # of what was worth nothing, or did not fit, some may now
            last[:] = np.inf
            steps = [best_step(x, every, last)]
        bought = problem.menu.bought(x) > 0.5
        for k in np.flatnonzero(~bought & ~refused):
            steps.append(bundle(x, problem.needs[:, k] > 0))
            refused[k] = steps[-1] is None
        found = [step for step in steps if step is not None]
        if not found:
            return x
        before, x = x, max(found, key=_rate)[0]
        made = [problem.following(each @ problem.counted) for each in (before, x)]
        changed = problem.eval_codes[before != x]
        last[np.isin(problem.eval_codes, changed) | (made[0] != made[1]).any()] = np.inf


def _rate(step: tuple[Array, float, float]) -> float:
    """Return gain per cost."""
    return step[1] / max(step[2], 1e-9)


def _best_average(grid: Array, gain: Array) -> tuple[float, float]:
    """Return where G(v)/v is greatest, and that average; up to there G counts as this line."""
    if grid[-1] <= 0:
        return 0.0, 0.0
    average = gain[1:] / grid[1:]
    best = int(np.argmax(average))
    return float(grid[1:][best]), float(average[best])
