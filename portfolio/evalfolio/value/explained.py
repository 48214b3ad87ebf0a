"""Explained variance v_d(x): how much of each decision's variance a choice of options resolves."""

from functools import cached_property

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array, Positions


class ExplainedVariance:
    r"""v_d(x) = cᵀΣc − cᵀM(x)⁻¹c with M(x) = Σ⁻¹ + Σ_o x_o K_o, and its tangents.

    Concave and nondecreasing in x ≥ 0. Everything is computed in whitened states: with Σ = LLᵀ, M
    becomes I + Σ_o x_o LᵀK_oL, which no prior scale can make ill-conditioned. In place of the
    menu's mean information, (n_options, n_states, n_states), and of the decisions' contrasts, (n,
    n_states), others may be given. Draws of the information, along an axis in front, give a
    quantity for each draw and contrast, draw after draw.
    """

    def __init__(
        self, menu: Menu, information: Array | None = None, contrasts: Array | None = None
    ) -> None:
        root = np.linalg.cholesky(menu.prior_covariance)
        raw = menu.information if information is None else information
        self.n_options, self.n_states = len(menu), len(menu.states)
        if contrasts is None:
            contrasts = np.array([d.contrast for d in menu.decisions])
        self.contrasts: Array = np.asarray(contrasts @ root)  # (n, n_states)
        self._root, self._raw = root, raw
        self.prior = np.square(self.contrasts).sum(axis=1)
        self.draws = raw.shape[:-3]  # (), or (n_draws,)

    @cached_property
    def information(self) -> Array:
        """Every whitened K, of shape (..., n_options, n_states, n_states)."""
        return np.asarray(self._root.T @ self._raw @ self._root)

    def _of(self, v: Array) -> Array:
        """Return the quantities, (..., n_quantities), of variances explained (..., n)."""
        return v

    def _slopes(self, v: Array, gradient: Array) -> Array:
        """Return the quantities' gradients from those of the variances, (..., n, n_options)."""
        return gradient

    @property
    def ceilings(self) -> Array:
        """What every quantity would be with everything known, of shape (n_quantities,)."""
        return np.tile(self._of(self.prior), self.draws or 1)

    @cached_property
    def factors(self) -> Array:
        """F with FFᵀ = K for every whitened K, of shape (..., n_options, n_states, rank)."""
        found = factors(self.information.reshape(-1, self.n_states, self.n_states))
        return found.reshape(*self.draws, self.n_options, self.n_states, found.shape[2])

    @cached_property
    def _readings(self) -> Array:
        """Every column of every F as a row, of shape (..., n_options·rank, n_states)."""
        turned = np.ascontiguousarray(self.factors.swapaxes(-1, -2))
        return turned.reshape(*self.draws, -1, self.n_states)

    def precision(self, x: Array) -> Array:
        """Return the whitened posterior precision I + Σ x K, of shape (..., n_states, n_states)."""
        used = np.flatnonzero(x)
        if self.draws:  # many draws and few looks at each: no factors of them all
            told = np.einsum("o,soij->sij", x[used], self._raw[:, used])
            total = self._root.T @ told @ self._root
            return np.asarray(np.eye(self.n_states) + (total + total.transpose(0, 2, 1)) / 2)
        # Σ x FFᵀ as one product of thin matrices: a sum of the K themselves reads 50 times as much
        weighed = np.sqrt(np.maximum(x[used], 0.0))[:, None, None] * self.factors[used]
        thin = weighed.transpose(1, 0, 2).reshape(self.n_states, -1)
        return np.asarray(np.eye(self.n_states) + thin @ thin.T)

    def at(self, x: Array) -> Array:
        """Return every quantity, v_d(x) here, of shape (n_quantities,)."""
        return self._of(self._explained(self._left(x))).ravel()

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return every quantity and its gradient ≥ 0, (n_quantities,), (n_quantities, n_options).

        v_d(x′) ≤ v_d(x) + gradient·(x′ − x) for every x′ ≥ 0, by concavity.
        """
        left = self._left(x)
        # yᵀKy = ‖Fᵀy‖²: information is of low rank, so this is far less work than K itself.
        shape = (*self.draws, self.n_options, self.factors.shape[-1], left.shape[-1])
        seen = np.square(self._readings @ left).reshape(shape).sum(axis=-2).swapaxes(-1, -2)
        v = self._explained(left)
        found = self._of(v).ravel()
        return found, self._slopes(v, seen).reshape(len(found), self.n_options)

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return the quantities after replacing, for each listed option, its eval's choice by it.

        `x` is of shape (n_options,). For each of `options`, or -1 to put nothing in the place,
        `without` names the chosen one it replaces, or -1; the result is of shape (n, n_quantities).
        """
        covariance = np.linalg.inv(self.precision(x))
        towards = covariance @ self.contrasts.T  # (..., n_states, n_contrasts)
        # With U = [F_new, F_old] and signs S, (M + USUᵀ)⁻¹ = P − PU(S + UᵀPU)⁻¹UᵀP.
        both, sign = self._exchange_factors(without, options)
        across = both.swapaxes(-1, -2)
        seen = across @ towards[..., None, :, :]
        spread = across @ (covariance[..., None, :, :] @ both) + np.diag(sign)
        gained = (seen * np.linalg.solve(spread, seen)).sum(axis=-2)
        after = np.clip(self._explained(towards)[..., None, :] + gained, 0.0, self.prior)
        return np.moveaxis(self._of(after), -2, 0).reshape(len(options), len(self.ceilings))

    def _exchange_factors(self, without: Positions, options: Positions) -> tuple[Array, Array]:
        """Return U = [F_new, F_old] of every exchange and the signs S of its columns."""
        both = np.where((options >= 0)[:, None, None], self.factors[..., options, :, :], 0.0)
        sign = np.ones(both.shape[-1])
        if (without >= 0).any():
            old = np.where((without >= 0)[:, None, None], self.factors[..., without, :, :], 0.0)
            both = np.concatenate([both, old], axis=-1)
            sign = np.concatenate([sign, -sign])
        return both, sign

    def _left(self, x: Array) -> Array:
        return np.asarray(np.linalg.solve(self.precision(x), self.contrasts.T))

    def _explained(self, left: Array) -> Array:
        rest = np.einsum("di,...id->...d", self.contrasts, left)
        return np.asarray(np.maximum(self.prior - rest, 0.0))


