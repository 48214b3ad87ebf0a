"""The quantities an objective is made of, concave in the choice, one kind after the other."""

from collections.abc import Sequence

import numpy as np

from evalbayes.arrays import Array, Positions
from evalfolio.value.explained import ExplainedVariance


class Criteria:
    """The quantities of every term, term by term."""

    def __init__(self, parts: Sequence[ExplainedVariance]) -> None:
        self.parts = parts

    @property
    def ceilings(self) -> Array:
        """What every quantity would be with everything known: infinite for a log-determinant."""
        return np.concatenate([part.ceilings for part in self.parts])

    def at(self, x: Array) -> Array:
        """Return every quantity, of shape (n_quantities,)."""
        return np.concatenate([part.at(x) for part in self.parts])

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return every quantity and its gradient, of shape (n_quantities, n_options)."""
        values, gradients = zip(*(part.tangent(x) for part in self.parts), strict=True)
        return np.concatenate(values), np.concatenate(gradients)

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return every quantity after every exchange, of shape (n, n_quantities)."""
        found = [part.exchanged(x, without, options) for part in self.parts]
        return np.concatenate(found, axis=1)
