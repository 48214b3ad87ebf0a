"""A certified choice as a point of a sweep keeps it: small, and plain enough for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evalfolio.errors import InfeasibleError
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.plan import Plan
from evalfolio.search.answer import Method, Status
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question

SAME = 1e-9  # relative: values nearer to each other are one value


@dataclass(frozen=True)
class Solution:
    """The best choice at one point.

    Value, bound, gap and status are as of a `Plan`; infeasible where no choice meets the limits,
    value then 0.
    """

    options: tuple[str, ...]
    value: float
    bound: float
    gap: float | None
    status: Status
    prices: dict[str, float]  # value of one more unit of each limited resource

    @classmethod
    def of(cls, plan: Plan) -> Solution:
        """Return a plan as a point, its value by the stand-in as those of the others are."""
        offset = plan.searched - plan.value
        return cls(
            plan.chosen, plan.searched, plan.bound + offset, plan.gap, plan.status,
            plan.shadow_prices,
        )  # fmt: skip

    @property
    def feasible(self) -> bool:
        """Whether any choice meets the limits."""
        return self.status != Status.INFEASIBLE

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` reads."""
        return {**vars(self), "options": list(self.options)}

    @classmethod
    def of_json(cls, words: Mapping[str, Any]) -> Solution:
        """Read what `to_json` wrote."""
        read = {"options": tuple(words["options"]), "status": Status(words["status"])}
        return cls(**{**words, **read})

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
    question: Question, method: Method = Certified(), stay: Solution | None = None
) -> Solution:
    """Return the choice that answers a question, infeasibility being an answer too.

    A choice to `stay` with is kept where it meets all limits and none found is worth more; where
    it is worth just what it was, one must be worth more by the gap: certified no further, the two
    are not told apart.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> solve(Question(small_menu(), {"usd": 1_200.0})).options
    ('a plateau', 'b plateau')
    """
    try:
        found = method.find(question)
    except InfeasibleError:
        return Solution((), 0.0, 0.0, None, Status.INFEASIBLE, {})
    options, menu = set(question.menu.options.index), question.menu
    if stay is not None and set(stay.options) <= options:
        x = choice_vector(menu, stay.options)
        value = found.problem.value(x)
        same = np.isclose(value, stay.value, rtol=SAME, atol=0.0)
        value = stay.value if same else value
        enough = found.value * (1 - getattr(method, "gap", 0.0)) if same else found.value
        if value >= enough and found.problem.completed(x) is not None:
            found = replace(found, x=x, value=value, bound=max(found.bound, value))
    certain = None if found.gap is None else 0.0
    return Solution(
        options=found.chosen,
        value=found.value,
        bound=found.bound,
        gap=certain,
        status=found.status,
        prices=found.prices,
    ).with_bound(found.bound)
