"""A small catalogue and a posterior of plain prior draws for it, without any sampler."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.catalogue import Catalogue, catalogue_to_toml, parse_catalogue
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.posterior.posterior import Posterior

UNDER_TEST = "newest"


def small_catalogue(**changes: Any) -> Catalogue:
    """Two domains, four evals; `changes` replace keys of the first eval, or of `budget`."""
    budget = {"usd": 30_000, "staff_hours": 240, "calendar_days": 21, "agents_in_parallel": 60}
    budget |= changes.pop("budget", {})
    budget = {key: value for key, value in budget.items() if value is not None}
    data = {
        "portfolio": {"ai_model": UNDER_TEST, "horizon_months": 6},
        "budget": budget,
        "domain": [
            {
                "name": "cyber",
                "threshold": [8.5, 9.5],
                "shown_capability": [3.5, 9.5],
                "elicitation_gap": [0.2, 2.5],
                "loss_missed": 4_000_000,
                "loss_false_alarm": 1_000_000,
                "post_training_gain_per_year": [0.2, 1.5],
            },
            {
                "name": "autonomy",
                "threshold": 10.0,
                "shown_capability": [5.0, 10.0],
                "elicitation_gap": [0.2, 2.0],
                "loss_missed": 2_000_000,
                "loss_false_alarm": 1_000_000,
                "post_training_gain_per_year": [0.2, 1.5],
            },
        ],
        "eval": [
            {
                key: value
                for key, value in {**_eval("cybench", "cyber", "ctf", 38, 42), **changes}.items()
                if value is not None
            },
            _eval("nyuctf", "cyber", "ctf", 47, 25),
            {
                **_eval("range", "cyber", None, 4, 840),
                "usd_per_unit": [2e-5, 4e-5],
                "resettable": 0.5,
            },
            {
                **_eval("hcast", "autonomy", "hcast", 60, 60),
                "loadings": {"autonomy": 0.8, "cyber": 0.2},
            },
        ],
    }
    return parse_catalogue(data)


def decided_catalogue() -> Catalogue:
    """The small catalogue with two levels in cyber and one mitigation for both domains."""
    data = tomllib.loads(catalogue_to_toml(small_catalogue()))
    stakes = {"loss_missed": 4_000_000, "loss_false_alarm": 1_000_000}
    for key in ("threshold", *stakes):
        del data["domain"][0][key]
    data["level"] = [
        {"domain": "cyber", "name": "High", "threshold": [8.5, 9.5], **stakes},
        {"domain": "cyber", "name": "Critical", "threshold": [10.5, 11.5], **stakes},
    ]
    weights = {"cyber": 0.6, "autonomy": 0.3}
    data["decision"] = [{"name": "both", "weights": weights, "threshold": 8.0, **stakes}]
    return parse_catalogue(data)


def _eval(name: str, domain: str, family: str | None, tasks: int, minutes: float) -> dict[str, Any]:
    row = {
        "name": name,
        "domain": domain,
        "tasks": tasks,
        "human_minutes": minutes,
        "spend_unit": "tokens",
        "usd_per_unit": [4e-6, 9e-6],
        "hours_per_run": 1.0,
        "staff_hours": 4,
        "staff_hours_elicitation": 60,
        "days_elicitation": 10,
        "max_cap": 10_000_000,
    }
    return row | ({"family": family} if family else {})


def prior_posterior(
    catalogue: Catalogue,
    *,
    n_draws: int = 2000,
    seed: int = 0,
    sharp: bool = False,
    n_runs: dict[str, int] | None = None,
) -> Posterior:
    """Draws of a plain prior; `sharp` fixes slope, spreads and curves, as if all were known."""
    rng = np.random.default_rng(seed)
    domains = tuple(d.name for d in catalogue.domains)
    evals = tuple(e.name for e in catalogue.evals)
    models = ("older", UNDER_TEST)
    families = tuple(sorted({e.family for e in catalogue.evals if e.family}))
    n_d, n_e, n_m, n_f = len(domains), len(evals), len(models), len(families)
    loose = 0.0 if sharp else 1.0

    def positive(median: float, sd_ln: float, *shape: int) -> np.ndarray[Any, Any]:
        values: np.ndarray[Any, Any] = median * np.exp(
            loose * sd_ln * rng.standard_normal((n_draws, *shape))
        )
        return values

    shown = np.stack([d.shown_capability.normal() for d in catalogue.domains if d.shown_capability])
    gap = np.stack([d.elicitation_gap.lognormal() for d in catalogue.domains if d.elicitation_gap])
    minutes = np.array([e.human_minutes or 60.0 for e in catalogue.evals])
    validity, family, departure = (positive(s, 0.3) for s in (0.8, 0.5, 0.5))
    noise = rng.standard_normal
    success = np.log(3000.0 * minutes)[None, :, None] + loose * (
        0.5 * noise((n_draws, n_e, 1)) + 0.3 * noise((n_draws, n_e, n_m))
    )
    draws = {
        "shown": shown[:, 0, None] + shown[:, 1, None] * noise((n_draws, n_d, n_m)),
        "gap": np.exp(gap[:, 0, None] + gap[:, 1, None] * noise((n_draws, n_d, n_m))),
        "slope": positive(0.6, 0.15, n_m),
        "difficulty": np.log2(minutes) + loose * 0.4 * noise((n_draws, n_e)),
        "family_error": family[:, None, None] * noise((n_draws, n_f, n_m)),
        "private_error": validity[:, None, None] * noise((n_draws, n_e, n_m)),
        "validity_sd": validity,
        "family_sd": family,
        "gap_departure": departure[:, None, None] * noise((n_draws, n_e, n_m)),
        "gap_departure_sd": departure,
        "success_location": success + np.zeros((1, 1, n_m)),
        "gave_up_location": success + 0.8 + loose * 0.3 * noise((n_draws, n_e, n_m)),
        "success_scale": positive(1.3, 0.15, n_e),
        "gave_up_scale": positive(1.1, 0.15, n_e),
        "task_sd": positive(2.0, 0.2, n_e),
    }
    runs = np.zeros((n_e, n_m), dtype=np.int64)
    for name, n in (n_runs or {}).items():
        runs[evals.index(name), models.index(UNDER_TEST)] = n
    return Posterior(
        domains=domains,
        evals=evals,
        ai_models=models,
        families=families,
        draws=draws,
        loadings=np.array([[e.loadings.get(d, 0.0) for d in domains] for e in catalogue.evals]),
        family_of=np.array([families.index(e.family) if e.family else -1 for e in catalogue.evals]),
        n_runs=runs,
        elicited_history=False,
        diagnostics=Diagnostics(
            pd.DataFrame({"r_hat": [1.0], "ess_bulk": [1e4], "ess_tail": [1e4]}, index=["all"]),
            pd.DataFrame(),
            0,
            n_draws,
        ),
    )
