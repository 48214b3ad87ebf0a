"""Inputs with hardly anything in them: each gives a fit whose words claim no more than was seen.

One AI model alone, one cap alone and evals without a run are in test_fit.py.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.catalogue import Catalogue
from evalbayes.model.fit import fit
from evalbayes.posterior.posterior import Posterior
from evalbayes.summaries.curves import curve_table

SPECS = catalogue()
ONE_EVAL = catalogue({"name": "middle", "human_minutes": 30})


def all_won() -> pd.DataFrame:
    table = runs(SPECS, ("A", "B"), n=15).assign(outcome="success")
    return table.assign(spend=np.exp(np.random.default_rng(1).normal(10.0, 1.0, len(table))))


def none_won() -> pd.DataFrame:
    table = runs(SPECS, ("A", "B"), n=15)
    table["outcome"] = np.where(np.arange(len(table)) % 2 == 0, "gave_up", "stopped_by_cap")
    spend = np.exp(np.random.default_rng(2).normal(12.0, 1.0, len(table)))
    return table.assign(spend=np.where(table["outcome"] == "gave_up", np.minimum(spend, 9e5), 1e6))


def one_spend() -> pd.DataFrame:
    """Every run that gives up does so at one spend, as an unflagged limit has it."""
    table = runs(SPECS, ("A", "B"), n=20)
    return table.assign(spend=table["spend"].where(table["outcome"] != "gave_up", 5e4))


CASES = {
    "one eval": (ONE_EVAL, runs(ONE_EVAL, ("A", "B", "C"), n=20)),
    "no success": (SPECS, none_won()),
    "all successes": (SPECS, all_won()),
    "one run": (SPECS, runs(SPECS, ("A",), n=1).head(1)),
    "one spend": (SPECS, one_spend()),
}


def fitted(case: str) -> tuple[Catalogue, Posterior, pd.DataFrame]:
    specs, table = CASES[case]
    posterior = fit(specs, observed(table), draws=200, tune=600, chains=2)
    return specs, posterior, curve_table(posterior, specs, "A").set_index("eval")


@pytest.mark.slow  # fits, compiling included: most of a CPU-minute each
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", list(CASES))
def test_it_fits_and_says_no_more_than_was_seen(case: str) -> None:
    specs, posterior, table = fitted(case)
    assert posterior.evals == tuple(spec.name for spec in specs.evals)
    for key, draws in posterior.draws.items():
        assert np.isfinite(draws).all(), key
    assert posterior.diagnostics.divergences <= 8  # of 400: few draws after a short warm-up
    assert posterior.diagnostics.summary()
    plateau = pd.Series(posterior.plateau("A").mean(axis=0), posterior.evals)
    kinds = set(table["class"])
    if case == "no success":
        assert kinds == {"floor"}
        assert (plateau < 0.3).all()
    elif case == "all successes":
        assert (plateau > 0.7).all()
        assert "floor" not in kinds
    elif case == "one spend":
        told = [note for note in posterior.diagnostics.notes if "spent exactly 50,000" in note]
        _, seen = CASES[case]
        gave_up = seen[seen["outcome"] == "gave_up"].groupby(["eval", "ai_model"]).size()
        assert len(told) == (gave_up >= 5).sum() > 0
        assert all("write stopped_otherwise" in note for note in told)
    elif case == "one run":
        assert "plateau" not in kinds
        assert set(table.drop(index="easy")["class"]) == {"unknown"}
        low, high = np.quantile(posterior.plateau("A")[:, 0], (0.05, 0.95))
        assert high - low > 0.4
    else:
        assert ((plateau > 0.01) & (plateau < 0.99)).all()