class InformationGain(ExplainedVariance):
    """log det(I + Σ x K), the log-determinant of the information less the prior's, alone."""

    @property
    def ceilings(self) -> Array:
        """No end: with everything known it is infinite."""
        return np.array([np.inf])

    def at(self, x: Array) -> Array:
        """Return the log-determinant, of shape (1,)."""
        return np.array([np.linalg.slogdet(self.precision(x))[1]])

    def tangent(self, x: Array) -> tuple[Array, Array]:
        """Return it and its gradient tr(M⁻¹K_o), of shape (1, n_options)."""
        weighted = self._readings @ np.linalg.inv(self.precision(x))
        seen = (weighted * self._readings).sum(axis=1).reshape(self.n_options, -1).sum(axis=1)
        return self.at(x), np.maximum(seen, 0.0)[None]

    def exchanged(self, x: Array, without: Positions, options: Positions) -> Array:
        """Return it after every exchange, of shape (n, 1)."""
        covariance = np.linalg.inv(self.precision(x))
        both, sign = self._exchange_factors(without, options)
        inner = np.eye(len(sign)) + sign[:, None] * (both.swapaxes(-1, -2) @ (covariance @ both))
        return np.asarray(self.at(x) + np.linalg.slogdet(inner)[1])[:, None]


def factors(information: Array) -> Array:
    """Return F with FFᵀ = K for every K, of shape (n_options, n_states, rank).

    Pivoted Cholesky of all matrices at once; lower ranks are filled with zeros.
    """
    rest = np.array(np.einsum("oii->oi", information))  # the diagonals of what is left
    small, everywhere = 1e-13 * rest, np.arange(len(information))  # each state by its own scale
    columns: list[Array] = []
    for _ in range(information.shape[1]):
        pivot = np.where(rest > small, rest, 0.0).argmax(axis=1)
        height = rest[everywhere, pivot]
        left = height > small[everywhere, pivot]
        if not left.any():
            break
        column = information[everywhere, :, pivot]
        for before in columns:
            column -= before * before[everywhere, pivot][:, None]
        column /= np.sqrt(np.where(left, height, np.inf))[:, None]
        rest -= column * column
        columns.append(column)
    if not columns:
        return np.zeros((*information.shape[:2], 1))
    return np.stack(columns, axis=2)
