"""Explained variance v_d(x): how much of each decision's variance a choice of options resolves."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Positions


class ExplainedVariance:
    r"""v_d(x) = cᵀΣc − cᵀM(x)⁻¹c with M(x) = Σ⁻¹ + Σ_o x_o K_o, and its tangents.

    Concave and nondecreasing in x ≥ 0. Everything is computed in whitened states: with Σ = LLᵀ, M
    becomes I + Σ_o x_o LᵀK_oL, which no prior scale can make ill-conditioned. In place of the
    menu's mean information, (n_options, n_states, n_states), and of the decisions' contrasts, (n,
    n_states), others may be given.
    """

    def __init__(
        self, menu: Menu, information: Array | None = None, contrasts: Array | None = None
    ) -> None:
        root = np.linalg.cholesky(menu.prior_covariance)
        raw = menu.information if information is None else information
        self.n_options, self.n_states = len(menu), len(menu.states)
        if contrasts is None:
            contrasts = np.array([d.contrast for d in menu.decisions])
        self.contrasts: Array = np.asarray(contrasts @ root)  # (n_decisions, n)
        self.information = root.T @ raw @ root
        self.prior = np.square(self.contrasts).sum(axis=1)

    @property
    def ceilings(self) -> Array:
        """What every quantity would be with everything known, of shape (n_decisions,)."""
        return np.asarray(self.prior)

    @cached_property
    def factors(self) -> Array:
        """F with FFᵀ = K for every option's whitened K, of shape (n_options, n_states, rank)."""
        return factors(self.information)

    @cached_property
    def _readings(self) -> Array:
        """Every column of every F as a row, of shape (n_options·rank, n_states)."""
        return self.factors.transpose(0, 2, 1).reshape(-1, self.n_states)

    def precision(self, x: Array) -> Array:
        """Return the whitened posterior precision I + Σ x K, of shape (n_states, n_states)."""
        used = np.flatnonzero(x)
        # Σ x FFᵀ as one product of thin matrices: a sum of the K themselves reads 50 times as much
        weighed = np.sqrt(np.maximum(x[used], 0.0))[:, None, None] * self.factors[used]
        thin = weighed.transpose(1, 0, 2).reshape(self.n_states, -1)
        return np.eye(self.n_states) + thin @ thin.T

    def at(self, x: Array) -> Array:
        """Return v_d(x), of shape (n_decisions,)."""
        left: Array = np.asarray(np.linalg.solve(self.precision(x), self.contrasts.T))
        return self._explained(left)

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return v_d(x) and ∂v_d/∂x_o ≥ 0, of shapes (n_decisions,), (n_decisions, n_options).

        v_d(x′) ≤ v_d(x) + gradient·(x′ − x) for every x′ ≥ 0, by concavity.
        """
        left: Array = np.asarray(np.linalg.solve(self.precision(x), self.contrasts.T))
        # yᵀKy = ‖Fᵀy‖²: information is of low rank, so this is far less work than K itself.
        shape = (self.n_options, self.factors.shape[2], left.shape[1])
        seen = np.square(self._readings @ left).reshape(shape)
        return self._explained(left), seen.sum(axis=1).T

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return v_d after replacing, for each listed option, the choice of its eval by it.

        `x` is of shape (n_options,). For each of `options`, or -1 to put nothing in the place,
        `without` names the chosen one it replaces, or -1; the result is of shape (n, n_decisions).
        """
        covariance = np.linalg.inv(self.precision(x))
        towards = covariance @ self.contrasts.T  # (n_states, n_decisions)
        # With U = [F_new, F_old] and signs S, (M + USUᵀ)⁻¹ = P − PU(S + UᵀPU)⁻¹UᵀP.
        both, sign = self._exchange_factors(without, options)
        across = both.transpose(0, 2, 1)
        seen = across @ towards
        spread = across @ (covariance @ both) + np.diag(sign)
        gained = (seen * np.linalg.solve(spread, seen)).sum(axis=1)
        return np.asarray(np.clip(self._explained(towards) + gained, 0.0, self.prior))

    def log_determinant(self, x: Array) -> float:
        """Return log det(I + Σ x K): the log-determinant of the information, less the prior's."""
        return float(np.linalg.slogdet(self.precision(x))[1])

    def log_determinant_tangent(self, x: Array) -> tuple[float, Array]:
        """Return the log-determinant and its gradient tr(M⁻¹K_o), of shape (n_options,)."""
        covariance = np.linalg.inv(self.precision(x))
        weighted = self._readings @ covariance
        seen = (weighted * self._readings).sum(axis=1).reshape(self.n_options, -1).sum(axis=1)
        return self.log_determinant(x), np.maximum(seen, 0.0)

    def log_determinant_exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return the log-determinant after every exchange, of shape (n,)."""
        covariance = np.linalg.inv(self.precision(x))
        both, sign = self._exchange_factors(without, options)
        across = both.transpose(0, 2, 1)
        inner = np.eye(len(sign)) + sign[:, None] * (across @ (covariance @ both))
        return np.asarray(self.log_determinant(x) + np.linalg.slogdet(inner)[1])

    def _exchange_factors(self, without: Positions, options: Positions) -> tuple[Array, Array]:
        """Return U = [F_new, F_old] of every exchange and the signs S of its columns."""
        both = np.where((options >= 0)[:, None, None], self.factors[options], 0.0)
        sign = np.ones(both.shape[2])
        if (without >= 0).any():
            old = np.where((without >= 0)[:, None, None], self.factors[without], 0.0)
            both = np.concatenate([both, old], axis=2)
            sign = np.concatenate([sign, -sign])
        return both, sign

    def _explained(self, left: Array) -> Array:
        return np.asarray(np.maximum(self.prior - np.einsum("di,id->d", self.contrasts, left), 0.0))


def factors(information: Array) -> Array:
    """Return F with FFᵀ = K for every K, of shape (n_options, n_states, rank).

    Pivoted Cholesky of all matrices at once; lower ranks are filled with zeros.
    """
    rest = information.copy()
    size = np.einsum("oii->oi", information).max(axis=1, initial=0.0)
    columns = []
    everywhere = np.arange(len(information))
    for _ in range(information.shape[1]):
        diagonal = np.einsum("oii->oi", rest)
        pivot = diagonal.argmax(axis=1)
        height = diagonal[everywhere, pivot]
        left = height > 1e-13 * size
        if not left.any():
            break
        column = rest[everywhere, :, pivot] / np.sqrt(np.where(left, height, 1.0))[:, None]
        column[~left] = 0.0
        rest -= column[:, :, None] * column[:, None, :]
        columns.append(column)
    if not columns:
        return np.zeros((*information.shape[:2], 1))
    return np.stack(columns, axis=2)
