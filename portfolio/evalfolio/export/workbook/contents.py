"""What the workbook is made of, worked out before any sheet is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.export.mix import DESCRIPTIONS, other_resources
from evalfolio.record.record import Record
from evalfolio.value.known import known

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
    def readings(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """What every option reads, row by row: see `calculation.readings`."""
        from evalfolio.export.workbook.calculation import readings

        return readings(self)

    @cached_property
    def tables(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Tables of value, danger missed and needless mitigation: see `belief.gain_tables`."""
        from evalfolio.export.workbook.belief import gain_tables

        return gain_tables(self)

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

    def bought(self, plan: CertifiedPlan) -> NDArray[np.float64]:
        """Return which shared purchases a plan makes, of shape (n_shared,)."""
        x = np.zeros(len(self.options))
        x[[i - 1 for i in plan.rows]] = 1.0
        return self.menu.bought(x)


def _positions(options: pd.DataFrame, names: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of options on the menu, from 1, dearest first."""
    found = [int(i) + 1 for i in options.index.get_indexer(pd.Index(list(names))) if i >= 0]
    usd = options["usd"].to_numpy()
    return tuple(sorted(found, key=lambda i: (-usd[i - 1], i)))
