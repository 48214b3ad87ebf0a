r"""Programmes played out: states and results drawn, beliefs by conditioning, releases by the rule.

States are normal, but for the decisions' elicitation gaps where the menu says these are lognormal:
then the gaps are drawn so, and all else is normal given them, as in the direct value of a plan
(`evalfolio.value.skew`). Every branch is read on every path, so that programmes differ by what they
release alone. What counts is the expected loss given all results, under the belief as it is, which
varies less than the loss that comes about; by how much one call loses more than the other has a
known mean and takes out more of the luck (a control variate).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalbayes import Decision, Menu
from evalbayes.arrays import Array, Flags, Positions
from evalfolio.programmes.further import left_by
from evalfolio.programmes.line import both_losses
from evalfolio.programmes.policy import Policy, days_of
from evalfolio.programmes.release import Block, Branch
from evalfolio.value.explained import factors
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.gap import lognormals

CHUNK = 500_000  # of paths times values of the gaps at once


class GivenResults:
    """Expected losses of both calls of one decision, given results, under the belief as it is."""

    def __init__(self, menu: Menu, decision: Decision) -> None:
        self._value, self._decision = DecisionValue.of(menu, decision), decision
        self.calls = calls_of(menu, decision)
        self._later = decision.later_gain_mean - decision.threshold
        if self.calls is not None:
            self._mean = self.calls.contrasts @ menu.prior_mean
            self._now = np.linalg.inv(self.calls.prior)

    def losses(self, means: Array, covariance: Array) -> Array:
        """Return losses of not mitigating and of mitigating, (2, n), for the normal model's belief.

        Its means are (n, n_states), its covariance (n_states, n_states).
        """
        contrast, later = self._decision.contrast, self._decision.later_gain_sd**2
        if self.calls is None:
            left = float(contrast @ covariance @ contrast) + later
            return both_losses(self._value, left, means @ contrast + self._later)
        lines, size = self.calls.contrasts, max(CHUNK // len(self.calls.nodes[1]), 1)
        precision = np.linalg.inv(lines @ covariance @ lines.T)
        towards = means @ lines.T @ precision - self._mean @ self._now
        parts = np.array_split(towards, -(-len(means) // size))
        return np.hstack([self._skewed(part, precision - self._now) for part in parts])

    def _skewed(self, towards: Array, told: Array) -> Array:
        """Return the losses where results say exp(towards·(w, δ) − (w, δ)·told·(w, δ)/2)."""
        assert self.calls is not None  # asked for where a gap is skewed
        states, chances, rest = self.calls.nodes
        shown, gaps = states[:, 0], states[:, 1:]
        # w given δ and the results is normal; δ is one of some values
        left = rest / (1.0 + rest * max(told[0, 0], 0.0))
        mean = left * (shown / rest + towards[:, :1] - gaps @ told[1:, 0])
        likely = towards[:, 1:] @ gaps.T - 0.5 * np.einsum("ki,ij,kj->k", gaps, told[1:, 1:], gaps)
        likely = likely + 0.5 * (mean**2 / left - shown**2 / rest) + np.log(chances)
        weights = np.exp(likely - likely.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        y = mean + gaps @ self.calls.weights + self._later
        both = both_losses(self._value, left + self._decision.later_gain_sd**2, y)
        return np.asarray(np.einsum("nk,cnk->cn", weights, both))


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Read:
    """What has been read on a branch and on the way to it, on every path."""

    t: Array
    """Mean of the leading decision's y by these readings."""
    information: Array
    towards: Array
    """The information times what the readings say, (n, n_states)."""


