"""A certified choice as a point of a sweep keeps it: small, and plain enough for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InfeasibleError
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.optimiser import prices_of, search
from evalfolio.plans.plan import Plan

SAME = 1e-9  # relative: values nearer to each other are one value


@dataclass(frozen=True)
class Solution:
    """The best choice at one point.

    Parameters
    ----------
    options
        Names of the chosen options.
    value, bound, gap, status
        As of a `Plan`; status "infeasible" where no choice meets the limits, value then 0.
    prices
        Value of one more unit of each limited resource.
    """

    options: tuple[str, ...]
    value: float
    bound: float
    gap: float | None
    status: str
    prices: dict[str, float]

    @classmethod
    def of(cls, plan: Plan) -> Solution:
        """Return a plan as a point."""
        return cls(plan.chosen, plan.value, plan.bound, plan.gap, plan.status, plan.shadow_prices)

    @property
    def feasible(self) -> bool:
        """Whether any choice meets the limits."""
        return self.status != "infeasible"

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` reads."""
        return {**vars(self), "options": list(self.options)}

    @classmethod
    def of_json(cls, words: Mapping[str, Any]) -> Solution:
        """Read what `to_json` wrote."""
        return cls(**{**words, "options": tuple(words["options"])})

    def at_least(self, options: tuple[str, ...], value: float) -> Solution:
        """Return this point with another choice, where that one is worth more."""
        if self.feasible and value <= self.value:
            return self
        bound = max(self.bound, value) if self.feasible else value
        return replace(self, options=options, value=value, bound=bound).with_bound(bound)

    def with_bound(self, bound: float) -> Solution:
        """Return this point with a bound proved elsewhere, if it is tighter, and its gap."""
        bound = max(min(self.bound, bound), self.value)
        if self.gap is None:
            return replace(self, bound=bound)
        gap = (bound - self.value) / bound if bound > 0 else 0.0
        return replace(self, bound=bound, gap=gap)


def solve(
    menu: Menu,
    budget: Mapping[str, float],
    constraints: Sequence[object] = (),
    *,
    gap: float = 1e-3,
    seed: int = 0,
    time_limit: float | None = None,
    stay: Solution | None = None,
) -> Solution:
    """Return the certified choice at one budget, infeasibility being an answer too.

    A choice to `stay` with is kept where it meets all limits and none found is worth more; where
    it is worth just what it was, one must be worth more by the gap: certified no further, the two
    are not told apart.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> solve(small_menu(), {"usd": 1_200.0}).options
    ('a plateau', 'b plateau')
    """
    try:
        problem, found = search(
            menu, budget, constraints, gap=gap, seed=seed, time_limit=time_limit
        )
    except InfeasibleError:
        return Solution((), 0.0, 0.0, None, "infeasible", {})
    if stay is not None and set(stay.options) <= set(menu.options.index):
        x = choice_vector(menu, stay.options)
        value = problem.value(x)
        same = np.isclose(value, stay.value, rtol=SAME, atol=0.0)
        value = stay.value if same else value
        enough = found.value * (1 - gap) if same else found.value
        if value >= enough and problem.completed(x) is not None:
            found = replace(found, x=x, value=value, bound=max(found.bound, value))
    certain = None if found.status == "uncertified" else 0.0
    return Solution(
        options=tuple(str(name) for name in menu.options.index[found.x > 0.5]),
        value=found.value,
        bound=found.bound,
        gap=certain,
        status=found.status,
        prices=prices_of(problem, found),
    ).with_bound(found.bound)
