"""Where things stand in the workbook: the addresses by which sheets refer to each other."""

from __future__ import annotations

from dataclasses import dataclass

from evalfolio.export.mix import DESCRIPTIONS
from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.columns import safe_name
from evalfolio.export.workbook.contents import Contents

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

    n_options: int
    n_plans: int
    n_mix: int
    others: tuple[str, ...]
    n_shared: int = 0
    n_readings: int = 0

    @classmethod
    def of(cls, contents: Contents) -> Layout:
        """Measure the contents."""
        return cls(
            len(contents.options),
            len(contents.plans),
            contents.most_rows,
            contents.others,
            len(contents.menu.shared),
            len(contents.readings[0]) if contents.live else 0,
        )

    def plans(self, column: int) -> str:
        """Return a column of the hidden sheet Plans."""
        return Book.span("Plans", PLANS_FIRST, column, PLANS_FIRST + self.n_plans - 1, column)

    def plan_rows(self) -> str:
        """Return the block of option numbers of all plans."""
        last = PLANS_FIRST + self.n_plans - 1
        return Book.span("Plans", PLANS_FIRST, PLAN_ROWS, last, PLAN_ROWS + self.n_mix - 1)

    def options(self, column: int) -> str:
        """Return a column of the hidden sheet Options."""
        last = OPTIONS_FIRST + max(self.n_options, 1) - 1
        return Book.span("Options", OPTIONS_FIRST, column, last, column)

    def readings(self, column: int, width: int = 1) -> str:
        """Return columns of the hidden sheet Readings."""
        last = READINGS_FIRST + max(self.n_readings, 1) - 1
        return Book.span("Readings", READINGS_FIRST, column, last, column + width - 1)

    def needs(self, purchase: int) -> str:
        """Return which options need a shared purchase, 1 or 0."""
        return self.options(FIRST_NEED + purchase)

    def shared_column(self, name: str) -> int:
        """Return a column of the sheet Shared by the name of a resource, or "usd_ceiling"."""
        return SHARED_USD + ("usd", *self.others, "usd_ceiling").index(name)

    def shared(self, column: int | str) -> str:
        """Return a column of the sheet Shared, by number or name."""
        at = self.shared_column(column) if isinstance(column, str) else column
        return Book.span("Shared", SHARED_FIRST, at, SHARED_FIRST + self.n_shared - 1, at)

    @property
    def menu_columns(self) -> tuple[str, ...]:
        """Names of the columns of Menu after the one to type in."""
        return (*MENU_TEXT, *DESCRIPTIONS, *self.others)

    def menu(self, name: str) -> str:
        """Return a column of the sheet Menu by its name; "yours" is the one to type in."""
        column = MENU_YOURS if name == "yours" else 1 + self.menu_columns.index(name)
        last = MENU_FIRST + max(self.n_options, 1) - 1
        return Book.span("Menu", MENU_FIRST, column, last, column)

    @property
    def mix_columns(self) -> tuple[str, ...]:
        """Names of the columns of Mix after the menu row."""
        return (*MENU_TEXT[1:], *DESCRIPTIONS, *self.others)

    def mix(self, name: str) -> str:
        """Return a column of the sheet Mix by its name; "row" is the option's number."""
        column = 0 if name == "row" else 1 + self.mix_columns.index(name)
        return Book.span("Mix", MIX_FIRST, column, MIX_FIRST + self.n_mix - 1, column)


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
