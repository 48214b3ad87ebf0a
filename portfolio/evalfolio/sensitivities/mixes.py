"""Best mixes under many figures at once: menus that must be built again are built once each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalfolio.errors import InputError
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.sensitivities.assumed import ON_INPUTS, Assumed, levels_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.solution import solve
from evalfolio.sensitivities.sweep import Sweep, inputs_hash
from evalfolio.sensitivities.tornado import summary

Floats = NDArray[np.float64]

BATCH = 16  # plans worked out together, on menus they share
EDGE = 1 / 6  # with these odds at either end, three levels have an even spread's first moments


def levels_at(figures: Sequence[Assumed], unit: Floats) -> Floats:
    """Return levels for even draws from the unit cube, of shape (n_points, n_figures).

    Figures of the menu range evenly. Those that ask for a new menu take three levels, the low end,
    the one in use and the high end, with odds of 1 : 4 : 1, which have the mean, variance and
    skewness of an even spread where the level in use is the middle.
    """
    low, high = np.array([a.low for a in figures]), np.array([a.high for a in figures])
    middle = np.array([a.mid for a in figures])
    three = np.where(unit < EDGE, low, np.where(unit > 1 - EDGE, high, middle))
    remade = np.array([a.kind in ON_INPUTS for a in figures])
    levels: Floats = np.where(remade, three, low + unit * (high - low))
    return levels


def mixes_under(
    basis: Basis,
    figures: Sequence[Assumed],
    points: Sequence[Sequence[float]],
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> list[dict[str, Any]]:
    """Return the summary of the best mix with every figure at a level of its own, point by point.

    InputError if a figure that asks for a new menu is between its levels.

    Parameters
    ----------
    basis
        The question, and what its menu was built from.
    figures
        What varies.
    points
        A level per figure; those that ask for a new menu must be at their low, mid or high one.
    method
        Of every plan.
    sweep
        Workers, checkpoint and progress; its points are batches of plans on menus they share.
    """
    shared = [k for k, a in enumerate(figures) if a.kind in ON_INPUTS]
    for point in points:
        for k in shared:
            a = figures[k]
            if point[k] not in (a.low, a.mid, a.high):
                raise InputError(
                    f"{a.name} must be at {a.low:g}, {a.mid:g} or {a.high:g}, got {point[k]:g}; "
                    "menus are built for these only"
                )
    groups: dict[tuple[float, ...], list[int]] = {}
    for place, point in enumerate(points):
        groups.setdefault(tuple(float(point[k]) for k in shared), []).append(place)
    batches = [
        places[start : start + BATCH]
        for places in groups.values()
        for start in range(0, len(places), BATCH)
    ]
    task = partial(_batch, basis, tuple(figures), method)
    hashed = inputs_hash(basis.question, figures, method)
    answers = (sweep or Sweep()).run(
        task, [[list(map(float, points[k])) for k in places] for places in batches], inputs=hashed
    )
    found: list[dict[str, Any]] = [{}] * len(points)
    for places, answer in zip(batches, answers, strict=True):
        for place, mix in zip(places, answer, strict=True):
            found[place] = mix
    return found


def _batch(
    basis: Basis,
    figures: tuple[Assumed, ...],
    method: Method,
    points: Sequence[Sequence[float]],
) -> list[dict[str, Any]]:
    out = []
    for point in points:
        menu = basis.menu_under(levels_of(figures, point))
        out.append(summary(menu, solve(basis.question.on(menu), method)))
    return out
