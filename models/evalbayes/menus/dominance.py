"""Options of an eval that another option of the same eval beats in everything."""

from __future__ import annotations

import numpy as np

from evalbayes.arrays import Array, Flags

TOLERANCE = 1e-9


def undominated(costs: Array, information: Array) -> Flags:
    """Return which options no other one makes pointless.

    An option is dominated if another uses no more of any resource and tells at least as much
    about every combination of states (K′ − K positive semi-definite). Being dearer in one
    resource only is no reason to go. Of equal options the first stays.

    Parameters
    ----------
    costs
        Of shape (n_options, n_resources).
    information
        Of shape (n_options, n_states, n_states).

    Examples
    --------
    >>> costs = np.array([[1.0], [2.0], [3.0]])
    >>> undominated(costs, np.array([[[1.0]], [[1.0]], [[2.0]]]))
    array([ True, False,  True])
    """
    kept = np.ones(len(costs), dtype=bool)
    for o in range(len(costs)):
        for other in range(len(costs)):
            if other == o or not kept[other]:
                continue
            cheaper = (costs[other] <= costs[o] * (1.0 + TOLERANCE)).all()
            if cheaper and _tells_as_much(information[other], information[o]):
                same = (costs[other] == costs[o]).all() and _tells_as_much(
                    information[o], information[other]
                )
                if not same or other < o:
                    kept[o] = False
                    break
    return kept


def _tells_as_much(more: Array, less: Array) -> bool:
    size = max(float(np.abs(more).max(initial=0.0)), float(np.abs(less).max(initial=0.0)))
    return bool(np.linalg.eigvalsh(more - less).min() >= -TOLERANCE * size)
