r"""The states that readings tell about, and the belief about them before any option.

z = (s, δ of every domain at its threshold and at the knots of difficulty that evals read; γ, the
slope error of the AI model under test, in every unit; f_g of every eval family; and the own
error u_i − (β_i − E β_i) of every eval on which the AI model under test already has results).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.csgraph import connected_components

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.decision import State
from evalbayes.posterior.placing import SAME, placed
from evalbayes.posterior.posterior import Posterior

SIGNIFICANT = 3.0  # standard errors of a sample correlation of independent draws
FEWEST_EFFECTIVE = 1000  # draws of a chain count for less than independent ones
SMALLEST_SD = 1e-4  # a figure stated exactly still needs some
SMALLEST_VARIANCE = SMALLEST_SD**2
PARTS = {  # of capability; the gap last
    "shown": "what a standard agent shows",
    "gap": "how much more full elicitation would show",
}


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class States:
    """Names, draws and normal belief of the states of one AI model."""

    # names: "cyber.shown", "cyber.gap" at the (first) threshold, ..., "cyber@5.4.shown" at other
    # knots, ..., "slope", "ctf.family", ..., "cybench.error", ...; where domains have several
    # units, a slope of each: "slope per sd of experts", ...
    names: tuple[str, ...]
    words: Mapping[str, str]  # what each name means
    draws: Array  # posterior draws, skewed as they are, of shape (n_draws, n_states)
    # mean, covariance: their first two moments, of shapes (n_states,) and (n_states, n_states)
    mean: Array
    covariance: Array
    own_error: Mapping[str, str]  # name of the state by eval, for evals whose own error is one
    skewed: tuple[str, ...] = ()  # names of the gaps: lognormal, with these moments
    slopes: tuple[str, ...] = ()  # name of the slope's state by domain
    # knots: names of the knots: of each there are a shown capability and a gap
    knots: tuple[str, ...] = ()
    # places: where they lie, of shape (n_knots,)
    places: Array = field(default_factory=lambda: np.zeros(0))

    def at_threshold(self, domain: str, threshold: float | None = None) -> str:
        """Name of a domain's knot at a threshold, by default its first."""
        if threshold is not None:
            for name, place in zip(self.knots, self.places, strict=True):
                if abs(place - threshold) <= SAME and State(name, "shown").domain == domain:
                    return name
        return domain

    def index_of(self, of: str, part: str = "") -> int:
        """Position of a state, by whose it is and which part, or by its whole name."""
        return self.names.index(str(State(of, part)) if part else of)

    def at_knots(self, part: str) -> list[int]:
        """Positions of shown capability, or the gap, at every knot."""
        return [self.index_of(each, part) for each in self.knots]


