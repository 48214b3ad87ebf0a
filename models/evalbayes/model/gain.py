"""Predictive check of pairs: whether elicitation added on an eval what the model says it adds.

Every condition by itself may be foretold well while the pairs are not: the standard runs a little
too able, the elicited ones a little too poor, and the gap in between twice as wide as seen. A pair
is elicited runs (or best-of-k) beside runs as they come, of the same eval and AI model.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalbayes.arrays import Array

PAIR = ["eval", "ai_model"]


def gain_probability(
    conditions: pd.DataFrame, seen: Array, trials: Array, replicates: Array
) -> Array:
    """Tail probability of the share gained over the pair's runs as they come, (n_conditions,).

    The gain is k/n of the elicited runs less k₀/n₀ of the standard ones; replicates of both come
    from the same draw, so what the model believes of the gap is all that lies between them.

    Parameters
    ----------
    conditions
        eval, ai_model and effort of every condition.
    seen, trials
        Successes k of n runs, (n_conditions,).
    replicates
        Successes as the model draws them, (n_draws, n_conditions).

    Returns
    -------
    numpy.ndarray
        Near 0: less was gained than the model gives; near 1: more. NaN where a condition is not
        elicited or there is nothing beside it.

    Examples
    --------
    >>> pair = pd.DataFrame({"eval": "ctf", "ai_model": "A", "effort": [0.0, 0.8]})
    >>> again = np.array([[4.0, 6.0], [5.0, 9.0], [6.0, 7.0], [5.0, 8.0]])
    >>> gain_probability(pair, np.array([5.0, 9.0]), np.array([10.0, 10.0]), again)
    array([  nan, 0.875])
    """
    found = np.full(len(conditions), np.nan)
    plain = conditions["effort"].to_numpy(float) == 0.0
    pair = conditions.groupby(PAIR, sort=False).ngroup().to_numpy(np.int64)
    beside = np.flatnonzero(plain & (trials > 0))
    for k in np.flatnonzero(~plain & (trials > 0)):
        own = beside[pair[beside] == pair[k]]
        if len(own):
            share = replicates[:, k] / trials[k] - replicates[:, own[0]] / trials[own[0]]
            gained = seen[k] / trials[k] - seen[own[0]] / trials[own[0]]
            found[k] = tail_probability(share[:, None], np.array([gained]))[0]
    return found


def tail_probability(replicates: Array, seen: Array) -> Array:
    """Return P(replicate < seen) + ½ P(replicate = seen) by column.

    As many draws as there are cannot tell a probability from 0 better than half of one in them.
    """
    n_draws = len(replicates)
    equal = np.isclose(replicates, seen, rtol=0.0, atol=1e-9)
    below = (replicates < seen) & ~equal
    p: Array = np.clip(
        below.mean(axis=0) + 0.5 * equal.mean(axis=0), 0.5 / n_draws, 1.0 - 0.5 / n_draws
    )
    return p
