r"""Robust mixes: least regret over scenarios, or best in the worst of them, with certificates.

Both are max over mixes x of min over weights w in Q of Σ_s w_s (V_s(x) − b_s): least regret with
b_s the best value under scenario s and Q all weights that sum to 1; the mean of the worst share α
of scenarios (CVaR) with b_s = 0 and w_s ≤ p_s/α. For any weights in Q the largest weighted sum is
an upper bound, and finding it is one certified solve (`Scenarios.weighted`). Weights come from the
game over the mixes found so far, a linear programme; its best answer joins them, until the bound no
longer falls. Mixes cannot be run in part, so a gap may stay: it is reported, not hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from evalfolio.errors import InputError, SolverError
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.scenarios import Scenarios
from evalfolio.sensitivities.solution import Solution, solve
from evalfolio.sensitivities.sweep import Sweep, inputs_hash

Floats = NDArray[np.float64]

MAX_ROUNDS = 40


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class RobustMix:
    """A mix that is good whichever scenario holds.

    Parameters
    ----------
    criterion
        "regret" or "cvar".
    options
        The mix.
    score
        Its largest regret, or its mean value over the worst scenarios.
    bound
        No mix has a smaller largest regret, or a larger mean.
    weights
        Weights of the scenarios that prove the bound.
    values
        Value of the mix under every scenario.
    price
        Price of robustness: share of the first scenario's best value that the mix gives up there.
    """

    criterion: str
    options: tuple[str, ...]
    score: float
    bound: float
    weights: dict[str, float]
    values: dict[str, float]
    price: float

    def record(self) -> dict[str, Any]:
        """Return its certificate as a row: weights are those that prove the bound."""
        return {
            "criterion": self.criterion,
            "score": self.score,
            "bound": self.bound,
            "gap": self.gap,
            "price": self.price,
            "options": "; ".join(self.options),
            "weights": "; ".join(f"{n} {w:.3f}" for n, w in self.weights.items() if w > 0),
        }

    @property
    def gap(self) -> float:
        """Distance of score and bound, in the unit of the losses."""
        return abs(self.score - self.bound)


def regret_table(
    scenarios: Scenarios,
    mixes: Mapping[str, Sequence[str]],
    question: Question,
    *,
    method: Method = Certified(),
    settled: Sequence[Solution] | None = None,
) -> pd.DataFrame:
    """Return the regret of every mix (rows) under every scenario (columns), and the largest.

    Regret is the best value there less the mix's, in the unit of the losses. The best mix of every
    scenario is a row of its own, named after it. `settled` is what `best_under` returns, where it
    has been worked out already.
    """
    if settled is None:
        settled = best_under(scenarios, question, method=method)
    best = np.array([s.value for s in settled])
    own = {f"best for {n}": s.options for n, s in zip(scenarios.names, settled, strict=True)}
    rows = {**own, **dict(mixes)}
    names = list(scenarios.names)
    values = np.array([scenarios.values(mix) for mix in rows.values()])
    table = pd.DataFrame(np.maximum(best, values.max(axis=0)) - values, list(rows), names)
    return table.assign(largest=table.max(axis=1))


def robust_mix(
    scenarios: Scenarios,
    question: Question,
    *,
    criterion: str = "regret",
    tail: float = 0.2,
    method: Certified = Certified(),
    settled: Sequence[Solution] | None = None,
) -> RobustMix:
    """Return the mix of least largest regret, or of the best mean over the worst scenarios.

    InputError if the criterion or the tail is not what it must be.

    Parameters
    ----------
    scenarios
        What might hold.
    question
        Budgets and limits of every plan.
    criterion
        "regret" or "cvar".
    tail
        α, probability of the worst scenarios that CVaR averages over.
    method
        Of every plan.
    settled
        What `best_under` returns, where it has been worked out already.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from evalfolio.examples import small_menu
    >>> menu = small_menu()
    >>> calm = replace(menu, prior_covariance=np.diag([1.5, 0.01, 1.2]))
    >>> both = Scenarios({"as assumed": menu, "small gap": calm})
    >>> mix = robust_mix(both, Question(menu, {"usd": 10_000.0}))
    >>> bool(mix.score >= mix.bound >= 0)
    True
    """
    if criterion not in ("regret", "cvar"):
        raise InputError(f"criterion must be regret or cvar, got {criterion!r}")
    if not 0 < tail <= 1:
        raise InputError(
            f"tail must be a probability above 0, got {tail:g}; 0.2 is the worst fifth"
        )
    if settled is None:
        settled = best_under(scenarios, question, method=method)
    best = np.array([s.value for s in settled])
    regret = criterion == "regret"
    most = np.ones(len(best)) if regret else np.array(scenarios.probabilities) / tail
    mixes = list(dict.fromkeys(s.options for s in settled))
    values = [scenarios.values(mix) for mix in mixes]
    # values found along the way may beat a scenario's own best within its gap
    top = np.maximum(best, np.max(values, axis=0)) if regret else np.zeros(len(best))
    bound, proof = np.inf, np.full(len(best), np.nan)
    for _ in range(MAX_ROUNDS):
        weights, game = _weights(np.array(values) - top, most)
        answer = solve(question.on(scenarios.weighted(weights.tolist())), method)
        reach = answer.bound - float(weights @ top)
        if reach < bound:
            bound, proof = reach, weights
        if answer.options in mixes or reach - game <= method.gap * max(abs(game), 1e-12):
            break
        mixes.append(answer.options)
        values.append(scenarios.values(answer.options))
    table = np.array(values) - top
    scores = [_least(row, most) for row in table]
    chosen = int(np.argmax(scores))
    score = scores[chosen]
    bound = max(bound, score)
    first = max(float(best[0]), float(np.array(values)[:, 0].max()))
    return RobustMix(
        criterion=criterion,
        options=mixes[chosen],
        score=-score if regret else score,
        bound=max(-bound, 0.0) if regret else bound,
        weights=dict(zip(scenarios.names, proof.tolist(), strict=True)),
        values=dict(zip(scenarios.names, values[chosen].tolist(), strict=True)),
        price=1 - float(values[chosen][0]) / first if first > 0 else 0.0,
    )


def best_under(
    scenarios: Scenarios,
    question: Question,
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> list[Solution]:
    """Return the certified choice under every scenario, in their order."""
    hashed = inputs_hash(*scenarios.menus.values(), question, method)
    task = partial(_best, scenarios, question, method)
    found = (sweep or Sweep()).run(task, list(scenarios.names), inputs=hashed)
    return [Solution.of_json(answer) for answer in found]


def _best(scenarios: Scenarios, question: Question, method: Method, name: str) -> dict[str, Any]:
    return solve(question.on(scenarios.menus[name]), method).to_json()


def _weights(table: Floats, most: Floats) -> tuple[Floats, float]:
    """Return the weights in Q that make the best of the known mixes worst, and that value.

    min over w of t with table·w ≤ t for every mix, Σw = 1, 0 ≤ w ≤ most.
    """
    scale = max(float(np.abs(table).max()), 1e-300)
    n_mixes, n = table.shape
    result = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.column_stack([table / scale, -np.ones(n_mixes)]),
        b_ub=np.zeros(n_mixes),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=np.ones(1),
        bounds=[*((0.0, float(top)) for top in most), (None, None)],
        method="highs",
    )
    if result.x is None or result.fun is None:
        raise SolverError(f"the weights of the scenarios could not be found: {result.message}")
    weights = np.maximum(result.x[:n], 0.0)
    weights[weights < 1e-9] = 0.0
    return weights / weights.sum(), float(result.fun) * scale


def _least(row: Floats, most: Floats) -> float:
    """Return the least weighted sum over Q: the worst scenarios filled up first.

    Examples
    --------
    >>> _least(np.array([3.0, 1.0, 2.0]), np.ones(3))
    1.0
    >>> _least(np.array([3.0, 1.0, 2.0]), np.full(3, 0.5))
    1.5
    """
    left, total = 1.0, 0.0
    for k in np.argsort(row):
        share = min(left, float(most[k]))
        total += share * float(row[k])
        left -= share
    return total
