"""A plan made from a menu alone, dressed as a record so that it can be exported like any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalbayes import Menu
from evalfolio.plans.left_over import next_step_in_words
from evalfolio.record.record import FORMAT, Record
from evalfolio.record.schema import checked

if TYPE_CHECKING:
    from evalfolio.plans.plan import Plan

UNKNOWN = "the AI model under test"
CHOICE_KEYS = ("cap", "cap_unit", "attempts", "tasks", "effort", "runs", "usd_p90", "usd_ceiling")
DOMAIN_KEYS = (
    "threshold",
    "capability_mean",
    "call_now",
    "p_exceeds",
    "p_wrong_call_now",
    "p_wrong_call_expected",
    "p_call_changes",
    "upper95_now",
    "upper95_expected",
    "prior_sd",
    "posterior_sd",
    "evsi",
    "share_of_evpi",
    "minimum_effort_usd",
    "funded",
)


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class PlanExport:
    """What workbook and report need, from a plan whose menu came without a catalogue."""

    record: Record
    menu: Menu
    curves: pd.DataFrame
    curve_grid: pd.DataFrame

    @classmethod
    def of(cls, plan: Plan) -> PlanExport:
        """Return the plan's record with no curves."""
        return cls(record_of(plan), plan.menu, pd.DataFrame(), pd.DataFrame({"eval": []}))


def record_of(plan: Plan) -> Record:
    """Return a record of what the plan and its menu hold; the rest is unknown or empty.

    The unit of the losses is not known from a menu, so values read as shares of what perfect
    information would be worth. No contingency was kept back: `optimise` takes budgets as they are.

    Examples
    --------
    >>> import evalfolio as ef
    >>> from evalfolio.examples import small_menu
    >>> plan = ef.optimise(small_menu(), budget={"usd": 10_000.0})
    >>> [row["option"] for row in record_of(plan)["choices"]] == list(plan.chosen)
    True
    """
    first, _, rest = str(plan).partition(". It is worth")
    usd = float(plan.spend.get("usd", 0.0))
    choices = [_choice(plan, str(name), row) for name, row in _rows(plan.choices)]
    ceilings = [row["usd_ceiling"] for row in choices]
    record: dict[str, Any] = {
        "format": FORMAT,
        "words": {
            "mix": f"{first.rstrip('.')}.",
            "hangs_on": f"It is worth{rest}" if rest else plan.note,
            "next_step": next_step_in_words(plan.budget, plan.next_steps, plan.value),
        },
        "portfolio": {"ai_model": UNKNOWN, "horizon_months": 0.0},
        "budget": plan.budget,
        "spend": {"usd": 0.0} | plan.spend,
        "money": {
            "expected": usd,
            "p90": usd,
            "ceiling": usd if any(pd.isna(c) for c in ceilings) else float(sum(ceilings)),
            "p_overspend": None,
            "contingency": 0.0,
        },
        "value": {
            "evsi": plan.value,
            "evsi_usd": None,
            "bound": plan.bound,
            "gap": plan.gap,
            "evpi": plan.evpi,
            "unit": "points",
            "status": plan.status,
            "draws": None,
        },
        "choices": choices,
        "not_chosen": [
            {"eval": str(n), "reason": str(r["reason"]), "cost_to_enter": r["cost_to_enter"]}
            for n, r in _rows(plan.not_chosen)
        ],
        "not_covered": [],
        "domains": [_domain(str(name), row) for name, row in _rows(plan.domains)],
        "comparisons": [
            {
                "plan": "this plan",
                "usd": usd,
                "value": plan.value,
                "share_of_evpi": plan.share_of_evpi,
            }
        ],
        "shadow_prices": plan.shadow_prices,
        "diagnostics": {},
        "warnings": [plan.note] if plan.note else [],
        "assumptions": [],
        "provenance": {"inputs": [], "seed": 0, "versions": {}},
    }
    return checked(record)


def write_plan_workbook(plan: Plan, path: str | Path) -> Path:
    """Write a plan as a workbook, see `write_workbook`; return its path."""
    from evalfolio.export.workbook import write_workbook

    return write_workbook(PlanExport.of(plan), path)


def write_plan_report(plan: Plan, path: str | Path) -> Path:
    """Write a plan as a page, see `write_report`; return its path."""
    from evalfolio.export.report import write_report

    return write_report(PlanExport.of(plan), path)


def _rows(frame: pd.DataFrame) -> list[tuple[Any, dict[Any, Any]]]:
    return list(zip(frame.index, frame.to_dict("records"), strict=True))


def _choice(plan: Plan, name: str, row: dict[Any, Any]) -> dict[str, Any]:
    numbers = {key: row.get(key) for key in CHOICE_KEYS}
    return {
        "option": name,
        **{key: str(row[key]) for key in ("eval", "domain", "tier")},
        **numbers,
        "usd": 0.0,
        **{resource: float(row[resource]) for resource in plan.menu.resources},
        "share_of_usd": float(row.get("share_of_usd", 0.0)),
        "value_if_dropped": row.get("value_if_dropped"),
        "reason": str(row.get("reason", "")),
    }


def _domain(name: str, row: dict[Any, Any]) -> dict[str, Any]:
    known = {key: row.get(key) for key in DOMAIN_KEYS}
    distance = float(row["threshold"]) - float(row["capability_mean"])
    unknown = ("elicitation_floor_sd", "validity_floor_sd", "buffer")
    return {
        "name": name,
        "unit": "the domain's unit",
        **known,
        **dict.fromkeys(unknown),
        "doublings_to_threshold": distance,
        "reason": "",
    }
