"""Continuous spends on separate curves under one budget: exact where concave, bounded always."""

import numpy as np
from numpy.typing import ArrayLike

from evalbayes.arrays import Array
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.spends.concave_split import Allocation as Allocation
from evalfolio.spends.concave_split import Moment as Moment
from evalfolio.spends.concave_split import concave_allocation
from evalfolio.spends.curves import Counted, SpendCurves
from evalfolio.spends.sigmoidal import sigmoidal_allocation


def allocate(
    curves: SpendCurves,
    budget: float,
    *,
    low: ArrayLike = 0.0,
    high: ArrayLike | None = None,
    gap: float = 1e-6,
    max_nodes: int = 2000,
) -> Allocation:
    """Return spends x maximising ``sum_i f_i(x_i)`` with ``sum x <= budget, low <= x <= high``.

    Where every curve is concave, the multiplier λ is found by safeguarded Newton steps, with
    x_i(λ) solving f_i'(x) = λ for all items at once. The bound is the dual function at λ, with
    each curve over-estimated by its tangent there: it holds however well the steps converged.
    Other curves go through their concave envelopes and a branch and bound on the item whose
    envelope lies furthest above its curve (Udell and Boyd 2013, "Maximizing a sum of sigmoids").

    Parameters
    ----------
    curves
        Never falling curves, one per item; see `SpendCurves`.
    budget
        Most that may be spent in all, in the unit of the spends.
    low, high
        Bounds on each item's spend, numbers or of shape (n_items,); `high` is the budget by
        default.
    gap
        Relative gap to stop at, where curves are not concave.
    max_nodes
        Boxes to look into at most; the gap returned is honest where they run out.

    Raises
    ------
    InputError
        If a number is not finite, or `low` is above `high`.
    InfeasibleError
        If the lower bounds together are above the budget.

    Examples
    --------
    >>> from evalfolio.spends.curves import MichaelisMenten
    >>> curves = MichaelisMenten(np.array([1.0, 1.0]), np.array([1.0, 4.0]))
    >>> allocate(curves, 3.0).spend.round(6)
    array([1.666667, 1.333333])
    """
    curves = Counted(curves)
    low, high = _bounds(curves, budget, low, high)
    if high.sum() <= budget:
        value = float(curves.value(high).sum())
        return Allocation(high, value, value, 0.0, curves.n_evaluations)
    known = getattr(curves.curves, "concave", None)
    if known is not None and np.all(known):
        return concave_allocation(curves, budget, low, high)
    return sigmoidal_allocation(curves, budget, low, high, gap=gap, max_nodes=max_nodes)


def _bounds(
    curves: Counted, budget: float, low: ArrayLike, high: ArrayLike | None
) -> tuple[Array, Array]:
    """Return the bounds as arrays after checking them."""
    if not 0 < budget < np.inf:
        raise InputError(f"budget must be a finite number above 0, got {budget!r}")
    n_items = _n_items(curves)
    sides = []
    for key, side in (("low", low), ("high", budget if high is None else high)):
        array = np.asarray(side, dtype=np.float64)
        if array.shape not in ((), (n_items,)):
            raise InputError(
                f"{key} must be a number or have one entry for each of {n_items} items, "
                f"got shape {array.shape}"
            )
        sides.append(np.broadcast_to(array, (n_items,)).copy())
    lower, upper = sides
    if not (np.isfinite(lower).all() and (lower >= 0).all()):
        raise InputError(f"low must be finite, 0 or more, got a least of {lower.min():g}")
    if np.isnan(upper).any():
        raise InputError("high must be numbers, infinite for no bound, got NaN; mend or drop it")
    upper = np.minimum(upper, budget - lower.sum() + lower)
    if lower.sum() > budget * (1 + 1e-12):
        raise InfeasibleError(
            f"No split meets the limits: the lower bounds add up to {lower.sum():g}, above the "
            f"budget of {budget:g}. The least change that mends it: raise the budget by "
            f"{lower.sum() - budget:g}, or lower the bounds by as much."
        )
    worst = int(np.argmax(lower - upper))
    if lower[worst] > upper[worst] + 1e-12 * budget:
        raise InputError(
            f"low must not be above high, but item {worst} has {lower[worst]:g} > "
            f"{upper[worst]:g}; mend one of them"
        )
    return lower, np.maximum(lower, upper)


def _n_items(curves: Counted) -> int:
    """Return the number of items, from the curves' parameters or attribute ``n_items``."""
    stated = getattr(curves.curves, "n_items", None)
    if stated is not None:
        return int(stated)
    sizes = [
        array.shape[-1]
        for array in vars(curves.curves).values()
        if isinstance(array, np.ndarray) and array.ndim
    ]
    if not sizes:
        raise InputError(
            "curves must say how many items they are for; give them an attribute n_items"
        )
    return int(max(sizes))
