"""Inputs with nearly nothing to tell: families of spend stay lognormal and say why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.curves.families import Selection, selection, selection_of
from evalbayes.errors import FitError
from evalbayes.model.evidence import evidence_of
from evalbayes.observations import Observations


def weighed(observations: Observations, *families: Any) -> Selection:
    evidence = evidence_of(observations)
    return selection_of(evidence.plain, evidence.summed, *families)


def table(**changes: Any) -> pd.DataFrame:
    whole = runs(catalogue(), ("A",), n=12)
    return whole.assign(**changes)


@pytest.mark.parametrize("outcome", ["gave_up", "stopped_otherwise"])
def test_no_success_at_all_leaves_the_lognormal(outcome: str) -> None:
    found = weighed(observed(table(outcome=outcome, spend=4e5)))
    assert not found.weights
    assert found.table["reason"].str.contains("no AI model has 5 successes").all()


def test_one_run_leaves_the_lognormal() -> None:
    found = weighed(observed(table().head(1)))
    assert list(found.table["family"]) == ["lognormal"]


def test_spends_that_never_differ_leave_the_lognormal() -> None:
    found = weighed(observed(table(outcome="success", spend=5e4)))
    assert not found.weights
    assert found.table["reason"].str.contains("spent the same").all()


def test_an_eval_whose_shape_cannot_be_found_leaves_the_lognormal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise FitError("the hill fit must be reached by importance draws")

    monkeypatch.setattr(selection, "cell_posterior", lost)
    rng = np.random.default_rng(6)
    frame = table(outcome="success")
    frame["spend"] = np.exp(rng.normal(11.0, 1.0, len(frame)))
    found = weighed(observed(frame))
    assert not found.weights
    assert list(found.table["family"].unique()) == ["lognormal"]
    assert found.table["reason"].str.contains("hill fit").all()


def test_all_successes_are_weighed() -> None:
    rng = np.random.default_rng(4)
    frame = table(outcome="success")
    frame["spend"] = np.exp(rng.normal(11.0, 1.0, len(frame)))
    found = weighed(observed(frame))
    assert set(found.weights) == {"easy", "middle", "hard"}
    for weights in found.weights.values():
        assert weights.sum() == pytest.approx(1.0)


def test_a_hundred_thousand_runs_are_weighed_on_a_part_of_each_cell() -> None:
    rng = np.random.default_rng(5)
    n = 100_000
    frame = pd.DataFrame(
        {
            "eval": "easy",
            "task": [f"t{k}" for k in range(n)],
            "ai_model": "A",
            "outcome": np.where(rng.random(n) < 0.6, "success", "gave_up"),
            "spend": np.exp(np.minimum(rng.normal(11.0, 1.0, n), 13.8)),
            "cap": 1e6,
        }
    )
    found = weighed(observed(frame))
    assert found.table["runs"].max() == 120
    assert found.weights["easy"].sum() == pytest.approx(1.0)
