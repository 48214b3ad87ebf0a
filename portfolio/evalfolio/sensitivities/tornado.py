"""The tornado: every assumed figure moved to either end of its range, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, listing, percent
from evalfolio.objectives.valuation import valuation
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.plan import Plan
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.sensitivities.assumed import Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.sweep import Solution, Sweep, solve, swept


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Tornado:
    """What every assumed figure does to the plan.

    One row per figure, the one that moves the value most first: name, low, high (ends of its
    range), value_low, value_high (value of the best mix there), deep_low, deep_high (its share of
    usd on max elicitation), changed_low, changed_high (share of the base mix's evals that are
    dropped or run at another tier), lost_low, lost_high (what the base mix would lose there against
    the best one, as a share; NaN where it is not on that menu), given (whether the range is the
    catalogue's own). Value and deep are the base plan's.
    """

    rows: pd.DataFrame
    value: float
    deep: float

    def to_frame(self) -> pd.DataFrame:
        """Return the rows."""
        return self.rows.copy()

    def record(self) -> list[dict[str, Any]]:
        """Return the rows as `plan.json` holds them."""
        columns = ["name", "low", "high", "value_low", "value_high", "deep_low", "deep_high"]
        plain = self.rows[columns].to_dict("records")
        return [{str(key): value for key, value in row.items()} for row in plain]

    def __str__(self) -> str:
        by_mix = self.rows.assign(
            change=self.rows[["changed_low", "changed_high"]].max(axis=1)
        ).sort_values("change", ascending=False, kind="stable")
        ends = self.rows[["value_low", "value_high"]]
        moving = self.rows["name"][(ends != self.value).any(axis=1)].head(2).tolist()
        worth = (
            f"The value hangs most on {listing(moving)}"
            if moving
            else "No assumption moves the value"
        )
        moved = by_mix[by_mix["change"] > 0]
        if moved.empty:
            return f"{worth}; no assumption changes the mix."
        first = moved.iloc[0]
        return (
            f"{worth}; the mix on {first['name']}, which changes {percent(first['change'])} of it."
        )


def tornado(
    basis: Basis,
    assumptions: Sequence[Assumed],
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
    plan: Plan | None = None,
) -> Tornado:
    """Return what every assumption does to value, depth and mix, one at a time.

    Where the base plan is at hand and its mix is worth just what it was, and no other is worth more
    by the gap, it stays, so that a figure that moves nothing gives its own value.
    """
    points: list[list[float]] = []
    for k, assumed in enumerate(assumptions):
        points += [[k, assumed.low], [k, assumed.high]]
    own = solve(basis.question.lean, method) if plan is None else Solution.of(plan)
    base = summary(basis.lean, own)
    answers = swept(_point, points, basis, own, tuple(assumptions), method, sweep=sweep)
    rows = []
    for k, assumed in enumerate(assumptions):
        row: dict[str, Any] = {"name": assumed.name, "low": assumed.low, "high": assumed.high}
        for end, answer in zip(("low", "high"), answers[2 * k : 2 * k + 2], strict=True):
            row[f"value_{end}"] = answer["value"]
            row[f"deep_{end}"] = answer["deep"]
            row[f"changed_{end}"] = changed(base["tiers"], answer["tiers"])
            held = answer["base_value"]
            row[f"lost_{end}"] = (
                (np.nan if held is None else max(1 - held / answer["value"], 0.0))
                if answer["value"] > 0
                else 0.0
            )
        rows.append({**row, "given": assumed.given})
    frame = pd.DataFrame(rows)
    ends = frame[["value_low", "value_high"]].assign(base=base["value"])
    swing = ends.max(axis=1) - ends.min(axis=1)
    frame = frame.loc[swing.sort_values(ascending=False, kind="stable").index]
    return Tornado(frame.reset_index(drop=True), base["value"], base["deep"])


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> float:
    """Return the share of evals in either mix that are in one only or at another tier.

    Examples
    --------
    >>> changed({"a": "plateau", "b": "plateau"}, {"a": "max-elicitation", "b": "plateau"})
    0.5
    """
    evals = set(before) | set(after)
    moved = sum(before.get(e) != after.get(e) for e in evals)
    return moved / len(evals) if evals else 0.0


def plan_under(
    basis: Basis,
    levels: Mapping[Assumed, float],
    method: Method = Certified(),
    stay: Solution | None = None,
) -> tuple[Menu, Solution]:
    """Return the menu under other figures and the certified choice on it, see `solve`."""
    menu = basis.menu_under(levels)
    return menu, solve(basis.question.on(menu), method, stay)


def summary(menu: Menu, solution: Solution) -> dict[str, Any]:
    """Return what sweeps compare plans by: value, share on depth, tiers by eval, usd by domain."""
    chosen = menu.options.loc[list(solution.options)]
    money = "usd" if "usd" in menu.resources else menu.resources[0]
    use = chosen[money].to_numpy(dtype=np.float64)
    total = float(use.sum())
    shares = {
        str(name): float(use[(chosen["domain"] == name).to_numpy()].sum()) / total
        if total > 0
        else 0.0
        for name in menu.options["domain"].unique()
    }
    evals, tiers = chosen["eval"].astype(str), chosen["tier"].astype(str)
    return {
        "value": solution.value,
        "bound": solution.bound,
        "status": solution.status,
        "deep": tier_share(menu, solution.options, DEPTH),
        "shares": shares,
        "tiers": dict(zip(evals.tolist(), tiers.tolist(), strict=True)),
        "options": list(solution.options),
    }


def _point(
    basis: Basis,
    own: Solution,
    assumptions: tuple[Assumed, ...],
    method: Method,
    point: Sequence[float],
) -> dict[str, Any]:
    assumed, level = assumptions[int(point[0])], float(point[1])
    menu, solution = plan_under(basis, {assumed: level}, method, own)
    there = set(own.options) <= set(map(str, menu.options.index))
    held = float(valuation(menu).gains(choice_vector(menu, own.options)).sum()) if there else None
    return {**summary(menu, solution), "base_value": held}
