"""What the workbook is made of, and the addresses by which its sheets refer to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from evalbayes import Menu
from evalbayes.arrays import Array, Positions
from evalfolio.export.mix import DESCRIPTIONS, other_resources
from evalfolio.record.record import FrontierPoint, Record
from evalfolio.value.known import known
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.emulator import Emulator, emulator
from evalfolio.value.skew.stand_in import mixes

MOST_STATES = 120  # what a spreadsheet inverts in a second
MOST_FIGURES = 300_000  # of readings, in all rows of the menu: a workbook of some megabytes
Rows = Sequence[int]  # of the menu, from 1


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Contents:
    """The record and the menu, ordered and numbered for the sheets."""

    record: Record
    menu: Menu

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Resources other than usd."""
        return tuple(other_resources(self.record))

    @property
    def resources(self) -> tuple[str, ...]:
        """All resources, usd first."""
        return ("usd", *self.others)

    @cached_property
    def options(self) -> pd.DataFrame:
        """The menu's options with every column the sheets show; missing ones are NaN."""
        columns = ["eval", "domain", "tier", *DESCRIPTIONS, *self.others]
        return self.menu.options.reindex(columns=columns)

    @cached_property
    def plans(self) -> tuple[FrontierPoint, ...]:
        """Certified plans by rising budget; the plan's own is one of them."""
        return self.record.points

    @cached_property
    def rows(self) -> list[Rows]:
        """Positions of every plan's options in the menu, from 1, dearest first."""
        usd, index = self.options["usd"].to_numpy(), self.options.index
        found: list[Rows] = []
        for plan in self.plans:
            at = [int(i) for i in index.get_indexer(pd.Index(list(plan.options))) if i >= 0]
            found.append([i + 1 for i in sorted(at, key=lambda i: (-usd[i], i))])
        return found

    @cached_property
    def own(self) -> int:
        """Position of the plan's own row among `plans`, from 0."""
        usd = self.record.budget.get("usd")
        return next(i for i, plan in enumerate(self.plans) if plan.usd == usd)

    @property
    def chosen(self) -> Rows:
        """Rows of the menu that the plan itself runs."""
        return self.rows[self.own]

    @property
    def picked(self) -> pd.DataFrame:
        """The options that the plan itself runs."""
        return self.options.iloc[[i - 1 for i in self.chosen]]

    @property
    def most_rows(self) -> int:
        """Rows of the longest mix on the frontier, at least 1."""
        return max(1, *map(len, self.rows))

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
        return len(self.menu.states) <= MOST_STATES and self.readings[1].size <= MOST_FIGURES

    @cached_property
    def scale(self) -> Array:
        """The prior sd of every state, the unit in which the hidden sheets count it."""
        return np.asarray(np.sqrt(np.diag(self.menu.prior_covariance)))

    @cached_property
    def readings(self) -> tuple[Positions, Array]:
        """The rows F_o of all options, K_o = F_oᵀF_o, and the position of each row's option.

        An option has as many rows as it reads independent things, few: states in prior sd.
        """
        sizes, axes = np.linalg.eigh(self.menu.information * np.outer(self.scale, self.scale))
        least = 1e-10 * sizes.max(axis=1, initial=0.0, keepdims=True)
        option, place = np.nonzero((sizes > least) & (sizes > 1e-12))
        rows = np.sqrt(sizes[option, place])[:, None] * axes[option, :, place]
        return option, np.where(np.abs(rows) > 1e-9 * np.abs(rows).max(initial=0.0), rows, 0.0)

    @cached_property
    def emulators(self) -> list[Emulator | None]:
        """Every decision's emulator, exact for the plan's own mix; None without a skewed gap."""
        calls = [calls_of(self.menu, decision) for decision in self.menu.decisions]
        if not any(calls):
            return [None] * len(calls)
        first = np.vstack([self.choice(self.chosen), mixes(self.menu, 400)])
        precision, every = np.linalg.inv(self.menu.prior_covariance), np.eye(len(self.menu))
        told = np.einsum("no,oij->nij", np.vstack([first, every]), self.menu.information)
        left = np.asarray(np.linalg.inv(precision + told), dtype=np.float64)
        return [None if each is None else emulator(each, left, len(first)) for each in calls]

    def left(self, rows: Rows) -> Array:
        """Return the covariance of the states after the options in these rows."""
        told = self.menu.information[[i - 1 for i in rows]].sum(axis=0)
        return np.asarray(np.linalg.inv(np.linalg.inv(self.menu.prior_covariance) + told))

    def outcomes(self, rows: Rows) -> list[tuple[float, float, float, float]]:
        """Return value, both wrong calls and sd of every decision after the options in rows."""
        x, left, found = self.choice(rows), self.left(rows), []
        for decision in self.menu.decisions:
            told = known(self.menu, decision).outcome(x)
            sd = (decision.contrast @ left @ decision.contrast + decision.later_gain_sd**2) ** 0.5
            found.append((told.value, told.p_missed, told.p_needless, float(sd)))
        return found

    def choice(self, rows: Rows) -> Array:
        """Return 1 for the options in these rows and 0 for the others."""
        x = np.zeros(len(self.options))
        x[[i - 1 for i in rows]] = 1.0
        return x

    def spend(self, rows: Rows, resource: str) -> float:
        """Return the expected use of a resource by a mix, its shared purchases included."""
        own = float(self.options[resource].to_numpy()[[i - 1 for i in rows]].sum())
        once = [each.use.get(resource, 0.0) for each in self.menu.following]
        return own + float(np.array(once) @ self.bought(rows))

    def bought(self, rows: Rows) -> Array:
        """Return the purchases and shares of price steps that follow from a mix."""
        return self.menu.with_shared(self.choice(rows))[len(self.menu) :]


