"""A question: menu, stated budgets, contingency, limits and objective: what a search answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from evalbayes import Menu
from evalfolio.limits.budget import Budget, Contingency, budgets_of
from evalfolio.limits.limit import Limit, as_limit
from evalfolio.limits.stack import Stack
from evalfolio.objectives import Objective, as_objective, evsi


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Question:
    """What a search answers; limits and contingency travel with it wherever plans are made.

    InputError if a budget, a share, a limit or the objective is not what it must be.

    Parameters
    ----------
    menu
        What can be bought.
    budget
        Ceiling on the expected use of each resource, as stated: what is kept back included. A
        resource left out is unlimited.
    limits
        Limits on the choice; cvxpy constraints of it are taken too: `Affine` or `ConvexLimit`.
    objective
        What the choice is for, an objective or its name.
    contingency
        Share of the money (resources whose name begins with `usd`) that is kept back, or shares
        by resource.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> budget = {"usd": 10_000.0, "staff_hours": 90.0}
    >>> Question(small_menu(), budget, contingency=0.1).spendable
    {'usd': 9000.0, 'staff_hours': 90.0}
    """

    menu: Menu
    budget: Mapping[str, float] = field(default_factory=dict)
    limits: Sequence[Limit] = ()
    objective: Objective = field(default_factory=evsi)
    contingency: Contingency = 0.0
    budgets: Mapping[str, Budget] = field(init=False)

    def __post_init__(self) -> None:
        budgets = budgets_of(self.budget, self.contingency, self.menu.resources)
        stated = {name: budget.stated for name, budget in budgets.items()}
        for name, value in (
            ("budgets", budgets),
            ("budget", stated),
            ("limits", tuple(as_limit(limit) for limit in self.limits)),
            ("objective", as_objective(self.objective)),
        ):
            object.__setattr__(self, name, value)

    @property
    def spendable(self) -> dict[str, float]:
        """What is left of every stated budget after contingency."""
        return {name: budget.spendable for name, budget in self.budgets.items()}

    @cached_property
    def stack(self) -> Stack:
        """Budgets and limits as rows."""
        return Stack(self.menu, self.budgets, self.limits)

    def within(self, **budget: float) -> Question:
        """Return the question with other stated budgets, resource by resource."""
        return replace(self, budget={**self.budget, **budget})

    def under(self, *limits: Limit) -> Question:
        """Return the question under more limits."""
        return replace(self, limits=(*self.limits, *limits))

    def on(self, menu: Menu) -> Question:
        """Return the question about another menu."""
        return replace(self, menu=menu)

    @property
    def lean(self) -> Question:
        """The question without the menu's draws of information, nearly all of its size.

        No plan at mean information reads them; draws of costs stay, as limits may be of them.
        """
        return self.on(replace(self.menu, information_draws=None, replicates=None))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the rows, which a worker makes anew."""
        return {name: value for name, value in vars(self).items() if name != "stack"}
