"""The spend-to-outcome curve: two ways to end, success and giving up, and a cap that cuts both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Positions, Value
from evalbayes.curves.families import lognormal
from evalbayes.curves.law import Law

GRID = 96  # points of the first search; bisection refines between two of them
SPAN = 60.0  # e-folds below the limit within which a sweet spot is sought
BISECTIONS = 36  # halve the bracket to 1e-11 of itself
FARTHEST = 30.0  # sds from the median within which a saturation point is sought


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Curve:
    """Competing risks with a cure fraction, for any number of evals and draws at once.

    A run would succeed with probability A if nothing stopped it; ln spend of those that would is
    F, of those that would give up H. All fields broadcast against each other.

    Parameters
    ----------
    plateau
        A, strictly between 0 and 1.
    success_location, success_scale
        Mean and sd of ln spend of F, in ln of the eval's spend unit.
    gave_up_location, gave_up_scale
        The same of H.
    tail, weights
        Of F where families are stacked: the Burr member's tail, and the weights of the families
        along a last axis after those of the plateau; None: lognormal. See
        `evalbayes.curves.law.Law`.

    Examples
    --------
    >>> curve = Curve(np.array(0.6), np.log(1e5), 1.2, np.log(4e5), 1.0)
    >>> round(float(curve.success_within(np.log(1e5))), 3)
    0.3
    """

    plateau: Array
    success_location: Value
    success_scale: Value
    gave_up_location: Value
    gave_up_scale: Value
    tail: Value = 1.0
    weights: Array | None = None

    @property
    def law(self) -> Law:
        """Law of the spend of runs that would succeed, F."""
        return Law(self.success_location, self.success_scale, self.tail, self.weights)

    def at(self, index: Any) -> Curve:
        """Return the curves at an index of the plateau; every field must have its shape."""
        fields: dict[str, Any] = {
            key: value if value is None else np.asarray(value)[index]
            for key, value in vars(self).items()
        }
        return Curve(**fields)

    def success_within(self, ln_cap: Value) -> Array:
        """A·F(c), the share of runs that succeed under a cap."""
        return self.plateau * self.levelled(ln_cap)

    def levelled(self, ln_cap: Value) -> Array:
        """F(c), the share of the plateau that a cap reaches."""
        return self.law.cdf(ln_cap)

    def gave_up_within(self, ln_cap: Value) -> Array:
        """(1 − A)·H(c)."""
        ended = lognormal.cdf(ln_cap, self.gave_up_location, self.gave_up_scale)
        return (1.0 - self.plateau) * ended

    def stopped(self, ln_cap: Value) -> Array:
        """A(1 − F(c)) + (1 − A)(1 − H(c)), the share of runs that reach the cap."""
        success = np.exp(self.law.log_survival(ln_cap))
        gave_up = np.exp(lognormal.log_survival(ln_cap, self.gave_up_location, self.gave_up_scale))
        value: Array = self.plateau * success + (1.0 - self.plateau) * gave_up
        return value

    def expected_spend(self, ln_cap: Value) -> Array:
        """E[min(T, c)] of one run, in the spend unit."""
        success = self.law.limited_mean(ln_cap)
        gave_up = lognormal.limited_mean(ln_cap, self.gave_up_location, self.gave_up_scale)
        return self.plateau * success + (1.0 - self.plateau) * gave_up

    def elasticity(self, ln_cap: Value, setup: Value = 0.0) -> Array:
        """Slope of ln success in ln expected spend as the cap moves.

        It is f(c)·(E + setup)/(F(c)·c·P(stopped)), f the density of ln spend.

        Above 1, one per cent more money buys more than one per cent more success; `setup` is a
        cost per run that does not depend on the cap, in the spend unit.
        """
        return np.exp(self._log_elasticity(ln_cap, setup))

    def cap_elasticity(self, ln_cap: Value) -> Array:
        """Slope of ln success in ln cap; it falls all the way."""
        law = self.law
        value: Array = np.exp(law.log_density(ln_cap) - law.log_cdf(ln_cap))
        return value

    def sweet_spot(self, ln_max_cap: Value, setup: Value = 0.0) -> Array:
        """Log of the cap with most success per unit of expected spend; NaN if none below the limit.

        It is the argmax of A·F(c)/(E[min(T, c)] + setup), where the elasticity is 1. NaN says that
        success per unit still rises at `ln_max_cap`, or falls all the way.
        """
        grid = self._grid(ln_max_cap)
        per_unit = self.law.log_cdf(grid) - np.log(self.expected_spend(grid) + setup)
        best = per_unit.argmax(axis=0)
        # The top may lie between the last two points: then it falls at the limit already. With a
        # power law of small spends success per unit may fall all the way: no inner top either.
        inner = (best > 0) & ((best < GRID - 1) | (self._log_elasticity(grid[-1], setup) < 0))
        below = _take(grid, np.maximum(best - 1, 0))
        above = _take(grid, np.minimum(best + 1, GRID - 1))
        root = _bisect(lambda x: self._log_elasticity(x, setup), below, above)
        return np.where(inner, root, np.nan)

    def saturation(self, ln_max_cap: Value = np.inf, fraction: float = 0.1) -> Array:
        """Log of the cap where `cap_elasticity` has fallen to `fraction`; NaN if beyond the limit.

        There one per cent more cap buys `fraction` per cent more success, as in Ord's essay. It is
        the elasticity in the cap, which only ever falls: that in expected spend may rise again
        where hardly any run is left to spend.
        """
        if self.weights is None:
            point = self._lognormal_saturation(fraction)
        else:
            point = self._stacked_saturation(fraction)
        return np.where(point <= ln_max_cap, point, np.nan)

    def _lognormal_saturation(self, fraction: float) -> Array:
        scale = np.asarray(self.success_scale, dtype=np.float64)

        def excess(z: Array) -> Array:
            ratio: Array = lognormal.log_density(z, 0.0, 1.0) - lognormal.log_cdf(z, 0.0, 1.0)
            return ratio - np.log(fraction * scale)

        z = _bisect(excess, np.full_like(scale, -FARTHEST), np.full_like(scale, FARTHEST))
        return np.broadcast_to(self.success_location + scale * z, np.shape(self.plateau))

    def _stacked_saturation(self, fraction: float) -> Array:
        """Where the elasticity falls through the fraction for the last time."""
        law = self.law
        step = np.linspace(-FARTHEST, FARTHEST, 4 * GRID)
        step = step.reshape(-1, *(1,) * np.ndim(self.plateau))
        grid = np.broadcast_to(
            self.success_location + np.asarray(self.success_scale) * step,
            (len(step), *np.shape(self.plateau)),
        )

        def excess(x: Array) -> Array:
            ratio: Array = law.log_density(x) - law.log_cdf(x) - np.log(fraction)
            return ratio

        last = len(step) - 1 - (excess(grid) > 0)[::-1].argmax(axis=0)
        above = _take(grid, np.minimum(last + 1, len(step) - 1))
        return _bisect(excess, _take(grid, last), above)

    def saturation_share(self, share: float = 0.95) -> Array:
        """Log of the cap that reaches `share` of the plateau, whether below the limit or not."""
        return np.broadcast_to(self.law.quantile(share), np.shape(self.plateau))

    def _log_elasticity(self, ln_cap: Value, setup: Value) -> Array:
        law = self.law
        log_stopped = np.logaddexp(
            np.log(self.plateau) + law.log_survival(ln_cap),
            np.log1p(-self.plateau)
            + lognormal.log_survival(ln_cap, self.gave_up_location, self.gave_up_scale),
        )
        value: Array = (
            law.log_density(ln_cap)
            - law.log_cdf(ln_cap)
            + np.log(self.expected_spend(ln_cap) + setup)
            - ln_cap
            - log_stopped
        )
        return value

    def _grid(self, ln_max_cap: Value) -> Array:
        """Log caps from far below the median of F to the limit, on a new first axis."""
        shape = np.broadcast_shapes(np.shape(self.plateau), np.shape(ln_max_cap))
        low = self.law.quantile(1e-6)
        low = np.clip(low, ln_max_cap - SPAN, ln_max_cap - 1.0)
        step = np.linspace(0.0, 1.0, GRID).reshape(-1, *(1,) * len(shape))
        grid: Array = low + (ln_max_cap - low) * step
        return np.broadcast_to(grid, (GRID, *shape))


def _take(grid: Array, index: Positions) -> Array:
    taken: Array = np.take_along_axis(grid, index[None], axis=0)[0]
    return taken


def _bisect(function: Callable[[Array], Array], below: Array, above: Array) -> Array:
    """Root of a function that falls from `below` to `above`, for all entries at once."""
    for _ in range(BISECTIONS):
        middle: Array = (below + above) / 2.0
        rising = function(middle) > 0
        below, above = np.where(rising, middle, below), np.where(rising, above, middle)
    return (below + above) / 2.0
