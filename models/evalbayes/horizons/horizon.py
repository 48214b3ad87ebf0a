"""Time horizons: the human time of the tasks that an AI model completes at a given share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from evalbayes.arrays import Array
from evalbayes.curves.small_posterior import small_posterior
from evalbayes.errors import InputError
from evalbayes.posterior.posterior import Posterior

LENGTHS = (10.0, 30.0, 120.0, 480.0)  # minutes: 10 min, 30 min, 2 h and 8 h tasks
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
# Priors of a fit to runs: ln slope in logits per doubling (METR's own fits are near 0.6) and
# log2 of the horizon in minutes around the tasks' middle.
SLOPE_MEAN_LN, SLOPE_SD_LN, LEVEL_SD = float(np.log(0.6)), 0.6, 6.0
LEAST_SCATTER = 0.05  # of tasks' shares: lengths never tell all of what makes tasks unlike
NEAR = 1.0 / 64.0  # doublings
ROUNDS = 60  # of Newton's steps


@dataclass(frozen=True, eq=False)
class Horizon:
    """P(success on a task of m minutes) = expit(slope·(level − log2 m)), in draws.

    >>> found = Horizon(np.array([6.0]), np.array([1.0]))
    >>> found.minutes(0.5), found.completion(64.0)
    (array([64.]), array([0.5]))
    """

    level: Array  # log2 of the human minutes at 50 % success, of shape (n_draws,)
    slope: Array  # logits lost per doubling of the task's length
    # of tasks' shares about the curve, as a part of single runs'; see `fit_horizon`
    scatter: float = 1.0
    # where capability depends on the tasks' own length: log2 minutes at which it is told, rising,
    # and `level` is of shape (n_draws, n_places), s in between being linear and beyond them as at
    # the last. Then P(success) = expit(slope·(s(log2 m) − log2 m)), and the horizon is the longest
    # length at which s(h) = h: with s wandering there can be several
    places: Array | None = None

    def minutes(self, share: float = 0.5) -> Array:
        """Length of the tasks completed at `share`: 2^(level − logit(share)/slope)."""
        lower = logit(share) / self.slope
        if self.places is None:
            found: Array = 2.0 ** (self.level - lower)
            return found
        above = self.level - self.places - lower[:, None]  # 0 at the length looked for
        last = np.where(above >= 0, np.arange(len(self.places)), -1).max(axis=1)
        every, k = np.arange(len(above)), np.clip(last, 0, len(self.places) - 2)
        fall = above[every, k] - above[every, k + 1]
        share_of = above[every, k] / np.where(fall > 0, fall, 1.0)
        between = self.places[k] + share_of * (self.places[k + 1] - self.places[k])
        found = np.where(last == len(self.places) - 1, self.level[:, -1] - lower, between)
        return 2.0 ** np.where(last < 0, self.level[:, 0] - lower, found)

    def completion(self, minutes: float) -> Array:
        """Share completed of tasks of a length."""
        length, level = np.log2(minutes), self.level
        if self.places is not None:
            k = int(np.clip(np.searchsorted(self.places, length) - 1, 0, len(self.places) - 2))
            part = (length - self.places[k]) / (self.places[k + 1] - self.places[k])
            part = np.clip(part, 0.0, 1.0)
            level = level[:, k] + part * (level[:, k + 1] - level[:, k])
        return np.asarray(expit(self.slope * (level - length)))

    def doublings_to(self, threshold_minutes: float, share: float = 0.5) -> Array:
        """Doublings from the horizon at `share` to a threshold; negative when it is passed."""
        return np.asarray(np.log2(threshold_minutes) - np.log2(self.minutes(share)))

    def table(
        self, *threshold_minutes: float, lengths: tuple[float, ...] = LENGTHS
    ) -> pd.DataFrame:
        """Return horizons, completion shares and doublings with 90 % intervals, one row each."""
        rows = {f"{share:.0%} horizon (min)": self.minutes(share) for share in (0.5, 0.8)}
        rows |= {f"completion at {human_time(m)}": self.completion(m) for m in lengths}
        rows |= {f"doublings to {human_time(m)}": self.doublings_to(m) for m in threshold_minutes}
        quantiles = {name: np.quantile(draws, (MIDDLE, LOW, HIGH)) for name, draws in rows.items()}
        return pd.DataFrame.from_dict(quantiles, orient="index", columns=["median", "low", "high"])


def constant_hazard(share: float, half_life: float = 1.0) -> float:
    """Length completed at `share` when a run may fail at any moment alike: T50·log2(1/share).

    Ord's half-life: S(t) = 2^(−t/T50), so T80 is about a third of T50.

    Parameters
    ----------
    share
        Between 0 and 1.
    half_life
        T50, in any unit of time; the length is in the same.

    Examples
    --------
    >>> round(constant_hazard(0.8), 2), round(1 / constant_hazard(0.99))
    (0.32, 69)
    """
    return float(half_life * np.log2(1.0 / share))


def horizon_of(posterior: Posterior, domain: str, ai_model: str, effort: float = 0.0) -> Horizon:
    """Read the horizon off the posterior of the whole model, for a domain in doublings of minutes.

    Capability is on the scale of log2 human minutes at 50 % there, so the level is s + effort·δ,
    each at the tasks' own length, and the slope the AI model's own. Effort is of elicitation: 0 for
    what the AI model shows as it comes, 1 for full elicitation.
    """
    d, m = posterior.index_of("domain", domain), posterior.index_of("ai_model", ai_model)
    own = np.flatnonzero(posterior.knot_domain == d)
    own = own[np.argsort(posterior.knot_place[own])]
    level = posterior.draws["shown"][:, own, m] + effort * posterior.draws["gap"][:, own, m]
    slope = posterior.draws["slope"][:, d, m]
    if len(own) == 1:
        return Horizon(level[:, 0], slope)
    return Horizon(level, slope, places=posterior.knot_place[own])


def fit_horizon(
    minutes: Array,
    success: Array,
    weights: Array | None = None,
    *,
    tasks: NDArray[Any] | None = None,
    evals: NDArray[Any] | None = None,
    seed: int = 0,
    n_draws: int = 1000,
) -> Horizon:
    """Fit the horizon to runs of one AI model, of which those of one task are one observation.

    InputError if lengths are not positive, or there is no run.

    Parameters
    ----------
    minutes, success
        Human minutes of each run's task, and 1 or 0 (or a share).
    weights
        Of each run's task; by default 1. They are scaled to the number of effective tasks,
        (Σw)²/Σw², so that weighting does not invent certainty.
    tasks
        Name of each run's task; by default every run is of a task of its own. Attempts at a task
        are not independent: each task counts by the share of them that solved it, however many
        they are.
    evals
        Name of each run's eval: intervals are then for more tasks of these evals; without, for
        tasks of which each is an eval of its own.
    seed, n_draws
        Of the posterior draws that intervals are read off.

    Notes
    -----
    The log-likelihood is Σ_j w_j·(y_j·ln p_j + (1 − y_j)·ln(1 − p_j))/φ over tasks with shares y_j.
    φ = 1 − Σ w_j·y_j(1 − y_j)/Σ w_j·p_j(1 − p_j) is how far shares scatter about the curve, as a
    part of what single runs would: 1 for one attempt each, ρ + (1 − ρ)/k for k attempts that
    correlate by ρ. Runs told several times over leave shares, φ and so the horizon as they were.
    What tasks of an eval have in common does not scatter between them: it is taken off,
    Σ w_j·w_l·e_j·e_l/Σ w_j·w_l·√(v_j·v_l) over pairs of an eval with e = y − p and v = p(1 − p),
    up to half of φ. Horizons on other evals depart by that, too.
    """
    minutes, success = np.asarray(minutes, dtype=float), np.asarray(success, dtype=float)
    if not len(minutes) or not (minutes > 0).all():
        raise InputError(
            "a horizon needs runs of tasks with human minutes above 0; got "
            f"{int((~(minutes > 0)).sum())} of {len(minutes)} without: leave those out"
        )
    w = np.ones(len(minutes)) if weights is None else np.asarray(weights, dtype=float)
    x, solved = np.log2(minutes), success
    if tasks is not None:
        of = pd.factorize(np.asarray(tasks))[0]
        runs = np.bincount(of)
        x, solved, w = (np.bincount(of, values) / runs for values in (x, solved, w))
        first = np.unique(of, return_index=True)[1]
        evals = None if evals is None else np.asarray(evals)[first]
    w = w * w.sum() / (w**2).sum()
    middle = float(np.median(x))
    scatter = _scatter(x, solved, w, evals)
    w = w / scatter
    # Tasks of one length, to 1 %, share a term: 10⁵ runs cost no more than a few hundred tasks.
    x, index = np.unique(np.round(x / NEAR) * NEAR, return_inverse=True)
    won, lost = np.bincount(index, w * solved), np.bincount(index, w * (1.0 - solved))

    def log_joint(points: Array) -> Array:
        level, slope = points[:, [0]], np.exp(points[:, [1]])
        fit = slope * (level - x)
        likelihood = -(np.logaddexp(0.0, -fit) @ won + np.logaddexp(0.0, fit) @ lost)
        prior = ((points[:, 0] - middle) / LEVEL_SD) ** 2
        prior = prior + ((points[:, 1] - SLOPE_MEAN_LN) / SLOPE_SD_LN) ** 2
        return likelihood - 0.5 * prior

    start, what = np.array([middle, SLOPE_MEAN_LN]), "the horizon fit"
    found = small_posterior(log_joint, start, seed=seed, n_draws=4 * n_draws, what=what)
    draws = found.resampled(n_draws, np.random.default_rng([seed, 1]))
    return Horizon(draws[:, 0], np.exp(draws[:, 1]), scatter)


def _scatter(x: Array, share: Array, weights: Array, evals: NDArray[Any] | None) -> float:
    """Scatter φ of tasks' shares about the most probable curve, as a part of single runs'."""
    level, slope = most_probable(x, share, weights)
    p = expit(slope * (level - x))
    variance = p * (1.0 - p)
    scatter = 1.0 - float(weights @ (share * (1.0 - share)) / (weights @ variance))
    if evals is not None:
        of = pd.factorize(evals)[0]
        off, size = weights * (share - p), weights * np.sqrt(variance)
        pairs = [np.bincount(of, part) ** 2 - np.bincount(of, part**2) for part in (off, size)]
        common = float(pairs[0].sum() / max(pairs[1].sum(), 1e-12))
        scatter -= min(max(common, 0.0), scatter / 2.0)
    return float(np.clip(scatter, LEAST_SCATTER, 1.0))


def most_probable(x: Array, share: Array, weights: Array) -> tuple[Array, Array]:
    """Level and slope of the most probable curve, by Newton's steps.

    Priors keep it finite where all or none are solved: ln slope is normal as in `fit_horizon`, and
    so is the level about the middle of the tasks. `x` is log2 of the minutes of every task,
    (n_tasks,); shares solved and weights are of shape (..., n_tasks), the results of (...).
    """
    middle = float(np.median(x))
    shape = np.broadcast_shapes(share.shape, weights.shape)[:-1]
    level, ln_slope = np.full(shape, middle), np.full(shape, SLOPE_MEAN_LN)
    for _ in range(ROUNDS):
        slope, gap = np.exp(ln_slope), level[..., None] - x
        p = expit(slope[..., None] * gap)
        off, bend = weights * (share - p), weights * p * (1.0 - p)
        d_level = slope * off.sum(axis=-1) - (level - middle) / LEVEL_SD**2
        d_slope = slope * (off * gap).sum(axis=-1) - (ln_slope - SLOPE_MEAN_LN) / SLOPE_SD_LN**2
        # Fisher's information, which is always positive definite
        a = slope**2 * bend.sum(axis=-1) + LEVEL_SD**-2
        b = slope**2 * (bend * gap).sum(axis=-1)
        c = slope**2 * (bend * gap**2).sum(axis=-1) + SLOPE_SD_LN**-2
        det = a * c - b**2
        level = level + np.clip((c * d_level - b * d_slope) / det, -2.0, 2.0)
        ln_slope = ln_slope + np.clip((a * d_slope - b * d_level) / det, -0.5, 0.5)
    return level, np.exp(ln_slope)


def human_time(minutes: float) -> str:
    """Minutes in words.

    >>> human_time(812.75), human_time(30.0)
    ('13.5 h', '30 min')
    """
    return f"{minutes / 60:.3g} h" if minutes >= 60 else f"{minutes:.3g} min"
