"""Small catalogues, and runs simulated from known plateaus and spends."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.observations import Observations, Rows, observations_of

Array = NDArray[np.float64]


def catalogue(*evals: dict[str, Any], **domain: Any) -> Catalogue:
    """One domain "cyber", AI model under test "C"; evals as given, or three of one family."""
    evals = evals or tuple(
        {"name": name, "family": "ctf", "human_minutes": minutes}
        for name, minutes in (("easy", 4), ("middle", 30), ("hard", 240))
    )
    defaults = {
        "domain": "cyber",
        "tasks": 40,
        "spend_unit": "tokens",
        "usd_per_unit": [4e-6, 9e-6],
        "max_cap": 1e7,
    }
    return parse_catalogue(
        {
            "portfolio": {"ai_model": "C"},
            "domain": [{"name": "cyber", "threshold_human_time": "16 h", **domain}],
            "eval": [{**defaults, **spec} for spec in evals],
        }
    )


def outcome_of_runs(
    rng: np.random.Generator,
    n: int,
    plateau: float,
    success: tuple[float, float],
    gave_up: tuple[float, float],
    cap: float,
) -> tuple[NDArray[np.str_], Array]:
    """Outcome and spend of n runs under a cap; locations and scales are of ln spend."""
    would = rng.random(n) < plateau
    ln_spend = np.where(would, rng.normal(*success, size=n), rng.normal(*gave_up, size=n))
    spend = np.exp(ln_spend)
    ended = spend <= cap
    outcome = np.where(ended, np.where(would, "success", "gave_up"), "stopped_by_cap")
    return outcome, np.where(ended, spend, cap)


def runs(
    specs: Catalogue, ai_models: tuple[str, ...] = ("A", "B", "C"), n: int = 40, seed: int = 0
) -> pd.DataFrame:
    """A table of runs of every eval by every AI model; later AI models are abler."""
    rng = np.random.default_rng(seed)
    frames = []
    for i, spec in enumerate(specs.evals):
        for m, ai_model in enumerate(ai_models):
            logit = 0.6 * (4.0 + 1.5 * m - np.log2(spec.human_minutes or 30.0))
            outcome, spend = outcome_of_runs(
                rng, n, 1 / (1 + np.exp(-logit)), (11.0 + 0.5 * i, 1.2), (12.0 + 0.5 * i, 1.0), 1e6
            )
            frames.append(
                pd.DataFrame(
                    {
                        "eval": spec.name,
                        "task": [f"t{k}" for k in range(n)],
                        "ai_model": ai_model,
                        "outcome": outcome,
                        "spend": spend,
                        "cap": 1e6,
                        "human_minutes": spec.human_minutes,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def observed(*frames: pd.DataFrame) -> Observations:
    """Check tables as if they had been read from files."""
    return observations_of([Rows(frame, f"table {k}") for k, frame in enumerate(frames)])


def log_density(model: Any) -> Callable[[Mapping[str, Any]], float]:
    """Compile the log density of a PyMC model at one point, given by variable name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function = model.compile_logp(mode="FAST_COMPILE")

    def value(point: Mapping[str, Any]) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(function(dict(point)))

    return value
