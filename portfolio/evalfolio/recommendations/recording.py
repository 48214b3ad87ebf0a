"""The record of a recommendation, assembled from plan, menu, catalogue and posterior."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalfolio.narrative import (
    DEPTH,
    mix_in_words,
    reason_of_choice,
    two_digits,
    what_it_hangs_on,
    words,
)
from evalfolio.plans.left_over import next_step_in_words
from evalfolio.record.provenance import file_hash, versions

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.plans.overspend import Overspend
    from evalfolio.plans.plan import Plan
    from evalfolio.record.record import Choice, Domain, Money, NotChosen, Record, Value

CHOICE_KEYS = ("cap", "cap_unit", "attempts", "tasks", "effort", "runs", "usd_p90", "usd_ceiling")


def make_record(
    *,
    catalogue: Catalogue,
    posterior: Posterior,
    plan: Plan,
    budget: Mapping[str, float],
    comparisons: pd.DataFrame,
    draws: Mapping[str, float] | None,
    overspend: Overspend,
    floors: Mapping[str, Mapping[str, float]],
    left_off: Sequence[tuple[str, str]],
    warnings: Sequence[str],
    inputs: Sequence[Path],
    seed: int,
) -> Record:
    """Return what `plan.json` holds; every figure is a plain finite number or None."""
    from evalbayes.summaries.capability import capability_table
    from evalfolio.record.record import FORMAT

    unit = "points" if catalogue.points else "usd"
    domains = _domains(catalogue, plan, floors)
    failing = "" if posterior.diagnostics.passed else "THE FIT FAILED ITS GATE. "
    return {
        "format": FORMAT,
        "words": {
            "mix": failing
            + mix_in_words(plan.choices, catalogue.portfolio.ai_model)
            + (f" {plan.note}" if plan.note else ""),
            "hangs_on": _hangs_on(plan, posterior),
            "next_step": next_step_in_words(plan.budget, plan.next_steps, plan.value),
        },
        "portfolio": {
            "ai_model": catalogue.portfolio.ai_model,
            "horizon_months": float(catalogue.portfolio.horizon_months),
        },
        "budget": {name: float(amount) for name, amount in budget.items()},
        "spend": {name: float(used) for name, used in plan.spend.items()},
        "money": _money(plan, catalogue, overspend),
        "value": _value(plan, unit, draws),
        "choices": _choices(plan),
        "not_chosen": _not_chosen(plan),
        "not_covered": _not_covered(plan, left_off),
        "domains": domains,
        "comparisons": _plain_rows(comparisons),
        "shadow_prices": {name: float(price) for name, price in plan.shadow_prices.items()},
        "diagnostics": _diagnostics(posterior),
        "warnings": list(warnings),
        "assumptions": [
            {"where": a.where, "key": a.key, "value": plain(a.value), "reason": a.reason}
            for a in catalogue.assumptions
        ],
        "provenance": {
            "inputs": [{"name": p.name, "sha256": file_hash(p)} for p in inputs],
            "seed": seed,
            "versions": versions(),
        },
        "spend_families": _spend_families(posterior),
        "capability": _plain_rows(capability_table(posterior, catalogue, seed=seed)),
    }


def records(frame: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a frame as (name, cells)."""
    cells = frame.to_dict(orient="records")
    return [
        (str(name), {str(key): value for key, value in row.items()})
        for name, row in zip(frame.index, cells, strict=True)
    ]


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: NaN and infinity become None, arrays lists.

    Examples
    --------
    >>> plain(np.float64(2.0)), plain(float("nan")), plain((np.int64(1), 2))
    (2.0, None, [1, 2])
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if hasattr(value, "low") and hasattr(value, "high"):
        return [plain(value.low), plain(value.high)]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (bool, int, str)) else str(value)


def _hangs_on(plan: Plan, posterior: Posterior) -> str:
    worth = plan.domains["evsi"]
    binding = [words(name) for name, price in plan.shadow_prices.items() if price > 0]
    return what_it_hangs_on(
        plan.choices,
        binding=binding,
        domain=str(worth.idxmax()) if worth.max() > 0 else None,
        gap_is_prior=not posterior.elicited_history,
        share_of_evpi=plan.share_of_evpi,
    )


def _money(plan: Plan, catalogue: Catalogue, overspend: Overspend) -> Money:
    ceiling = plan.choices["usd_ceiling"].sum() if "usd_ceiling" in plan.choices else np.nan
    return {
        "expected": float(plan.spend.get("usd", 0.0)),
        "p90": float(overspend.p90),
        "ceiling": float(ceiling) if np.isfinite(ceiling) else float(overspend.p90),
        "p_overspend": overspend.probability,
        "contingency": float(catalogue.budget.contingency),
    }


def _value(plan: Plan, unit: str, draws: Mapping[str, float] | None) -> Value:
    return {
        "evsi": float(plan.value),
        "evsi_usd": float(plan.value) if unit == "usd" else None,
        "bound": float(plan.bound),
        "gap": plan.gap,
        "evpi": float(plan.evpi),
        "unit": unit,
        "status": plan.status,
        "draws": None
        if draws is None
        else {"mean": draws["mean"], "q05": draws["q05"], "q95": draws["q95"]},
    }


