"""Evals that need or exclude one another."""

from dataclasses import dataclass

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.amount import Checked
from evalfolio.limits.group import Group, describe, eval_rows, members
from evalfolio.limits.rows import Row, Rows, indicator, stack


@dataclass(frozen=True)
class Requires(Checked):
    """If any eval of a group is run, every eval of another is run too.

    Parameters
    ----------
    of
        The eval (or group) that needs others.
    needs
        What it needs: each of its evals, in one of the named options.

    Examples
    --------
    >>> print(Requires("uplift study", "bio questions"))
    uplift study requires bio questions
    """

    of: Group
    needs: Group

    def __str__(self) -> str:
        return f"{describe(self.of)} requires {describe(self.needs)}"

    def rows(self, menu: Menu) -> Rows:
        """Return, for each pair of evals, ``sum x(of) - sum x(needs) <= 0``."""
        rows = [
            Row(indicator(menu, left) - indicator(menu, right), -np.inf, 0.0, str(self))
            for left in eval_rows(menu, members(menu, self.of))
            for right in eval_rows(menu, members(menu, self.needs))
        ]
        return stack(menu, rows)


@dataclass(frozen=True)
class Excludes(Checked):
    """Nothing of one group is run together with anything of the other.

    Parameters
    ----------
    of, other
        Two evals, or two groups without a common option.

    Raises
    ------
    InputError
        From `limits`, if the groups have an option in common.

    Examples
    --------
    >>> print(Excludes("suite v1", "suite v2"))
    suite v1 excludes suite v2
    """

    of: Group
    other: Group

    def __str__(self) -> str:
        return f"{describe(self.of)} excludes {describe(self.other)}"

    def rows(self, menu: Menu) -> Rows:
        """Return ``sum x(a) <= w`` and ``sum x(b) <= 1 - w`` for every eval a and b.

        Two single evals need no extra binary w: the sum of their options is at most 1.
        """
        left, right = members(menu, self.of), members(menu, self.other)
        both = np.flatnonzero(left & right)
        if len(both):
            raise InputError(
                f"{self}: the two groups must have no option in common, but "
                f"{menu.options.index[both[0]]!r} is in both; narrow one of them"
            )
        first, second = eval_rows(menu, left), eval_rows(menu, right)
        if len(first) == 1 and len(second) == 1:
            weights = (left | right).astype(np.float64)
            return stack(menu, [Row(weights, -np.inf, 1.0, str(self))])
        rows = [Row(indicator(menu, a), -np.inf, 0.0, str(self), {0: -1.0}) for a in first]
        rows += [Row(indicator(menu, b), -np.inf, 1.0, str(self), {0: 1.0}) for b in second]
        return stack(menu, rows, n_extra=1)
