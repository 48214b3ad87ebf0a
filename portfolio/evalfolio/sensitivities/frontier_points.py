"""Points of a frontier: one certified plan per amount, and what can be read from them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalfolio.errors import InputError
from evalfolio.narrative import percent, two_digits, words
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.plan import Plan
from evalfolio.search.question import Question
from evalfolio.sensitivities.kinks import changes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Frontier:
    """Certified plans over a range of one resource.

    Parameters
    ----------
    question
        The question; the other budgets are held.
    resource
        The resource that is varied.
    points
        One row per feasible amount, ascending: amount (as stated), value, bound, gap, status,
        relaxed (value of the convex relaxation, concave; NaN where not asked for), price (value of
        one more unit), share_of_evpi, deep (share of the mix's use of the resource that goes to
        max elicitation), options (tuple of names), used (expected use of the resource), enters
        and leaves (options, against the row before).
    ceiling
        Value with as much of the resource as the whole menu could use, the others held.
    evpi
        Value of perfect information.
    infeasible
        Amounts at which no choice meets all limits.
    """

    question: Question
    resource: str
    points: pd.DataFrame
    ceiling: float
    evpi: float
    infeasible: tuple[float, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the points, one row per amount."""
        return self.points.copy()

    def options_at(self, amount: float) -> tuple[str, ...]:
        """Return the best choice known for an amount: that of the nearest point not above it.

        Raises
        ------
        InputError
            If the amount lies below the first feasible point.
        """
        below = np.flatnonzero(self.points["amount"] <= amount * (1 + 1e-12))
        if not len(below):
            raise InputError(
                f"the frontier starts at {self.points['amount'].min():g} {words(self.resource)}, "
                f"got {amount:g}; ask for more or make it over a wider range"
            )
        chosen: tuple[str, ...] = self.points["options"].iloc[below[-1]]
        return chosen

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw value, and the bound on any mix's, by the amount of the resource; return axes."""
        from evalfolio.export.plots import plot_frontier

        here = self.question.budget.get(self.resource)
        return plot_frontier(self.points, self.resource, here, self.evpi, ax)

    def saturation(self, share: float = 0.95) -> tuple[float, float] | None:
        """Return (below, at): amounts between which the value reaches a share of the ceiling.

        None where the range ends before; `below` is 0 where the first point reaches it.
        """
        enough = np.flatnonzero(self.points["value"] >= share * self.ceiling)
        if not len(enough):
            return None
        amounts = self.points["amount"].to_numpy()
        return (float(amounts[enough[0] - 1]) if enough[0] else 0.0, float(amounts[enough[0]]))

    def kinks(self) -> list[str]:
        """Return a sentence for every amount at which the mix changes: what enters, what leaves."""
        return changes(self.question.menu, self.points, self.resource)

    def record(self, plan: Plan | None = None) -> list[dict[str, Any]]:
        """Return the points as `plan.json` holds them, their values as a plan's are told.

        Parameters
        ----------
        plan
            The plan they stand beside: its own budget is left out, and no point contradicts it
            (each is certified only to its gap, so a smaller budget's might be worth a trifle more
            or a larger one's a trifle less).
        """
        rows = []
        own = plan.budget.get(self.resource, np.inf) if plan else np.nan
        for _, row in self.points.iterrows():
            amount, options = float(row["amount"]), row["options"]
            value = evaluate(self.question.menu, options).value
            more = float(row["bound"]) - float(row["value"])  # that any mix adds, by the search
            if plan is not None:
                if np.isclose(amount, own, rtol=1e-9) or (amount < own and value > plan.value):
                    continue
                if amount > own and value < plan.value:
                    value, options = plan.value, plan.chosen
            bound = value + max(more, 0.0)
            gap = None if pd.isna(row["gap"]) else (bound - value) / bound if bound > 0 else 0.0
            rows.append(
                {
                    self.resource: amount,
                    "value": value,
                    "bound": bound,
                    "gap": gap,
                    "options": list(options),
                }
            )
        return rows

    def __str__(self) -> str:
        first, last = self.points.iloc[0], self.points.iloc[-1]
        unit = words(self.resource)
        reached = self.saturation()
        tail = (
            f"95 % of what the whole programme can be worth is reached by "
            f"{two_digits(reached[1])} {unit}."
            if reached
            else f"At {two_digits(last['amount'])} {unit} it is still "
            f"{percent(1 - last['value'] / self.ceiling)} short of the whole programme."
        )
        return (
            f"From {two_digits(first['amount'])} to {two_digits(last['amount'])} {unit} the best "
            f"mix rises from {percent(first['share_of_evpi'])} to "
            f"{percent(last['share_of_evpi'])} of perfect information. {tail}"
        )