def _choices(plan: Plan) -> list[Choice]:
    rows: list[Any] = []
    for name, cells in records(plan.choices):
        choice = {key: plain(cells.get(key)) for key in CHOICE_KEYS}
        for key in ("attempts", "tasks", "runs"):
            choice[key] = None if choice[key] is None else round(choice[key])
        choice |= {"option": str(name)}
        choice |= {key: str(cells[key]) for key in ("eval", "domain", "tier")}
        choice |= {resource: float(cells[resource]) for resource in plan.menu.resources}
        choice.setdefault("usd", 0.0)
        choice["share_of_usd"] = float(cells.get("share_of_usd", 0.0))
        choice["value_if_dropped"] = plain(cells["value_if_dropped"])
        choice["reason"] = reason_of_choice(choice["tier"])
        rows.append(choice)
    return rows


def _not_chosen(plan: Plan) -> list[NotChosen]:
    return [
        {
            "eval": str(name),
            "reason": str(row["reason"]),
            "cost_to_enter": plain(row["cost_to_enter"]),
        }
        for name, row in records(plan.not_chosen)
    ]


def _not_covered(plan: Plan, left_off: Sequence[tuple[str, str]]) -> list[Any]:
    rows = []
    for name, row in records(plan.domains):
        if row["v"] <= 0:
            rows.append((str(name), "no eval of this domain runs; its call rests on belief alone"))
        elif not ((plan.choices["tier"] == DEPTH) & (plan.choices["domain"] == name)).any():
            rows.append((str(name), "nothing reads its elicitation gap; it stays a prior belief"))
    rows += list(left_off)
    return [{"name": name, "reason": reason} for name, reason in rows]


def _domains(
    catalogue: Catalogue, plan: Plan, floors: Mapping[str, Mapping[str, float]]
) -> list[Domain]:
    rows: list[Any] = []
    outlook = dict(records(plan.domains))
    chosen = plan.choices.reindex(columns=["domain", "tier", "usd"])
    for spec in catalogue.domains:
        row = outlook[spec.name]
        own = floors.get(spec.name, {})
        rows.append(
            {
                "name": spec.name,
                "unit": spec.unit,
                **{
                    key: plain(row[key])
                    for key in (
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
                    )
                },
                "elicitation_floor_sd": plain(own.get("elicitation_floor_sd")),
                "validity_floor_sd": plain(own.get("validity_floor_sd")),
                "evsi": float(row["evsi"]),
                "share_of_evpi": float(row["share_of_evpi"]),
                "minimum_effort_usd": plain(row["minimum_effort_usd"]),
                "funded": bool(row["funded"]),
                "buffer": plain(row["buffer"]),
                "doublings_to_threshold": float(row["threshold"] - row["capability_mean"]),
                "reason": _domain_reason(row, chosen[chosen["domain"] == spec.name]),
            }
        )
    return rows


def _domain_reason(row: Mapping[str, Any], choices: pd.DataFrame) -> str:
    if row["v"] <= 0:
        least = row["minimum_effort_usd"]
        price = "" if least is None or not np.isfinite(least) else f" of ${least:,.0f}"
        return f"left out: less than its minimum sensible effort{price} would be of little use"
    if not row["funded"]:
        return (
            f"funded below its minimum sensible effort of ${row['minimum_effort_usd']:,.0f}: "
            "fund it to there, or drop it"
        )
    deep = int((choices["tier"] == DEPTH).sum())
    read = "1 eval reads" if len(choices) == 1 else f"{len(choices)} evals read"
    return (
        f"{read} it, {deep or 'none'} with maximum elicitation, "
        f"for ${two_digits(float(choices['usd'].sum()))}"
    )


def _diagnostics(posterior: Posterior) -> dict[str, Any]:
    d = posterior.diagnostics
    table = d.quantities
    figures: dict[str, Any] = {
        "passed": d.passed,
        "reasons": list(d.reasons),
        "notes": list(d.notes),
        "divergences": d.divergences,
        "draws": d.draws,
    }
    if len(table):
        figures |= {
            "max_r_hat": float(table["r_hat"].max()),
            "min_ess_bulk": float(table["ess_bulk"].min()),
            "min_ess_tail": float(table["ess_tail"].min()),
        }
    return {key: plain(value) for key, value in figures.items()}


def _spend_families(posterior: Posterior) -> list[Any]:
    """Return which family of spend each eval prefers and why, one row per eval and family."""
    columns = ["eval", "family", "runs", "behind", "behind_se", "weight", "reason"]
    table = posterior.spend_families.reindex(columns=columns)
    rows = _plain_rows(table[table["weight"].notna()])
    for row in rows:
        row["runs"] = None if row["runs"] is None else round(row["runs"])
    return rows


def _plain_rows(frame: pd.DataFrame) -> list[Any]:
    return [
        {str(key): plain(value) for key, value in row.items()}
        for row in frame.to_dict(orient="records")
    ]
