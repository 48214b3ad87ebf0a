"""Predictive checks: results like those seen, or not, from the fitted model."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

from evalbayes.arrays import Array, Positions
from evalbayes.curves import Curve
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.special import log_expit
from evalbayes.curves.leave_one_out import smoothed
from evalbayes.model.evidence import Evidence
from evalbayes.model.likelihood import Curves, Scores
from evalbayes.posterior.posterior import thinned as thinned_places

DRAWS = 1000  # enough for tail probabilities near 0.005
# A tail index is told by 3√S of S weights: with 1,000 draws k of one fit comes out 0.1 to 0.2 off.
WEIGHED = 8000


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Replicates:
    """One figure of every condition, as seen and as the model would have it again."""

    seen: Array  # of shape (n,); NaN where nothing was seen
    draws: Array  # replicates, of shape (n_draws, n); NaN where there is no such figure
    number: Array  # runs (or scores) behind each, of shape (n,)

    def tail(self) -> Array:
        """P(replicate < seen) + ½ P(replicate = seen), of shape (n,); NaN where there is none."""
        some = np.isfinite(self.draws).all(axis=0) & np.isfinite(self.seen)
        return np.where(some, tail_probability(self.draws, self.seen), np.nan)


def thinned(curves: Curves, n_draws: int = DRAWS) -> Curves:
    """Return evenly spaced draws of the curves."""
    keep = thinned_places(len(curves.logit), n_draws)
    return Curves(*(value[keep] for value in vars(curves).values()))


def checks(curves: Curves, evidence: Evidence, seed: int) -> pd.DataFrame:
    """Return one row per condition: what was seen, what was expected, tail probabilities, k.

    A probability is P(replicate < seen) + ½ P(replicate = seen): near 0, the results lie below
    what the model gives; near 1, above.
    """
    every, curves = thinned(curves, WEIGHED), thinned(curves)
    ended = evidence.ended.n_success + evidence.ended.n_gave_up
    again = replicated(curves, evidence, np.random.default_rng(seed))
    successes = again["successes"]
    table = evidence.conditions.assign(
        cap=np.exp(evidence.ln_largest_cap),
        n=evidence.n_runs.astype(int),
        n_success=successes.seen.astype(int),
        expected=successes.draws.mean(axis=0),
        p_success=successes.tail(),
        p_gain=gain_probability(
            evidence.conditions, successes.seen, successes.number, np.nan_to_num(successes.draws)
        ),
        p_spend=again["mean ln spend"].tail(),
        p_score=again["scores"].tail(),
        pareto_k=influence(every, evidence),
    )
    return table.assign(n_gave_up=evidence.ended.n_gave_up.astype(int), n_ended=ended.astype(int))


def replicated(
    curves: Curves, evidence: Evidence, rng: np.random.Generator
) -> dict[str, Replicates]:
    """Return successes, mean ln spend of successes and sums of scores of every condition, again.

    Draws are NaN for conditions that have none of the kind.
    """
    return {
        "successes": _successes(curves, evidence, rng),
        "mean ln spend": _spends(curves, evidence, rng),
        "scores": _scores(curves, evidence, rng),
    }


def _curve(curves: Curves) -> Curve:
    return Curve(np.clip(expit(curves.logit), 1e-12, 1 - 1e-12), *curves.success, *curves.gave_up)


def _successes(curves: Curves, evidence: Evidence, rng: np.random.Generator) -> Replicates:
    """Successes of every condition.

    Where all stops were at the one cap, of all runs; otherwise, as nobody knows what would have
    stopped the others, of the runs that ended by themselves.
    """
    curve, ln_cap, counts = _curve(curves), evidence.ln_largest_cap, evidence.counts
    stopped, n = evidence.stopped, len(evidence)
    at_cap = (stopped.ln_spend >= ln_cap[stopped.of] - 1e-9) | (stopped.n == 0)
    one_cap = stopped.by_condition(~at_cap, n) == 0
    success, gave_up = curve.success_within(ln_cap), curve.gave_up_within(ln_cap)
    ended = evidence.ended.n_success + evidence.ended.n_gave_up
    runs = np.where(one_cap, ended + evidence.n_stopped, ended)
    share = np.where(one_cap, success, success / np.maximum(success + gave_up, 1e-300))
    replicates = rng.binomial(runs.astype(int), np.clip(share, 0.0, 1.0)).astype(float)
    if len(counts):
        at = _curve(curves.of(counts.of))
        counted = rng.binomial(counts.n_runs.astype(int), at.success_within(counts.ln_cap))
        np.add.at(replicates.T, counts.of, counted.T)
    number = runs + counts.by_condition(counts.n_runs, n)
    return Replicates(evidence.successes, np.where(number > 0, replicates, np.nan), number)


def _spends(curves: Curves, evidence: Evidence, rng: np.random.Generator) -> Replicates:
    """Mean ln spend of successes, given their number; NaN where none."""
    n_draws, ended = len(curves.logit), evidence.ended
    means = np.full((n_draws, len(evidence)), np.nan)
    for k in np.flatnonzero(ended.n_success > 0):
        n = int(ended.n_success[k])
        location, scale = curves.success_location[:, k], curves.success_scale[:, k]
        # Successes past the cap by the usual few per cent are counted below it here.
        within = ndtr((max(evidence.ln_largest_cap[k], ended.mean_success[k]) - location) / scale)
        z = ndtri(np.clip(rng.random((n, n_draws)) * within, 1e-300, 1.0 - 1e-16))
        means[:, k] = location + scale * z.mean(axis=0)
    return Replicates(ended.mean_success, means, ended.n_success)


def _scores(curves: Curves, evidence: Evidence, rng: np.random.Generator) -> Replicates:
    """Sum of the scores of every condition; NaN where none."""
    n = len(evidence)
    seen, number, replicates = np.zeros(n), np.zeros(n), np.zeros((len(curves.logit), n))
    for rows in (evidence.scores, evidence.betas):
        if not len(rows):
            continue
        share = _curve(curves.of(rows.of)).success_within(rows.ln_cap)
        if isinstance(rows, Scores):
            again = rng.normal(share, rows.error)
        else:
            share = np.clip(share, 1e-9, 1.0 - 1e-9)
            again = rng.beta(share * rows.concentration, (1.0 - share) * rows.concentration)
        seen += rows.by_condition(rows.score, n)
        number += rows.by_condition(np.ones(len(rows)), n)
        np.add.at(replicates.T, rows.of, again.T)
    return Replicates(seen, np.where(number > 0, replicates, np.nan), number)


def influence(curves: Curves, evidence: Evidence) -> Array:
    """Worst Pareto k of leaving out one run of each condition.

    From a cell only a typical run of each outcome can be left out: a success and a run that gave
    up at their mean ln spend and one sd to either side, and one that was stopped. Of a mean score
    no single run is known, so that none can be left out: k is NaN where there are scores alone.
    """
    worst = np.full(len(evidence), np.nan)

    def weigh(rows: Positions, log_likelihood: Array) -> None:
        np.fmax.at(worst, rows, smoothed(-log_likelihood)[1])

    ended = evidence.ended
    for n, mean, square, law, sign in (
        (ended.n_success, ended.mean_success, ended.square_success, curves.success, 1.0),
        (ended.n_gave_up, ended.mean_gave_up, ended.square_gave_up, curves.gave_up, -1.0),
    ):
        some = np.flatnonzero(n > 0)
        sd = np.sqrt(square / np.maximum(n - 1.0, 1.0))
        location, scale = (part[:, some] for part in law)
        for side in (-1.0, 0.0, 1.0):
            spend = mean[some] + side * sd[some]
            value = lognormal.log_density(spend, location, scale)
            weigh(some, value + log_expit(sign * curves.logit[:, some]))
    some = np.flatnonzero(evidence.stopped.n > 0)
    if len(some):
        of = evidence.stopped.of[some]
        weigh(of, np.log(_curve(curves.of(of)).stopped(evidence.stopped.ln_spend[some])))
    counts = evidence.counts
    if len(counts):
        within = _curve(curves.of(counts.of)).success_within(counts.ln_cap)
        p = np.clip(within, 1e-300, 1 - 1e-16)
        for n, value in ((counts.n_success, np.log(p)), (counts.n_failure, np.log1p(-p))):
            weigh(counts.of[n > 0], value[:, n > 0])
    return np.where(np.isneginf(worst), 0.0, worst)


def gain_probability(
    conditions: pd.DataFrame, seen: Array, trials: Array, replicates: Array
) -> Array:
    """Tail probability of the share gained over the pair's runs as they come, (n_conditions,).

    Every condition by itself may be foretold well while the pairs are not: the standard runs a
    little too able, the elicited ones a little too poor, and the gap in between twice as wide as
    seen. A pair is elicited runs (or best-of-k) beside runs as they come, of the same eval and AI
    model. The gain is k/n of the elicited runs less k₀/n₀ of the standard ones; replicates of both
    come from the same draw, so what the model believes of the gap is all that lies between them.
    Conditions have eval, ai_model and effort; `seen` holds successes of `trials` runs, both
    (n_conditions,), and `replicates` the same drawn, (n_draws, n_conditions). Near 0, less was
    gained than the model gives, near 1 more; NaN where a condition is not elicited or there is
    nothing beside it.
    """
    found = np.full(len(conditions), np.nan)
    plain = conditions["effort"].to_numpy(float) == 0.0
    pair = conditions.groupby(["eval", "ai_model"], sort=False).ngroup().to_numpy(np.int64)
    beside = np.flatnonzero(plain & (trials > 0))
    for k in np.flatnonzero(~plain & (trials > 0)):
        own = beside[pair[beside] == pair[k]]
        if len(own):
            share = replicates[:, k] / trials[k] - replicates[:, own[0]] / trials[own[0]]
            gained = seen[k] / trials[k] - seen[own[0]] / trials[own[0]]
            found[k] = tail_probability(share[:, None], np.array([gained]))[0]
    return found


def tail_probability(replicates: Array, seen: Array) -> Array:
    """Return P(replicate < seen) + ½ P(replicate = seen) by column.

    As many draws as there are cannot tell a probability from 0 better than half of one in them.
    """
    n_draws = len(replicates)
    equal = np.isclose(replicates, seen, rtol=0.0, atol=1e-9)
    below = (replicates < seen) & ~equal
    p: Array = np.clip(
        below.mean(axis=0) + 0.5 * equal.mean(axis=0), 0.5 / n_draws, 1.0 - 0.5 / n_draws
    )
    return p
