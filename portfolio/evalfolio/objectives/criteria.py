"""The quantities an objective is made of, concave in the choice, one after the other."""

from __future__ import annotations

import numpy as np

from evalbayes.arrays import Array, Positions
from evalfolio.objectives.drawn import DrawnVariance
from evalfolio.value.explained import ExplainedVariance

LOG_DETERMINANT = -1  # in place of a decision's position


class Criteria:
    """v_d of decisions and log det of the information, then v_ds of every set of draws.

    `rows` has the position of a decision, or LOG_DETERMINANT, for each quantity at mean
    information; quantities by draw follow.
    """

    def __init__(
        self,
        explained: ExplainedVariance,
        rows: Positions,
        drawn: tuple[DrawnVariance, ...] = (),
    ) -> None:
        self.explained, self.rows, self.drawn = explained, rows, drawn
        self._determinant = rows == LOG_DETERMINANT

    @property
    def ceilings(self) -> Array:
        """What every quantity would be with everything known: infinite for a log-determinant."""
        mean = np.where(self._determinant, np.inf, self.explained.ceilings[self.rows])
        return np.concatenate([mean, *(part.ceilings for part in self.drawn)])

    def at(self, x: Array) -> Array:
        """Return every quantity, of shape (n_quantities,)."""
        v = self.explained.at(x)[self.rows] if len(self.rows) else np.zeros(0)
        if self._determinant.any():
            v[self._determinant] = self.explained.log_determinant(x)
        return np.concatenate([v, *(part.at(x) for part in self.drawn)])

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return every quantity and its gradient, of shape (n_quantities, n_options)."""
        values, gradients = [np.zeros(0)], [np.zeros((0, len(x)))]
        if len(self.rows):
            v, gradient = self.explained.tangent(x)
            v, gradient = v[self.rows], gradient[self.rows]
            if self._determinant.any():
                total, rise = self.explained.log_determinant_tangent(x)
                v[self._determinant], gradient[self._determinant] = total, rise
            values.append(v)
            gradients.append(gradient)
        for part in self.drawn:
            v, gradient = part.tangent(x)
            values.append(v)
            gradients.append(gradient)
        return np.concatenate(values), np.concatenate(gradients)

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return every quantity after every exchange, of shape (n, n_quantities)."""
        found = []
        if len(self.rows):
            v = self.explained.exchanged(x, without, options)[:, self.rows]
            if self._determinant.any():
                after = self.explained.log_determinant_exchanged(x, without, options)
                v[:, self._determinant] = after[:, None]
            found.append(v)
        found += [part.exchanged(x, without, options) for part in self.drawn]
        return np.concatenate(found, axis=1)
