"""How the spend of a mix may turn out: its 90th percentile and the chance to exceed the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalbayes import Menu


@dataclass(frozen=True)
class Overspend:
    """Expected money, what is exceeded with probability 0.1, and P(spend > budget)."""

    expected: float
    p90: float
    probability: float | None


def overspend(
    menu: Menu, options: Sequence[str], budget: float | None, resource: str = "usd"
) -> Overspend:
    """Return the spread of a mix's use of a resource over the menu's `resource_draws`.

    Parameters
    ----------
    menu
        The menu; without draws the spend counts as certain.
    options
        Names of the options run.
    budget
        The whole budget, contingency included; None where there is none.
    resource
        Which resource.
    """
    if resource not in menu.resources:
        return Overspend(0.0, 0.0, None if budget is None else 0.0)
    column = menu.resources.index(resource)
    both = menu.with_shared(menu.options.index.isin(list(options)).astype(np.float64))
    expected = float(menu.costs_with_shared[:, column] @ both)
    draws = menu.draws_with_shared
    spends = np.array([expected]) if draws is None else draws[:, :, column] @ both
    return Overspend(
        expected=expected,
        p90=float(np.quantile(spends, 0.9)),
        probability=None if budget is None else float(np.mean(spends > budget)),
    )
