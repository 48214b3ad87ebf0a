r"""A value to choose by in place of the exact one: G of an index, fitted to the exact values.

The certified search needs a nondecreasing function of something concave in the choice; the exact
value under lognormal gaps is not one of any single variance. G(u) with the index u of `Index`
comes within a per cent or so of it: the shape of u and the slopes of G are fitted by least squares
to the exact values of some hundred mixes of the menu, few evals and many, of one domain and of all,
of one tier and of several. It depends on belief, stakes and menu, not on budgets: a mix has one
value on a menu. A plan is found by it, then told by the direct value.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from scipy.optimize import least_squares, nnls

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.value.skew.calls import Calls, calls_of
from evalfolio.value.skew.index import BEGIN, Index, Shapes
from evalfolio.value.skew.sloped import Sloped, ramps

TOLERANCE = 1e-3  # relative; the fit is not better than that for other reasons
EVALUATIONS = 40
MIXES = 72  # to fit to
KNOTS = np.array(
    [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.78, 0.85, 0.9, 0.94, 0.97, 0.985, 1.0]
)  # of u, which soon comes near 1
# Where the search for the shape starts, until one ends well
STARTS = (
    BEGIN,
    (-0.34, 0.96, -3.1, -5.6, -2.4, -2.7, -7.0),
    (-1.6, 0.7, -0.5, -2.6, -1.3, -5.8, -5.7),
)
WELL = 0.08  # root of the sum of squares
PULL = 0.01
FLOOR = 0.02  # of the largest value: smaller values count as if they were as large
POWER = 0.5  # 1: relative errors count alike, 0: absolute ones
_LEFT: WeakKeyDictionary[Menu, Array] = WeakKeyDictionary()


class Misfit:
    """Residuals of a stand-in as a function of its index's shape.

    For any shape the slopes are the best there are (nonnegative least squares), so that only the
    shape is searched: Levenberg-Marquardt steps (MINPACK) on the residuals, their derivatives with
    the slopes projected out (Golub & Pereyra 1973, in Kaufman's form). Of n results, with their
    exact values; `count` is how much each residual counts, `knots` are the slopes', and the shape
    is pulled towards `start`, as strongly as `pull` says.
    """

    def __init__(
        self, shapes: Shapes, values: Array, count: Array, knots: Array, start: Array, pull: float
    ) -> None:
        self.shapes, self.knots, self.start, self.pull = shapes, knots, start, pull
        self.count, self.wanted = count, values * count
        self._at: Array | None = None

    def least(self, start: Array) -> tuple[Array, float]:
        """Return the shape reached from a start and the sum of its squared residuals."""
        found = least_squares(
            self.residuals, start, self.jacobian, method="lm",
            max_nfev=EVALUATIONS, ftol=TOLERANCE, xtol=TOLERANCE,
        )  # fmt: skip
        return np.asarray(found.x), float(2.0 * found.cost)

    def design(self, x: Array) -> Array:
        """Return what every slope contributes to every value, of shape (n, n_knots)."""
        self._look(x)
        return self._rows

    def residuals(self, x: Array) -> Array:
        """Return residuals with the best slopes, then those of the pull."""
        self._look(x)
        return np.append(self._rows @ self._slopes - self.wanted, self.pull * (x - self.start))

    def jacobian(self, x: Array) -> Array:
        """Return their derivatives, the slopes moving along."""
        self._look(x)
        rise = np.interp(self._u, self.knots, self._slopes) * self.count
        turned = self._turn * rise[:, None]
        basis, _ = np.linalg.qr(self._rows[:, self._slopes > 0])
        turned -= basis @ (basis.T @ turned)
        return np.vstack([turned, self.pull * np.eye(len(x))])

    def _look(self, x: Array) -> None:
        """Fit the slopes at x, unless that was done last."""
        if self._at is not None and (self._at == x).all():
            return
        self._at = x.copy()
        self._u, self._turn = self.shapes.of(x)
        self._rows: Array = ramps(self._u, self.knots) * self.count[:, None]
        self._slopes: Array = nnls(self._rows, self.wanted)[0]


@dataclass(frozen=True)
class StandIn:
    """The value of results to one decision, by its index."""

    index: Index  # u, from the shares explained
    worth: Sloped  # G, from u

    def value(self, prior: Array, left: Array) -> Array:
        """Return G(u) where the covariance of (w, δ) falls to each of `left`."""
        return self.worth.gain(self.index.of(self.index.explained(prior, left)))


MOST_FITTED = 512
_FITTED: dict[Hashable, StandIn] = {}


def stand_in_of(menu: Menu, decision: Decision) -> StandIn | None:
    """Return a decision's stand-in, or None where its gap is not skewed enough to matter."""
    calls = calls_of(menu, decision)
    if calls is None:
        return None
    left = calls.contrasts @ lefts(menu) @ calls.contrasts.T
    key = (calls.key, left.tobytes())
    if key not in _FITTED:
        if len(_FITTED) == MOST_FITTED:
            _FITTED.pop(next(iter(_FITTED)))  # the oldest
        _FITTED[key] = fitted(calls, left)
    return _FITTED[key]


def fitted(calls: Calls, left: Array) -> StandIn:
    """Return the stand-in fitted to a decision's exact values where these are left of (w, δ), or 0.

    `left` is of shape (n, 1 + n_gaps, 1 + n_gaps).

    >>> from evalfolio.value.skew import OneGap
    >>> gap = OneGap(8.0, 1.4, 1.0, 0.9, 0.0, 1.0, -10.8, 0.2, 56.0, 2.0)
    >>> shares = np.random.default_rng(0).uniform(0, 1, (30, 2))
    >>> left = np.array([np.diag([1.4, 0.9] * share) for share in shares])
    >>> found = fitted(gap, left).value(gap.prior, left)
    >>> exact = np.array([gap.value(each) for each in left])
    >>> bool(np.abs(found - exact).max() < 0.02 * gap.evpi)
    True
    """
    left = np.concatenate([left, np.zeros((1, *left.shape[1:]))])  # all known, where u is 1
    values = np.array([calls.value(each) for each in left])
    shapes = Shapes(calls.weights, calls.prior, left)
    whole = float(values.max())
    if not whole > 1e-9 * calls.evpi or not calls.evpi > 1e-200:
        flat = Sloped((0.0, 1.0), (0.0, 0.0), calls.evpi)
        return StandIn(shapes.index(shapes.start(BEGIN)), flat)
    values = values / whole
    count = (values + FLOOR) ** -POWER
    misfit = Misfit(shapes, values, count, KNOTS, shapes.start(BEGIN), PULL)
    tried: list[tuple[float, Array, Array]] = []
    for start in STARTS:
        x, _ = misfit.least(shapes.start(start))
        tried.append((*_slopes(misfit.design(x), values * count), x))
        if tried[-1][0] < WELL:
            break
    _, slopes, x = min(tried, key=lambda found: found[0])
    slopes = slopes * whole
    # Never more than perfect information, of which the later gain is a part
    reached = float((ramps(np.ones(1), KNOTS) @ slopes)[0])
    slopes = slopes * min(1.0, calls.evpi / reached)
    worth = Sloped(tuple(KNOTS.tolist()), tuple(slopes.tolist()), calls.evpi)
    return StandIn(shapes.index(x), worth)


def _slopes(rows: Array, wanted: Array) -> tuple[float, Array]:
    """Return by how much slopes that rise to a peak and fall miss, and those that miss least."""
    tries, at = [], np.arange(len(KNOTS))
    for peak in at:
        # columns of slopes whose sums with weights ≥ 0 rise to the peak and fall after it
        first, last = np.minimum(at, peak), np.maximum(at, peak)
        shape = ((at[:, None] >= first) & (at[:, None] <= last)).astype(float)
        steps, missed = nnls(rows @ shape, wanted)
        tries.append((float(missed), peak, shape @ steps))
    least, _, slopes = min(tries, key=lambda each: each[:2])
    return least, slopes


def lefts(menu: Menu) -> Array:
    """Return covariances of the states left by mixes of the menu, (n, n_states, n_states)."""
    if menu not in _LEFT:
        precision = np.linalg.inv(menu.prior_covariance)
        information = np.einsum("no,oij->nij", mixes(menu), menu.information)
        _LEFT[menu] = np.linalg.inv(precision + information)
    return _LEFT[menu]


def mixes(menu: Menu, n: int = MIXES, seed: int = 0) -> Array:
    """Return mixes of a menu of all kinds, of shape (n, n_options), the same for a seed.

    In every mix each domain has its own share of evals that run, none and all among them, and its
    own tier, or any; the first ones run all evals of one tier at their dearest options.
    """
    rng = np.random.default_rng(seed)
    dear = (menu.costs / menu.costs.max(axis=0).clip(min=1e-300)).sum(axis=1)
    evals, domains, tiers = (
        menu.options[name].astype(str).to_numpy() for name in ("eval", "domain", "tier")
    )
    kinds, places = np.unique(tiers), np.unique(domains)
    owners = np.unique(evals)
    rows = [np.flatnonzero(evals == owner) for owner in owners]
    out = np.zeros((n, len(menu)))
    whole = [(kind, place) for place in ("", *places) for kind in ("", *kinds)]
    for i in range(n):
        if i < min(len(whole), n // 3):
            kind, place = whole[i]
            share = {p: float(place in ("", p)) for p in places}
            tier = dict.fromkeys(places, kind)
        else:
            share = {p: float(np.clip(rng.uniform(-0.3, 1.2), 0.0, 1.0)) for p in places}
            tier = {p: str(rng.choice(["", *kinds])) for p in places}
        for own in rows:
            p = domains[own[0]]
            able = own[(tiers[own] == tier[p]) | (tier[p] == "")]
            luck, pick = rng.random(), rng.random()
            if len(able) and luck < share[p]:
                best = able[np.argmax(dear[able])]
                out[i, best if i < len(whole) else able[int(pick * len(able))]] = 1.0
    return out
