"""The spend-to-outcome curve of any family: success, expected spend, sweet spot, saturation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from evalbayes.arrays import Array, Value
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.family import Family

GRID = 400  # points of the first search, between which a root is refined
SPAN = 60.0  # e-folds below the limit within which a sweet spot is sought


@dataclass(frozen=True, eq=False)
class FamilyCurve:
    """One curve: competing risks with a cure fraction, as `evalbayes.curves.Curve`.

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

    def success_within(self, ln_cap: Value) -> Array:
        """A·F(c), the share of runs that succeed under a cap."""
        share: Array = self.plateau * np.exp(self.family.log_cdf(ln_cap, *self.parameters))
        return share

    def stopped(self, ln_cap: Value) -> Array:
        """Share of runs that reach the cap."""
        success: Array = np.exp(self.family.log_survival(ln_cap, *self.parameters))
        other: Value = 1.0
        if self.gave_up is not None:
            other = np.exp(lognormal.log_survival(ln_cap, *self.gave_up))
        return self.plateau * success + (1.0 - self.plateau) * other

    def expected_spend(self, ln_cap: Value) -> Array:
        """E[min(T, c)] of one run, in the spend unit."""
        other = np.exp(ln_cap)
        if self.gave_up is not None:
            other = lognormal.limited_mean(ln_cap, *self.gave_up)
        own: Array = self.family.limited_mean(ln_cap, *self.parameters)
        return self.plateau * own + (1.0 - self.plateau) * other

    def elasticity(self, ln_cap: Value, setup: float = 0.0) -> Array:
        """Slope of ln success in ln expected spend: f·(E + setup)/(F·c·P(stopped)).

        f is the density of ln spend; `setup` a cost per run that does not depend on the cap.
        """
        with np.errstate(divide="ignore", over="ignore"):
            spend = np.log(self.expected_spend(ln_cap) + setup)
            value: Array = np.exp(
                self.family.log_density(ln_cap, *self.parameters)
                - self.family.log_cdf(ln_cap, *self.parameters)
                + spend
                - ln_cap
                - np.log(self.stopped(ln_cap))
            )
        return value

    def cap_elasticity(self, ln_cap: Value) -> Array:
        """Slope of ln success in ln cap, f/F."""
        value: Array = np.exp(
            self.family.log_density(ln_cap, *self.parameters)
            - self.family.log_cdf(ln_cap, *self.parameters)
        )
        return value

    def sweet_spot(self, ln_max_cap: float, setup: float = 0.0) -> float:
        """Log of the cap with most success per unit of expected spend; NaN if none below the limit.

        It is the argmax of A·F(c)/(E[min(T, c)] + setup), where the elasticity is 1.
        """
        grid = np.linspace(self._start(ln_max_cap), ln_max_cap, GRID)
        per_unit = self.family.log_cdf(grid, *self.parameters) - np.log(
            self.expected_spend(grid) + setup
        )
        best = int(np.argmax(per_unit))
        below, above = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]

        def excess(x: float) -> float:
            # Bounded, as the elasticity is infinite where no run reaches the cap any more.
            return float(np.tanh(np.log(self.elasticity(np.array([x]), setup)))[0])

        first, last = excess(below), excess(above)
        if last > 0 or first * last > 0:
            return float("nan")
        return float(brentq(excess, below, above, xtol=1e-10))

    def saturation(self, fraction: float = 0.1) -> float:
        """Log of the cap where `cap_elasticity` falls through `fraction` for the last time."""
        ends = self.family.quantile(np.array([1e-6, 1.0 - 1e-9]), *self.parameters)
        grid = np.linspace(ends[0], ends[1], GRID)
        above = np.flatnonzero(self.cap_elasticity(grid) > fraction)
        if not len(above) or above[-1] == GRID - 1:
            return float("nan")
        return float(
            brentq(
                lambda x: float(self.cap_elasticity(np.array([x]))[0]) - fraction,
                grid[above[-1]],
                grid[above[-1] + 1],
                xtol=1e-10,
            )
        )

    def saturation_share(self, share: float = 0.95) -> float:
        """Log of the cap that reaches `share` of the plateau."""
        return float(self.family.quantile(share, *self.parameters))

    def _start(self, ln_max_cap: float) -> float:
        low = float(self.family.quantile(1e-6, *self.parameters))
        return min(max(low, ln_max_cap - SPAN), ln_max_cap - 1.0)
