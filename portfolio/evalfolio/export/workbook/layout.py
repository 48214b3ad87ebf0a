"""What the workbook is made of, and the addresses by which its sheets refer to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array, Positions
from evalfolio.export.mix import DESCRIPTIONS, other_resources
from evalfolio.export.workbook.book import Book, safe_name
from evalfolio.record.record import Record
from evalfolio.value.known import known
from evalfolio.value.skew.emulator import Emulator

MOST_STATES = 120  # what a spreadsheet inverts in a second
MOST_FIGURES = 300_000  # of readings, in all rows of the menu: a workbook of some megabytes


@dataclass(frozen=True)
class CertifiedPlan:
    """One row of the frontier: the best mix at one budget in usd, the others held."""

    budget: float | None
    value: float
    bound: float
    gap: float | None
    rows: tuple[int, ...]
    """Positions of the chosen options in the menu, from 1, dearest first."""


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Contents:
    """The record and the menu, ordered and numbered for the sheets."""

    record: Record
    menu: Menu
    options: pd.DataFrame
    """The menu's options with every column the sheets show; missing ones are NaN."""
    others: tuple[str, ...]
    """Resources other than usd."""
    plans: tuple[CertifiedPlan, ...]
    """Certified plans by rising budget; the plan's own is one of them."""
    own: int
    """Position of the plan's own row among `plans`, from 0."""

    @classmethod
    def of(cls, record: Record, menu: Menu) -> Contents:
        """Return the options numbered and the plan's own row laid into its frontier."""
        others = tuple(other_resources(record))
        columns = ["eval", "domain", "tier", *DESCRIPTIONS, *others]
        options = menu.options.reindex(columns=columns)
        plans = [
            CertifiedPlan(
                point.usd, point.value, point.bound, point.gap, _positions(options, point.options)
            )
            for point in record.points
        ]
        own = [plan.budget for plan in plans].index(record.budget.get("usd"))
        return cls(record, menu, options, others, tuple(plans), own)

    @property
    def most_rows(self) -> int:
        """Rows of the longest mix on the frontier, at least 1."""
        return max(1, *(len(plan.rows) for plan in self.plans))

    @property
    def domains(self) -> list[str]:
        """Names of the domains in the record's order, then of those only the menu has."""
        named = [name for decision in self.record.domains for name in decision.about]
        return list(dict.fromkeys([*named, *self.options["domain"].unique()]))

    @property
    def tiers(self) -> list[str]:
        """The tiers on the menu, deepest first."""
        known = ["max-elicitation", "plateau", "sweet-spot"]
        here = list(self.options["tier"].unique())
        return [t for t in known if t in here] + [t for t in here if t not in known]

    @property
    def live(self) -> bool:
        """Whether the workbook can value a mix by itself."""
        n_states = len(self.menu.states)
        return n_states <= MOST_STATES and self.readings[1].size <= MOST_FIGURES

    @cached_property
    def readings(self) -> tuple[Positions, Array]:
        """What every option reads, row by row: see `calculation.readings`."""
        from evalfolio.export.workbook.calculation import readings

        return readings(self)

    @cached_property
    def emulators(self) -> list[Emulator | None]:
        """What calls on skewed gaps come to, by decision: see `calculation.emulators`."""
        from evalfolio.export.workbook.calculation import emulators

        return emulators(self)

    def outcomes(self, position: int) -> list[tuple[float, float, float, float]]:
        """Return value, both wrong calls and sd of every decision after a plan; -1: after none."""
        x = np.zeros(len(self.options))
        x[[i - 1 for i in self.plans[position].rows] if position >= 0 else []] = 1.0
        precision = np.linalg.inv(self.menu.prior_covariance)
        left = np.linalg.inv(precision + np.einsum("o,oij->ij", x, self.menu.information))
        rows = []
        for decision in self.menu.decisions:
            found = known(self.menu, decision).outcome(x)
            sd = (decision.contrast @ left @ decision.contrast + decision.later_gain_sd**2) ** 0.5
            rows.append((found.value, found.p_missed, found.p_needless, float(sd)))
        return rows

    def spend(self, plan: CertifiedPlan, resource: str) -> float:
        """Return the expected use of a resource by a plan, its shared purchases included."""
        own = float(self.options[resource].to_numpy()[[i - 1 for i in plan.rows]].sum())
        once = [each.use.get(resource, 0.0) for each in self.menu.shared]
        return own + float(np.array(once) @ self.bought(plan))

    def bought(self, plan: CertifiedPlan) -> Array:
        """Return which shared purchases a plan makes, of shape (n_shared,)."""
        x = np.zeros(len(self.options))
        x[[i - 1 for i in plan.rows]] = 1.0
        return self.menu.bought(x)


