"""What every limit on the choice answers."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.affine import Affine
from evalfolio.limits.rows import LinearLimits


@runtime_checkable
class Constraint(Protocol):
    """A limit on the choice; its text names it in messages."""

    def limits(self, menu: Menu) -> LinearLimits:
        """Return the limit as rows over the menu's options and extra variables."""
        ...


def as_constraint(thing: object) -> Constraint:
    """Return a constraint object; a bare cvxpy constraint becomes `Affine`.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(thing, Constraint):
        return thing
    if type(thing).__module__.startswith("cvxpy."):
        return Affine(thing)
    raise InputError(
        "a constraint must be one of evalfolio.limits or an affine cvxpy constraint, "
        f"got {thing!r}; see evalfolio.limits for the list"
    )
