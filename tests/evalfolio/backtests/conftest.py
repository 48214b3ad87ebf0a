"""A small world whose runs can be replayed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

CAP = 1000.0


@pytest.fixture(scope="session")
def runs() -> pd.DataFrame:
    """Five AI models on three evals of unlike price and length, runs as a lab would keep them."""
    rng = np.random.default_rng(7)
    rows = []
    evals = {"short": (-2.0, 20.0), "middle": (2.0, 100.0), "long": (6.0, 500.0)}
    tasks = {
        name: (rng.normal(length, 1.2, 14), rng.normal(0, 1.0, 14))
        for name, (length, _) in evals.items()
    }
    for m in range(5):
        theta = 1.0 + 1.5 * m
        for name, (_, price) in evals.items():
            departure = rng.normal(0, 0.5)
            for j, (x, effect) in enumerate(zip(*tasks[name], strict=True)):
                won = rng.random() < expit(0.8 * (theta + departure - x - effect))
                spend = min(price * np.exp(rng.normal(0, 0.6)) * (1 if won else 2), CAP)
                outcome = "success" if won else ("stopped_by_cap" if spend >= CAP else "gave_up")
                rows.append(
                    (name, f"t{j}", f"model {m}", outcome, spend, CAP, 2.0**x, f"202{m}-01-01")
                )
    columns = [
        "eval",
        "task",
        "ai_model",
        "outcome",
        "spend",
        "cap",
        "human_minutes",
        "release_date",
    ]
    return pd.DataFrame(rows, columns=columns)
