"""The certified optimum: a choice, a bound on every other, and what may be claimed of the two."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalfolio.search.branching import Search
from evalfolio.search.greedy import greedy
from evalfolio.search.problem import Problem

Floats = NDArray[np.float64]

# A bound below a known value by more than this (scaled) was false, and no gap is claimed.
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Certificate:
    """A choice, its value, a bound on every choice's value, and how the search ended.

    `prices` are what one more unit of each budget row is worth to the relaxation, scaled;
    `rounds` counts boxes.
    """

    x: Floats
    value: float
    bound: float
    status: str
    prices: Floats
    rounds: int


def certify(
    problem: Problem,
    *,
    gap: float = 1e-3,
    time_limit: float | None = None,
    seed: int = 0,
    feasible: Floats | None = None,
) -> Certificate:
    """Return the best choice with a proof that no other is worth more than `gap` above it.

    Parameters
    ----------
    problem
        The problem.
    gap
        Relative gap asked for, (bound − value)/bound.
    time_limit
        Seconds; when they run out the best choice so far, or greedy's where that is worth more,
        comes back with its honest bound.
    seed
        Passed to HiGHS.
    feasible
        A choice that meets all limits, where running nothing does not.

    Returns
    -------
    Certificate
        Status "certified" (within the gap), "time limit", "stalled" (bound and gap honest, the gap
        wider than asked for), or "uncertified" when the bound failed its check against a known
        value.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    if not len(problem.active):
        # No option moves any decision by more than rounding: the cheapest answer is as good.
        x = np.zeros(problem.n_options) if feasible is None else feasible
        prices = np.zeros(len(problem.resource_names))
        bound = problem.constant * problem.scale
        return Certificate(x, problem.value(x), bound, "certified", prices, 0)
    search = Search(problem, gap=gap, deadline=deadline, start=feasible, seed=seed)
    search.run()
    value, bound = search.best_value, search.bound
    status = "certified" if search.near_enough(bound) else "stalled"
    if status == "stalled" and search.relaxation.out_of_time():
        status = "time limit"
    if search.proved < value - TOLERANCE:
        status, bound = "uncertified", 1.0
    best = search.best
    if status != "certified":
        # A search that did not end may not yet have met what greedy finds at once.
        quick = greedy(problem, feasible)
        if problem.met(quick) and problem.value(quick) > problem.value(best):
            best = quick
    return Certificate(
        best,
        problem.value(best),
        max(bound * problem.scale, problem.value(best)),
        status,
        search.relaxation.price(),
        search.n_boxes,
    )
