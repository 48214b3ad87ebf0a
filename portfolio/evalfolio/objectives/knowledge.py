r"""What a choice lets one know of every decision, in the form the search takes.

Quantities come in two rows of one per decision: first the variances v_d explained of y, then what
the decision's value is a function of: u_d of `Index` where its gap is skewed, v_d again elsewhere.
All are concave and nondecreasing in the choice, so tangents stay above.
"""

from __future__ import annotations

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Positions
from evalfolio.objectives.drawn import DrawnVariance
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.stand_in import StandIn, stand_in_of


class Indices:
    """The decisions' indices as functions of variances explained.

    Attributes
    ----------
    stand_ins
        By decision; None where the normal model serves.
    contrasts
        Of the variances needed, of shape (n_variances, n_states): the decisions', then those of
        every index.
    places
        For every decision the positions of its index's variances, or None.
    """

    def __init__(self, menu: Menu) -> None:
        self.stand_ins: list[StandIn | None] = [stand_in_of(menu, d) for d in menu.decisions]
        rows = [decision.contrast for decision in menu.decisions]
        self.n_decisions = len(rows)
        self.places: list[slice | None] = []
        for decision, stand_in in zip(menu.decisions, self.stand_ins, strict=True):
            calls = None if stand_in is None else calls_of(menu, decision)
            if stand_in is None or calls is None:
                self.places.append(None)
                continue
            own = stand_in.index.contrasts @ calls.contrasts
            self.places.append(slice(len(rows), len(rows) + len(own)))
            rows += list(own)
        self.contrasts: Array = np.array(rows)

    def ceilings(self, prior: Array) -> Array:
        """Return what both rows would be with everything known, of shape (2·n_decisions,)."""
        whole = [1.0 if place is not None else prior[d] for d, place in enumerate(self.places)]
        return np.concatenate([prior[: self.n_decisions], whole])

    def of(self, explained: Array, prior: Array) -> Array:
        """Return both rows of quantities for variances explained, (..., n_variances)."""
        n = self.n_decisions
        out = np.concatenate([explained[..., :n]] * 2, axis=-1)
        for d, (stand_in, place) in enumerate(zip(self.stand_ins, self.places, strict=True)):
            if stand_in is not None and place is not None:
                out[..., n + d] = stand_in.index.of(explained[..., place] / prior[place])
        return out

    def gradient(self, explained: Array, gradient: Array, prior: Array) -> Array:
        """Return the gradients of both rows: from (..., n_variances, n_options)."""
        n = self.n_decisions
        out = np.concatenate([gradient[..., :n, :]] * 2, axis=-2)
        for d, (stand_in, place) in enumerate(zip(self.stand_ins, self.places, strict=True)):
            if stand_in is not None and place is not None:
                whole = prior[place]
                rise = stand_in.index.gradient(explained[..., place] / whole) / whole
                out[..., n + d, :] = np.einsum("...k,...ko->...o", rise, gradient[..., place, :])
        return out


class Knowledge(ExplainedVariance):
    """Both rows of quantities at one information; see `ExplainedVariance` for the methods."""

    def __init__(self, menu: Menu, information: Array | None = None) -> None:
        self.indices = Indices(menu)
        super().__init__(menu, information, self.indices.contrasts)

    @property
    def ceilings(self) -> Array:
        """What both rows would be with everything known."""
        return self.indices.ceilings(self.prior)

    def at(self, x: Array) -> Array:
        """Return both rows, of shape (2·n_decisions,)."""
        return self.indices.of(super().at(x), self.prior)

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return both rows and their gradients, of shape (2·n_decisions, n_options)."""
        v, gradient = super().tangent(x)
        return self.indices.of(v, self.prior), self.indices.gradient(v, gradient, self.prior)

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return both rows after every exchange, of shape (n, 2·n_decisions)."""
        return self.indices.of(super().exchanged(x, without, options), self.prior)


class DrawnKnowledge(DrawnVariance):
    """The second row under every draw of the information, draw after draw."""

    def __init__(self, menu: Menu, information: Array) -> None:
        self.indices = Indices(menu)
        super().__init__(menu, information, self.indices.contrasts)
        self.n_decisions = self.indices.n_decisions

    @property
    def ceilings(self) -> Array:
        """What every u_ds would be with everything known."""
        return np.tile(self.indices.ceilings(self.prior)[self.n_decisions :], self.n_draws)

    def at(self, x: Array) -> Array:
        """Return every u_ds, of shape (n_draws·n_decisions,)."""
        return self._second(self._explained(self._left(x))).ravel()

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return every u_ds and its gradient, of shape (n_draws·n_decisions, n_options)."""
        v, gradient = self._tangents(x)
        rise = self.indices.gradient(v, gradient, self.prior)[:, self.n_decisions :]
        return self._second(v).ravel(), rise.reshape(-1, self.n_options)

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return every u_ds after every exchange, of shape (n, n_draws·n_decisions)."""
        after = self._exchanges(x, without, options)
        return np.asarray(self._second(after).reshape(len(options), -1))

    def _second(self, explained: Array) -> Array:
        return self.indices.of(explained, self.prior)[..., self.n_decisions :]


def skewed(menu: Menu) -> bool:
    """Whether any decision of the menu has a gap so skewed that the normal model will not do."""
    return bool(menu.skewed) and any(stand_in_of(menu, d) is not None for d in menu.decisions)
