"""The floor of a back-test: what luck and departures leave, however well a plan is made."""

from __future__ import annotations

import numpy as np
from benchmarks.tables import table
from numpy.typing import NDArray
from scipy.special import expit

from evalfolio.backtests.findings import ACCURATE, UP_TO
from evalfolio.backtests.record import Design, Record
from evalfolio.backtests.trial import Setting, Trials, prepared

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ORDERS = 20  # of the dearest eval's tasks, in the check on real runs
SAID = """\
## The floor

The horizon is of finitely many runs, and the luck of those not bought is part of it. Suppose that
*all* runs of an AI model had been seen for its capability, slope and departures, that a run is then
no more than a coin of known chance, that what every run would spend is known too, and that the runs
whose luck weighs most for the money are bought, at the highest cap. What is left, doublings, is by
the response model's own chances a floor under every strategy that buys whole runs:
"""
DEPARTURE = """\
Nor does anyone know beforehand how an AI model departs on each eval from what its capability says.
Suppose all of the above but these departures, v_e ~ N(0, ω²), so that runs of an eval must tell
its own. With W the sum of p·(1 − p) over an eval's tasks, S over those bought and c the doublings
per task, c²·[(W − S) + (W − S)²/(1/ω² + S)] is left of each eval, to first order; the money goes
where it takes most of that away:
"""
REAL = """\
The last row is no formula but real runs: all runs of all other evals are given for free, {dearest}
is run on random tasks at the highest cap as far as the money really reaches, and the inference
that all strategies share concludes ({orders} orders of the tasks). {verdict}
"""


def luck_left(variance: Array, spend: Array, money: float) -> float:
    """Return the sd of the luck left when the most luck for the money is bought.

    The last run that does not fit is bought in part: a bound, as of a fractional knapsack.

    Examples
    --------
    >>> luck_left(np.array([4.0, 1.0]), np.array([2.0, 1.0]), 1.0)
    1.7320508075688772
    """
    return float(np.sqrt(variance.sum() - most_of(variance, spend, money)))


def most_of(worth: Array, spend: Array, money: float) -> float:
    """Return the most worth that money buys, the last run in part.

    Examples
    --------
    >>> most_of(np.array([4.0, 1.0]), np.array([2.0, 1.0]), 2.5)
    4.5
    """
    order = np.argsort(-worth / spend, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(spend[order])[:-1]])
    found = (worth[order] * np.clip((money - before) / spend[order], 0.0, 1.0)).sum()
    return float(min(found, worth.sum()))


def departures_left(
    weight: Array, influence: Array, spend: Array, eval_of: Index, money: float, sd: float
) -> float:
    r"""Return the sd left of luck and departures together when the most telling runs are bought.

    Every eval's runs are bought in order of p·(1 − p) for the money, and the next is of the eval
    where it takes most away for the money; the last one is bought in part. What is left of an eval
    is convex in S, so that with one influence per eval no other order leaves less.

    Parameters
    ----------
    weight, influence, spend, eval_of
        p·(1 − p), doublings, what a run spends, and the eval of every task.
    money
        To spend.
    sd
        Of a departure, logits.

    Examples
    --------
    One task, not bought: its luck and what its departure moves.

    >>> one, two = np.array([0.25]), np.array([2.0])
    >>> departures_left(one, two, np.ones(1), np.zeros(1, dtype=int), 0.0, 2.0)
    1.4142135623730951
    """
    orders, left = [], []
    for name in np.unique(eval_of):
        rows = np.flatnonzero(eval_of == name)
        rows = rows[np.argsort(-weight[rows] / spend[rows], kind="stable")]
        luck = np.append(np.cumsum((influence**2 * weight)[rows][::-1])[::-1], 0.0)
        pull = np.append(np.cumsum((influence * weight)[rows][::-1])[::-1], 0.0)
        told = np.insert(np.cumsum(weight[rows]), 0, 0.0)
        orders.append(spend[rows])
        left.append(luck + pull**2 / (sd**-2.0 + told))
    at = [0] * len(left)
    while True:
        gains = [
            (own[k] - own[k + 1]) / cost[k] if k < len(cost) else 0.0
            for own, cost, k in zip(left, orders, at, strict=True)
        ]
        best = int(np.argmax(gains))
        if gains[best] <= 0.0 or orders[best][at[best]] >= money:
            break
        money -= float(orders[best][at[best]])
        at[best] += 1
    whole = sum(float(own[k]) for own, k in zip(left, at, strict=True))
    return float(np.sqrt(max(whole - max(gains[best], 0.0) * money, 0.0)))


