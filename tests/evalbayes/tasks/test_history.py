"""The fit of a history against the truth of simulated runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.tasks import simulated

from evalbayes.errors import InputError
from evalbayes.tasks import TaskHistory

CAP = float(np.exp(12.0))


def test_a_history_needs_evidence_and_ai_models() -> None:
    row = {"eval": "e", "task": "t", "outcome": "excluded", "spend": 1.0, "cap": 2.0}
    with pytest.raises(InputError, match="at least one run must be evidence, got none"):
        TaskHistory.fit(pd.DataFrame([{**row, "ai_model": "A"}]))
    with pytest.raises(InputError, match="must have a column ai_model, got none"):
        TaskHistory.fit(pd.DataFrame([row]))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fit_recovers_levels_and_foretells_a_newcomer() -> None:
    """Levels within their intervals as often as nominal; a newcomer's shares likewise."""
    prior = simulated.history(n_draws=1, seed=3)
    tasks = np.arange(len(prior.known.table))
    truth = prior.newcomer(None, n_draws=6, seed=4)
    rng = np.random.default_rng(5)
    effects = rng.standard_normal((2, len(tasks)))  # the same tasks for every AI model
    runs = [
        simulated.runs_of(truth, row, tasks, CAP, rng, effects).assign(ai_model=f"A{row}")
        for row in range(6)
    ]
    minutes = simulated.tasks()
    told = pd.concat(runs[:5]).merge(minutes, on=["eval", "task"])
    history = TaskHistory.fit(told, seed=6, draws=300, tune=300, chains=2)
    assert history.diagnostics.divergences == 0
    logit = history.local[:, :, :, 0] * np.exp(history.local[:, :, :, 1])
    actual = (truth.local[:5, :, 0] + 0.0) * np.exp(truth.local[:5, :, 1])
    low, high = np.quantile(logit, [0.025, 0.975], axis=0)
    assert ((low <= actual) & (actual <= high)).mean() >= 0.8  # of 15, all nominally 0.95
    new = runs[5].merge(minutes, on=["eval", "task"])
    seen = new.iloc[::3]
    rest = new.drop(seen.index)
    drawn = history.newcomer(seen, seed=7).outcomes(rest, CAP, rng).mean(axis=1)
    low, high = np.quantile(drawn, [0.005, 0.995])
    assert low <= (rest["outcome"] == "success").mean() <= high