def states_of(posterior: Posterior, catalogue: Catalogue) -> States:
    """Return the states of the AI model under test, with moments matched to the posterior.

    The posterior's knots are to be those of the catalogue's thresholds, see `placed`.
    The gap is lognormal and is named as skewed; its moments are those of the lognormal with the
    mean and variance that ln δ has, see `with_lognormal`. Without elicited runs in the history
    nothing has been learned about it, and it is independent of the rest; so is the error of a
    family of which the AI model has run no eval.
    """
    m = posterior.index_of("ai_model", catalogue.portfolio.ai_model)
    knots = posterior.knot_names
    columns: dict[str, Array] = {}
    words: dict[str, str] = {}
    gaps: list[str] = []
    for k, (name, d) in enumerate(zip(knots, posterior.knot_domain, strict=True)):
        spec = catalogue.domain(posterior.domains[d])
        where = (
            spec.unit
            if k < len(posterior.domains)
            else f"{spec.unit}, at {name[len(spec.name) + 1 :]}"
        )
        for part, what in PARTS.items():
            state = str(State(name, part))
            columns[state] = posterior.draws[part][:, k, m]
            words[state] = f"{spec.name}: {what} ({where})"
        gaps.append(state)
    units = [catalogue.domain(name).unit for name in posterior.domains]
    alone = len(set(units)) == 1
    slopes = tuple("slope" if alone else f"slope per {unit}" for unit in units)
    for d, name in enumerate(slopes):
        slope = posterior.draws["slope"][:, d, m]
        columns[name] = slope - slope.mean()
        per = "unit" if alone else units[d]
        words[name] = f"error of the slope of success against difficulty (logits per {per})"
    for g, name in enumerate(posterior.families):
        state = str(State(name, "family"))
        columns[state] = posterior.draws["family_error"][:, g, m]
        words[state] = f"{name}: what the evals of this family all read too high"

    own_error = {}
    for i, name in enumerate(posterior.evals):
        if posterior.n_runs[i, m] > 0:
            own_error[name] = state = str(State(name, "error"))
            columns[state] = eval_error(posterior, i, m)
            words[state] = f"{name}: what this eval alone reads too high"

    names = tuple(columns)
    draws = np.stack([columns[name] for name in names], axis=1)
    unseen: list[tuple[str, ...]] = [
        (str(State(name, "family")),)
        for g, name in enumerate(posterior.families)
        if not posterior.n_runs[posterior.family_of == g, m].any()
    ]
    if not posterior.elicited_history:  # then the gaps of a domain are tied to one another alone
        unseen += [
            tuple(gap for gap, of in zip(gaps, posterior.knot_domain, strict=True) if of == d)
            for d in range(len(posterior.domains))
        ]
    untied = tuple(tuple(names.index(name) for name in group) for group in unseen)
    places = tuple(names.index(name) for name in gaps)
    positive = tuple(at for at in places if (draws[:, at] > 0).all())
    logs = draws.copy()
    logs[:, positive] = np.log(draws[:, positive])
    walked = np.zeros((len(names), len(names)))
    for d in range(len(posterior.domains)):
        told, walk = walk_covariance(posterior, d, m)
        shown = [names.index(str(State(each, "shown"))) for each in knots]
        own = [shown[k] for k in np.flatnonzero(posterior.knot_domain == d)]
        if told is not None:
            logs[:, own] = draws[:, [shown[told]]]
            walked[np.ix_(own, own)] = walk
    moments = moment_covariance(logs, untied) + walked
    if not posterior.elicited_history and np.isfinite(posterior.knot_place).all():
        moments[np.ix_(places, places)] = gap_covariance(posterior)
    mean, covariance = with_lognormal(logs.mean(axis=0), moments, positive)
    return States(
        names=names,
        words=words,
        draws=draws,
        mean=mean,
        covariance=covariance,
        own_error=own_error,
        skewed=tuple(gaps),
        slopes=slopes,
        knots=knots,
        places=posterior.knot_place,
    )


def walk_covariance(posterior: Posterior, d: int, m: int) -> tuple[int | None, Array]:
    """Knot at which a domain's shown capability is told, and the walk's covariance from there.

    Of an AI model without runs in the domain, cov(s_k, s_l) = var s + E σ_W² · (what the ways to k
    and l have in common), and s at the knot alone is tied to all else: products of draws would add
    noise. None where results tell of the walk, or the knot is not among those of the posterior.
    """
    own = np.flatnonzero(posterior.knot_domain == d)
    way = posterior.knot_place[own] - posterior.told_at[d, m]
    told = own[np.abs(way) <= SAME]
    seen = (posterior.reach[:, own] != 0).any(axis=1) & (posterior.n_runs[:, m] > 0)
    if not len(told) or seen.any():
        return None, np.zeros((len(own), len(own)))
    shared = np.minimum(*np.meshgrid(np.abs(way), np.abs(way))) * (np.outer(way, way) > 0)
    return int(told[0]), (posterior.draws["walk_sd"][:, d] ** 2).mean() * shared


def gap_covariance(posterior: Posterior) -> Array:
    """Covariance of ln δ between knots where no elicited run was seen, (n_knots, n_knots).

    σ_d²·E exp(−distance/ρ) within a domain, as the spread of gaps between AI models has E λ² = 1.
    Gaps of two domains are taken for independent.
    """
    domain, place = posterior.knot_domain, posterior.knot_place
    out = np.zeros((len(domain), len(domain)))
    for d, (_, sd) in enumerate(posterior.gap_prior):
        own = np.flatnonzero(domain == d)
        distance = np.abs(place[own, None] - place[own])
        rho = posterior.draws["gap_range"][:, d, None, None]
        out[np.ix_(own, own)] = sd**2 * np.exp(-distance / rho).mean(axis=0)
    return out


def state_draws(posterior: Posterior, catalogue: Catalogue) -> Array:
    """Posterior draws of the menu's states, true skew and all, of shape (n_draws, n_states).

    States are in the unit of their domain.
    """
    return states_of(placed(posterior, catalogue), catalogue).draws