def _positions(options: pd.DataFrame, names: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of options on the menu, from 1, dearest first."""
    found = [int(i) + 1 for i in options.index.get_indexer(pd.Index(list(names))) if i >= 0]
    usd = options["usd"].to_numpy()
    return tuple(sorted(found, key=lambda i: (-usd[i - 1], i)))


# First data row of every sheet that others read, from 0; the heading is the row above.
PLANS_FIRST = 2
OPTIONS_FIRST = 2
READINGS_FIRST = 2
MENU_FIRST = 10
MIX_FIRST = 6
SHARED_FIRST = 4

# Rows and columns of the sheet Summary, from 0.
BUDGET_ROW, BUDGET_COLUMN = 5, 1
RESOURCE_ROW = 10

# Columns of the hidden sheet Plans, from 0; the options of a plan follow.
PLAN_BUDGET, PLAN_VALUE, PLAN_BOUND, PLAN_GAP, PLAN_COUNT = range(5)
PLAN_MIX, PLAN_TELLS, PLAN_ROWS = range(5, 8)

# Columns of the hidden sheet Options, from 0; who needs what is shared follows.
IN_MIX, YOURS, EVAL_CODE, DOMAIN_CODE, TIER_CODE, IF_DROPPED, REASON, STANDS, TWICE = range(9)
FIRST_NEED = 9

# Columns of the sheet Shared, from 0; resources follow, then the ceiling of usd.
SHARED_IN_MIX, SHARED_YOURS, SHARED_DAYS, SHARED_USD = range(2, 6)

# Columns of the sheet Menu, from 0.
MENU_YOURS = 0
MENU_TEXT = ("option", "eval", "domain", "tier")


@dataclass(frozen=True)
class Layout:
    """Addresses that depend on how many options, plans and resources there are."""

    contents: Contents

    def plans(self, column: int) -> str:
        """Return a column of the hidden sheet Plans."""
        return _block("Plans", PLANS_FIRST, column, len(self.contents.plans))

    def plan_rows(self) -> str:
        """Return the block of option numbers of all plans."""
        rows, width = len(self.contents.plans), self.contents.most_rows
        return _block("Plans", PLANS_FIRST, PLAN_ROWS, rows, width)

    def options(self, column: int) -> str:
        """Return a column of the hidden sheet Options."""
        return _block("Options", OPTIONS_FIRST, column, len(self.contents.options))

    def readings(self, column: int, width: int = 1) -> str:
        """Return columns of the hidden sheet Readings."""
        return _block("Readings", READINGS_FIRST, column, len(self.contents.readings[0]), width)

    def needs(self, purchase: int) -> str:
        """Return which options need a shared purchase, 1 or 0."""
        return self.options(FIRST_NEED + purchase)

    def shared_column(self, name: str) -> int:
        """Return a column of the sheet Shared by the name of a resource, or "usd_ceiling"."""
        return SHARED_USD + ("usd", *self.contents.others, "usd_ceiling").index(name)

    def shared(self, column: int | str) -> str:
        """Return a column of the sheet Shared, by number or name."""
        at = self.shared_column(column) if isinstance(column, str) else column
        return _block("Shared", SHARED_FIRST, at, len(self.contents.menu.shared))

    @property
    def menu_columns(self) -> tuple[str, ...]:
        """Names of the columns of Menu after the one to type in."""
        return (*MENU_TEXT, *DESCRIPTIONS, *self.contents.others)

    def menu(self, name: str) -> str:
        """Return a column of the sheet Menu by its name; "yours" is the one to type in."""
        column = MENU_YOURS if name == "yours" else 1 + self.menu_columns.index(name)
        return _block("Menu", MENU_FIRST, column, len(self.contents.options))

    @property
    def mix_columns(self) -> tuple[str, ...]:
        """Names of the columns of Mix after the menu row."""
        return self.menu_columns[1:]

    def mix(self, name: str) -> str:
        """Return a column of the sheet Mix by its name; "row" is the option's number."""
        column = 0 if name == "row" else 1 + self.mix_columns.index(name)
        return _block("Mix", MIX_FIRST, column, self.contents.most_rows)


def _block(sheet: str, first: int, column: int, rows: int, width: int = 1) -> str:
    return Book.span(sheet, first, column, first + max(rows, 1) - 1, column + width - 1)


def over_budget(stem: str, contents: Contents) -> str:
    """Return a condition: whether the amounts named `stem_RESOURCE` pass what may be spent.

    That is the budget less the share kept back, as the optimiser and `evalfolio score` count it.
    """
    limits = [
        f"{stem}_{safe_name(name)}>(limit_{safe_name(name)}-kept_{safe_name(name)})*(1+1E-6)"
        for name in ("usd", *contents.others)
        if name in contents.record.budget
    ]
    return f"OR({','.join(limits)})" if limits else "FALSE"


def value_row(contents: Contents) -> int:
    """Return the row of Summary that holds the plan's value, from 0."""
    return RESOURCE_ROW + len(contents.others) + 1 + 2
