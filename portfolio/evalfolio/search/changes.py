"""Single changes of a choice: an option put in its eval's place or taken out, and what it adds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalbayes.arrays import Array, Positions
from evalfolio.search.problem import Problem

NOTHING = -1  # in the place of an option
ROUNDING = 1e-12  # of the largest total value; what a change adds is right to this only


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Changes:
    """Every single change of a choice, whether or not it keeps the limits, valued in one pass.

    Why an eval is left out, what a row of the mix is worth and which step comes next are all told
    from these.
    """

    value: float  # what the choice is worth before any change, in the unit of the objective
    # new: option that each change puts in, or NOTHING, of shape (n_changes,): first every option
    # that is not chosen, then NOTHING for every one that is, each in the menu's order
    new: Positions
    old: Positions  # option of the same eval that it takes out, or NOTHING, of shape (n_changes,)
    # added: what each change adds to the value, in the unit of the objective, of shape (n_changes,)
    added: Array
    # more: what each change uses more of each limited resource, in its unit, of shape (n_changes,
    # n_budgets): with the shared purchases it makes, less those it returns
    more: Array

    @classmethod
    def of(cls, problem: Problem, x: Array) -> Changes:
        """Return the changes of a choice x of zeros and ones, of shape (n_options,)."""
        (new, old), value = changes(problem, x), problem.value(x)
        added = np.zeros(0)
        if len(new):
            added = problem.values_of(problem.explained.exchanged(x, old, new)) - value
            added[np.abs(added) <= ROUNDING * problem.scale] = 0.0
        return cls(value, new, old, added, problem.more(x, new, old, problem.use))


def changes(problem: Problem, x: Array) -> tuple[Positions, Positions]:
    """Return what every single change of a choice puts in and takes out; see `Changes`."""
    chosen, others = np.flatnonzero(x > 0.5), np.flatnonzero(x < 0.5)
    new = np.concatenate([others, np.full(len(chosen), NOTHING)])
    return new, np.concatenate([problem.present(x)[problem.eval_codes[others]], chosen])
