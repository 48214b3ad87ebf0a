"""The floor of a back-test: what the luck of runs not bought leaves, whatever else is known."""

from __future__ import annotations

import numpy as np
from benchmarks.tables import table
from numpy.typing import NDArray
from scipy.special import expit

from evalfolio.backtests.design import Design
from evalfolio.backtests.record import Record
from evalfolio.backtests.teaching import ResponseTeaching
from evalfolio.backtests.trial import Setting, prepared

Array = NDArray[np.float64]

SAID = """\
## The floor

The horizon is of finitely many runs, and the luck of those not bought is part of it. Suppose that
*all* runs of an AI model had been seen for its capability, slope and departures, that a run is then
no more than a coin of known chance, that what every run would spend is known too, and that the runs
whose luck weighs most for the money are bought, at the highest cap. What is left, doublings, is by
the response model's own chances a floor under every strategy that buys whole runs:
"""


def luck_left(variance: Array, spend: Array, money: float) -> float:
    """Return the sd of the luck left when the most luck for the money is bought.

    The last run that does not fit is bought in part: a bound, as of a fractional knapsack.

    Examples
    --------
    >>> luck_left(np.array([4.0, 1.0]), np.array([2.0, 1.0]), 1.0)
    1.7320508075688772
    """
    order = np.argsort(-variance / spend, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(spend[order])[:-1]])
    bought = np.clip((money - before) / spend[order], 0.0, 1.0)
    return float(np.sqrt((variance[order] * (1.0 - bought)).sum()))


def floor_of(record: Record, setting: Setting) -> str:
    """Return the section: the floor by AI model and budget."""
    rows, squares = [], []
    for name in record.ai_models:
        trials = prepared(name, record, setting)
        if trials is None or not isinstance(trials.teaching, ResponseTeaching):
            raise SystemExit(f"{name}: a floor needs a history, read by the response model")
        runs = trials.hidden.buy(Design(trials.at, trials.market.caps, 1))
        newcomer = trials.teaching.belief(runs, setting.seed).newcomer
        chance = expit(newcomer.logits(trials.teaching.positions))
        influence = trials.judge.influence(trials.outcome.astype(np.float64))
        variance = influence**2 * (chance * (1.0 - chance)).mean(axis=0)
        spend = runs.set_index("at")["spend"].reindex(trials.at).to_numpy(np.float64)
        left = [luck_left(variance, spend, share * trials.bill) for share in setting.shares]
        squares.append(np.square(left))
        rows.append([name, *(f"{sd:.2f}" for sd in left)])
    whole = np.sqrt(np.mean(squares, axis=0))
    rows.append(["root mean square", *(f"{sd:.3f}" for sd in whole)])
    head = ["AI model", *(f"{100 * share:.3g} %" for share in setting.shares)]
    return f"{SAID}\n{table(head, rows)}\n"
