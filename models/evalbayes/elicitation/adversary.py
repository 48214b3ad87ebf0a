r"""Capability at an adversary's budget: what they may spend on an attempt, and how many they make.

θ is capability fully elicited, without limit. At a spend c an attempt and k attempts it is θ_c, the
length at which half of the tasks are solved within the budget:

    expit(a·(s + ρ(k)·δ − θ_c))·F(c | θ_c) = ½,  F(c | h) = Φ((ln c − ℓ − γ·h − 1)/σ),

a soft minimum of capability and of the length that takes the spend. ρ(k) is the share of the gap
that k attempts with a verifier reach beside staff effort, √(W² + B(k)²)/√(W² + B(8)²) with
B(k) = V·(log₂ k)^q: W/√(W² + B(8)²) for one attempt, 1 from 8 on. ln spend ℓ + γ·h of a success on
tasks of length h is a line through the evals' learned curves, draw by draw (the 1 is what elicited
agents spend more); ln 2/γ is what a doubling of spend adds to a horizon that spend limits, and its
prior is the published one. Beyond the lengths that evals have the line is carried on, less sure the
farther. As c and k grow without limit θ_c is s + δ.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_expit, log_ndtr, logit, ndtr, ndtri

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.catalogue.decided import Adversary
from evalbayes.catalogue.population import ATTEMPTS, axis, population_gap, spend_gain
from evalbayes.model.priors import EFFORT_SPEND
from evalbayes.posterior.posterior import Posterior

Z95 = 1.6448536
YEAR, MONTHS = 2025.5, 12.0  # of release where none is stated
UNEXPLAINED = 1.0  # sd of evals' ln spend about the line, where none tell
LEAST_SLOPE = 0.05  # of ln spend against length: longer tasks never take less
LEAST_WEIGHT = 1e-3  # of a capability that a budget makes nearly worthless
FEWEST = 10  # draws on either side of a threshold that tell a chance
NEAR = 1.5  # sds within which draws are many
EXACT = 1e-12  # variance about a line that is exact but for rounding
EACH = np.sqrt(0.5)  # a budget and a capability that each leave so much leave half together
HALVINGS = 60


def capability_within(
    posterior: Posterior, catalogue: Catalogue, adversary: Adversary, shown: Array, gap: Array
) -> Array:
    """Return θ_c of the AI model under test by draw, of the shape of `shown`.

    `shown` and `gap` are draws of s and δ at a threshold of the adversary's domain; where what they
    may spend is unlimited θ_c is their sum.
    """
    rng = np.random.default_rng(19)
    spec = catalogue.domain(adversary.domain)
    if adversary.attempts is not None:
        tools = spec.baseline_tools
        whole = population_gap(spec.name if spec.minutes else "", tools=tools).median
        gap = gap * gap_share(adversary.attempts, whole, len(gap), rng)
    if adversary.usd is None:
        return shown + gap
    line = spend_line(posterior, catalogue, spec.name, rng)
    d = posterior.index_of("domain", spec.name)
    m = posterior.index_of("ai_model", catalogue.portfolio.ai_model)
    return horizon_within(shown + gap, posterior.draws["slope"][:, d, m], adversary.usd, *line)


def gap_share(attempts: int, whole: float, n: int, rng: np.random.Generator) -> Array:
    """Draw ρ(k), the share of a gap that k attempts reach, (n,), with `whole` what staff adds."""
    (low, _, high), second = axis("doublings of a second attempt"), rng.standard_normal(n)
    added = np.exp(np.log(low * high) / 2 + np.log(high / low) / (2 * Z95) * second)
    (low, mid, high), luck = axis("power of further attempts"), rng.standard_normal(n)
    power = np.clip(mid + (high - low) / (2 * Z95) * luck, low, high)
    tried = min(attempts, ATTEMPTS)
    reached = added * np.log2(tried) ** power if tried > 1 else 0.0
    share: Array = np.hypot(whole, reached) / np.hypot(whole, added * np.log2(ATTEMPTS) ** power)
    return share


def spend_line(
    posterior: Posterior, catalogue: Catalogue, domain: str, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return ℓ + 1, γ and σ by draw: ln USD of a success against difficulty in a domain, its sd.

    By draw a line through the evals' ln medians, γ with the published prior. About it they are
    normal, with the variance they have over draws and a prior of 1 that counts as two evals.
    """
    own = [spec for spec in catalogue.evals if spec.domain == domain]
    at = [posterior.index_of("eval", spec.name) for spec in own]
    m = posterior.index_of("ai_model", catalogue.portfolio.ai_model)
    x = posterior.draws["difficulty"][:, at]
    prices = np.log([spec.usd_per_unit.mid for spec in own])
    y = posterior.draws["success_location"][:, at, m] + prices
    known = catalogue.known_models.get(catalogue.portfolio.ai_model)
    day = None if known is None else known.released
    gain = spend_gain(2.0, YEAR if day is None else day.year + day.month / MONTHS)
    steep, unsure = np.log(2) / gain.low, np.log(2) / gain.high
    prior, prior_sd = (steep + unsure) / 2, (steep - unsure) / (2 * Z95)
    n, middle, mean = len(own), x.mean(axis=1), y.mean(axis=1)
    across = x - middle[:, None]
    square, product = (across**2).sum(axis=1), (across * y).sum(axis=1)
    fitted = product / np.maximum(square, 1e-9)
    left = (y - mean[:, None] - fitted[:, None] * across) ** 2
    sd = float(np.sqrt((left.sum(axis=1).mean() + 2.0 * UNEXPLAINED**2) / n))  # n − 2 and 2
    precision = square / sd**2 + prior_sd**-2
    slope = (product / sd**2 + prior / prior_sd**2) / precision
    slope = np.maximum(slope + rng.standard_normal(len(x)) / np.sqrt(precision), LEAST_SLOPE)
    level = mean + sd / np.sqrt(n) * rng.standard_normal(len(x)) - slope * middle
    width = posterior.draws["spend_width"][:, at, m].mean(axis=1)
    return level + EFFORT_SPEND[0], slope, width


