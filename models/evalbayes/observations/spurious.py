"""Spurious failures: how often reviewed failures are not the AI model's, and what they hide.

A run that would have succeeded fails all the same with chance q when the environment breaks, the
AI model refuses or an answer is malformed. Of the failures a share r = q/(1 − (1 − q)·A) is then
spurious, A being the plateau without them; so runs as they come reach A·(1 − r)/(1 − r·A).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import betaln, expit

from evalbayes.arrays import Array
from evalbayes.curves.small_posterior import small_posterior
from evalbayes.observations import Observations

FAILED = ("gave_up", "stopped_by_cap", "stopped_otherwise", "spurious")
# Priors on the logit of the mean rate and ln of the concentration over evals and AI models: a
# quarter to a half of reviewed failures were called spurious in METR's reports on GPT-5 and GPT-4o.
PRIOR_MEAN = np.array([-1.0, np.log(6.0)])
PRIOR_SD = np.array([1.0, 0.8])
PAIR = ["eval", "ai_model"]


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class SpuriousRates:
    """Rates of spurious failures."""

    # by eval and AI model: failed, reviewed (failures read), spurious (of those)
    counts: pd.DataFrame
    draws: Mapping[tuple[str, str], Array]  # rate by eval and AI model, each of shape (n_draws,)
    fresh: Array  # rate of an eval and AI model of which nothing was reviewed, of shape (n_draws,)

    def of(self, name: str, ai_model: str) -> Array:
        """Return draws of the rate of one eval and AI model, seen or not."""
        return self.draws.get((name, ai_model), self.fresh)

    def unreviewed(self, name: str, ai_model: str) -> float:
        """Share of the failures that a fit counted as failures without anyone having read them."""
        if (name, ai_model) not in self.counts.index:
            return 1.0
        own = self.counts.loc[[(name, ai_model)]]
        return float(1.0 - own["reviewed"].sum() / own["failed"].sum())


def spurious_rates(
    observations: Observations, *, seed: int = 0, n_draws: int = 1000
) -> SpuriousRates | None:
    """Learn the rate of spurious failures by eval and AI model from reviewed runs.

    Rates are Beta about a common mean, with a spread that is learned, so a few reviewed failures
    of one eval borrow from the others. None where no failure that is not spurious was reviewed: of
    how many failures the spurious ones are is then not known.
    """
    counts = reviewed_failures(observations)
    read = counts[counts["reviewed"] > 0]
    if not (read["reviewed"] > read["spurious"]).any():
        return None
    n, k = read["reviewed"].to_numpy(float), read["spurious"].to_numpy(float)

    def log_joint(points: Array) -> Array:
        a, b = _shapes(points)
        terms = betaln(a[:, None] + k, b[:, None] + n - k) - betaln(a, b)[:, None]
        value: Array = terms.sum(axis=1) - 0.5 * (((points - PRIOR_MEAN) / PRIOR_SD) ** 2).sum(1)
        return value

    rng = np.random.default_rng([seed, 2])
    found = small_posterior(
        log_joint, PRIOR_MEAN.copy(), seed=seed, n_draws=4 * n_draws, what="the spurious rate"
    )
    a, b = _shapes(found.resampled(n_draws, rng))
    draws = {
        (str(name), str(model)): rng.beta(a + spurious, b + reviewed - spurious)
        for (name, model), reviewed, spurious in zip(
            read.index, read["reviewed"], read["spurious"], strict=True
        )
    }
    return SpuriousRates(counts, draws, rng.beta(a, b))


def reviewed_failures(observations: Observations) -> pd.DataFrame:
    """Return failed, reviewed and spurious runs as they come, by eval and AI model."""
    columns = ["failed", "reviewed", "spurious"]
    runs = observations.runs
    if not len(runs):
        return pd.DataFrame(columns=columns, index=pd.MultiIndex.from_arrays([[], []], names=PAIR))
    failed = runs[runs["outcome"].isin(FAILED) & (runs["effort"].fillna(0.0) == 0)]
    spurious = failed["outcome"] == "spurious"  # nobody knows without having read it
    table = failed[PAIR].assign(
        failed=1, reviewed=((failed["reviewed"] == 1) | spurious).astype(int), spurious=spurious
    )
    return table.groupby(PAIR)[columns].sum().astype(int)


def repaired(plateau: ArrayLike, rate: ArrayLike) -> Array:
    """Plateau once failures of which a share `rate` is spurious no longer are: A/(1 − r(1 − A)).

    >>> float(as_it_comes(0.5, 0.3)), round(float(repaired(as_it_comes(0.5, 0.3), 0.3)), 12)
    (0.4117647058823529, 0.5)
    """
    share, r = np.asarray(plateau, dtype=float), np.asarray(rate, dtype=float)
    return share / (1.0 - r * (1.0 - share))


def as_it_comes(plateau: ArrayLike, rate: ArrayLike) -> Array:
    """Plateau reached while a share `rate` of the failures is spurious: A(1 − r)/(1 − r·A)."""
    share, r = np.asarray(plateau, dtype=float), np.asarray(rate, dtype=float)
    return np.asarray(share * (1.0 - r) / (1.0 - r * share))


def uncounted(rate: ArrayLike, unreviewed: ArrayLike) -> Array:
    """Share of spurious ones among failures counted as such: reviewed spurious ones are not."""
    r, left = np.asarray(rate, dtype=float), np.asarray(unreviewed, dtype=float)
    return np.asarray(r * left / (1.0 - r * (1.0 - left)))


def _shapes(points: Array) -> tuple[Array, Array]:
    mean = np.clip(expit(points[:, 0]), 1e-6, 1.0 - 1e-6)
    concentration = np.exp(np.clip(points[:, 1], -8.0, 8.0))
    return mean * concentration, (1.0 - mean) * concentration
