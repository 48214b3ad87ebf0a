r"""What a choice lets one know of every decision, u_d(x), in the form the search takes.

u_d is what the decision's value is a function of: the index of `evalfolio.value.skew` where its gap
is skewed, the variance v_d explained of y elsewhere. All are concave and nondecreasing in the
choice, so tangents stay above.
"""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
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

    def __init__(self, menu: Menu, decisions: Sequence[Decision] | None = None) -> None:
        own = menu.decisions if decisions is None else decisions
        self.stand_ins: list[StandIn | None] = [stand_in_of(menu, d) for d in own]
        rows = [decision.contrast for decision in own]
        self.n_decisions = len(rows)
        self.places: list[slice | None] = []
        for decision, stand_in in zip(own, self.stand_ins, strict=True):
            calls = None if stand_in is None else calls_of(menu, decision)
            if stand_in is None or calls is None:
                self.places.append(None)
                continue
            lines = stand_in.index.contrasts @ calls.contrasts
            self.places.append(slice(len(rows), len(rows) + len(lines)))
            rows += list(lines)
        self.contrasts: Array = np.array(rows)

    def of(self, explained: Array, prior: Array) -> Array:
        """Return u_d for variances explained, (..., n_variances)."""
        out = explained[..., : self.n_decisions].copy()
        for d, (stand_in, place) in enumerate(zip(self.stand_ins, self.places, strict=True)):
            if stand_in is not None and place is not None:
                out[..., d] = stand_in.index.of(explained[..., place] / prior[..., place])
        return out

    def gradient(self, explained: Array, gradient: Array, prior: Array) -> Array:
        """Return the gradients of u_d: from (..., n_variances, n_options)."""
        out = gradient[..., : self.n_decisions, :].copy()
        for d, (stand_in, place) in enumerate(zip(self.stand_ins, self.places, strict=True)):
            if stand_in is not None and place is not None:
                whole = prior[place]
                rise = stand_in.index.gradient(explained[..., place] / whole) / whole
                out[..., d, :] = np.einsum("...k,...ko->...o", rise, gradient[..., place, :])
        return out


class Knowledge(ExplainedVariance):
    """u_d at one information, or u_ds under draws of it; see `ExplainedVariance`."""

    def __init__(
        self,
        menu: Menu,
        information: Array | None = None,
        decisions: Sequence[Decision] | None = None,
    ) -> None:
        self.indices = Indices(menu, decisions)
        super().__init__(menu, information, self.indices.contrasts)

    def _of(self, v: Array) -> Array:
        return self.indices.of(v, self.prior)

    def _slopes(self, v: Array, gradient: Array) -> Array:
        return self.indices.gradient(v, gradient, self.prior)


_KNOWN: WeakKeyDictionary[Menu, Knowledge] = WeakKeyDictionary()


def knowledge(menu: Menu) -> Knowledge:
    """Return u_d at the menu's own information, made once."""
    if menu not in _KNOWN:
        _KNOWN[menu] = Knowledge(menu)
    return _KNOWN[menu]


def skewed(menu: Menu) -> bool:
    """Whether any decision of the menu has a gap so skewed that the normal model will not do."""
    return bool(menu.skewed) and any(stand_in_of(menu, d) is not None for d in menu.decisions)
