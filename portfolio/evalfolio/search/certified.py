"""The certified optimum: a choice, and a proof that no other is worth more than a gap above it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.search.answer import Answer, Status
from evalfolio.search.branching import MAX_BOXES, Search
from evalfolio.search.changes import changes
from evalfolio.search.exchange import moved
from evalfolio.search.greedy import greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

# A bound below a known value by more than this (scaled) was false, and no gap is claimed.
TOLERANCE = 1e-9
SHARE = 0.5  # of the gap asked for that may be given up for a lower cost


@dataclass(frozen=True)
class Certified:
    """The global optimum, with bound and gap.

    InputError if the gap is not strictly between 0 and 1, or the time limit not above 0 seconds.

    Parameters
    ----------
    gap
        Relative gap asked for, (bound − value)/bound.
    time_limit
        Seconds; None for as long as it takes. When they run out the best choice so far, or
        greedy's where that is worth more, comes back with its honest bound.
    seed
        Same inputs and seed: same choices, on any number of threads.
    boxes
        How many parts of the menu are looked at: a limit that no machine's speed moves.
    ends
        Whether the search may end with a best choice and a bound, in the unit of the losses,
        though the gap is wider.
    """

    gap: float = 1e-3
    time_limit: float | None = None
    seed: int = 0
    boxes: int = MAX_BOXES
    ends: Callable[[Array, float], bool] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.gap < 1:
            raise InputError(
                f"gap must lie between 0 and 1, got {self.gap:g}; 0.001 is a tenth of a percent"
            )
        if self.time_limit is not None and not self.time_limit > 0:
            raise InputError(
                f"time_limit must be above 0 seconds, got {self.time_limit:g}; leave it out for "
                "no limit"
            )

    def find(self, question: Question) -> Answer:
        """Return the best choice with its proof; of those as good within the gap, a cheap one."""
        found = certify(Problem(question), self)
        sure = found.status == Status.CERTIFIED and not found.problem.n_own
        return thrifty(found, self.gap) if sure else found

    def roughly(self, gap: float, seconds: float) -> Self:
        """Return it with a wider gap and less time; see `Method`."""
        limit = seconds if self.time_limit is None else min(seconds, self.time_limit)
        return replace(self, gap=max(gap, self.gap), time_limit=limit)


def certify(problem: Problem, search: Certified = Certified()) -> Answer:
    """Return the best choice of a problem with a proof that no other is worth more than the gap.

    The status is certified (within the gap), time limit or stalled (bound and gap honest, the gap
    wider than asked for), or uncertified, when the bound failed its check against a known value.
    """
    deadline = None if search.time_limit is None else time.monotonic() + search.time_limit
    if not len(problem.active):
        # No option moves any decision by more than rounding: the cheapest answer is as good.
        x, most = problem.start, problem.constant * problem.scale
        prices, worth = dict.fromkeys(problem.resource_names, 0.0), problem.value(x)
        bound = max(worth, min(most, problem.value(problem.allowed)))
        return Answer(problem, x, worth, bound, Status.CERTIFIED, prices)
    run = Search(
        problem,
        gap=search.gap,
        deadline=deadline,
        seed=search.seed,
        boxes=search.boxes,
        ends=search.ends,
    )
    run.run()
    best, value, bound = run.incumbent.x, run.incumbent.value, run.bound
    ended = run.near_enough(bound) or run.settled(bound)
    status = Status.CERTIFIED if ended else Status.STALLED
    if status == Status.STALLED and run.relaxation.out_of_time():
        status = Status.TIME_LIMIT
    if run.proved < value - TOLERANCE:
        status, bound = Status.UNCERTIFIED, 1.0
    if status != Status.CERTIFIED:
        # A search that did not end may not yet have met what greedy finds at once.
        quick = greedy(problem)
        if problem.met(quick) and problem.value(quick) > problem.value(best):
            best = quick
    worth, prices = problem.value(best), problem.in_units(run.relaxation.price())
    bound = max(min(bound, 1.0) * problem.scale, worth)  # nothing is worth more than all there is
    return Answer(problem, best, worth, bound, status, prices, run.n_boxes, tree=run.tree)


def thrifty(found: Answer, gap: float) -> Answer:
    """Return a certified choice after every downgrade that costs next to nothing in value.

    A certified choice is one of many within its gap, and the search has no reason to prefer the
    cheap ones: where a resource is not short it may spend days of staff on a ten-thousandth of the
    value. Chosen options are dropped, or exchanged for another of their eval, so that no more of
    any resource is used (the last option that needs a shared purchase returns it), the greatest
    saving first, while no more than half of the gap asked for is given up and the rest still fits
    into it. The bound is that of the search, so the certificate holds.
    """
    problem = found.problem
    floor = found.value - SHARE * gap * abs(found.bound)
    floor = max(floor, found.bound - gap * abs(found.bound))
    tops = zip(problem.menu.resources, problem.costs.max(axis=0, initial=0.0), strict=True)
    sizes = np.array([problem.spendable.get(name, 0.0) or most or 1.0 for name, most in tops])
    sizes = np.where(np.isfinite(sizes), sizes, 1.0)
    x, value, n = found.x, found.value, problem.n_options
    # What every exchange loses, an eval's last for running nothing: as it was when last valued, as
    # one changes the others' losses little. Only when none seems to fit is all valued anew.
    lost, anew = np.full(n + len(problem.evals), np.nan), True
    while True:
        new, old = changes(problem, x)
        new, old = new[old >= 0], old[old >= 0]  # what is put beside the others saves nothing
        more = problem.more(x, new, old, problem.costs)
        saving = np.where((more <= 0).all(axis=1), -(more / sizes).sum(axis=1), 0.0)
        order = np.argsort(-saving, kind="stable")[: np.count_nonzero(saving > 0)]
        new, old = new[order], old[order]
        place = np.where(new >= 0, new, n + problem.eval_codes[old])
        unknown = np.isnan(lost[place])
        if unknown.any():
            v = problem.explained.exchanged(x, old[unknown], new[unknown])
            lost[place[unknown]] = value - problem.values_of(v)
        # Exchanged values are right to rounding only.
        for k in np.flatnonzero(lost[place] <= value - floor + 1e-9 * abs(floor)):
            trial = moved(x, option=int(new[k]), without=int(old[k]))
            worth = problem.value(trial)
            if worth >= floor and problem.met(trial):
                x, value, anew = trial, worth, False
                code = problem.eval_codes[max(old[k], new[k])]
                lost[np.append(np.flatnonzero(problem.eval_codes == code), n + code)] = np.nan
                break
            lost[place[k]] = np.inf
        else:
            if anew:
                # A cheaper choice worth as much may be worth more by rounding.
                return replace(found, x=x, value=value, bound=max(found.bound, value))
            lost, anew = np.full(len(lost), np.nan), True
