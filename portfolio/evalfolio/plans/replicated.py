r"""Mixes valued on halves of the posterior draws: how much of a difference is Monte Carlo noise.

The plan is found on one menu, made from some thousand draws; other draws would give another menu.
A mix is valued again on the menu of every balanced half of the draws (`evalbayes.halves`), at the
same options, so that the noise of the difference of two mixes is that of what they do not share.
Expected costs have noise too, which moves what a budget buys: a mix that comes out dearer on a half
is charged the difference at the shadow prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalbayes.halves import noise
from evalfolio.objectives.knowledge import Indices
from evalfolio.objectives.valuation import worth_of
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import calls_of


class Replicated:
    """The value of mixes on every replicate of a menu.

    Where a gap is skewed, the value of one mix is worked out exactly on every replicate; that of
    the others stands to it as the whole menu's stand-in says for what they explain there. Prices
    are the value of one more unit of each limited resource; the reference is the mix that is valued
    exactly: those compared with it should explain about as much.
    """

    def __init__(self, menu: Menu, prices: Mapping[str, float], reference: Array) -> None:
        assert menu.replicates is not None  # callers look first
        self.menu, again = menu, menu.replicates
        self.prices = np.array([prices.get(name, 0.0) for name in menu.resources])
        self.indices = Indices(menu)
        self.worths = [worth_of(menu, decision) for decision in menu.decisions]
        self.dearer = again.costs - menu.costs
        self._covariances = [menu.prior_covariance, *again.prior_covariance]
        self._information = [menu.information, *again.information]  # read option by option
        self._precisions = [np.linalg.inv(each) for each in self._covariances]
        few = np.arange(len(menu)) == 0  # beliefs alone: what options tell is read from the arrays
        bare = replace(menu, information_draws=None, resource_draws=None, replicates=None)
        beliefs = [
            replace(bare.subset(few), prior_mean=mean, prior_covariance=covariance)
            for mean, covariance in zip(
                [menu.prior_mean, *again.prior_mean], self._covariances, strict=True
            )
        ]
        exact = np.array([_exact(own, self._left(r, reference)) for r, own in enumerate(beliefs)])
        stand_in = np.array([self._gains(r, reference) for r in range(len(beliefs))])
        ratio = np.divide(exact, stand_in, out=np.ones_like(exact), where=stand_in * exact > 0)
        self._scales = ratio[1:] / ratio[0]
        self._plain = [
            [
                DecisionValue.of(m, decision) if place is None else None
                for decision, place in zip(m.decisions, self.indices.places, strict=True)
            ]
            for m in beliefs[1:]
        ]

    def of(self, x: Array) -> Array:
        """Return the value of a mix on every replicate, of shape (n_replicates,)."""
        values = np.empty(len(self.dearer))
        for r in range(len(values)):
            gains = self._gains(r + 1, x) * self._scales[r]
            parts = self._explained(r + 1, x)[0]
            for d, plain in enumerate(self._plain[r]):
                if plain is not None:
                    gains[d] = plain.gain(parts[d])
            values[r] = gains.sum()
        return np.asarray(values - self.dearer.transpose(0, 2, 1) @ x @ self.prices)

    def value(self, x: Array) -> float:
        """Return the value of a mix on the whole menu, by its stand-ins."""
        return float(self._gains(0, x).sum())

    def noise(self, x: Array) -> float:
        """Return the Monte Carlo standard error of a mix's value, in the unit of the losses."""
        return float(noise(self.of(x), self.value(x)))

    def paired(self, x: Array, other: Array) -> float:
        """Return the standard error of the difference in value of two mixes."""
        return float(noise(self.of(x) - self.of(other), self.value(x) - self.value(other)))

    def _gains(self, r: int, x: Array) -> Array:
        """Return every decision's value by the whole menu's stand-ins, of shape (n_decisions,)."""
        explained, prior = self._explained(r, x)
        parts = self.indices.of(explained, prior)[self.indices.n_decisions :]
        return np.array([worth.gain(p) for worth, p in zip(self.worths, parts, strict=True)])

    def _left(self, r: int, x: Array) -> Array:
        """Return the covariance of the states that a mix leaves on a replicate."""
        used = np.flatnonzero(x)
        told = np.tensordot(x[used], self._information[r][used].astype(np.float64), 1)
        left = np.linalg.inv(self._precisions[r] + (told + told.T) / 2)
        return np.asarray((left + left.T) / 2)

    def _explained(self, r: int, x: Array) -> tuple[Array, Array]:
        """Return the variances explained of all contrasts, and those before any result."""
        lines = self.indices.contrasts
        prior, left = (
            np.einsum("di,ij,dj->d", lines, each, lines)
            for each in (self._covariances[r], self._left(r, x))
        )
        return np.maximum(prior - left, 0.0), prior


def _exact(menu: Menu, left: Array) -> Array:
    """Return what a mix is worth to each skewed decision, by integrals; 0 for the others."""
    found = np.zeros(len(menu.decisions))
    for d, decision in enumerate(menu.decisions):
        calls = calls_of(menu, decision)
        if calls is not None:
            found[d] = calls.value(calls.contrasts @ left @ calls.contrasts.T)
    return found
