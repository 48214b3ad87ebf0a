"""Time horizons: the human time of the tasks that an AI model completes at a given share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from evalbayes.errors import InputError
from evalbayes.small_posterior import small_posterior

if TYPE_CHECKING:
    from evalbayes.posterior.posterior import Posterior

Array = NDArray[np.float64]

LENGTHS = (10.0, 30.0, 120.0, 480.0)  # minutes: 10 min, 30 min, 2 h and 8 h tasks
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
# Priors of a fit to runs: ln slope in logits per doubling (METR's own fits are near 0.6) and
# log2 of the horizon in minutes around the tasks' middle.
SLOPE_MEAN_LN, SLOPE_SD_LN, LEVEL_SD = float(np.log(0.6)), 0.6, 6.0


@dataclass(frozen=True, eq=False)
class Horizon:
    """P(success on a task of m minutes) = expit(slope·(level − log2 m)), in draws.

    Parameters
    ----------
    level
        log2 of the human minutes at 50 % success, of shape (n_draws,).
    slope
        Logits lost per doubling of the task's length.

    Examples
    --------
    >>> found = Horizon(np.array([6.0]), np.array([1.0]))
    >>> found.minutes(0.5), found.completion(64.0)
    (array([64.]), array([0.5]))
    """

    level: Array
    slope: Array

    def minutes(self, share: float = 0.5) -> Array:
        """Length of the tasks completed at `share`: 2^(level − logit(share)/slope)."""
        found: Array = 2.0 ** (self.level - logit(share) / self.slope)
        return found

    def completion(self, minutes: float) -> Array:
        """Share completed of tasks of a length."""
        share: Array = expit(self.slope * (self.level - np.log2(minutes)))
        return share

    def doublings_to(self, threshold_minutes: float, share: float = 0.5) -> Array:
        """Doublings from the horizon at `share` to a threshold; negative when it is passed."""
        gap: Array = np.log2(threshold_minutes) - np.log2(self.minutes(share))
        return gap

    def table(
        self, threshold_minutes: float | None = None, lengths: tuple[float, ...] = LENGTHS
    ) -> pd.DataFrame:
        """Return horizons, completion shares and doublings with 90 % intervals, one row each."""
        rows = {f"{share:.0%} horizon (min)": self.minutes(share) for share in (0.5, 0.8)}
        rows |= {f"completion at {_named(m)}": self.completion(m) for m in lengths}
        if threshold_minutes is not None:
            rows[f"doublings to {_named(threshold_minutes)}"] = self.doublings_to(threshold_minutes)
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

    Capability is on the scale of log2 human minutes at 50 % there, so the level is s + effort·δ
    and the slope the AI model's own.

    Parameters
    ----------
    posterior, domain, ai_model
        The belief, and which of its domains and AI models.
    effort
        Elicitation effort: 0 for what the AI model shows as it comes, 1 for full elicitation.
    """
    d, m = posterior.index_of("domain", domain), posterior.index_of("ai_model", ai_model)
    shown, gap = posterior.draws["shown"][:, d, m], posterior.draws["gap"][:, d, m]
    return Horizon(shown + effort * gap, posterior.draws["slope"][:, m])


def fit_horizon(
    minutes: Array,
    success: Array,
    weights: Array | None = None,
    *,
    seed: int = 0,
    n_draws: int = 1000,
) -> Horizon:
    """Fit the horizon to runs of one AI model.

    Parameters
    ----------
    minutes, success
        Human minutes of each run's task, and 1 or 0 (or a share).
    weights
        Of each run; by default 1. They are scaled to the number of effective runs,
        (Σw)²/Σw², so that weighting does not invent certainty.
    seed, n_draws
        Of the posterior draws that intervals are read off.

    Raises
    ------
    InputError
        If lengths are not positive, or there is no run.
    """
    minutes, success = np.asarray(minutes, dtype=float), np.asarray(success, dtype=float)
    if not len(minutes) or not (minutes > 0).all():
        raise InputError(
            "a horizon needs runs of tasks with human minutes above 0; got "
            f"{int((~(minutes > 0)).sum())} of {len(minutes)} without: leave those out"
        )
    w = np.ones(len(minutes)) if weights is None else np.asarray(weights, dtype=float)
    w = w * w.sum() / (w**2).sum()
    middle = float(np.median(np.log2(minutes)))
    # Tasks of one length share a term: 10⁵ runs of a few hundred tasks cost no more than those.
    lengths, index = np.unique(minutes, return_inverse=True)
    x = np.log2(lengths)
    solved, failed = np.bincount(index, w * success), np.bincount(index, w * (1.0 - success))

    def log_joint(points: Array) -> Array:
        level, slope = points[:, [0]], np.exp(points[:, [1]])
        fit = slope * (level - x)
        likelihood = -(np.logaddexp(0.0, -fit) @ solved + np.logaddexp(0.0, fit) @ failed)
        prior = ((points[:, 0] - middle) / LEVEL_SD) ** 2
        prior = prior + ((points[:, 1] - SLOPE_MEAN_LN) / SLOPE_SD_LN) ** 2
        value: Array = likelihood - 0.5 * prior
        return value

    found = small_posterior(
        log_joint,
        np.array([middle, SLOPE_MEAN_LN]),
        seed=seed,
        n_draws=4 * n_draws,
        what="the horizon fit",
    )
    draws = found.resampled(n_draws, np.random.default_rng([seed, 1]))
    return Horizon(draws[:, 0], np.exp(draws[:, 1]))


def _named(minutes: float) -> str:
    return f"{minutes / 60:g} h" if minutes >= 60 else f"{minutes:g} min"
