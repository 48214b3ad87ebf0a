"""Observations boiled down: what the evidence holds beside the figures of the likelihood."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.errors import InputError
from evalbayes.model.evidence import evidence_of
from evalbayes.observations import Observations


def mixed() -> Observations:
    """Runs as they come and elicited ones, cells, counts and scores."""
    single: Any = runs(catalogue(), n=20).assign(effort=0.0)
    single.loc[::4, "effort"] = 0.8
    single.loc[1::5, ["outcome", "spend"]] = ["stopped_by_cap", 0.97e6]
    cells = {"eval": "easy", "ai_model": "D", "n_success": 7, "n_gave_up": 2, "cap": 1e6}
    cells |= {"n_stopped_by_cap": 1, "mean_ln_spend_success": 11.0, "sd_ln_spend_success": 1.0}
    cells |= {"mean_ln_spend_gave_up": 12.0, "sd_ln_spend_gave_up": 1.0}
    counts = {"eval": "hard", "ai_model": "D", "cap": 1e6, "n_runs": 30, "n_success": 4}
    scores = {"eval": "hard", "ai_model": "E", "cap": 1e6, "score": 0.4, "standard_error": 0.1}
    return observed(single, *(pd.DataFrame([row]) for row in (cells, counts, scores)))


def test_the_single_runs_are_those_as_they_come_and_lie_at_the_cap_that_stopped_them() -> None:
    observations = mixed()
    evidence = evidence_of(observations, catalogue())
    given = observations.runs[observations.runs["effort"] == 0]
    assert list(evidence.plain) == ["easy", "hard", "middle"]
    for name, own in evidence.plain.items():
        theirs = given[given["eval"] == name]
        assert list(own["task"]) == list(theirs["task"])  # repeats included, in their order
        stopped = (own["outcome"] == "stopped_by_cap").to_numpy()
        assert stopped.any()
        assert (own["spend"][stopped] == own["cap"][stopped]).all()
        assert (own["spend"] == theirs["spend"])[~stopped].all()
    assert evidence.summed == {"easy": 7}
    assert evidence.human_minutes == {"easy": 4.0, "middle": 30.0, "hard": 240.0}
    assert evidence.remarks == ()


def test_an_eval_of_counts_alone_has_no_single_run_and_minutes_may_be_unknown() -> None:
    counts = {"eval": "hard", "ai_model": "D", "cap": 1e6, "n_runs": 30, "n_success": 4}
    evidence = evidence_of(observed(pd.DataFrame([counts])), catalogue())
    assert {name: len(own) for name, own in evidence.plain.items()} == {"hard": 0}
    assert evidence.human_minutes == {}
    assert evidence_of(Observations()).plain == {}


def test_runs_that_are_probably_not_meant_are_remarked_on() -> None:
    same = runs(catalogue(), ("A",), n=20).assign(outcome="gave_up", spend=3e4)
    (first, *_) = evidence_of(observed(same)).remarks
    assert first.startswith("all 20 runs of easy by A that gave up spent exactly 30,000")


def test_an_eval_that_the_catalogue_lacks_is_refused() -> None:
    with pytest.raises(InputError, match=r"eval must be one of the catalogue's .*got 'odd'"):
        evidence_of(observed(runs(catalogue(), n=5).replace("easy", "odd")), catalogue())
