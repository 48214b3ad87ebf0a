"""How much more tangents could lower a box's bound, and those of which quantities."""

from __future__ import annotations

import numpy as np

from evalbayes.arrays import Array, Flags
from evalfolio.search.box import Box
from evalfolio.search.odds import Scales
from evalfolio.search.overestimate import Overestimate
from evalfolio.search.problem import Problem
from evalfolio.search.programme import Relaxed


def looseness(
    scales: Scales, above: list[Overestimate], box: Box, relaxed: Relaxed
) -> tuple[float, Flags]:
    """Return by how much more tangents could lower a box's bound, and of which quantities.

    Parameters
    ----------
    scales, above
        The problem's active quantities, and the over-estimates of its active quantities' worths.
    box, relaxed
        The box and the solution of its programme.
    """
    assert relaxed.x is not None  # boxes without a point are split before
    problem = scales.problem
    v = scales.at(relaxed.x[: problem.n_options])
    high = relaxed.v - v
    hulls, true = np.empty(len(v)), np.empty(len(v))
    for d, a in enumerate(above):
        corners = a.hull(float(box.low[d]), float(box.high[d]))
        hulls[d], true[d] = np.interp((relaxed.v[d], v[d]), *corners)
    below = v < box.low - 1e-12
    true = np.where(below, np.minimum(true, hulls - high), true)
    every = np.zeros(len(problem.values))
    every[problem.active] = true
    loose = relaxed.bound - problem.constant - float(problem.total.of(every[None])[0])
    # Draws that weigh nothing may do so only because nothing holds them down yet.
    wanted = (relaxed.weight > 0) | _in_tail(problem, every)[problem.active]
    return loose, (high > 1e-12) & wanted


def _in_tail(problem: Problem, gains: Array) -> Flags:
    """Say which quantities are of draws among the worst, gains of shape (n_quantities,)."""
    worst = np.zeros(len(gains), dtype=bool)
    worst[problem.total.plain] = True
    for tail in problem.total.tails:
        totals = gains[tail.quantities].sum(axis=1)
        last = np.partition(totals, tail.count - 1)[tail.count - 1]
        worst[tail.quantities[totals <= last]] = True
    return worst
