"""Curves of value against spend, one per item, averaged over posterior draws."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import special

from evalbayes.arrays import Array, Flags
from evalfolio.errors import InputError


class SpendCurves(Protocol):
    """What the allocator asks of curves: any object with these two will do.

    Both take spends of shape (n_items,) or (n_points, n_items) and return the same shape. A
    curve is never falling. An object may also have ``jet(spend)``, which returns value, slope and
    second derivative at once for spends of shape (n_items,), and ``concave``, of shape (n_items,),
    which saves the check of their shape.
    """

    def value(self, spend: Array) -> Array:
        """Return the value of every item's spend."""

    def slope(self, spend: Array) -> Array:
        """Return the derivative of the value by the spend."""


class _ByDraw:
    """Curves whose value, slope and second derivative a family gives, averaged over draws."""

    def __post_init__(self) -> None:
        for key, given in vars(self).copy().items():
            array = np.atleast_1d(np.asarray(given, dtype=np.float64))
            if not (np.isfinite(array).all() and (array > 0).all()):
                raise InputError(
                    f"{type(self).__name__}: {key} must be finite and above 0, "
                    f"got a least of {array.min():g}; leave items without value out"
                )
            object.__setattr__(self, key, array)

    def _jet(self, x: Array) -> tuple[Array, Array, Array]:
        """Return the three at spends of shape (n_items,), by draw where parameters are."""
        raise NotImplementedError

    def value(self, spend: Array) -> Array:
        """Return the mean value over draws."""
        return self._at(spend, 0)

    def slope(self, spend: Array) -> Array:
        """Return the mean slope over draws; infinite at 0 for a Hill exponent below 1."""
        return self._at(spend, 1)

    def jet(self, spend: Array) -> tuple[Array, Array, Array]:
        """Return mean value, slope and second derivative at positive spends, shape (n_items,)."""
        value, slope, bend = map(_mean, self._jet(spend))
        return value, slope, bend

    def _at(self, spend: Array, which: int) -> Array:
        rows = [_mean(self._jet(row)[which]) for row in np.atleast_2d(spend)]
        return np.array(rows).reshape(spend.shape)


class _Concave(_ByDraw):
    scale: Array

    @property
    def concave(self) -> Flags:
        """Whether each item's curve is concave: always."""
        return np.ones(self.scale.shape[-1], dtype=bool)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Logistic(_Concave):
    """``scale · tanh(rate · spend / 2)``, the saturation most media-mix models use.

    >>> curves = Logistic(np.array([2.0]), np.array([0.5]))
    >>> curves.value(np.array([4.0])).round(3)
    array([1.523])
    """

    scale: Array  # value at unlimited spend, (n_items,) or (n_draws, n_items)
    rate: Array  # per unit of spend, of the same shape

    def _jet(self, x: Array) -> tuple[Array, Array, Array]:
        half = 0.5 * self.rate * x
        share = np.tanh(half)
        # 1 - tanh² loses all digits where tanh is near 1; 1/cosh² does not, but overflows
        slope = 0.5 * self.scale * self.rate / np.square(np.cosh(np.minimum(half, 350.0)))
        return self.scale * share, slope, -self.rate * slope * share


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class MichaelisMenten(_Concave):
    """``scale · spend / (half_spend + spend)``."""

    scale: Array  # value at unlimited spend, (n_items,) or (n_draws, n_items)
    half_spend: Array  # spend at half of it, of the same shape

    def _jet(self, x: Array) -> tuple[Array, Array, Array]:
        inverse = 1.0 / (self.half_spend + x)
        slope = self.scale * self.half_spend * inverse**2
        return self.scale * x * inverse, slope, -2.0 * slope * inverse


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Hill(_ByDraw):
    """``scale · spend^n / (half_spend^n + spend^n)``: S-shaped where the exponent n is above 1."""

    scale: Array  # value at unlimited spend, (n_items,) or (n_draws, n_items)
    half_spend: Array  # spend at half of it, of the same shape
    exponent: Array  # steepness n, of the same shape

    @property
    def concave(self) -> Flags:
        """Whether each item's curve is concave under every draw."""
        return np.asarray(np.atleast_2d(self.exponent <= 1).all(axis=0))

    def _jet(self, x: Array) -> tuple[Array, Array, Array]:
        with np.errstate(divide="ignore", invalid="ignore"):  # ln 0 is -inf, and the share 0
            share = special.expit(self.exponent * (np.log(x) - self._ln_half))
            slope = self.scale * self.exponent * share * (1 - share) / x
            bend = slope * (self.exponent * (1 - 2 * share) - 1) / x
        at_zero = np.where(self.exponent == 1, self.scale / self.half_spend, 0.0)
        at_zero = np.where(self.exponent < 1, np.inf, at_zero)
        return self.scale * share, np.where(x == 0, at_zero, slope), bend

    @cached_property
    def _ln_half(self) -> Array:
        return np.asarray(np.log(self.half_spend))


def _mean(each: Array) -> Array:
    """Return the mean over draws, the first axis where there are two."""
    return each if each.ndim == 1 else np.asarray(each.mean(axis=0))


class Counted:
    """Curves that count their evaluations and find a curvature where there is none."""

    def __init__(self, curves: SpendCurves) -> None:
        self.curves = curves
        self.n_evaluations = 0

    def value(self, spend: Array) -> Array:
        """Return the values."""
        self.n_evaluations += 1 if spend.ndim == 1 else len(spend)
        return self.curves.value(spend)

    def slope(self, spend: Array) -> Array:
        """Return the slopes."""
        self.n_evaluations += 1 if spend.ndim == 1 else len(spend)
        return self.curves.slope(spend)

    def jet(self, spend: Array) -> tuple[Array, Array]:
        """Return slopes and second derivatives, these by a difference where not given."""
        exact: Any = getattr(self.curves, "jet", None)
        if exact is not None:
            self.n_evaluations += 1
            # an item kept at 0 needs neither, and a formula may divide by its spend
            _, slope, bend = exact(np.where(spend > 0, spend, 1.0))
            return slope, bend
        slope = self.slope(spend)
        step = 1e-5 * spend
        with np.errstate(divide="ignore", invalid="ignore"):  # no step at 0: no curvature either
            return slope, np.where(step > 0, (self.slope(spend + step) - slope) / step, np.nan)

    def value_and_slope(self, spend: Array) -> tuple[Array, Array]:
        """Return values and slopes at spends of shape (n_points, n_items)."""
        exact: Any = getattr(self.curves, "jet", None)
        if exact is None or not (spend > 0).all():
            return self.value(spend), self.slope(spend)
        self.n_evaluations += len(spend)
        rows = [exact(row)[:2] for row in spend]
        return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
