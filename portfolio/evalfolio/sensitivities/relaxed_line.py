"""Value and price of the relaxation along one resource: one linear programme, many right sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.branching import Search
from evalfolio.problem import Problem
from evalfolio.programme import Relaxed

Floats = NDArray[np.float64]

STRIDE = 4  # amounts between those where tangents are gathered first

CORNERS = 5e-4  # the gap whose over-estimates of G (to 1e-5 of the value) are taken
EVERY = 256  # segments: about all of an envelope, so that one programme serves every amount


def relaxed_line(
    menu: Menu,
    others: Mapping[str, float],
    resource: str,
    amounts: Floats,
    constraints: Sequence[object] = (),
    tolerance: float = 1e-4,
) -> tuple[Floats, Floats]:
    """Return the relaxation's value and price of the resource at every amount.

    Options may be bought in part and G is its concave envelope. Tangents of the explained variance
    found at any amount over-estimate at all of them. They are gathered from the largest amount
    down, until they suffice everywhere; then the same linear programme of the certified search, all
    corners of the envelopes in it, is solved again at every amount, each from the last one's basis:
    its value is concave in its right side and the dual price is its slope, to the solver's
    tolerance.

    Parameters
    ----------
    menu, others, resource, amounts, constraints
        As `frontier` has them; amounts ascend.
    tolerance
        Rounds stop when more tangents could lower the value by no more than this share of it.

    Returns
    -------
    tuple of numpy.ndarray
        Values in the unit of the losses and prices per unit of the resource, of shape
        (n_amounts,); NaN where not even parts of options meet the limits.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> values, prices = relaxed_line(small_menu(), {}, "usd", np.array([100.0, 1e3, 1e4]))
    >>> bool((np.diff(values) > 0).all() and (np.diff(prices) < 0).all())
    True
    """
    problem = Problem(menu, {**others, resource: float(amounts[-1])}, constraints)
    row = problem.resource_names.index(resource)
    unit = float(problem.price_units[row])
    search = Search(problem, gap=CORNERS, deadline=None, start=None, n_segments=EVERY)
    limits = np.asarray(amounts, dtype=np.float64) / unit
    answers: list[Relaxed | None] = [None] * len(limits)
    known = np.full(len(limits), -1)  # tangents there were when an amount was last solved
    for error, stride in ((tolerance, STRIDE), (tolerance, 1), (np.inf, 1)):
        for k in range(len(limits) - 1, -1, -stride):
            if known[k] < len(search.programme.tangents):
                answers[k] = search.relaxed_at(row, float(limits[k]), error)
                known[k] = len(search.programme.tangents)
    values, prices = np.full(len(limits), np.nan), np.full(len(limits), np.nan)
    for k, answer in enumerate(answers):
        if answer is not None:
            values[k] = answer.bound * problem.scale
            prices[k] = max(float(answer.prices[row]), 0.0) * problem.scale / unit
    return values, prices
