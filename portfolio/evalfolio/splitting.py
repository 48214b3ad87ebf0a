"""Where a box is split: at the quantity or the option that keeps its bound up."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalfolio.box import Box
from evalfolio.incumbent import WHOLE
from evalfolio.overestimate import Overestimate
from evalfolio.problem import Problem
from evalfolio.programme import Relaxed

Floats = NDArray[np.float64]

HULLS = 0.6  # of what is to be closed: hulls looser than that in sum are split before options


def place(
    problem: Problem,
    above: list[Overestimate],
    box: Box,
    relaxed: Relaxed,
    bent: Floats,
    best: float,
) -> tuple[Literal["quantity", "option", "none"], int]:
    """Return what to split a box at: an active quantity, an option (or extra variable), or nothing.

    Parameters
    ----------
    problem, above
        The problem, and the over-estimates of its active quantities' worths.
    box, relaxed
        The box and the solution of its programme.
    bent
        By how much each quantity's hull lies above its worth there, of shape (n_active,).
    best
        The best value so far, scaled.
    """
    assert relaxed.x is not None  # boxes without a point are split elsewhere
    n = problem.n_options
    part = np.abs(relaxed.x - np.round(relaxed.x))
    part[n:][~problem.extra_whole] = 0.0
    fractional = part.max(initial=0.0) > WHOLE
    d = int(np.argmax(bent))
    loose = box.high[d] - box.low[d] > 1e-9 and bent[d] > 1e-11
    # A tail has as many intervals as draws, but one option narrows them all.
    by_draw = bool(problem.total.tails)
    if loose and not by_draw and (not fractional or bent.sum() > HULLS * (box.bound - best)):
        return "quantity", d
    free = box.x_high - box.x_low > 0.5
    free[n:] &= problem.extra_whole
    if fractional or (loose and free.any()):
        rise = np.zeros(len(part))
        _, gradient = problem.explained.tangent(relaxed.x[:n])
        slopes = [float(a.value.slope(v * a.v_max)) for a, v in zip(above, relaxed.v, strict=True)]
        slopes_now = np.where(np.isfinite(slopes), slopes, 0.0) * relaxed.weight
        rise[:n] = slopes_now @ gradient[problem.active] + 1e-12 * problem.scale
        rise[n:] = rise[:n].max(initial=1.0)
        if not fractional:  # of the options that are free, those taken say the most
            part = np.where(free, 0.01 + relaxed.x, 0.0)
        return "option", int(np.argmax(part * rise))
    return ("quantity", d) if loose else ("none", -1)
