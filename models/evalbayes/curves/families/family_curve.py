"""Competing risks: the methods of every spend-to-outcome curve, and the curve of one family."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Positions, Value
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.family import FUNCTIONS, Family

COARSE = 4  # steps of the grid at once where the top is first sought
GRID = 24 * COARSE + 1  # points; bisection refines between two of them
SPAN = 60.0  # e-folds below the limit within which a sweet spot is sought
BISECTIONS = 36  # halve the bracket to 1e-11 of itself
TIMES = 24  # for a cap between two points, which is rounded to two digits: to 1e-7
NEVER = 1e6  # ln spend at which runs give up where none does


class CompetingRisks:
    """A share A would succeed, within a spend of the law F; the others give up, within H.

    H is lognormal, and a cap cuts both. A subclass gives `plateau`, the location and scale of H and
    `law`, F as functions of ln spend.
    """

    plateau: Any
    law: Any
    gave_up_location: Any
    gave_up_scale: Any

    def success_within(self, ln_cap: Value) -> Array:
        """A·F(c), the share of runs that succeed under a cap."""
        share: Array = self.plateau * self.levelled(ln_cap)
        return share

    def levelled(self, ln_cap: Value) -> Array:
        """F(c), the share of the plateau that a cap reaches."""
        value: Array = np.exp(self.law.log_cdf(ln_cap))
        return value

    def gave_up_within(self, ln_cap: Value) -> Array:
        """(1 − A)·H(c)."""
        ended = lognormal.cdf(ln_cap, self.gave_up_location, self.gave_up_scale)
        share: Array = (1.0 - self.plateau) * ended
        return share

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
        spend: Array = self.plateau * success + (1.0 - self.plateau) * gave_up
        return spend

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

        def top(points: Array) -> Positions:
            per_unit = self.law.log_cdf(points) - np.log(self.expected_spend(points) + setup)
            return np.asarray(per_unit.argmax(axis=0))

        steps = np.arange(-COARSE, COARSE + 1).reshape(-1, *(1,) * (grid.ndim - 1))
        near = np.clip(COARSE * top(grid[::COARSE]) + steps, 0, GRID - 1)
        best = _take(near, top(np.take_along_axis(grid, near, axis=0)))
        # The top may lie between the last two points: then it falls at the limit already. With a
        # power law of small spends success per unit may fall all the way: no inner top either.
        inner = (best > 0) & ((best < GRID - 1) | (self._log_elasticity(grid[-1], setup) < 0))
        below = _take(grid, np.maximum(best - 1, 0))
        above = _take(grid, np.minimum(best + 1, GRID - 1))
        root = bisected(lambda x: self._log_elasticity(x, setup), below, above, TIMES)
        return np.where(inner, root, np.nan)

    def saturation(self, ln_max_cap: Value = np.inf, fraction: float = 0.1) -> Array:
        """Log of the cap where `cap_elasticity` has fallen to `fraction`; NaN if beyond the limit.

        There one per cent more cap buys `fraction` per cent more success, as in Ord's essay. It is
        the elasticity in the cap, which only ever falls: that in expected spend may rise again
        where hardly any run is left to spend.
        """
        point = self._saturation(fraction)
        return np.where(point <= ln_max_cap, point, np.nan)

    def _saturation(self, fraction: float) -> Array:
        """Where the elasticity falls through the fraction for the last time; NaN if nowhere."""
        low, high = self._span()
        step = np.linspace(0.0, 1.0, 4 * GRID).reshape(-1, *(1,) * np.ndim(self.plateau))
        grid = np.broadcast_to(low + (high - low) * step, (len(step), *np.shape(self.plateau)))

        def excess(x: Array) -> Array:
            ratio: Array = self.law.log_density(x) - self.law.log_cdf(x) - np.log(fraction)
            return ratio

        last = len(step) - 1 - (excess(grid) > 0)[::-1].argmax(axis=0)
        above = _take(grid, np.minimum(last + 1, len(step) - 1))
        root = bisected(excess, _take(grid, last), above, TIMES)
        return np.where(last < len(step) - 1, root, np.nan)

    def _span(self) -> tuple[Array, Array]:
        return self.law.quantile(1e-6), self.law.quantile(1.0 - 1e-9)

    def saturation_share(self, share: float = 0.95) -> Array:
        """Log of the cap that reaches `share` of the plateau, whether below the limit or not."""
        return np.broadcast_to(self.law.quantile(share), np.shape(self.plateau))

    def _log_elasticity(self, ln_cap: Value, setup: Value) -> Array:
        law = self.law
        gave_up = lognormal.log_survival(ln_cap, self.gave_up_location, self.gave_up_scale)
        with np.errstate(divide="ignore"):  # a family's A may be 1
            log_other = np.log1p(-self.plateau) + gave_up
        log_stopped = np.logaddexp(np.log(self.plateau) + law.log_survival(ln_cap), log_other)
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


@dataclass(frozen=True, eq=False)
class FamilyCurve(CompetingRisks):
    """One curve of any family of spend, with the methods of `evalbayes.curves.Curve`.

    Parameters
    ----------
    family
        Of the spend of runs that succeed.
    plateau
        A, between 0 and 1; 1 if every run would succeed with enough spend.
    parameters
        Location and shapes of the family, in its order.
    gave_up
        Location and scale of the lognormal spend of runs that give up; None if none does, so
        that all that do not succeed run up to the cap.

    Examples
    --------
    >>> from evalbayes.curves.families.family import FAMILIES
    >>> curve = FamilyCurve(FAMILIES["hill"], 0.6, (np.log(1e5), 0.8), (np.log(4e5), 1.0))
    >>> round(float(curve.success_within(np.log(1e5))), 3)
    0.3
    """

    family: Family
    plateau: float
    parameters: tuple[float, ...]
    gave_up: tuple[float, float] | None = None

    @property
    def law(self) -> SimpleNamespace:
        """The functions of the family at its parameters."""

        def own(name: str) -> Callable[[Value], Any]:
            return lambda at: getattr(self.family, name)(at, *self.parameters)

        return SimpleNamespace(**{name: own(name) for name in FUNCTIONS})

    @property
    def gave_up_location(self) -> float:
        """Ln of the median spend of runs that give up."""
        return self.gave_up[0] if self.gave_up else NEVER

    @property
    def gave_up_scale(self) -> float:
        """Sd of ln spend of runs that give up."""
        return self.gave_up[1] if self.gave_up else 1.0


def _take(grid: Any, index: Positions) -> Any:
    return np.take_along_axis(grid, index[None], axis=0)[0]


def bisected(
    function: Callable[[Array], Array], below: Array, above: Array, times: int = BISECTIONS
) -> Array:
    """Root of a function that falls from `below` to `above`, for all entries at once."""
    for _ in range(times):
        middle: Array = (below + above) / 2.0
        rising = function(middle) > 0
        below, above = np.where(rising, middle, below), np.where(rising, above, middle)
    return (below + above) / 2.0
