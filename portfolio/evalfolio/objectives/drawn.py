"""Explained variances under every posterior draw of the information, all at once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Positions
from evalfolio.value.explained import factors


class DrawnVariance:
    """v_ds(x) of every decision d under every draw s, draw after draw: (s, d) is s·D + d.

    The same quantities as `ExplainedVariance` has for one information, stacked so that numpy treats
    all draws in one call. Information is of shape (n_draws, n_options, n_states, n_states);
    contrasts, (n, n_states), may be others than the decisions'.
    """

    def __init__(self, menu: Menu, information: Array, contrasts: Array | None = None) -> None:
        root = np.linalg.cholesky(menu.prior_covariance)
        self.n_draws, self.n_options, self.n_states = information.shape[:3]
        if contrasts is None:
            contrasts = np.array([d.contrast for d in menu.decisions])
        self.contrasts: Array = np.asarray(contrasts @ root)
        self.n_decisions = len(self.contrasts)
        self.information = root.T @ information @ root
        self.prior = np.square(self.contrasts).sum(axis=1)

    @property
    def ceilings(self) -> Array:
        """What every quantity would be with everything known."""
        return np.tile(self.prior, self.n_draws)

    @cached_property
    def factors(self) -> Array:
        """F with FFᵀ = K, of shape (n_draws, n_options, n_states, rank)."""
        flat = self.information.reshape(-1, self.n_states, self.n_states)
        found = factors(flat)
        return found.reshape(self.n_draws, self.n_options, self.n_states, found.shape[2])

    @cached_property
    def _readings(self) -> Array:
        """Every column of every F as a row, of shape (n_draws, n_options·rank, n_states)."""
        turned = np.ascontiguousarray(self.factors.transpose(0, 1, 3, 2))
        return turned.reshape(self.n_draws, -1, self.n_states)

    def precision(self, x: Array) -> Array:
        """Return I + Σ x K of every draw, of shape (n_draws, n_states, n_states)."""
        used = np.flatnonzero(x)
        total = np.einsum("o,soij->sij", x[used], self.information[:, used])
        return np.asarray(np.eye(self.n_states) + (total + total.transpose(0, 2, 1)) / 2)

    def at(self, x: Array) -> Array:
        """Return every v_ds, of shape (n_draws·n_decisions,)."""
        return self._explained(self._left(x)).ravel()

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return every v_ds and its gradient, of shape (n_draws·n_decisions, n_options)."""
        v, gradient = self._tangents(x)
        return v.ravel(), gradient.reshape(-1, self.n_options)

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return every v_ds after every exchange, of shape (n, n_draws·n_decisions).

        See `ExplainedVariance.exchanged`.
        """
        return self._exchanges(x, without, options).reshape(len(options), -1)

    def _tangents(self, x: Array) -> tuple[Array, Array]:
        """Return every v and its gradient, of shapes (n_draws, n), (n_draws, n, n_options)."""
        left = self._left(x)
        seen = np.square(self._readings @ left)
        seen = seen.reshape(self.n_draws, self.n_options, -1, len(self.contrasts)).sum(axis=2)
        return self._explained(left), seen.transpose(0, 2, 1)

    def _exchanges(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return every v after every exchange, of shape (n, n_draws, n_contrasts)."""
        covariance = np.linalg.inv(self.precision(x))
        towards = covariance @ self.contrasts.T  # (n_draws, n_states, n_contrasts)
        both = np.where((options >= 0)[:, None, None], self.factors[:, options], 0.0)
        sign = np.ones(both.shape[3])
        if (without >= 0).any():
            old = np.where((without >= 0)[:, None, None], self.factors[:, without], 0.0)
            both = np.concatenate([both, old], axis=3)
            sign = np.concatenate([sign, -sign])
        across = both.transpose(0, 1, 3, 2)  # (n_draws, n, columns, n_states)
        seen = across @ towards[:, None]
        spread = across @ (covariance[:, None] @ both) + np.diag(sign)
        gained = (seen * np.linalg.solve(spread, seen)).sum(axis=2)
        after = np.clip(self._explained(towards)[:, None] + gained, 0.0, self.prior)
        return np.asarray(after.transpose(1, 0, 2))

    def _left(self, x: Array) -> Array:
        return np.asarray(np.linalg.solve(self.precision(x), self.contrasts.T[None]))

    def _explained(self, left: Array) -> Array:
        rest = np.einsum("di,sid->sd", self.contrasts, left)
        return np.asarray(np.maximum(self.prior - rest, 0.0))