def safe_name(name: str) -> str:
    """Return a resource's name as Excel allows it in a defined name.

    >>> safe_name("staff_hours.bio"), safe_name("GPU hours (spot)")
    ('staff_hours.bio', 'GPU_hours__spot_')
    """
    return "".join(c if c.isalnum() or c in "._" else "_" for c in name)


def cell(sheet: str, row: int, column: int) -> str:
    """Return the absolute address of a cell on a sheet."""
    return f"{sheet}!{xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)}"


def span(sheet: str, row: int, column: int, last_row: int, last_column: int) -> str:
    """Return the absolute address of a block on a sheet."""
    return f"{sheet}!{xl_range_abs(row, column, last_row, last_column)}"


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
        return SHARED_USD + (*self.contents.resources, "usd_ceiling").index(name)

    def shared(self, column: int | str) -> str:
        """Return a column of the sheet Shared, by number or name."""
        at = self.shared_column(column) if isinstance(column, str) else column
        return _block("Shared", SHARED_FIRST, at, len(self.contents.menu.following))

    @property
    def menu_columns(self) -> tuple[str, ...]:
        """Names of the columns of Menu after the one to type in."""
        return (*MENU_TEXT, *DESCRIPTIONS, *self.contents.others)

    def menu(self, name: str) -> str:
        """Return a column of the sheet Menu by its name."""
        column = 1 + self.menu_columns.index(name)
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
    return span(sheet, first, column, first + max(rows, 1) - 1, column + width - 1)


def over_budget(stem: str, contents: Contents) -> str:
    """Return a condition: whether the amounts named `stem_RESOURCE` pass what may be spent.

    That is the budget less the share kept back, as the optimiser and `evalfolio score` count it.
    """
    limits = [
        f"{stem}_{safe_name(name)}>(limit_{safe_name(name)}-kept_{safe_name(name)})*(1+1E-6)"
        for name in contents.resources
        if name in contents.record.budget
    ]
    return f"OR({','.join(limits)})" if limits else "FALSE"
