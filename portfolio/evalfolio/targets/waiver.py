"""`waive`: which targets to give up where not all of them fit the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.limit import AnyLimit, as_limit
from evalfolio.search.question import Question
from evalfolio.targets.least_cost import fewest_waived
from evalfolio.targets.stated import Targets, check_decisions, names_of, spend_of, targets_of


@dataclass(frozen=True)
class Waiver:
    """Which targets to give up so that the rest fits.

    Parameters
    ----------
    waived
        The targets given up, in words: a set of the least total weight.
    kept
        The targets met.
    chosen
        Ids of the options that meet them.
    spend
        Use of every resource.
    """

    waived: tuple[str, ...]
    kept: tuple[str, ...]
    chosen: tuple[str, ...]
    spend: Mapping[str, float]

    def __str__(self) -> str:
        if not self.waived:
            return f"Nothing has to be waived: {', '.join(self.chosen)} meets every target."
        return f"Waive {'; '.join(self.waived)}. The rest is met by {', '.join(self.chosen)}."


def waive(
    menu: Menu,
    *,
    budget: Mapping[str, float],
    posterior_sd: Targets = None,
    wrong_call: Targets = None,
    weights: Mapping[str, float] | None = None,
    constraints: Sequence[AnyLimit] = (),
) -> Waiver:
    """Return what must be waived: the least weight of targets without which the rest fits.

    Parameters
    ----------
    menu
        The menu.
    budget
        Ceiling on the expected use of each resource.
    posterior_sd, wrong_call
        Targets as for `require`.
    weights
        How much it hurts to waive a decision's targets, above 0; 1 by default.
    constraints
        Limits that may not be waived.

    Raises
    ------
    InputError
        If there is no target, or a name is not the menu's.
    InfeasibleError
        If the constraints alone do not fit the budget.
    """
    targets = targets_of(menu, posterior_sd, wrong_call)
    if not targets:
        raise InputError("waive: give at least one target: posterior_sd or wrong_call")
    stated = dict(weights or {})
    check_decisions(menu, stated)
    each = np.array([stated.get(target.decision, 1.0) for target in targets])
    if not (each > 0).all():
        raise InputError(f"waive: weights must be above 0, got {each.min():g}")
    question = Question(menu, budget, tuple(map(as_limit, constraints)))
    x, given_up = fewest_waived(question, targets, each)
    return Waiver(
        waived=tuple(str(t) for t, out in zip(targets, given_up, strict=True) if out),
        kept=tuple(str(t) for t, out in zip(targets, given_up, strict=True) if not out),
        chosen=names_of(menu, x),
        spend=spend_of(menu, x),
    )
