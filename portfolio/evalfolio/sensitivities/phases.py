"""The phase diagram: the share of the money that goes to depth, by beliefs and prices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import pandas as pd

from evalfolio.rule.square_root import depth_rule, least_gap_sd
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.one_domain import OneDomain
from evalfolio.sensitivities.solution import solve
from evalfolio.sensitivities.sweep import Sweep, inputs_hash

AXES = ("gap_sd", "cost_ratio", "validity_sd", "evals")


def phase_diagram(
    *,
    gap_sd: Sequence[float],
    cost_ratio: Sequence[float],
    validity_sd: Sequence[float] = (1.0,),
    evals: Sequence[int] = (20,),
    gap_spread: float = 0.5,
    shown_sd: float = 2.0,
    noise_sd: float = 0.0,
    budget: float = 30.0,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> pd.DataFrame:
    """Return the optimiser's and the rule's share on depth for every combination of figures.

    One domain of like evals at a threshold the belief is centred on; a plateau-level run costs 1.

    Parameters
    ----------
    gap_sd, cost_ratio, validity_sd, evals
        Values of σδ, C, ω and of the number of evals.
    gap_spread, shown_sd, noise_sd
        κ, σs and t.
    budget
        In plateau-level runs.
    method
        Of every point.
    sweep
        Workers, checkpoint and progress.

    Returns
    -------
    pandas.DataFrame
        One row per combination: gap_sd, cost_ratio, validity_sd, evals, deep (share of the money
        the certified mix spends on deep runs), deep_evals (their number), rule (the share by the
        law), rule_evals, boundary (gap_sd from which the law runs one eval deep), status.

    Examples
    --------
    >>> table = phase_diagram(gap_sd=[0.1, 2.0], cost_ratio=[8.0], evals=[6], budget=10.0)
    >>> table["deep_evals"].tolist()
    [0, 1]
    """
    shared = {"gap_spread": gap_spread, "shown_sd": shown_sd, "noise_sd": noise_sd}
    points = [list(point) for point in product(gap_sd, cost_ratio, validity_sd, evals)]
    task = partial(_point, shared, budget, method)
    found = (sweep or Sweep()).run(task, points, inputs=inputs_hash(shared, budget, method))
    rows = []
    for point, answer in zip(points, found, strict=True):
        g, c, w, n = point
        rule = depth_rule(
            cost_ratio=c, validity_sd=w, gap_sd=g, budget=budget, evals=int(n), **shared
        )
        rows.append(
            {
                **dict(zip(AXES, point, strict=True)),
                **answer,
                "rule": rule.budget_share,
                "rule_evals": rule.deep,
                "boundary": least_gap_sd(
                    cost_ratio=c, validity_sd=w, budget=budget, evals=int(n), **shared
                ),
            }
        )
    return pd.DataFrame(rows)


def _point(
    shared: dict[str, float],
    budget: float,
    method: Method,
    point: Sequence[float],
) -> dict[str, Any]:
    g, c, w, n = point
    case = OneDomain((1.0,) * int(n), cost_ratio=c, validity_sd=w, gap_sd=g, **shared)
    found = solve(Question(case.menu(), {"usd": budget}), method)
    deep = sum(name.endswith("deep") for name in found.options)
    spent = len(found.options) - deep + c * deep
    return {
        "deep": c * deep / spent if spent else 0.0,
        "deep_evals": deep,
        "status": found.status,
    }
