"""The spend-to-outcome curve: two ways to end, success and giving up, and a cap that cuts both."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Value
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.family_curve import CompetingRisks, bisected
from evalbayes.curves.law import Law

FARTHEST = 30.0  # sds from the median within which a saturation point is sought


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Curve(CompetingRisks):
    """Competing risks with a cure fraction, for any number of evals and draws at once.

    A run would succeed with probability A if nothing stopped it; ln spend of those that would is
    F, of those that would give up H. All fields broadcast against each other.

    >>> curve = Curve(np.array(0.6), np.log(1e5), 1.2, np.log(4e5), 1.0)
    >>> round(float(curve.success_within(np.log(1e5))), 3)
    0.3
    """

    plateau: Array  # A, strictly between 0 and 1
    # success_location, success_scale: mean and sd of ln spend of F, in ln of the eval's spend unit
    success_location: Value
    success_scale: Value
    gave_up_location: Value  # gave_up_location, gave_up_scale: the same of H
    gave_up_scale: Value
    # tail, weights: of F where families are stacked: the Burr member's tail, and the weights of the
    # families along a last axis after those of the plateau; None: lognormal. See
    # `evalbayes.curves.law.Law`
    tail: Value = 1.0
    weights: Array | None = None

    @property
    def law(self) -> Law:
        """Law of the spend of runs that would succeed, F."""
        return Law(self.success_location, self.success_scale, self.tail, self.weights)

    def at(self, index: Any) -> "Curve":
        """Return the curves at an index of the plateau; every field must have its shape."""
        fields: dict[str, Any] = {
            key: value if value is None else np.asarray(value)[index]
            for key, value in vars(self).items()
        }
        return Curve(**fields)

    def levelled(self, ln_cap: Value) -> Array:
        """F(c), the share of the plateau that a cap reaches."""
        return self.law.cdf(ln_cap)

    def _saturation(self, fraction: float) -> Array:
        if self.weights is not None:
            return super()._saturation(fraction)
        scale = np.asarray(self.success_scale, dtype=np.float64)

        def excess(z: Array) -> Array:
            ratio: Array = lognormal.log_density(z, 0.0, 1.0) - lognormal.log_cdf(z, 0.0, 1.0)
            return ratio - np.log(fraction * scale)

        z = bisected(excess, np.full_like(scale, -FARTHEST), np.full_like(scale, FARTHEST))
        return np.broadcast_to(self.success_location + scale * z, np.shape(self.plateau))

    def _span(self) -> tuple[Array, Array]:
        width = FARTHEST * np.asarray(self.success_scale)
        return self.success_location - width, self.success_location + width
