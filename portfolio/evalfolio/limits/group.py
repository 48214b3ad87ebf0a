"""Which options a rule speaks of: a name, or conditions on the menu's columns."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalbayes.arrays import Flags, Positions
from evalbayes.names import refuse_other as refuse
from evalfolio.errors import InputError

NAMED_COLUMNS = ("domain", "tier", "eval", "family", "option")  # where a bare name is looked up
EVERYTHING = "everything"
_COLUMNS: WeakKeyDictionary[Menu, dict[str, NDArray[np.object_]]] = WeakKeyDictionary()


@dataclass(init=False, repr=False, unsafe_hash=True)  # it cannot be set, see below
class Where:
    """Options whose columns hold the given values; conditions on several columns must all hold.

    Parameters
    ----------
    conditions
        Column of the menu (or ``option``, its index) and the value it must have, or several.

    Examples
    --------
    >>> Where(tier="max-elicitation", domain=("cyber", "bio"))
    Where(tier='max-elicitation', domain=('cyber', 'bio'))
    >>> Where(tier="plateau") == Where(tier=["plateau"])
    True
    """

    conditions: tuple[tuple[str, tuple[str, ...]], ...]

    def __init__(self, **conditions: str | Iterable[str]) -> None:
        if not conditions:
            raise InputError(
                "Where: there must be at least one condition, got none; "
                "give one such as Where(tier='plateau')"
            )
        rows = tuple(
            (column, (values,) if isinstance(values, str) else tuple(map(str, values)))
            for column, values in conditions.items()
        )
        object.__setattr__(self, "conditions", rows)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Where is frozen: make a new one instead of setting {name}")

    def __repr__(self) -> str:
        inner = ", ".join(
            f"{column}={values[0]!r}" if len(values) == 1 else f"{column}={values!r}"
            for column, values in self.conditions
        )
        return f"Where({inner})"

    def __str__(self) -> str:
        return ", ".join(f"{column} {' or '.join(values)}" for column, values in self.conditions)


Group = str | tuple[str, ...] | Where
"""A name (of a domain, tier, eval, family or option), several names, or conditions."""


def as_group(of: object) -> Group:
    """Return `of` as a hashable group: text, a tuple of texts, or a `Where`."""
    if isinstance(of, (str, Where)):
        return of
    if isinstance(of, Iterable):
        names = tuple(of)
        if names and all(isinstance(name, str) for name in names):
            return names
    raise InputError(
        "a group must be a name, several names or Where(column=value), "
        f"got {of!r}; name an eval, a domain, a tier or an option"
    )


def describe(of: Group) -> str:
    """Return the group in words."""
    return ", ".join(of) if isinstance(of, tuple) else str(of)


def members(menu: Menu, of: Group) -> Flags:
    """Return which options belong to the group, of shape (n_options,).

    A bare name is looked up among domains, tiers, evals, families and option ids, in that order.
    InputError if a name or a column is not in the menu (the nearest known one is named), or one
    name stands for different options in two columns.
    """
    if isinstance(of, Where):
        mask = np.ones(len(menu), dtype=bool)
        for column, values in of.conditions:
            own = _column(menu, column)
            present = set(own)
            for value in values:
                if value not in present:
                    hint = nearest(value, map(str, present))
                    raise InputError(f"{column} {value!r} is not on the menu; {hint}")
            mask &= np.isin(own, list(values))
        return mask
    if isinstance(of, tuple):
        mask = np.zeros(len(menu), dtype=bool)
        for name in of:
            mask |= members(menu, name)
        return mask
    if of == EVERYTHING:
        return np.ones(len(menu), dtype=bool)
    return _named(menu, of)


def eval_rows(menu: Menu, mask: Flags) -> list[Positions]:
    """Return, for each eval with an option in `mask`, the positions of those options."""
    positions = np.flatnonzero(mask)
    evals = menu.options["eval"].to_numpy(dtype=object)[positions]
    return [positions[evals == name] for name in dict.fromkeys(evals)]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name, or the first known ones."""
    listed = sorted(set(known))
    close = get_close_matches(name, listed, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(map(repr, listed[:8])) + (", ..." if len(listed) > 8 else "")
    return f"known are {shown or 'none'}"


refuse_other = partial(refuse, hint=nearest)


def _column(menu: Menu, column: str) -> NDArray[np.object_]:
    """Return a column of the menu (or its index, "option") as text."""
    if column == "option":
        return menu.options.index.to_numpy(dtype=object)
    if column not in menu.options.columns:
        columns = ["option", *map(str, menu.options.columns)]
        raise InputError(
            f"a condition must be on a column of the menu, got {column!r}; "
            f"{nearest(column, columns)}"
        )
    read = _COLUMNS.setdefault(menu, {})
    if column not in read:
        read[column] = np.array([str(value) for value in menu.options[column]], dtype=object)
    return read[column]


def _named(menu: Menu, name: str) -> Flags:
    """Return the options a bare name stands for."""
    found: dict[str, Flags] = {}
    for column in NAMED_COLUMNS:
        if column == "option" or column in menu.options.columns:
            mask = np.asarray(_column(menu, column) == name, dtype=bool)
            if mask.any():
                found[column] = mask
    if not found:
        columns = [column for column in NAMED_COLUMNS[:-1] if column in menu.options.columns]
        known = [name for column in columns for name in _column(menu, column)]
        raise InputError(
            f"{name!r} must name a domain, tier, eval, family or option of the menu; "
            f"{nearest(name, known)}"
        )
    masks = list(found.values())
    if any((mask != masks[0]).any() for mask in masks[1:]):
        column = next(iter(found))
        raise InputError(
            f"{name!r} names options in the columns {', '.join(found)} at once; "
            f"say which, such as Where({column}={name!r})"
        )
    return masks[0]
