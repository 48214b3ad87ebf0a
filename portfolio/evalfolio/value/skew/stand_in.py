r"""A value to choose by in place of the exact one: G of an index, fitted to the exact values.

The certified search needs a nondecreasing function of something concave in the choice; the exact
value under a lognormal gap is not one of any single variance. G(u) with the index u of `Index`
comes within a few per cent: the shapes of u and the slopes of G are fitted by least squares to the
exact value where shares of w and of δ are known, apart or through readings of both, relative errors
counting. It depends on the belief and the stakes only, not on the options: a mix has one value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from evalfolio.value.skew.gap import SkewedGap
from evalfolio.value.skew.index import Index
from evalfolio.value.skew.misfit import Misfit
from evalfolio.value.skew.outcome import value_of, values_apart
from evalfolio.value.skew.shape import Shapes
from evalfolio.value.skew.sloped import Sloped, ramps

if TYPE_CHECKING:
    from evalbayes import Decision, Menu

Floats = NDArray[np.float64]

# Shares known of w given δ and of δ, by readings of each alone
SHOWN = np.array([0.0, 0.02, 0.06, 0.12, 0.2, 0.35, 0.5, 0.7, 0.85, 0.97, 1.0])
GAP = np.array([0.0, 0.01, 0.03, 0.06, 0.12, 0.2, 0.35, 0.55, 0.8, 0.97, 1.0])
# ... and by a reading of w + βδ beside one of δ: share of w, β and share of δ
BOTH = tuple(product((0.08, 0.3, 0.65), (0.1, 0.3, 0.8), (0.0, 0.03, 0.15)))
KNOTS = np.array(
    [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.78, 0.85, 0.9, 0.94, 0.97, 0.985, 1.0]
)  # of u, which soon comes near 1
# ln h₁/q, ln of ln h₂/h₁, ln ω₂/ω₁, ln ω₃/ω₁, ln r₁, ln r₂, ln r₃
START = np.array([-0.17, 0.43, 0.15, -2.9, -2.3, -3.7, -6.0])
# Where the search for these starts, until one ends well
STARTS = (
    START,
    np.array([-0.34, 0.96, -3.1, -5.6, -2.4, -2.7, -7.0]),
    np.array([-1.6, 0.7, -0.5, -2.6, -1.3, -5.8, -5.7]),
)
WELL = 0.1  # sum of squares
PULL = 0.03
FLOOR = 0.02  # of perfect information: smaller values count as if they were as large
POWER = 0.8  # 1: relative errors count alike, 0: absolute ones
CORNER, JOINT = 3.0, 2.0  # how much more knowing all of one counts, and readings of both


@dataclass(frozen=True)
class StandIn:
    """The value of results to one decision, by its index.

    Parameters
    ----------
    index
        u, from the shares explained.
    worth
        G, from u.
    """

    index: Index
    worth: Sloped

    def value(self, gap: SkewedGap, left: Floats) -> Floats:
        """Return G(u) where the normal model leaves these covariances of (w, δ), (n, 2, 2)."""
        return self.worth.gain(self.index.of(self.index.explained(gap.prior, left)))


def stand_in_of(menu: Menu, decision: Decision) -> StandIn | None:
    """Return a decision's stand-in, or None where its gap is not skewed enough to matter."""
    gap = SkewedGap.of(menu, decision)
    return None if gap is None else fitted(gap)


@lru_cache(maxsize=4096)
def fitted(gap: SkewedGap) -> StandIn:
    """Return the stand-in fitted to the exact values of a decision.

    Examples
    --------
    >>> gap = SkewedGap(8.0, 1.4, 1.0, 0.9, 0.0, 1.0, -10.8, 0.2, 56.0, 2.0)
    >>> left = np.array([np.diag([0.7, 0.8]), np.diag([0.0, 0.9])])
    >>> exact = [value_of(gap, each) for each in left]
    >>> bool((np.abs(fitted(gap).value(gap, left) / exact - 1) < 0.1).all())
    True
    """
    left, values, count = _points(gap)
    whole = float(values.max())
    if not whole > 1e-9 * (gap.loss_missed + gap.loss_false_alarm) * np.sqrt(gap.rest):
        index = Index((gap.weight, gap.weight), (1.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        return StandIn(index, Sloped((0.0, 1.0), (0.0, 0.0), gap.evpi))
    values = values / whole
    count = count * (values + FLOOR) ** -POWER

    shapes = Shapes(gap, left)
    misfit = Misfit(shapes, values, count, KNOTS, START, PULL)
    tried: list[tuple[float, Floats]] = []
    for start in STARTS:
        x, missed = misfit.least(start)
        tried.append((missed, x))
        if missed < WELL:
            break
    x = min(tried, key=lambda found: found[0])[1]
    rows = misfit.design(x)
    tries = []
    for peak in range(len(KNOTS)):
        shape = _unimodal(peak)
        steps, residual = nnls(rows @ shape, values * count)
        tries.append((residual, peak, shape @ steps))
    slopes = min(tries, key=lambda each: each[:2])[2] * whole
    # Never more than perfect information, of which the later gain is a part
    reached = float((ramps(np.ones(1), KNOTS) @ slopes)[0])
    slopes = slopes * min(1.0, gap.evpi / reached)
    return StandIn(shapes.index(x), Sloped(tuple(KNOTS.tolist()), tuple(slopes.tolist()), gap.evpi))


def _points(gap: SkewedGap) -> tuple[Floats, Floats, Floats]:
    """Return covariances left, the exact values there and how much each counts."""
    a, b = (share.ravel() for share in np.meshgrid(SHOWN, GAP, indexing="ij"))
    turn = np.array([[1.0, gap.slope], [0.0, 1.0]])
    apart = np.zeros((len(a), 2, 2))
    apart[:, 0, 0] = (1.0 - a) * gap.rest
    apart[:, 1, 1] = (1.0 - b) * gap.gap_variance
    corner = ((a == 1) | (a == 0)) & ((b == 1) | (b == 0))
    joint = [
        gap.left_by(
            share / (1.0 - share) / gap.rest, beta, known / (1.0 - known) / gap.gap_variance
        )
        for share, beta, known in BOTH
    ]
    by_both = np.array([value_of(gap, left) for left in joint])
    values = [values_apart(gap, SHOWN, GAP).ravel(), by_both]
    count = [np.where(corner, CORNER, 1.0), np.full(len(joint), JOINT)]
    left = np.concatenate([turn @ apart @ turn.T, np.array(joint)])
    return left, np.concatenate(values), np.concatenate(count)


def _unimodal(peak: int) -> Floats:
    """Return columns of slopes whose sums with weights ≥ 0 rise to a knot and fall after it."""
    n = len(KNOTS)
    shape = np.zeros((n, n))
    for k in range(n):
        shape[min(k, peak) : max(k, peak) + 1, k] = 1.0
    return shape
