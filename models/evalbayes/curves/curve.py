"""The spend-to-outcome curve: two ways to end, success and giving up, and a cap that cuts both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from evalbayes.curves import hill, lognormal, weibull
from evalbayes.curves.lognormal import Array, Value

GRID = 96  # points of the first search; bisection refines between two of them
SPAN = 60.0  # e-folds below the limit within which a sweet spot is sought
BISECTIONS = 36  # halve the bracket to 1e-11 of itself
FARTHEST = 30.0  # sds from the median within which a saturation point is sought

# Families of the spend of runs that succeed, by two parameters: ln of the median, and a scale.
SHAPES: dict[str, ModuleType] = {"lognormal": lognormal, "hill": hill, "weibull": weibull}


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
    success_family
        Family of F, one of `SHAPES`: locations are ln medians in all, scales are the family's own.

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
    success_family: str = "lognormal"

    @property
    def spend(self) -> ModuleType:
        """Functions of F, of (ln spend, location, scale)."""
        return SHAPES[self.success_family]

    def success_within(self, ln_cap: Value) -> Array:
        """A·F(c), the share of runs that succeed under a cap."""
        return self.plateau * self.levelled(ln_cap)

    def levelled(self, ln_cap: Value) -> Array:
        """F(c), the share of the plateau that a cap reaches."""
        ended: Array = np.exp(self.spend.log_cdf(ln_cap, self.success_location, self.success_scale))
        return ended

    def gave_up_within(self, ln_cap: Value) -> Array:
        """(1 − A)·H(c)."""
        ended = lognormal.cdf(ln_cap, self.gave_up_location, self.gave_up_scale)
        return (1.0 - self.plateau) * ended

    def stopped(self, ln_cap: Value) -> Array:
        """A(1 − F(c)) + (1 − A)(1 − H(c)), the share of runs that reach the cap."""
        success = np.exp(self.spend.log_survival(ln_cap, self.success_location, self.success_scale))
        gave_up = np.exp(lognormal.log_survival(ln_cap, self.gave_up_location, self.gave_up_scale))
        value: Array = self.plateau * success + (1.0 - self.plateau) * gave_up
        return value

    def expected_spend(self, ln_cap: Value) -> Array:
        """E[min(T, c)] of one run, in the spend unit."""
        success: Array = self.spend.limited_mean(ln_cap, self.success_location, self.success_scale)
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
        value: Array = np.exp(
            self.spend.log_density(ln_cap, self.success_location, self.success_scale)
            - self.spend.log_cdf(ln_cap, self.success_location, self.success_scale)
        )
        return value

    def sweet_spot(self, ln_max_cap: Value, setup: Value = 0.0) -> Array:
        """Log of the cap with most success per unit of expected spend; NaN if none below the limit.

        It is the argmax of A·F(c)/(E[min(T, c)] + setup), where the elasticity is 1. NaN says that
        success per unit still rises at `ln_max_cap`, or falls all the way.
        """
        grid = self._grid(ln_max_cap)
        per_unit = self.spend.log_cdf(grid, self.success_location, self.success_scale) - np.log(
            self.expected_spend(grid) + setup
        )
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
        scale = np.asarray(self.success_scale, dtype=np.float64)

        def excess(z: Array) -> Array:
            ratio: Array = self.spend.log_density(z, 0.0, 1.0) - self.spend.log_cdf(z, 0.0, 1.0)
            return ratio - np.log(fraction * scale)

        z = _bisect(excess, np.full_like(scale, -FARTHEST), np.full_like(scale, FARTHEST))
        point = np.broadcast_to(self.success_location + scale * z, np.shape(self.plateau))
        return np.where(point <= ln_max_cap, point, np.nan)

    def saturation_share(self, share: float = 0.95) -> Array:
        """Log of the cap that reaches `share` of the plateau, whether below the limit or not."""
        return np.broadcast_to(
            self.spend.quantile(share, self.success_location, self.success_scale),
            np.shape(self.plateau),
        )

    def _log_elasticity(self, ln_cap: Value, setup: Value) -> Array:
        location, scale = self.success_location, self.success_scale
        log_stopped = np.logaddexp(
            np.log(self.plateau) + self.spend.log_survival(ln_cap, location, scale),
            np.log1p(-self.plateau)
            + lognormal.log_survival(ln_cap, self.gave_up_location, self.gave_up_scale),
        )
        value: Array = (
            self.spend.log_density(ln_cap, location, scale)
            - self.spend.log_cdf(ln_cap, location, scale)
            + np.log(self.expected_spend(ln_cap) + setup)
            - ln_cap
            - log_stopped
        )
        return value

    def _grid(self, ln_max_cap: Value) -> Array:
        """Log caps from far below the median of F to the limit, on a new first axis."""
        shape = np.broadcast_shapes(np.shape(self.plateau), np.shape(ln_max_cap))
        low = self.spend.quantile(1e-6, self.success_location, self.success_scale)
        low = np.clip(low, ln_max_cap - SPAN, ln_max_cap - 1.0)
        step = np.linspace(0.0, 1.0, GRID).reshape(-1, *(1,) * len(shape))
        grid: Array = low + (ln_max_cap - low) * step
        return np.broadcast_to(grid, (GRID, *shape))


def _take(grid: Array, index: NDArray[np.intp]) -> Array:
    taken: Array = np.take_along_axis(grid, index[None], axis=0)[0]
    return taken


def _bisect(function: Callable[[Array], Array], below: Array, above: Array) -> Array:
    """Root of a function that falls from `below` to `above`, for all entries at once."""
    for _ in range(BISECTIONS):
        middle: Array = (below + above) / 2.0
        rising = function(middle) > 0
        below, above = np.where(rising, middle, below), np.where(rising, above, middle)
    return (below + above) / 2.0
