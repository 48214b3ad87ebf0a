"""The phase diagram: the share of the money that goes to depth, by beliefs and prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu
from evalfolio.narrative import DEPTH
from evalfolio.rule.square_root import depth_rule, least_gap_sd
from evalfolio.search import Certified, Method, Question
from evalfolio.sensitivities.sweep import Sweep, solve, swept

AXES = ("gap_sd", "cost_ratio", "validity_sd", "evals")


@dataclass(frozen=True)
class OneDomain:
    """One domain, one decision, one budget; every eval a plateau-level and a deep option.

    All sds are in the domain's unit. A plateau-level run of eval i reads s + u_i with sampling
    noise; a deep one reads that and s + u_i + e(δ + η_i), with u ~ N(0, ω²) and η ~ N(0, κ²).

    >>> case = OneDomain((1.0, 1.0, 1.0), cost_ratio=25, validity_sd=1, gap_sd=0.7, gap_spread=0.5)
    >>> len(case.menu())
    6
    """

    prices: tuple[float, ...]  # of a plateau-level run of every eval; a deep one, with it, ...
    cost_ratio: float  # ... costs so many times as much
    validity_sd: float  # ω, by how much an eval departs from the capability it stands for
    gap_sd: float  # of the belief about the domain's elicitation gap δ
    gap_spread: float  # κ, by how much an eval's own gap departs from the domain's
    shown_sd: float = 2.0  # of the belief about the shown capability s
    noise_sd: float = 0.0  # of one reading from sampling tasks and runs
    effort: float = 1.0  # e of a deep run
    distance: float = 0.0  # mean of capability less the threshold
    loss_missed: float = 1.0  # per unit
    loss_false_alarm: float = 1.0

    def menu(self) -> Menu:
        """Return the menu; options are named "0 plateau", "0 deep", "1 plateau", ..."""
        shared = self.validity_sd**2
        noise = self.noise_sd**2
        e = self.effort
        plateau = np.diag([1.0 / (shared + noise), 0.0])
        rows = np.array([[1.0, 0.0], [1.0, e]])
        covariance = np.array(
            [[shared + noise, shared], [shared, shared + (e * self.gap_spread) ** 2 + noise]]
        )
        deep = rows.T @ np.linalg.solve(covariance, rows)
        ways = (("plateau", "plateau", 1.0), ("deep", DEPTH, self.cost_ratio))
        told = [
            (f"{i} {word}", str(i), "domain", tier, price * ratio)
            for i, price in enumerate(self.prices)
            for word, tier, ratio in ways
        ]
        options = pd.DataFrame(told, columns=["option", "eval", "domain", "tier", "usd"])
        losses = (self.loss_missed, self.loss_false_alarm)
        return Menu(
            options.set_index("option"),
            ("usd",),
            np.array([plateau, (deep + deep.T) / 2] * len(self.prices)),
            ("domain.shown", "domain.gap"),
            np.zeros(2),
            np.diag([self.shown_sd**2, self.gap_sd**2]),
            (Decision("domain", np.ones(2), -self.distance, *losses),),
        )


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
    found = swept(_point, points, shared, budget, method, sweep=sweep)
    rows = []
    for point, answer in zip(points, found, strict=True):
        g, c, w, n = point
        case = {"cost_ratio": c, "validity_sd": w, "budget": budget, **shared}
        rule = depth_rule(gap_sd=g, evals=int(n), **case)
        told = {"rule": rule.budget_share, "rule_evals": rule.deep}
        told["boundary"] = least_gap_sd(evals=int(n), **case)
        rows.append(dict(zip(AXES, point, strict=True)) | answer | told)
    return pd.DataFrame(rows)


def _point(
    shared: dict[str, float], budget: float, method: Method, point: Sequence[float]
) -> dict[str, Any]:
    g, c, w, n = point
    case = OneDomain((1.0,) * int(n), cost_ratio=c, validity_sd=w, gap_sd=g, **shared)
    found = solve(Question(case.menu(), {"usd": budget}), method)
    deep = sum(name.endswith("deep") for name in found.options)
    spent = len(found.options) - deep + c * deep
    return {"deep": c * deep / spent if spent else 0.0, "deep_evals": deep, "status": found.status}
