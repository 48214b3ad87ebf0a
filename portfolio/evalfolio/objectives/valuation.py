"""What any choice is worth to every decision, at the menu's mean information or at another."""

from functools import lru_cache

import numpy as np

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalfolio.value.knowledge import Knowledge, knowledge
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.stand_in import stand_in_of
from evalfolio.value.worth import Worth


class Valuation:
    """The value of choices on a menu, decision by decision.

    In place of the menu's mean information, (n_options, n_states, n_states), other may be given, or
    draws of it, along an axis in front.

    >>> from evalfolio.examples import small_menu
    >>> menu = small_menu()
    >>> Valuation(menu).gains(np.zeros(len(menu))).tolist()
    [0.0, 0.0]
    """

    def __init__(self, menu: Menu, information: Array | None = None) -> None:
        self.worths = [worth_of(menu, decision) for decision in menu.decisions]
        self._known = knowledge(menu) if information is None else Knowledge(menu, information)

    def gains(self, x: Array) -> Array:
        """Return G_d of a choice, of shape (n_decisions,), or (n_draws, n_decisions) for draws."""
        parts = self._known.at(x).reshape(*self._known.draws, -1)
        return np.stack([g.gain(parts[..., d]) for d, g in enumerate(self.worths)], axis=-1)


def worth_of(menu: Menu, decision: Decision) -> Worth:
    """Return what a decision's value is by: a stand-in where its gap is skewed, else G(v)."""
    stand_in = stand_in_of(menu, decision)
    return DecisionValue.of(menu, decision) if stand_in is None else stand_in.worth


valuation = lru_cache(maxsize=8)(Valuation)
"""The valuation of a menu, made once per menu."""


def direct_gains(menu: Menu, x: Array) -> Array:
    """Return what a choice is worth to every decision, of shape (n_decisions,).

    The same as `Valuation.gains` but where a gap is skewed: there by integrals under the belief as
    it is, not by the stand-in that a search goes by.
    """
    found = valuation(menu).gains(x)
    if not menu.skewed:
        return found
    used = np.flatnonzero(x)
    information = np.tensordot(x[used], menu.information[used], 1)
    left = np.linalg.inv(np.linalg.inv(menu.prior_covariance) + information)
    left = (left + left.T) / 2
    for d, decision in enumerate(menu.decisions):
        calls = calls_of(menu, decision)
        if calls is not None:
            lines = calls.contrasts
            found[d] = calls.value(lines @ left @ lines.T)
    return found


def drawn_gains(menu: Menu, information: Array, x: Array) -> Array:
    """Return what a choice is worth under every draw of the information, (n_draws, n_decisions).

    Where a gap is skewed by the stand-in, times what the direct value is to it on average.
    """
    gains, stand_in = Valuation(menu, information).gains(x), valuation(menu).gains(x)
    direct = direct_gains(menu, x)
    ratio = np.divide(direct, stand_in, out=np.ones_like(direct), where=stand_in * direct > 0)
    return np.asarray(gains * ratio)


def perfect_value(menu: Menu) -> float:
    """Return what perfect information would be worth to all decisions (EVPI)."""
    return float(sum(worth_of(menu, decision).evpi for decision in menu.decisions))
