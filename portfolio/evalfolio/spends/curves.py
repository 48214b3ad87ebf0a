"""Curves of value against spend, one per item, averaged over posterior draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evalfolio.errors import InputError

Array = NDArray[np.float64]


class SpendCurves(Protocol):
    """What the allocator asks of curves: any object with these two will do.

    Both take spends of shape (n_items,) or (n_points, n_items) and return the same shape. A
    curve is never falling. An object may also have ``jet(spend)``, which returns value, slope and
    second derivative at once for spends of shape (n_items,), and ``concave``, of shape (n_items,),
    which saves the check of their shape.
    """

    def value(self, spend: Array) -> Array:
        """Return the value of every item's spend."""
        ...

    def slope(self, spend: Array) -> Array:
        """Return the derivative of the value by the spend."""
        ...


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Logistic:
    """``scale · tanh(rate · spend / 2)``, the saturation most media-mix models use.

    Parameters
    ----------
    scale
        Value at unlimited spend, of shape (n_items,) or (n_draws, n_items).
    rate
        Per unit of spend, of the same shape.

    Examples
    --------
    >>> curves = Logistic(np.array([2.0]), np.array([0.5]))
    >>> curves.value(np.array([4.0])).round(3)
    array([1.523])
    """

    scale: Array
    rate: Array

    def __post_init__(self) -> None:
        _positive(self, "scale", "rate")

    @property
    def concave(self) -> NDArray[np.bool_]:
        """Whether each item's curve is concave: always."""
        return np.ones(self.scale.shape[-1], dtype=bool)

    def value(self, spend: Array) -> Array:
        """Return the mean value over draws."""
        return _mean(lambda x: self.scale * np.tanh(0.5 * self.rate * x), spend)

    def slope(self, spend: Array) -> Array:
        """Return the mean slope over draws."""

        def one(x: Array) -> Array:
            steep = np.square(np.cosh(_capped(0.5 * self.rate * x)))
            return np.asarray(0.5 * self.scale * self.rate / steep)

        return _mean(one, spend)

    def jet(self, spend: Array) -> tuple[Array, Array, Array]:
        """Return mean value, slope and second derivative at spends of shape (n_items,)."""
        share = np.tanh(0.5 * self.rate * spend)
        # 1 - tanh² loses all digits where tanh is near 1; 1/cosh² does not
        slope = 0.5 * self.scale * self.rate / np.square(np.cosh(_capped(0.5 * self.rate * spend)))
        return _means(self.scale * share, slope, -self.rate * slope * share)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class MichaelisMenten:
    """``scale · spend / (half_spend + spend)``.

    Parameters
    ----------
    scale
        Value at unlimited spend, of shape (n_items,) or (n_draws, n_items).
    half_spend
        Spend at half of it, of the same shape.
    """

    scale: Array
    half_spend: Array

    def __post_init__(self) -> None:
        _positive(self, "scale", "half_spend")

    @property
    def concave(self) -> NDArray[np.bool_]:
        """Whether each item's curve is concave: always."""
        return np.ones(self.scale.shape[-1], dtype=bool)

    def value(self, spend: Array) -> Array:
        """Return the mean value over draws."""
        return _mean(lambda x: self.scale * x / (self.half_spend + x), spend)

    def slope(self, spend: Array) -> Array:
        """Return the mean slope over draws."""
        return _mean(lambda x: self.scale * self.half_spend / (self.half_spend + x) ** 2, spend)

    def jet(self, spend: Array) -> tuple[Array, Array, Array]:
        """Return mean value, slope and second derivative at spends of shape (n_items,)."""
        inverse = 1.0 / (self.half_spend + spend)
        left = self.scale * self.half_spend * inverse  # what is still to gain
        slope = left * inverse
        return _means(self.scale - left, slope, -2.0 * slope * inverse)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Hill:
    """``scale · spend^n / (half_spend^n + spend^n)``: S-shaped where the exponent n is above 1.

    Parameters
    ----------
    scale
        Value at unlimited spend, of shape (n_items,) or (n_draws, n_items).
    half_spend
        Spend at half of it, of the same shape.
    exponent
        Steepness n, of the same shape.
    """

    scale: Array
    half_spend: Array
    exponent: Array

    def __post_init__(self) -> None:
        _positive(self, "scale", "half_spend", "exponent")

    @property
    def concave(self) -> NDArray[np.bool_]:
        """Whether each item's curve is concave under every draw."""
        return np.asarray(np.atleast_2d(self.exponent <= 1).all(axis=0))

    def value(self, spend: Array) -> Array:
        """Return the mean value over draws."""
        return _mean(lambda x: self.scale * self._share(x), spend)

    def slope(self, spend: Array) -> Array:
        """Return the mean slope over draws, infinite at 0 for exponents below 1."""

        def one(x: Array) -> Array:
            share = self._share(x)
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = self.scale * self.exponent * share * (1 - share) / x
            at_zero = np.where(self.exponent == 1, self.scale / self.half_spend, 0.0)
            at_zero = np.where(self.exponent < 1, np.inf, at_zero)
            return np.where(x == 0, at_zero, slope)

        return _mean(one, spend)

    def jet(self, spend: Array) -> tuple[Array, Array, Array]:
        """Return mean value, slope and second derivative at positive spends, shape (n_items,)."""
        share = self._share(spend)
        rest = 1 - share
        slope = self.scale * self.exponent * share * rest / spend
        bend = slope * (self.exponent * (rest - share) - 1) / spend
        return _means(self.scale * share, slope, bend)

    @cached_property
    def _ln_half(self) -> Array:
        return np.asarray(self.exponent * np.log(self.half_spend))

    def _share(self, x: Array) -> Array:
        """Return the share of the value at unlimited spend."""
        with np.errstate(divide="ignore"):  # ln 0 is -inf, and the share 0, as it should be
            share: Array = special.expit(self.exponent * np.log(x) - self._ln_half)
        return share


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class SuccessWithinCap:
    """``scale · A · F(cap)``, the success share within a cap, ln spend of a success normal.

    Parameters
    ----------
    plateau
        A, success share with unlimited spend, of shape (n_items,) or (n_draws, n_items).
    location, sd
        Mean and sd of the ln spend of a success, of the same shape.
    scale
        Worth of one unit of success share, broadcast against the others.
    """

    plateau: Array
    location: Array
    sd: Array
    scale: Array | float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "plateau", "sd")
        object.__setattr__(self, "location", np.asarray(self.location, dtype=np.float64))

    def value(self, spend: Array) -> Array:
        """Return the mean value over draws."""
        return _mean(lambda x: self.scale * self.plateau * special.ndtr(self._z(x)), spend)

    def slope(self, spend: Array) -> Array:
        """Return the mean slope over draws."""

        def one(x: Array) -> Array:
            safe = np.where(x > 0, x, 1.0)
            density = np.exp(-0.5 * self._z(safe) ** 2) / (np.sqrt(2 * np.pi) * self.sd * safe)
            return np.where(x > 0, self.scale * self.plateau * density, 0.0)

        return _mean(one, spend)

    def jet(self, spend: Array) -> tuple[Array, Array, Array]:
        """Return mean value, slope and second derivative at positive spends, shape (n_items,)."""
        z = self._z(spend)
        worth = self.scale * self.plateau
        slope = worth * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * self.sd * spend)
        return _means(worth * special.ndtr(z), slope, -slope * (1 + z / self.sd) / spend)

    def _z(self, x: Array) -> Array:
        """Return ln spend in sds from its mean."""
        with np.errstate(divide="ignore"):  # ln 0 is -inf, and F(0) is 0, as it should be
            z: Array = (np.log(x) - self.location) / self.sd
        return z


def _mean(one: Callable[[Array], Array], spend: Array) -> Array:
    """Return `one` at each row of spends, averaged over draws (the first axis of its result)."""
    if spend.ndim == 1:
        each = one(spend)
        return each if each.ndim == 1 else np.asarray(each.mean(axis=0))
    return np.array([_mean(one, row) for row in spend]).reshape(spend.shape)


def _means(*parts: Array) -> tuple[Array, Array, Array]:
    """Return the parts averaged over draws, their first axis where there are two."""
    value, slope, bend = (part if part.ndim == 1 else part.mean(axis=0) for part in parts)
    return value, slope, bend


def _capped(half: Array) -> Array:
    """Return an argument of cosh small enough not to overflow; the slope is 0 there anyway."""
    return np.minimum(half, 350.0)


def _positive(curves: object, *keys: str) -> None:
    """Make the parameters float arrays, all positive and finite."""
    for key in keys:
        array = np.atleast_1d(np.asarray(getattr(curves, key), dtype=np.float64))
        if not (np.isfinite(array).all() and (array > 0).all()):
            raise InputError(
                f"{type(curves).__name__}: {key} must be finite and above 0, "
                f"got a least of {array.min():g}; leave items without value out"
            )
        object.__setattr__(curves, key, array)
