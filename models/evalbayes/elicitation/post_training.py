"""Gains still to come: post-training enhancements over time, and the buffer they call for.

Compute-equivalent gain (CEG) is the factor by which pre-training compute would have to rise for
the same result; here it is in natural logarithms. Enhancements overlap: k of size g give
g·k^(1/overlap), from k·g where they simply add (overlap 1) to g where only the best counts (∞).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evalbayes.arrays import Array
from evalbayes.errors import InputError


def growth(gain_per_year: ArrayLike, years: ArrayLike, overlap: ArrayLike = 1.0) -> Array:
    """Gain after some years, g·years^(1/overlap): that of `years` yearly enhancements combined.

    Growth of two spans combines to that of both: the order in which gains come does not matter.
    The yearly figure is what a year's enhancements come to together, so with an overlap a span
    under a year brings more than its part of it, and a longer one less: on a fixed AI model gains
    come early. Published: 1.6 doublings after 44 days and 2.4 after 113, an overlap of 2.4.

    >>> float(growth(0.8, 4.0, 2.0))
    1.6
    """
    rate, span, power = (np.asarray(v, dtype=float) for v in (gain_per_year, years, overlap))
    _hold("gain_per_year", rate, 0.0)
    _hold("years", span, 0.0)
    _hold("overlap", power, 1.0)
    return rate * np.where(span > 0, span ** (1.0 / power), 0.0)


def to_come(
    gap: ArrayLike,
    elicited: ArrayLike,
    slope: ArrayLike,
    gain_per_year: ArrayLike,
    years: ArrayLike,
    overlap: ArrayLike = 1.0,
) -> Array:
    """Capability still to come: (1 − elicited)·gap + slope·growth, in the domain's unit.

    Parameters
    ----------
    gap
        Draws of δ, the elicitation gap.
    elicited
        Effort already spent, 0 to 1: the share of the gap that the results have seen.
    slope
        Units of capability per e-fold of compute-equivalent gain; 1 where `gain_per_year` is in
        the domain's unit already, as in a catalogue.
    gain_per_year, years, overlap
        As in `growth`.
    """
    delta, seen = np.asarray(gap, dtype=float), np.asarray(elicited, dtype=float)
    _hold("gap", delta, 0.0)
    if not ((seen >= 0) & (seen <= 1)).all():
        raise InputError(
            f"elicited must be a share of the gap from 0 to 1; it reaches {seen.max():g} (least "
            f"{seen.min():g}): give the effort of the runs"
        )
    value: Array = (1.0 - seen) * delta + np.asarray(slope) * growth(gain_per_year, years, overlap)
    return value


def buffer(draws: ArrayLike, level: float = 0.95) -> float:
    """How far below the danger threshold to put the alert threshold: a quantile of `to_come`.

    Parameters
    ----------
    draws
        Capability still to come, in the domain's unit.
    level
        Of the quantile.

    Examples
    --------
    >>> round(buffer(np.linspace(0.0, 2.0, 101), 0.95), 6)
    1.9
    """
    if not 0.0 < level < 1.0:
        raise InputError(
            f"the level of a buffer must lie between 0 and 1; it is {level:g}: say 0.95"
        )
    return float(np.quantile(np.asarray(draws, dtype=float), level))


def _hold(name: str, values: Any, least: float) -> None:
    if not (values >= least).all():
        raise InputError(
            f"{name} must be {least:g} or more throughout; the least is {np.min(values):g}: "
            "correct it"
        )
