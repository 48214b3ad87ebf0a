"""Where a box is split: at the quantity or the option that keeps its bound up."""

from __future__ import annotations

from typing import Literal

import numpy as np

from evalbayes.arrays import Array
from evalfolio.search.box import Box
from evalfolio.search.incumbent import WHOLE
from evalfolio.search.odds import Scales
from evalfolio.search.programme import Relaxed

HULLS = 0.6  # of what is to be closed: hulls looser than that in sum are split before options


def place(
    scales: Scales,
    box: Box,
    relaxed: Relaxed,
    bent: Array,
    best: float,
) -> tuple[Literal["quantity", "eval", "option", "none"], int]:
    """Return what to split a box at: an active quantity, an option (or extra variable), or nothing.

    Parameters
    ----------
    scales
        The problem's active quantities.
    box, relaxed
        The box and the solution of its programme.
    bent
        By how much each quantity's hull lies above its worth there, of shape (n_active,).
    best
        The best value so far, scaled.
    """
    assert relaxed.x is not None  # boxes without a point are split elsewhere
    problem = scales.problem
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
        rise[:n] = marginal(scales, relaxed)
        rise[n:] = rise[:n].max(initial=1.0)
        if fractional:
            most = int(np.argmax(part * rise))
            if most < n:
                code = problem.eval_codes[most]
                return "eval", int(code)
        if not fractional:  # of the options that are free, those taken say the most
            part = np.where(free, 0.01 + relaxed.x, 0.0)
        return "option", int(np.argmax(part * rise))
    return ("quantity", d) if loose else ("none", -1)


def marginal(scales: Scales, relaxed: Relaxed) -> Array:
    """Return what every option adds at the relaxed choice, per share of it, above 0."""
    assert relaxed.x is not None
    problem = scales.problem
    _, gradient = scales.tangent(relaxed.x[: problem.n_options])
    slopes = [float(a.slope(v)) for a, v in zip(scales.worths, relaxed.v, strict=True)]
    slopes_now = np.where(np.isfinite(slopes), slopes, 0.0) * relaxed.weight
    return np.asarray(slopes_now @ gradient + 1e-12 * problem.scale)
