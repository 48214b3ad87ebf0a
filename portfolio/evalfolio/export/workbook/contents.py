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

MOST_STATES = 50  # what every Excel inverts
MOST_FIGURES = 100_000  # of information, in all rows of the menu: a workbook of some megabytes


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
        n_options, n_states, _ = self.menu.information.shape
        figures = n_options * n_states * (n_states + 1) // 2
        return bool(n_states <= MOST_STATES and figures <= MOST_FIGURES)

    @cached_property
    def tables(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Tables of value, danger missed and needless mitigation: see `belief.gain_tables`."""
        from evalfolio.export.workbook.belief import gain_tables

        return gain_tables(self)

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