def horizon_within(
    capability: Array, slope: Array, spend: float, level: Array, steep: Array, width: Array
) -> Array:
    """Solve expit(a·(θ − h))·Φ((ln c − ℓ − γ·h)/σ) = ½ for h, which is never above θ."""
    ln_spend = np.log(spend)
    high = capability.copy()
    low = np.minimum(
        capability - logit(EACH) / slope, (ln_spend - level - ndtri(EACH) * width) / steep
    )
    for _ in range(HALVINGS):
        h = (low + high) / 2.0
        within = log_expit(slope * (capability - h))
        within += log_ndtr((ln_spend - level - steep * h) / width)
        low, high = np.where(within > np.log(0.5), h, low), np.where(within > np.log(0.5), high, h)
    return high


def in_line(
    reached: Array, shown: Array, gap: Array, threshold: float
) -> tuple[Array, float, float]:
    """Return the line of θ_c on s and δ: its two weights, constant and variance about it.

    Least squares over draws, those within an sd of the threshold foremost, or as near to it as they
    are many, as the decision is there; then the constant is set so that the chance to exceed it is
    that of the draws, if any do. Of s + δ itself 1 and 1, 0, 0. Weights fall as the budget binds:
    more capability helps less, and so do evals that tell of it. A gap's largest hundredth is left
    out.
    """
    mean, spread = reached.mean(), max(float(reached.std()), 1e-9)
    centre = np.clip(threshold, mean - NEAR * spread, mean + NEAR * spread)
    near = np.exp(-0.5 * ((reached - centre) / spread) ** 2)
    root = np.sqrt(near * (gap <= np.quantile(gap, 0.99)) + 1e-12)
    parts, taken = np.column_stack([shown, gap, np.ones(len(gap))]), reached - shown - gap
    line, *_ = np.linalg.lstsq(parts * root[:, None], taken * root, rcond=None)
    variance = float(np.average((taken - parts @ line) ** 2, weights=root**2))
    weights = np.maximum(1.0 + line[:2], LEAST_WEIGHT)
    above = (reached > threshold).sum()
    if variance < EXACT or min(above, len(gap) - above) < FEWEST:
        return weights, float(line[2]), variance
    sd, chance = np.sqrt(variance), above / len(gap)
    short = threshold - parts[:, :2] @ weights
    constant = brentq(
        lambda c: ndtr((c - short) / sd).mean() - chance,
        short.min() - 9.0 * sd,
        short.max() + 9.0 * sd,
    )
    return weights, float(constant), variance
