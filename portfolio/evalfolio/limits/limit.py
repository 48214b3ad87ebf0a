"""What every limit on the choice answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits.affine import of_cvxpy
from evalfolio.limits.rows import Rows

if TYPE_CHECKING:
    import cvxpy


@runtime_checkable
class Limit(Protocol):
    """A limit on the choice; its text names it in messages."""

    def rows(self, menu: Menu) -> Rows:
        """Return the limit as rows over the menu's options and extra variables."""


@runtime_checkable
class CurvedLimit(Limit, Protocol):
    """A convex limit whose rows are added where a choice breaks it."""

    def cuts(self, menu: Menu, x: Array) -> Rows | None:
        """Return rows that this choice breaks and every choice within the limit meets, or None.

        They are over the same variables as its own.
        """


AnyLimit: TypeAlias = "Limit | cvxpy.Constraint"
"""A limit, or a cvxpy constraint of the choice: `Affine`, or `ConvexLimit` where it is curved."""


def as_limit(thing: object) -> Limit:
    """Return a limit; a bare cvxpy constraint becomes `Affine` or `ConvexLimit`.

    InputError if it is neither.
    """
    if isinstance(thing, Limit):
        return thing
    if type(thing).__module__.startswith("cvxpy."):
        return of_cvxpy(thing)
    raise InputError(
        "a constraint must be one of evalfolio.limits or a convex cvxpy constraint, "
        f"got {thing!r}; see evalfolio.limits for the list"
    )
