"""The elicitation gap as pairs of runs show it, before any is seen."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.predictive.predictive import Predictive

MODEL = "pairs"


def prior(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Gap by domain, and success share of the elicited runs of every pair, given the standard ones.

    logit of the elicited share is that of the standard one + a·e·(δ + η): slope a, gap δ and the
    eval's own departure η from their priors, the standard share from a Beta(½ + successes,
    ½ + failures).
    """
    from evalbayes.elicitation.pairs import paired_gains
    from evalbayes.model import priors

    def positive(prior: priors.Positive, n: int) -> Array:
        return np.exp(rng.normal(prior.mean_ln, prior.sd_ln, n))

    gaps = {
        spec.name: np.exp(rng.normal(*priors.gap_prior(spec.gap), n_draws))
        for spec in catalogue.domains
    }
    nothing = np.full(len(gaps), np.nan)
    units = {spec.name: "doublings" if spec.minutes else spec.unit for spec in catalogue.domains}
    of = tuple(f"{name}, in {units[name]}" for name in gaps)
    found = [Predictive(MODEL, "elicitation gap", of, np.stack([*gaps.values()], 1), nothing)]
    pairs = paired_gains(observations, catalogue)
    pairs = pairs[pairs["kind"] == "elicited"]
    if not len(pairs):
        return found
    draws: list[Array] = []
    of_pairs: list[str] = []
    for row in pairs.to_dict("records"):
        slope = positive(priors.SLOPE, n_draws) * np.exp(
            positive(priors.SLOPE_SPREAD, n_draws) * rng.standard_normal(n_draws)
        )
        departure = positive(priors.GAP_DEPARTURE_SD, n_draws) * rng.standard_normal(n_draws)
        solved = row["share"] * row["runs"]
        before = logit(rng.beta(0.5 + solved, 0.5 + row["runs"] - solved, n_draws))
        after = expit(before + slope * row["effort"] * (gaps[row["domain"]] + departure))
        draws.append(rng.binomial(int(row["elicited_runs"]), after) / row["elicited_runs"])
        of_pairs.append(f"{row['eval']} by {row['ai_model']}, effort {row['effort']:g}")
    seen = pairs["elicited_share"].to_numpy(dtype=float)
    shares = np.stack(draws, axis=1)
    return [*found, Predictive(MODEL, "elicited success share", tuple(of_pairs), shares, seen)]