def floor_of(record: Record, setting: Setting) -> str:
    """Return the section: both floors by AI model and budget, and a check on real runs."""
    luck, departed, real, dearest = [], [], [], set()
    names = record.ai_models
    for name in names:
        trials = prepared(name, record, setting)
        if trials is None:
            raise SystemExit(f"{name}: a floor needs a history")
        runs = trials.hidden.buy(Design(trials.at, trials.market.caps, 1))
        newcomer = trials.teaching.newcomer(runs, setting.seed)
        chance = expit(newcomer.logits(trials.teaching.positions))
        influence = trials.judge.influence(trials.outcome.astype(np.float64))
        weight = (chance * (1.0 - chance)).mean(axis=0)
        spend = runs.set_index("at")["spend"].reindex(trials.at).to_numpy(np.float64)
        money = [share * trials.bill for share in setting.shares]
        luck.append([luck_left(influence**2 * weight, spend, each) for each in money])
        sd = float(newcomer.population.validity_sd.mean())
        eval_of = np.unique(trials.tasks["eval"].to_numpy(str), return_inverse=True)[1]
        departed.append(
            [departures_left(weight, influence, spend, eval_of, each, sd) for each in money]
        )
        market, price = trials.market, trials.market.price()
        most = max(market.evals, key=lambda key: float(price[market.of_eval(key)].sum()))
        dearest.add(most)
        real.append([_real(trials, market.of_eval(most), spend, each) for each in money])
    head = ["AI model", *(f"{100 * share:.3g} %" for share in setting.shares)]
    shown = np.sqrt(np.mean(real, axis=0))
    rows = [*_rows(names, departed), ["real runs, root mean square", *(f"{v:.3f}" for v in shown)]]
    said = REAL.format(
        dearest=", ".join(sorted(dearest)),
        orders=ORDERS,
        verdict=_verdict(setting, departed, shown),
    )
    return (
        f"{SAID}\n{table(head, _rows(names, luck))}\n\n{DEPARTURE}\n{table(head, rows)}\n\n{said}"
    )


def _rows(names: tuple[str, ...], left: list[list[float]]) -> list[list[str]]:
    whole = np.sqrt(np.mean(np.square(left), axis=0))
    rows = [[name, *(f"{sd:.2f}" for sd in own)] for name, own in zip(names, left, strict=True)]
    return [*rows, ["root mean square", *(f"{sd:.3f}" for sd in whole)]]


def _real(trials: Trials, at: Index, spend: Array, money: float) -> float:
    """Return the mean squared error when all evals but one are known and one is bought."""
    others = np.setdiff1d(np.arange(len(trials.at)), at)
    squares = []
    for order in range(ORDERS):
        rng = np.random.default_rng([trials.setting.seed, order, 6])
        drawn = rng.permutation(at)
        bought = np.sort(np.concatenate([others, drawn[np.cumsum(spend[drawn]) <= money]]))
        design = Design(trials.at[bought], trials.market.caps[bought], 1)
        seen = trials.teaching.newcomer(trials.hidden.buy(design), trials.setting.seed + order)
        solved = seen.completions(trials.teaching.positions, rng, attempts=trials.attempts)
        squares.append((float(np.median(trials.judge.horizons(solved))) - trials.truth) ** 2)
    return float(np.mean(squares))


def _verdict(setting: Setting, departed: list[list[float]], real: Array) -> str:
    """Say whether the accuracy asked for can be reached at all, from the figures."""
    if UP_TO not in setting.shares:
        return ""
    k = setting.shares.index(UP_TO)
    bound, shown = float(np.sqrt(np.mean(np.square(departed), axis=0))[k]), float(real[k])
    least = min(bound, shown)
    if least <= ACCURATE:
        return f"At {UP_TO:.0%} of the bill {ACCURATE} doublings are not ruled out."
    return (
        f"At {UP_TO:.0%} of the bill the floor is {bound:.2f}\ndoublings, and real runs give "
        f"{shown:.2f} although all other evals are free: the {ACCURATE} asked for is below\nboth, "
        "whatever split of the money into whole runs; what lower caps tell is in neither."
    )
