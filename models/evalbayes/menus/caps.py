"""The caps worth buying: sweet spot, plateau and the largest, from the curve's draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evalbayes.curves import Curve

SATURATED = 0.1  # elasticity at the saturation point, relative to that at the sweet spot
APART = math.log(1.25)  # caps nearer than a quarter are one cap
MAJORITY = 0.5


@dataclass(frozen=True)
class Caps:
    """Caps of one eval in its spend unit; None with the reason where there is no sweet spot."""

    sweet_spot: float | None
    plateau: float
    largest: float
    no_sweet_spot: str = ""


def caps_of(curve: Curve, largest: float, few: Curve | None = None) -> Caps:
    """Return the caps of an eval's curve (fields of shape (n_draws,)), at most `largest`.

    A sweet spot takes long to find, so it may be asked of `few` of the draws. The plateau tier runs
    to the saturation point, or to the largest cap where that comes first.
    """
    limit = math.log(largest)
    sweet = (few or curve).sweet_spot(limit)
    found = np.isfinite(sweet)
    saturated = np.nan_to_num(curve.saturation(limit, SATURATED), nan=limit)
    plateau = min(float(np.median(saturated)), limit)
    if found.mean() < MAJORITY:
        reason = f"success per unit spent still rises at its largest cap of {largest:g}"
        return Caps(None, rounded(plateau, largest), largest, reason)
    ln_sweet = float(np.median(sweet[found]))
    if ln_sweet > plateau - APART:
        return Caps(None, rounded(plateau, largest), largest, "its sweet spot is its plateau cap")
    return Caps(rounded(ln_sweet, largest), rounded(plateau, largest), largest)


def rounded(ln_cap: float, largest: float) -> float:
    """Return a cap to two significant digits, at most `largest`.

    Examples
    --------
    >>> rounded(math.log(123_456.0), 1e6), rounded(math.log(99.7), 99.8)
    (120000.0, 99.8)
    """
    return min(float(f"{math.exp(ln_cap):.2g}"), largest)
