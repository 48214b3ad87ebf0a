"""A made-up record of a plan, in the shape of a real one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm
from tests.evalfolio.export.made_menu import EVALS
from tests.evalfolio.export.worth import Worth

CHOSEN = {
    "cvebench": "max-elicitation",
    "nyuctf": "max-elicitation",
    "cybergym": "plateau",
    "cybench": "sweet-spot",
    "cyber_range": "sweet-spot",
    "re_bench": "plateau",
    "hcast": "plateau",
    "swaa": "plateau",
    "mle_bench": "sweet-spot",
}


def made_record(worth: Worth, chosen: list[str], budget: dict[str, float], points: bool) -> Any:
    menu = worth.menu
    value, evpi = worth.value(chosen), 0.0
    before, after = worth.by_decision([]), worth.by_decision(chosen)
    assert before == [0.0] * len(before)
    everything = worth.explained(list(menu.options.index[menu.options["tier"] != "sweet-spot"]))
    plateau = worth.explained(list(menu.options.index[menu.options["tier"] == "plateau"]))
    spend = {r: float(menu.options.loc[chosen, r].sum()) for r in menu.resources}
    domains = []
    for i, d in enumerate(menu.decisions):
        total, distance = worth.spread(d)
        perfect = worth.gain(d, total - d.later_gain_sd**2)
        evpi += perfect
        left = total - worth.explained(chosen)[i]
        domains.append(
            {
                "name": d.name,
                "unit": "doublings of human task time",
                "threshold": d.threshold,
                "capability_mean": d.threshold + distance,
                "call_now": "mitigate",
                "p_exceeds": float(norm.cdf(distance / np.sqrt(total))),
                "p_missed_now": 0.0,
                "p_missed_expected": 0.06,
                "p_needless_now": 0.31,
                "p_needless_expected": 0.13,
                "p_wrong_call_now": 0.31,
                "p_wrong_call_expected": 0.19,
                "p_call_changes": 0.27,
                "upper95_now": d.threshold + distance + 1.645 * total**0.5,
                "upper95_expected": d.threshold + distance + 1.645 * left**0.5,
                "prior_sd": total**0.5,
                "posterior_sd": left**0.5,
                "elicitation_floor_sd": (total - plateau[i]) ** 0.5,
                "validity_floor_sd": (total - everything[i]) ** 0.5,
                "evsi": after[i],
                "share_of_evpi": after[i] / perfect,
                "minimum_effort_usd": 1_200.0,
                "funded": i == 0,
                "buffer": 1.4,
                "doublings_to_threshold": -distance,
                "reason": "its threshold lies within reach of the AI model under test",
            }
        )
    rows = menu.options.loc[chosen].reset_index().to_dict("records")
    total_usd = sum(row["usd"] for row in rows) or 1.0
    for row in rows:
        without = [o for o in chosen if o != row["option"]]
        row["share_of_usd"] = row["usd"] / total_usd
        row["value_if_dropped"] = value - worth.value(without)
        row["reason"] = "reads shown capability near this eval's plateau"
        row["firm"] = row is rows[0]
        row["instead"] = [] if row["firm"] else ["nothing", f"{row['eval']} (other tier)"]
    skipped = sorted(set(menu.options["eval"]) - {row["eval"] for row in rows})
    return {
        "format": 1,
        "words": {
            "mix": f"Run {len(rows)} evals on GPT-5.5 for an expected $27,000: two of them with "
            "maximum elicitation (74 % of the money), the others near their plateau.",
            "firm": "The draws leave the value at 0.94 ± 0.012 (95 %).",
            "hangs_on": "It hangs on the prior range of the elicitation gap, as no elicited run is "
            "among the observations, and on the limits on usd and staff hours.",
        },
        "portfolio": {"ai_model": "GPT-5.5", "horizon_months": 6.0},
        "budget": budget,
        "spend": spend,
        "money": {
            "expected": spend["usd"],
            "p90": spend["usd"] * 1.1,
            "ceiling": sum(row["usd_ceiling"] for row in rows),
            "p_overspend": 0.06,
            "contingency": 0.1,
        },
        "value": {
            "evsi": value,
            "evsi_usd": None if points else value,
            "bound": value * 1.0004,
            "gap": 0.0004,
            "evpi": evpi,
            "unit": "points" if points else "usd",
            "status": "certified",
            "noise": value * 0.012,
            "gap_with_noise": 0.0034,
            "draws": {"mean": value * 0.93, "q05": value * 0.6, "q95": value * 1.2},
        },
        "choices": rows,
        "not_chosen": [
            {"eval": e, "reason": "others tell the same for less", "cost_to_enter": 310.0}
            for e in skipped
        ],
        "not_covered": [
            {"name": domains[1]["name"], "reason": "no deep run reads its elicitation gap"}
        ],
        "domains": domains,
        "comparisons": [
            {"plan": name, "usd": usd, "staff_hours": 200.0, "value": v, "share_of_evpi": v / evpi}
            for name, usd, v in (
                ("this plan", spend["usd"], value),
                ("greedy", spend["usd"] * 0.98, value * 0.95),
                ("even split", spend["usd"] * 0.8, value * 0.62),
                ("all plateau", spend["usd"] * 0.6, value * 0.55),
                ("all maximum", spend["usd"] * 1.0, value * 0.41),
            )
        ],
        "shadow_prices": {"usd": value / 1e5, "staff_hours": value / 1e3},
        "diagnostics": {"passed": True, "rhat_max": 1.004, "ess_bulk_min": 812.0, "divergences": 0},
        "warnings": ["The gap's prior rests on no elicited run."],
        "assumptions": [
            {
                "where": row[0],
                "key": "effort_max",
                "value": 0.8,
                "reason": "two to three engineer-weeks",
            }
            for row in EVALS
        ],
        "provenance": {
            "inputs": [{"name": "catalogue.toml", "sha256": "ab" * 32}],
            "seed": 0,
            "versions": {"evalfolio": "0.1.0", "python": "3.11.7"},
        },
    }
