"""The one-domain problems on which the rule of thumb is judged.

Fixed before the rule was written, so that the rule could not be fitted to them. A problem is a
domain of 4 to 40 evals and a budget; every figure is drawn independently and log-uniformly over
what preparedness work meets, prices spread by a factor of about 2.

The rule gives a mix: which evals run at plateau level and which deep. It is *right* on a problem
when that mix is worth at least 95 % of the certified optimum and the rule sees whether any deep
run is worth its price. Where the optimum with a deep run and the optimum without one are within
1 % of each other, either answer to that question is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evalfolio.sensitivities.phases import OneDomain

SEED = 20_261_121
COUNT = 400
ENOUGH = 0.95  # of the certified optimum
TIE = 0.01  # of the optimum: with and without depth are as good as each other


@dataclass(frozen=True)
class Problem:
    """A domain and what may be spent on it, in the unit of its prices."""

    domain: OneDomain
    budget: float


def problems(count: int = COUNT, seed: int = SEED) -> Iterator[Problem]:
    """Yield the problems, the same ones every time."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    for _ in range(count):
        n_evals = int(rng.integers(4, 41))
        cost_ratio = between(3.0, 100.0)
        prices = np.exp(0.35 * rng.standard_normal(n_evals))
        validity_sd = between(0.3, 2.0)
        shown_sd = between(0.7, 3.0)
        gap_sd = between(0.2, 1.5)
        total_sd = float(np.hypot(shown_sd, gap_sd))
        domain = OneDomain(
            prices=tuple(float(p) for p in prices / prices.mean()),
            cost_ratio=cost_ratio,
            validity_sd=validity_sd,
            gap_sd=gap_sd,
            gap_spread=between(0.1, 1.0),
            shown_sd=shown_sd,
            noise_sd=between(0.05, 0.7),
            effort=float(rng.uniform(0.5, 1.0)),
            distance=float(rng.normal(0.0, 0.7)) * total_sd,
            loss_missed=between(0.5, 20.0),
        )
        # from a few plateau-level runs to about half of everything deep
        yield Problem(domain, between(3.0, 0.5 * n_evals * cost_ratio))
