r"""What results are expected to do to a decision with a lognormal gap, by quadrature.

y = w + q·δ + later gain, with w normal, δ lognormal and readings normal given both. Whatever the
mix, its readings say of (w, δ) what two would: r₁ = w + βδ + N(0, 1/a) and r₂ = δ + N(0, 1/c).
Take w free of δ (its regression on δ moves into q) with variance σ². Given δ, r₁ has variance
s² = σ² + 1/a, so that all said about δ is D = δ + N(0, 1/c′) with c′ = c + β²/s²; and r₁ − βD has
mean E w and variance s² − β²/c′ whatever δ is. Hence

    y | D, r₁, δ ~ N(E w + g·(r₁ − E w) + (q − gβ)·δ, σ²(1 − g)),  g = σ²/s²,

with weights on δ that D alone decides: the expected losses of both calls are sums over δ of closed
forms, and the average over (D, r₁) is a smooth integral in two dimensions. Nothing is simulated.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalbayes.arrays import Array
from evalfolio.value.sample_information import density
from evalfolio.value.skew.gap import REACH, SMALL, UNLIKELY, SkewedBelief, SkewedGap

SIGNALS, READINGS = 60, 61  # values of D and r₁
SHARED, MOST_SHARED = 161, 1000  # values of r₁ where all D share them: at least, at most
WIDE = 0.4  # sds of δ above which the noise of a reading of it is wide
NARROW = 7  # values of D about each δ where it is not


@dataclass(frozen=True)
class Outcome:
    """What results are expected to do to one decision."""

    value: float  # fall of the expected loss (EVSI), in the unit of the losses
    p_turned: float  # probability that the call becomes another
    p_missed: float  # probability that the call after them is not to mitigate, and y is above
    p_needless: float  # probability that it is to mitigate and y is below


def outcome_of(gap: SkewedGap, left: Array) -> Outcome:
    """Return what results do that would leave the covariance `left`, were δ normal.

    `left` is the posterior covariance of (w, δ) by the normal model, of shape (2, 2): it says how
    much information on both the results hold.

    >>> gap = SkewedGap(8.0, 1.4, 1.0, 0.9, 0.0, 1.0, -10.8, 0.2, 56.0, 2.0)
    >>> all_known = outcome_of(gap, np.zeros((2, 2))).value
    >>> shown_known = outcome_of(gap, np.diag([0.0, 0.9])).value
    >>> bool(0 < shown_known < all_known < gap.evpi)
    True
    """
    chances, saved, exceeds = calls_after(gap, left)
    value = float((chances * np.maximum(saved, 0.0)).sum())
    return expected(gap, value, chances, saved if gap.now[1] == 0 else -saved, exceeds())


def expected(gap: SkewedBelief, value: float, chances: Array, more: Array, above: Array) -> Outcome:
    """Return the outcome where not mitigating loses so much more after each result of a grid."""
    rule = gap.mitigate_above
    mitigate = share_above(more if rule is None else above - rule)
    return Outcome(
        value=value,
        p_turned=float((chances * (1.0 - mitigate if gap.mitigates else mitigate)).sum()),
        p_missed=float((chances * (1.0 - mitigate) * above).sum()),
        p_needless=max(float((chances * mitigate * (1.0 - above)).sum()), 0.0),  # rounding
    )


def calls_after(gap: SkewedGap, left: Array) -> tuple[Array, Array, Callable[[], Array]]:
    """Return by (D, r₁) its chance, what the call that lost more saves, P(y above) if asked."""
    a, beta, c = _readings(gap, left)
    s2 = gap.rest + 1.0 / a
    g = gap.rest / s2
    total = c + beta**2 / s2
    gaps, _ = gap.gaps
    signals, chance, belief = _signals(gap, total)
    # E(w | r₁, δ) moves by g·β·D and a part that has this sd whatever D and δ are.
    centre, sd = g * beta * signals, g * np.sqrt(max(s2 - beta**2 / total, 0.0))
    # a grid of E(w | r₁) for all D, steps within an sd, unless that is too fine
    near, grid = centre[chance > UNLIKELY], None
    if sd > 0:
        low, high = float(near.min()) - REACH * sd, float(near.max()) + REACH * sd
        steps = max(SHARED, int(np.ceil((high - low) / sd)) + 1)
        grid = np.linspace(low, high, steps) if steps <= MOST_SHARED else None
    if grid is None:
        moved, likely = _spread(sd if sd**2 > SMALL * gap.rest else 0.0)
        moved = centre[:, None] + moved
        belief = belief[:, None, :]
    else:
        # One table of losses serves all D: the grid is the same, what it weighs is not.
        moved = grid[None, :]
        likely = density((grid - centre[:, None]) / sd)
        likely = likely / likely.sum(axis=1, keepdims=True).clip(min=1e-300)
    start = gap.means(0.0, 0.0) + moved[..., None]
    means = start + (gap.weight + gap.slope - g * beta) * gaps
    losses, above = gap.calls(means, gap.rest * (1.0 - g))
    current = gap.now[1]

    def mean(by_gap: Array) -> Array:
        found: Array = (by_gap * belief).sum(axis=-1) if grid is None else belief @ by_gap[0].T
        return found

    saved = mean(losses[current] - losses[1 - current])
    return chance[:, None] * likely, saved, lambda: mean(above)


def share_above(values: Array) -> Array:
    """Return the share of every cell of a grid in which values are above 0, read between steps."""
    axis = 1 if values.shape[1] > 1 else 0
    step = np.abs(np.gradient(values, axis=axis))
    return np.clip(0.5 + values / np.maximum(step, 1e-300), 0.0, 1.0)


def information_of(prior: Array, slope: ArrayLike, left: Array) -> Array:
    """Return what results tell of (w less its regression on the gaps, δ), its slope given."""
    sd = np.sqrt(np.diag(prior).clip(min=1e-300))
    values, vectors = np.linalg.eigh(left / np.outer(sd, sd))
    inverse = (vectors / np.maximum(values, SMALL)) @ vectors.T / np.outer(sd, sd)
    turn = np.eye(len(sd))
    turn[0, 1:] = slope
    return np.asarray(turn.T @ (inverse - np.linalg.inv(prior)) @ turn)


def _readings(gap: SkewedGap, left: Array) -> tuple[float, float, float]:
    """Return a, β and c of the two readings that say as much as all do."""
    information = information_of(gap.prior, gap.slope, left)
    a = float(information[0, 0])
    least = 1e-9 / gap.rest
    beta = float(information[0, 1]) / a if a > least else 0.0
    c = float(information[1, 1]) - beta**2 * a
    return max(a, least), beta, max(c, 1e-9 / gap.gap_variance)


def _signals(gap: SkewedGap, information: float) -> tuple[Array, Array, Array]:
    """Return values of D, their probabilities and the belief about δ at each."""
    gaps, weights = gap.gaps
    noise = 1.0 / np.sqrt(information)
    if noise > WIDE * np.sqrt(gap.gap_variance):
        # Wide readings: a grid in D, whose density is a smooth sum over δ.
        z = np.linspace(-REACH, REACH, SIGNALS)
        signals = gap.gap_mean * np.exp(gap.log_sd * z - gap.log_sd**2 / 2) + noise * z
        chance = np.gradient(signals) * (density((signals[:, None] - gaps) / noise) @ weights)
    else:
        # Narrow ones: about every δ a few, as their density is spikes between the grid's δ.
        z, likely = np.polynomial.hermite_e.hermegauss(NARROW)
        signals = (gaps[:, None] + noise * z).ravel()
        chance = np.outer(weights, likely).ravel()
    likelihood = -0.5 * np.square((signals[:, None] - gaps) / noise)
    joint = np.exp(likelihood - likelihood.max(axis=1, keepdims=True)) * weights
    return signals, chance / chance.sum(), joint / joint.sum(axis=1, keepdims=True)


def _spread(sd: float) -> tuple[Array, Array]:
    """Return values of a normal around 0 and their probabilities; one where it has no spread."""
    if sd <= 0:
        return np.zeros(1), np.ones(1)
    z = np.linspace(-REACH, REACH, READINGS)
    likely = density(z)
    return sd * z, likely / likely.sum()