class Paths:
    """States of a menu drawn, and what every branch of its blocks reads of them."""

    def __init__(
        self, menu: Menu, blocks: Sequence[Block], first: Sequence[Branch], n: int, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        self.menu, self._prior = menu, np.linalg.inv(menu.prior_covariance)
        self.given = [GivenResults(menu, decision) for decision in menu.decisions]
        self.states = _drawn(menu, self.given, rng.standard_normal((n, 2 * len(menu.states))))
        now = menu.prior_mean[None], menu.prior_covariance
        self.start = np.array([each.losses(*now)[:, 0] for each in self.given])
        self.read: dict[Branch, Read] = {}
        nothing = Read(np.zeros(n), np.zeros_like(menu.prior_covariance), 0.0 * self.states)
        for block, branch in zip(blocks, first, strict=True):
            self._walk(block, branch, nothing, rng)
            if any(self.given[d].calls for d in block.decisions):
                self._scale(block, branch)

    def _walk(self, block: Block, branch: Branch, before: Read, rng: np.random.Generator) -> None:
        r = factors(branch.information[None])[0]
        seen = self.states @ r + rng.standard_normal((len(self.states), r.shape[1]))
        information, towards = before.information + branch.information, before.towards + seen @ r.T
        means, decision = self._belief(information, towards)[0], block.decision
        t = means @ decision.contrast + decision.later_gain_mean - decision.threshold
        self.read[branch] = Read(t, information, towards)
        for each in branch.later:
            self._walk(block, each, self.read[branch], rng)

    def _belief(self, information: Array, towards: Array) -> tuple[Array, Array]:
        """Return means of the states on every path and their covariance, by the normal model."""
        covariance = left_by(self.menu.prior_covariance, information)
        return (self._prior @ self.menu.prior_mean + towards) @ covariance, covariance

    def losses(
        self, at: Sequence[Branch], decisions: Sequence[int], rows: slice | Positions
    ) -> Array:
        """Return losses of both calls given all that some branches read, (n_decisions, 2, n)."""
        read = [self.read[branch] for branch in at]
        information = np.sum([each.information for each in read], axis=0)
        belief = self._belief(information, np.sum([each.towards[rows] for each in read], axis=0))
        return np.array([self.given[d].losses(*belief) for d in decisions])

    def _scale(self, block: Block, branch: Branch) -> None:
        """Scale the gains of all releases to what they gain on the paths, where gaps are skewed."""

        def lost(on: Branch) -> Array:
            both = self.losses([on], block.decisions.tolist(), slice(None))
            return np.asarray(both.min(axis=1).sum(axis=0))

        here = lost(branch) if branch.later else self.start
        for each in branch.later:
            normal = np.interp(self.read[branch].t, block.line.means, each.gain)
            share = float(normal @ (here - lost(each))) / max(float(normal @ normal), 1e-300)
            each.gain = max(share, 0.0) * each.gain
            self._scale(block, each)


def _drawn(menu: Menu, given: Sequence[GivenResults], luck: Array) -> Array:
    """Return states, (n, n_states): the decisions' skewed gaps lognormal, the rest normal."""
    n, mean, left = len(menu.states), menu.prior_mean, menu.prior_covariance
    skewed = [each.calls.contrasts[1:] for each in given if each.calls is not None]
    moved = np.zeros((len(luck), n))
    if skewed:
        gaps = np.unique(np.vstack(skewed), axis=0)
        own, across = gaps @ left @ gaps.T, left @ gaps.T
        slope = np.linalg.lstsq(own, across.T, rcond=None)[0]
        moved = (lognormals(gaps @ mean, own, luck[:, n : n + len(gaps)]) - gaps @ mean) @ slope
        left = left - across @ slope
    values, vectors = np.linalg.eigh((left + left.T) / 2)
    return np.asarray(mean + moved + luck[:, :n] @ (vectors * np.sqrt(values.clip(min=0.0))).T)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Played:
    """What a programme comes to on n paths."""

    saved: Array
    """Expected loss now less that given all results, its control variates taken out, (n,)."""
    spend: Array
    """Use of every resource, (n, n_resources)."""
    days: Array
    """Calendar days of all stages, (n,)."""
    released: dict[Branch, Flags]
    """Of every branch, on which paths it is bought."""

    @property
    def value(self) -> float:
        """Mean of what is saved, in the unit of the losses."""
        return float(self.saved.mean())

    @property
    def error(self) -> float:
        """Standard error of the value."""
        return float(self.saved.std(ddof=1) / np.sqrt(len(self.saved)))


def play(programme: Policy, paths: Paths) -> Played:
    """Play a programme on paths that have read all its branches."""
    n, first = len(paths.states), tuple(programme.first)
    released = {b: np.zeros(n, dtype=bool) for root in first for b in root.all()}
    moved, days = np.zeros((len(paths.given), 2, n)), np.zeros(n)
    spend = np.zeros((n, len(programme.frame.hard)))
    stands: list[tuple[tuple[Branch, ...], list[int], Positions]] = [(first, [], np.arange(n))]
    while stands:
        at, done, rows = stands.pop()
        for branch in at:
            released[branch][rows] = True
        if len(done) < len(at):
            t = np.column_stack([paths.read[branch].t[rows] for branch in at])
            every, which = np.unique(programme.choose(at, t, done), axis=0, return_inverse=True)
            for k, picks in enumerate(every):
                on = tuple(b.later[p] if p >= 0 else b for b, p in zip(at, picks, strict=True))
                over = [i for i, p in enumerate(picks) if p < 0 or not on[i].later]
                stands.append((on, over, rows[which.ravel() == k]))
            continue
        moved[:, :, rows] = paths.losses(at, range(len(moved)), rows) - paths.start[:, :, None]
        spend[rows] = programme.fixed + np.sum([branch.total for branch in at], axis=0)
        days[rows] = days_of(at)
    now = paths.start.min(axis=1)[:, None]
    saved = (now - (moved + paths.start[:, :, None]).min(axis=1)).sum(axis=0)
    swing = (moved[:, 1] - moved[:, 0]).T  # 0 on average
    slopes = np.linalg.lstsq(swing - swing.mean(axis=0), saved - saved.mean(), rcond=None)[0]
    return Played(saved - swing @ slopes, spend, days, released)
