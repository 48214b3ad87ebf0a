"""`waive`: which targets to give up where not all of them fit the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.budget import Contingency
from evalfolio.limits.limit import AnyLimit, as_limit
from evalfolio.search import Question
from evalfolio.targets.least_cost import fewest_waived
from evalfolio.targets.stated import KINDS, Targets, check_decisions, names_of, spend_of, targets_of


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
        met = f"met by {', '.join(self.chosen)}" if self.chosen else "met with nothing run"
        if not self.waived:
            return f"Nothing has to be waived: every target is {met}."
        said = f"Waive {'; '.join(self.waived)}."
        return f"{said} The rest is {met}." if self.kept else f"{said} No other target was given."


def waive(
    menu: Menu,
    *,
    budget: Mapping[str, float],
    weights: Mapping[str, float] | None = None,
    constraints: Sequence[AnyLimit] = (),
    contingency: Contingency = 0.0,
    **targets: Targets,
) -> Waiver:
    """Return what must be waived: the least weight of targets without which the rest fits.

    Parameters
    ----------
    menu
        The menu.
    budget
        Ceiling on the expected use of each resource.
    weights
        How much it hurts to waive a decision's targets, above 0; 1 by default.
    constraints
        Limits that may not be waived.
    contingency
        What is kept back of the budgets.
    targets
        posterior_sd, wrong_call, danger_missed, needless: as for `require`.

    Raises
    ------
    InputError
        If there is no target, or a name is not the menu's.
    InfeasibleError
        If the constraints alone do not fit the budget.
    """
    wanted = targets_of(menu, targets)
    if not wanted:
        raise InputError(f"waive: give at least one target: {', '.join(KINDS)}")
    stated = dict(weights or {})
    check_decisions(menu, stated)
    each = np.array([stated.get(target.decision, 1.0) for target in wanted])
    if not (each > 0).all():
        raise InputError(f"waive: weights must be above 0, got {each.min():g}")
    limits = tuple(map(as_limit, constraints))
    question = Question(menu, budget, limits, contingency=contingency)
    x, given_up = fewest_waived(question, wanted, each)
    return Waiver(
        waived=tuple(str(t) for t, out in zip(wanted, given_up, strict=True) if out),
        kept=tuple(str(t) for t, out in zip(wanted, given_up, strict=True) if not out),
        chosen=names_of(menu, x),
        spend=spend_of(menu, x),
    )
