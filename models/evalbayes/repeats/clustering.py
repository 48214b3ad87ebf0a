r"""How many independent runs a number of tasks and attempts is worth.

Attempts at one task go the same way: with ρ the correlation of two attempts at a task, k attempts
at each of n tasks are worth n·k/(1 + (k − 1)ρ) runs, and never more than n/ρ. One attempt each at
n tasks drawn at random is worth n: however unlike the tasks are, their outcomes are independent.
"""

import math

import numpy as np
from scipy.special import expit, logit

from evalbayes.arrays import Array
from evalbayes.errors import InputError

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def attempt_correlation(
    plateau: Array, slope: Array, task_sd: Array, other: Array | None = None
) -> Array:
    r"""ρ of two attempts at a task: Cov(p, q)/√(A(1 − A) B(1 − B)) over the tasks of an eval.

    p = expit(x − a·τ·t) with t standard normal, x such that p averages A (to within the probit
    approximation x ≈ logit(A)·√(1 + π a²τ²/8), from which A is worked out again); q the same for
    the other attempt's B. A, a (logits per unit), τ (units) and B, the `other` plateau (say,
    elicited; by default A again), are of one shape.
    """
    spread = slope * task_sd
    shares = []
    for level in (plateau, plateau if other is None else other):
        centre = logit(np.clip(level, 1e-6, 1.0 - 1e-6)) * np.sqrt(1.0 + np.pi * spread**2 / 8.0)
        shares.append(expit(centre[..., None] + spread[..., None] * _NODES))
    p, q = shares
    # Weights sum to 1 up to rounding, which must not take a share of nearly all above it.
    mean_p, mean_q = (np.clip(each @ _WEIGHTS, 1e-12, 1.0 - 1e-12) for each in (p, q))
    size = np.sqrt(mean_p * (1.0 - mean_p) * mean_q * (1.0 - mean_q))
    return np.clip(((p * q) @ _WEIGHTS - mean_p * mean_q) / size, 0.0, 1.0)


def effective_runs(
    tasks: int, attempts: int, correlation: float, *, of: int, already: int = 0
) -> float:
    """Independent runs that new attempts add to what has been run already.

    Of an eval of `of` tasks, `tasks` are run, `attempts` times each, with ρ between attempts at one
    task. Runs that the AI model has `already` are taken as spread over the tasks from the first on:
    those are sold again only as repeats, and fresh ones go first. With W(k) = k/(1 + (k − 1)ρ) runs
    that k attempts at a task are worth, k more after b add W(b + k) − W(b), written as one product:
    the difference of the two falls below 0 by rounding where ρ is nearly 1.

    >>> effective_runs(20, 1, 0.5, of=40), effective_runs(20, 3, 0.5, of=40)
    (20.0, 30.0)
    """
    seen = min(already, of)
    fresh = min(tasks, of - seen)
    repeated = tasks - fresh
    worth = fresh * attempts / (1.0 + (attempts - 1.0) * correlation)
    if repeated:
        before = already / seen
        parts = (1.0 + (each - 1.0) * correlation for each in (before, before + attempts))
        worth += repeated * attempts * (1.0 - correlation) / math.prod(parts)
    return float(worth)


def counted(
    single: Array | float, best: Array | float, *, resettable: float, verifier: bool
) -> Array:
    """Share of tasks counted as solved: best-of-k where it is fair, one run elsewhere.

    resettable·best + (1 − resettable)·single, and single throughout without a verifier, as nobody
    can then tell which of the k attempts succeeded. `single` and `best` are the shares solved by
    one run, and by any of k; `resettable` the share of tasks that can be started afresh.
    """
    if not 0.0 <= resettable <= 1.0:
        raise InputError(
            f"resettable must be a share of the tasks from 0 to 1; it is {resettable}: give the "
            "share on which a fresh attempt starts from a clean state"
        )
    fair = resettable if verifier else 0.0
    return fair * np.asarray(best) + (1.0 - fair) * np.asarray(single)
