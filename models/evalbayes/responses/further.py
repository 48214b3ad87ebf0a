r"""Further runs: what carrying tasks on would show and cost, some runs of a newcomer seen.

A task is settled (solved, or all attempts made), going (a lower cap stopped its run, which may be
carried on from there), tried (an attempt failed for good, and more are allowed) or fresh. With p
the chance of an attempt and g that of the next run, given that it is still going where it is, a
task is solved by that run with chance g, in time for a cap with the chance that a success still to
come comes by then, and by a later one of r attempts with chance (1 − g)·[1 − (1 − p)^(r − 1)].
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.special import expit, log_ndtr, ndtr

from evalbayes.arrays import Array, Index
from evalbayes.responses.newcomer import Newcomer
from evalbayes.responses.spending import FAILURE, SUCCESS
from evalbayes.responses.stops import spend_levels

SAME = 1e-6  # ln units: caps this close are one
KINDS = (SUCCESS, FAILURE)
LEAST = 1e-9  # of a chance that is divided by


def spend_within(mean: Array, sd: Array, ln_cap: Array, ln_top: Array | None = None) -> Array:
    r"""Return E[min(S, c)] for ln S ~ N(mean, sd²), below `ln_top` where that is given.

    >>> spend_within(np.zeros(1), np.ones(1), np.array([50.0])).round(4)  # e^(1/2)
    array([1.6487])
    >>> rng = np.random.default_rng(0)
    >>> s = np.exp(rng.normal(0.0, 1.0, 1_000_000))
    >>> np.minimum(s[s < 3.0], 2.0).mean().round(2)
    np.float64(0.97)
    >>> spend_within(np.zeros(1), np.ones(1), np.log([2.0]), np.log([3.0])).round(2)
    array([0.97])
    """
    cap = ln_cap if ln_top is None else np.minimum(ln_cap, ln_top)
    below = np.exp(mean + 0.5 * sd**2) * ndtr((cap - mean) / sd - sd)
    if ln_top is None:
        return below + np.exp(cap) * ndtr((mean - cap) / sd)
    top = np.maximum(ndtr((ln_top - mean) / sd), 1e-12)
    return np.asarray((below + np.exp(cap) * np.maximum(top - ndtr((cap - mean) / sd), 0.0)) / top)


class Further:
    """Chances and further spends of tasks, by draw of a newcomer.

    InputError if the history gives no spends. `at` are positions of the tasks in the population's,
    `attempts` those at a task that count, those seen included; the seed is of the draws of the
    newcomer's pace, where it has none. Arrays are by task, (n_tasks,): whether a lower cap stopped
    its run (`going`), an attempt failed for good and no run is going (`tried`), nothing more can be
    learnt of it (`settled`); ln of the cap that stopped the run going, −inf where none is, and of
    the highest. `solved` is the chance that each is with everything spent, (n_draws, n_tasks).
    """

    def __init__(self, newcomer: Newcomer, at: Index, attempts: int, seed: int) -> None:
        population, seen = newcomer.population, newcomer.seen
        spending, pace = population.spends(), newcomer.pace
        if pace is None:
            pace = spend_levels(population, seen, np.random.default_rng([seed, 5]))
        won, tries = seen.successes[at] > 0, seen.attempts[at]
        self.ln_top = spending.ln_cap[at]
        self.going = seen.going[at] > 0
        self.settled = ~self.going & (won | (tries >= attempts))
        self.tried = ~self.going & ~self.settled & (tries > 0)
        self.ln_cap = np.where(self.going, seen.ln_cap[at], -np.inf)
        # All below is of the tasks that are not settled.
        self._attempts, self._open = attempts, np.flatnonzero(~self.settled)
        own = at[self._open]
        self._mean = [spending.mean[kind, own] + pace[kind][:, own] for kind in KINDS]
        self._sd, self._top = spending.sd[:, own], spending.ln_cap[own]
        self._from, self._going = self.ln_cap[self._open], self.going[self._open]
        self._tried = self.tried[self._open]
        self._rest = attempts - tries[self._open] - np.where(self._tried, 0, 1)
        eta, self._weight = newcomer.by_node(own)
        odds = np.where(self._going, newcomer.going_odds(own), 0.0)[..., None]
        self._p, self._next = expit(eta), expit(eta + odds)
        self._first = np.where(self._tried, 0.0, self._over(self._next))
        self._prices: dict[tuple[float, int], Array] = {}
        self.solved = np.broadcast_to(won.astype(float), (len(eta), len(at))).copy()
        self.solved[:, self._open] = np.minimum(self._first + self._later, 1.0)  # rounding

    def parts(self, shares: Sequence[float]) -> Array:
        """Return when each task comes to be solved, (n_draws, n_parts, n_tasks).

        Chances that the next run succeeds between one share of the highest cap and the next
        (`shares` ascend to 1), and last, where more than one attempt counts, that a later one does.
        None of what is settled; of what is tried, a later attempt only.
        """
        on = self._came(self._from)
        later = [self._later] if self._attempts > 1 else []
        n_draws, n = self.solved.shape
        found = np.zeros((n_draws, len(shares) + len(later), n))
        before = np.zeros_like(self._first)
        for k, share in enumerate(shares):
            came = (self._came(np.log(share) + self._top) - on) / np.maximum(1.0 - on, LEAST)
            now = self._first * np.clip(came, 0.0, 1.0)
            found[:, k, self._open] = np.maximum(now - before, 0.0)
            before = now
        for part in later:
            found[:, -1, self._open] = part
        return found

    def price(self, share: float, attempts: int = 1) -> Array:
        """Return what carrying each task on is expected to cost, (n_tasks,).

        The next run to a share of the highest cap, then runs at the highest cap until the first
        success or so many attempts in all; of what is tried, only these.
        """
        if (share, attempts) not in self._prices:
            self._prices[share, attempts] = self._priced(share, attempts)
        return self._prices[share, attempts]

    def _priced(self, share: float, attempts: int) -> Array:
        won, lost = (self._further(kind, np.log(share) + self._top) for kind in KINDS)
        g = self._over(self._next)
        spend = np.where(self._tried, 0.0, g * won + (1.0 - g) * lost)
        if attempts > 1:
            # Spend of the attempts after the next run, until the first success
            won = spend_within(self._mean[SUCCESS], self._sd[SUCCESS], self._top, self._top)
            lost = spend_within(self._mean[FAILURE], self._sd[FAILURE], self._top)
            rest = (self._rest - self._attempts + attempts)[:, None]
            made = sum(np.where(a < rest, (1.0 - self._p) ** a, 0.0) for a in range(attempts))
            each = self._p * won[..., None] + (1.0 - self._p) * lost[..., None]
            spend = spend + self._over(self._lost * each * made)
        found = np.zeros(len(self.settled))
        found[self._open] = spend.mean(axis=0)
        return found

    @cached_property
    def _later(self) -> Array:
        """Chance that an attempt after the next run succeeds, where that does not."""
        rest = np.maximum(self._rest, 0)[:, None]
        return self._over(self._lost * (1.0 - (1.0 - self._p) ** rest))

    @cached_property
    def _lost(self) -> Array:
        """Chance that the next run fails, 1 of what is tried: all of its runs are later ones."""
        return np.where(self._tried[:, None], 1.0, 1.0 - self._next)

    def _over(self, by_node: Array) -> Array:
        return np.asarray((self._weight * by_node).sum(axis=2))

    def _came(self, ln_cap: Array) -> Array:
        """Chance that a success has come within a cap."""
        mean, sd = self._mean[SUCCESS], self._sd[SUCCESS]
        share = np.exp(np.minimum(log_ndtr((ln_cap - mean) / sd) - self._came_by_top, 0.0))
        return np.where(ln_cap >= self._top - SAME, 1.0, share)

    @cached_property
    def _came_by_top(self) -> Array:
        return np.asarray(log_ndtr((self._top - self._mean[SUCCESS]) / self._sd[SUCCESS]))

    @cached_property
    def _so_far(self) -> list[tuple[Array, Array]]:
        """Return of both kinds E[min(S, c₀)] and P(S > c₀) at the cap that stopped the run."""
        found, rows = [], np.flatnonzero(self._going)
        still = 1.0 - self._came(self._from)
        for kind in KINDS:
            mean, sd, ln_cap = self._mean[kind][:, rows], self._sd[kind, rows], self._from[rows]
            top = self._top[rows] if kind == SUCCESS else None
            spent, on = np.zeros_like(self._mean[kind]), np.ones_like(self._mean[kind])
            spent[:, rows] = spend_within(mean, sd, ln_cap, top)
            on[:, rows] = still[:, rows] if kind == SUCCESS else ndtr((mean - ln_cap) / sd)
            found.append((spent, np.maximum(on, LEAST)))
        return found

    def _further(self, kind: int, ln_cap: Array) -> Array:
        """Return E[min(S, c) − c₀ | S > c₀]; c₀ is 0 where no run is going."""
        top = self._top if kind == SUCCESS else None
        spent, on = self._so_far[kind]
        more = spend_within(self._mean[kind], self._sd[kind], ln_cap, top) - spent
        return np.maximum(more / on, 0.0)
