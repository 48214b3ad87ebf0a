"""What catalogue and posterior add to the record of a plan."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalfolio.narrative import mix_in_words, what_it_hangs_on, words
from evalfolio.record.provenance import file_hash, versions
from evalfolio.record.record import SpendFamily

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.plans.plan import Plan


def parts_of(
    catalogue: "Catalogue", posterior: "Posterior", plan: "Plan", inputs: Sequence[Path], seed: int
) -> dict[str, Any]:
    """Return, by name, what `record_of` takes from the inputs and the belief."""
    from evalbayes.summaries.capability import capability_table

    subject = catalogue.portfolio
    failing = "" if posterior.diagnostics.passed else "THE FIT FAILED ITS GATE. "
    note = f" {plan.note}" if plan.note else ""
    capability = capability_table(posterior, catalogue, seed=seed)
    families = posterior.spend_families.reindex(columns=list(SpendFamily.model_fields))
    worth = plan.domains["evsi"]
    binding = [words(name) for name, price in plan.shadow_prices.items() if price > 0]
    return {
        "in_usd": not catalogue.points,
        "mix": f"{failing}{mix_in_words(plan.choices, subject.ai_model, plan.shared)}{note}",
        "hangs_on": what_it_hangs_on(
            plan.choices,
            binding=binding,
            domain=str(worth.idxmax()) if worth.max() > 0 else None,
            gap_is_prior=not posterior.elicited_history,
            share_of_evpi=plan.share_of_evpi,
        ),
        "units": {spec.name: spec.unit for spec in catalogue.decisions},
        "portfolio": {
            "ai_model": subject.ai_model,
            "horizon_months": subject.horizon_months,
            "calendar_days": catalogue.budget.calendar_days,
        },
        "diagnostics": _diagnostics(posterior),
        "assumptions": [
            {"where": a.where, "key": a.key, "value": a.value, "reason": a.reason}
            for a in catalogue.assumptions
        ],
        "provenance": {
            "inputs": [{"name": p.name, "sha256": file_hash(p)} for p in inputs],
            "seed": seed,
            "versions": versions(),
        },
        "spend_families": families[families["weight"].notna()].to_dict("records"),
        "capability": capability.to_dict("records"),
    }


def _diagnostics(posterior: "Posterior") -> dict[str, Any]:
    d = posterior.diagnostics
    table = d.quantities
    figures: dict[str, Any] = {
        "passed": d.passed,
        "reasons": d.reasons,
        "notes": d.notes,
        "divergences": d.divergences,
        "draws": d.draws,
    }
    if len(table):
        figures |= {
            "max_r_hat": table["r_hat"].max(),
            "min_ess_bulk": table["ess_bulk"].min(),
            "min_ess_tail": table["ess_tail"].min(),
        }
    return figures
