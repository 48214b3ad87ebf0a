r"""Placing: draws at the thresholds of a catalogue, which may have moved since the fit.

At a new threshold x shown capability is Brownian motion given the knots beside it: between two, a
bridge; beyond the last, an increment N(0, σ_W²·distance). The gap's logarithm is the stationary
process of correlation exp(−distance/ρ), given the same knots.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.posterior.posterior import Posterior

SAME = 1e-9  # of two places that are one


class Knot(NamedTuple):
    """A place on a domain's scale, with draws of shown capability and gap, (n_draws, n_models)."""

    domain: int
    place: float
    shown: Array
    gap: Array


def threshold_places(catalogue: Catalogue, domain: str) -> list[float]:
    """Return the difficulties at which a domain is decided: means of its thresholds, each once.

    A domain that is only decided together with others is decided at their threshold, where that
    is in its unit; else there is none.
    """
    spec = catalogue.domain(domain)
    own = catalogue.decided(domain)
    shared = [s for s in catalogue.decisions if domain in s.weights and s.unit == spec.unit]
    means = [each.threshold.normal()[0] for each in own or shared[:1]]
    return list(dict.fromkeys(means))


def placed(posterior: Posterior, catalogue: Catalogue) -> Posterior:
    """Return the posterior with the catalogue's thresholds as knots, domains' first ones first.

    Knots that no eval reads and no threshold is at are left out. A posterior whose knots have no
    place (one for each domain) is returned as it is.
    """
    thresholds = [threshold_places(catalogue, name) for name in posterior.domains]
    if not np.isfinite(posterior.knot_place).all():
        return posterior
    own_draws = (posterior.draws[key].swapaxes(0, 1) for key in ("shown", "gap"))
    told = zip(posterior.knot_domain, posterior.knot_place, *own_draws, strict=True)
    knots = [Knot(int(d), float(place), shown, gap) for d, place, shown, gap in told]
    first, others = [], []
    for d, wanted in enumerate(thresholds):
        rng = np.random.default_rng([d, 17])
        at = [d]  # its first knot, where no threshold is its own
        for k, threshold in enumerate(wanted):
            own = [j for j, knot in enumerate(knots) if knot.domain == d]
            same = [j for j in own if abs(knots[j].place - threshold) <= SAME]
            if not same:
                same = [len(knots)]
                knots.append(_between(posterior, [knots[j] for j in own], threshold, rng))
            at = [*at, same[0]] if k else same
        first.append(at[0])
        others += at[1:]
    wide = np.zeros((len(posterior.evals), len(knots)))
    wide[:, : posterior.reach.shape[1]] = posterior.reach
    read = (wide != 0).any(axis=0)
    rest = [k for k in range(len(knots)) if k not in first and (k in others or read[k])]
    order = [*first, *rest]
    if order == list(range(len(posterior.knot_place))):
        return posterior
    domain, place, shown, gap = zip(*(knots[k] for k in order), strict=True)
    return replace(
        posterior,
        draws={**posterior.draws, "shown": np.stack(shown, axis=1), "gap": np.stack(gap, axis=1)},
        knot_domain=np.array(domain),
        knot_place=np.array(place),
        reach=wide[:, order],
    )


def _between(posterior: Posterior, own: list[Knot], at: float, rng: np.random.Generator) -> Knot:
    """Draw shown capability and gap at a new place of a domain given the knots beside it."""
    d = own[0].domain
    below = max((k for k in own if k.place < at), key=lambda k: k.place, default=None)
    above = min((k for k in own if k.place > at), key=lambda k: k.place, default=None)
    sides = [k for k in (below, above) if k is not None]
    walk = posterior.draws["walk_sd"][:, d, None]
    rho = posterior.draws["gap_range"][:, d, None]
    mean, sd = posterior.gap_prior[d]
    level = [(np.log(k.gap) - mean) / sd for k in sides]
    r = [np.exp(-abs(k.place - at) / rho) for k in sides]
    luck = rng.standard_normal((2, *sides[0].shown.shape))
    if len(sides) == 1:
        shown = sides[0].shown + walk * np.sqrt(abs(sides[0].place - at)) * luck[0]
        z = r[0] * level[0] + np.sqrt(1.0 - r[0] ** 2) * luck[1]
    else:
        span = sides[1].place - sides[0].place
        share = (at - sides[0].place) / span
        shown = sides[0].shown + share * (sides[1].shown - sides[0].shown)
        shown = shown + walk * np.sqrt(share * (1.0 - share) * span) * luck[0]
        whole = 1.0 - (r[0] * r[1]) ** 2
        weight = [r[0] * (1.0 - r[1] ** 2) / whole, r[1] * (1.0 - r[0] ** 2) / whole]
        left = np.maximum(1.0 - weight[0] * r[0] - weight[1] * r[1], 0.0)
        z = weight[0] * level[0] + weight[1] * level[1] + np.sqrt(left) * luck[1]
    return Knot(d, at, shown, np.exp(mean + sd * z))
