"""What catalogue and posterior add to the record of a plan."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalfolio.narrative import mix_in_words, what_it_hangs_on, words
from evalfolio.record.provenance import file_hash, versions
from evalfolio.record.record import Assumption, SpendFamily

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.plans.plan import Plan


def parts_of(
    catalogue: "Catalogue", posterior: "Posterior", plan: "Plan", inputs: Sequence[Path], seed: int
) -> dict[str, Any]:
    """Return, by name, what `record_of` takes from the inputs and the belief."""
    from evalbayes.summaries.capability import capability_table

    gate, keys = posterior.diagnostics, ("passed", "reasons", "notes", "divergences", "draws")
    figures: dict[str, Any] = {key: getattr(gate, key) for key in keys}
    if len(table := gate.quantities):
        figures["max_r_hat"] = table["r_hat"].max()
        figures |= {f"min_{ess}": table[ess].min() for ess in ("ess_bulk", "ess_tail")}
    subject = catalogue.portfolio
    failing = "" if gate.passed else "THE FIT FAILED ITS GATE. "
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
        "diagnostics": figures,
        "assumptions": [
            {key: getattr(each, key) for key in Assumption.model_fields}
            for each in catalogue.assumptions
        ],
        "provenance": {
            "inputs": [{"name": p.name, "sha256": file_hash(p)} for p in inputs],
            "seed": seed,
            "versions": versions(),
        },
        "spend_families": families[families["weight"].notna()].to_dict("records"),
        "capability": capability.to_dict("records"),
    }