def eval_error(posterior: Posterior, i: int, m: int) -> Array:
    """Return u − (β − E β), of shape (n_draws,): what this eval alone reads too high."""
    difficulty = posterior.draws["difficulty"][:, i]
    error: Array = posterior.draws["private_error"][:, i, m] - (difficulty - difficulty.mean())
    return error


def with_lognormal(
    mean: Array, covariance: Array, lognormal: tuple[int, ...]
) -> tuple[Array, Array]:
    """Return mean and covariance where some of jointly normal quantities are logarithms.

    With m and V those of the normal (z, ln δ): E δ = exp(m + V_δδ/2), cov(z, δ) = E δ · V_zδ and
    cov(δ, δ′) = E δ · E δ′ · (exp(V_δδ′) − 1).

    Moments of ln δ are what the draws tell: between AI models the spread of ln δ is itself
    lognormal, so δ has no variance, and that of 8,000 draws is whatever the largest few make it,
    otherwise by a tenth and more for every seed.

    >>> mean, covariance = with_lognormal(np.zeros(2), np.array([[1.0, 0.2], [0.2, 1.0]]), (1,))
    >>> mean.round(3).tolist(), covariance.round(3).tolist()
    ([0.0, 1.649], [[1.0, 0.33], [0.33, 4.671]])
    """
    at = list(lognormal)
    scale, new = np.ones(len(mean)), mean.copy()
    new[at] = scale[at] = np.exp(mean[at] + np.diag(covariance)[at] / 2.0)
    out = covariance * np.outer(scale, scale)
    both = np.ix_(at, at)
    out[both] = np.outer(scale[at], scale[at]) * np.expm1(covariance[both])
    return new, out


def moment_covariance(draws: Array, apart: tuple[tuple[int, ...], ...] = ()) -> Array:
    """Covariance of draws without the correlation that chance alone puts into them.

    States are linked where their sample correlation is significant; within a linked group the
    sample covariance stands as it is (so it stays positive definite and strong ties stay strong),
    between groups it is 0. The states of each group in `apart` are linked to no others.

    >>> draws = np.random.default_rng(0).standard_normal((4000, 3))
    >>> draws[:, 1] += draws[:, 0]
    >>> covariance = moment_covariance(draws)
    >>> bool(covariance[0, 1] > 0.9), float(covariance[0, 2])
    (True, 0.0)
    """
    centred = draws - draws.mean(axis=0)
    covariance = centred.T @ centred / len(draws)
    variance = np.diag(covariance)
    sd = np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))
    linked = np.abs(covariance / np.outer(sd, sd)) > significant(len(draws))
    for states in apart:
        inside = np.isin(np.arange(len(linked)), states)
        linked &= inside[:, None] == inside[None, :]
    _, group = connected_components(linked, directed=False)
    kept: Array = np.where(group[:, None] == group[None, :], covariance, 0.0)
    # A relative 1e-9 keeps exactly collinear draws definite.
    kept[np.diag_indices_from(kept)] = np.maximum(variance * (1.0 + 1e-9), SMALLEST_VARIANCE)
    return kept


def significant(n_draws: int) -> float:
    """Correlation that chance hardly reaches among so many draws."""
    return SIGNIFICANT / float(np.sqrt(min(n_draws, FEWEST_EFFECTIVE)))


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Explained:
    """What capability and slope say about an eval's own error, and what they leave."""

    # weights: of the predictors, of shape (n_predictors,); 0 where a correlation is within chance
    weights: Array
    # mean, variance: of the error, and of what is left of it
    mean: float
    variance: float


def explained_error(error: Array, predictors: Array) -> Explained:
    """Regress an eval's own error on the predictors it is tied to beyond chance.

    Fitted difficulties lean on the slope, and on capability where an expert judged the plateau.
    What is explained moves with the states and is no independent noise; the rest is. Shapes are
    (n_draws,) and (n_draws, n_predictors).
    """
    weights = np.zeros(predictors.shape[1])
    centred, target = predictors - predictors.mean(axis=0), error - error.mean()
    sd = centred.std(axis=0)
    moving = np.flatnonzero(sd > SMALLEST_SD)
    if target.std() > SMALLEST_SD:
        correlation = target @ centred[:, moving] / (len(error) * target.std() * sd[moving])
        tied = moving[np.abs(correlation) > significant(len(error))]
        if len(tied):
            weights[tied] = np.linalg.lstsq(centred[:, tied], target, rcond=None)[0]
    return Explained(weights, float(error.mean()), float((target - centred @ weights).var()))
