"""Which evals must, may and may not be run, and how many."""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Flags
from evalfolio.errors import InputError
from evalfolio.limits.amount import COUNT, Checked, evals, whole_number
from evalfolio.limits.bounds import Bound
from evalfolio.limits.group import EVERYTHING, Group, describe, eval_rows, members
from evalfolio.limits.rows import Row, Rows, indicator, stack

ALL = "all"  # of an eval's tasks


@dataclass(frozen=True)
class Mandatory(Checked):
    """Every eval of the group is run, in one of the group's options that is as promised.

    Parameters
    ----------
    of
        An eval, several, a whole domain, one option, or `Where(...)`: with
        ``Where(eval="cybench", tier="max-elicitation")`` the eval must be run at that tier.
    tier
        At which tier; any where left out.
    tasks
        ``"all"`` or the least number of tasks.
    attempts
        Least number of attempts per task.
    to, note
        To whom it was promised, and what else people should know.

    Examples
    --------
    >>> print(Mandatory("cybench"))
    mandatory: cybench
    >>> promise = Mandatory("cybench", tier="plateau", tasks="all", to="the board")
    >>> print(promise)
    mandatory: cybench at plateau, all tasks, promised to the board
    >>> promise
    Mandatory(of='cybench', tier='plateau', tasks='all', to='the board')
    """

    of: Group
    tier: str | None = None
    tasks: int | str | None = None
    attempts: int | None = None
    to: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("tasks", "attempts"):
            value = getattr(self, key)
            if value is not None and (key, value) != ("tasks", ALL):
                whole_number("Mandatory", key, value)

    def __repr__(self) -> str:
        given = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]
        said = ", ".join(f"{key}={value!r}" for key, value, default in given if value != default)
        return f"Mandatory({said})"

    @property
    def promise(self) -> str:
        """How it is to be run and to whom that was promised, in words; empty where any way will do.

        Examples
        --------
        >>> Mandatory("cybench", attempts=4, to="AISI", note="letter of May").promise
        'at least 4 attempts a task, promised to AISI (letter of May)'
        """
        tasks = f"{'all' if self.tasks == ALL else f'at least {self.tasks}'} tasks"
        parts = (
            (self.tier, f"at {self.tier}"),
            (self.tasks, tasks),
            (self.attempts, f"at least {self.attempts} attempts a task"),
            (self.to, f"promised to {self.to}"),
        )
        said = ", ".join(words for given, words in parts if given)
        return f"{said} ({self.note})".strip() if self.note else said

    def __str__(self) -> str:
        said = self.promise
        between = " " if not said or self.tier else ", "
        return f"mandatory: {describe(self.of)}{between if said else ''}{said}"

    def rows(self, menu: Menu) -> Rows:
        """Return one row for every eval: the sum of its options in the group is at least 1.

        InputError if no option of an eval is as promised.
        """
        names = menu.options["eval"].to_numpy(dtype=object)
        kept = self._as_promised(menu)
        rows = []
        for row in eval_rows(menu, members(menu, self.of)):
            name, row = str(names[row[0]]), row[kept[row]]
            if not len(row):
                raise InputError(
                    f"{self}: there must be an option that is so, but the menu has none of {name}; "
                    "ask for less of it, or see what the menu has"
                )
            if self.promise:
                name = f"{name} {self.promise}"
            elif len(row) < (names == name).sum():  # not any option will do: say which
                name = describe(self.of) if isinstance(self.of, str) else f"{name} as {self.of}"
            rows.append(Row(indicator(menu, row), 1.0, np.inf, f"mandatory: {name}"))
        return stack(menu, rows)

    def _as_promised(self, menu: Menu) -> Flags:
        """Return which options are as promised, of shape (n_options,)."""
        options, kept = menu.options, np.ones(len(menu), dtype=bool)
        if self.tier is not None:
            kept &= (options["tier"] == self.tier).to_numpy()
        for key in ("tasks", "attempts"):
            least = getattr(self, key)
            if least is None:
                continue
            if key not in options:
                raise InputError(f"{self}: the menu must say {key} of its options; drop {key}")
            figures = options[key]
            if key == "tasks" and "tasks_done" in options:  # those run already count
                figures = figures + options["tasks_done"]
            most = figures.groupby(options["eval"]).transform("max") if least == ALL else least
            kept &= (figures >= most).to_numpy()
        if self.tasks == ALL and "description" in options:  # a rung may be too long for the days
            kept &= ~options["description"].str.contains(" random tasks of ").to_numpy(dtype=bool)
        return kept


@dataclass(frozen=True)
class Forbidden(Checked):
    """No option of the group is chosen.

    Parameters
    ----------
    of
        An eval, an option, a tier, a domain, several names, or `Where(...)`.

    Examples
    --------
    >>> print(Forbidden("max-elicitation"))
    forbidden: max-elicitation
    """

    of: Group

    def __str__(self) -> str:
        return f"forbidden: {describe(self.of)}"

    def rows(self, menu: Menu) -> Rows:
        """Return one row: the sum of the group's options is 0."""
        weights = members(menu, self.of).astype(np.float64)
        return stack(menu, [Row(weights, -np.inf, 0.0, str(self))])


@dataclass(frozen=True)
class MinEvals(Bound):
    """At least so many evals of the group are run.

    Parameters
    ----------
    of
        A domain, a tier, a family, several evals, ``"everything"`` or `Where(...)`.
    at_least
        Number of evals, a whole number.

    Examples
    --------
    >>> print(MinEvals("cyber", 2))
    at least 2 evals of cyber
    """

    of: Group
    at_least: int = 1
    resource = COUNT
    share = False
    side = "least"

    def __str__(self) -> str:
        return f"at least {evals(self.at_least)} of {describe(self.of)}"


@dataclass(frozen=True)
class MaxEvals(Bound):
    """At most so many evals of the group are run.

    Parameters
    ----------
    of
        A domain, a tier, a family, several evals, ``"everything"`` or `Where(...)`.
    at_most
        Number of evals, a whole number.

    Examples
    --------
    >>> print(MaxEvals("max-elicitation", 3))
    at most 3 evals of max-elicitation
    """

    of: Group
    at_most: int
    resource = COUNT
    share = False
    side = "most"

    def __str__(self) -> str:
        return f"at most {evals(self.at_most)} of {describe(self.of)}"


@dataclass(frozen=True)
class EveryDomain(Checked):
    """At least so many evals in every domain, or all of them where a domain has fewer.

    Parameters
    ----------
    at_least
        Number of evals, a whole number.

    Examples
    --------
    >>> print(EveryDomain())
    at least 1 eval in every domain
    """

    at_least: int = 1
    unit: ClassVar[str] = COUNT

    def __str__(self) -> str:
        return f"at least {evals(self.at_least)} in every domain"

    def rows(self, menu: Menu) -> Rows:
        """Return one row for every domain of the menu."""
        everything = members(menu, EVERYTHING)
        domains = menu.options["domain"].to_numpy(dtype=object)
        rows = []
        for domain in dict.fromkeys(domains):
            mask = everything & (domains == domain)
            least = min(self.at_least, len(eval_rows(menu, mask)))
            name = f"at least {evals(least)} of {domain}"
            rows.append(Row(mask.astype(np.float64), float(least), np.inf, name))
        return stack(menu, rows)
