"""What best-of-k may count: only tasks that can be reset and whose success is verified."""

from __future__ import annotations

import numpy as np

from evalbayes.arrays import Array
from evalbayes.errors import InputError


def counted(
    single: Array | float, best: Array | float, *, resettable: float, verifier: bool
) -> Array:
    """Share of tasks counted as solved: best-of-k where it is fair, one run elsewhere.

    resettable·best + (1 − resettable)·single, and single throughout without a verifier, as nobody
    can then tell which of the k attempts succeeded.

    Parameters
    ----------
    single, best
        Share of tasks solved by one run, and by any of k, of one shape.
    resettable
        Share of tasks that can be started afresh, 0 to 1.
    verifier
        Whether a checker tells a success from a failure.

    Examples
    --------
    >>> float(counted(0.3, 0.7, resettable=0.5, verifier=True))
    0.5
    >>> float(counted(0.3, 0.7, resettable=1.0, verifier=False))
    0.3
    """
    if not 0.0 <= resettable <= 1.0:
        raise InputError(
            f"resettable must be a share of the tasks from 0 to 1; it is {resettable}: give the "
            "share on which a fresh attempt starts from a clean state"
        )
    fair = resettable if verifier else 0.0
    return fair * np.asarray(best) + (1.0 - fair) * np.asarray(single)
